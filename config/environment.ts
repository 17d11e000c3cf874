/** Variables of the environment, or whatever stands for them. */
export type Environment = Readonly<Record<string, string | undefined>>;

interface Fault {
  readonly expected: string;
  readonly got: string;
  readonly hint: string | null;
}

export type Substitution =
  { readonly text: string; readonly fault: null } | { readonly text: null; readonly fault: Fault };

const reference = /\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}|[^}]*\}?)/g;

/**
 * The text with each `${NAME}` replaced by the variable, and each `${NAME:-default}` by the variable or, where it is
 * unset or empty, by the default. What a variable contains is not looked at again.
 */
export function substitute(text: string, environment: Environment): Substitution {
  const faults: Fault[] = [];
  const replaced = text.replace(reference, (whole: string, name?: string, withDefault?: string, value?: string) => {
    const result = variable(whole, name, withDefault === undefined ? null : (value ?? ''), environment);
    if (typeof result === 'string') return result;
    faults.push(result);
    return whole;
  });
  const [fault] = faults;
  return fault === undefined ? { text: replaced, fault: null } : { text: null, fault };
}

function variable(
  whole: string,
  name: string | undefined,
  fallback: string | null,
  environment: Environment,
): string | Fault {
  if (name === undefined) return { expected: '${NAME} or ${NAME:-default}', got: whole, hint: null };
  const found = Object.hasOwn(environment, name) ? environment[name] : undefined;
  if (found !== undefined && (found !== '' || fallback === null)) return found;
  if (fallback !== null) return fallback;
  const hint = `Set it, or give a default: \${${name}:-…}.`;
  return { expected: `the environment variable ${name}`, got: 'nothing', hint };
}

/** Whether a text is one reference and nothing else. */
export const isReference = (text: string): boolean => /^\$\{[^}]*\}$/.test(text);
