/**
 * A name that says nothing of any host: one or several labels, in lower case, of letters, digits, `-` and `_`; what stands
 * before `.wlis` in `http://manual.wlis/`. The most significant label is the last one.
 */
export type LogicalName = string & { readonly logicalName: unique symbol };

/** The name that a host of a target URI is; null for all other hosts, and for what cannot be a name. */
export function logicalNameOf(host: string): LogicalName | null {
  const plain = host.endsWith('.') ? host.slice(0, -1) : host;
  return plain.endsWith(suffix) ? asLogicalName(plain.slice(0, -suffix.length)) : null;
}

/** Whether a host is meant as a name, be it no name that there can be: nobody else is asked for it. */
export const isLogicalHost = (host: string): boolean => host.endsWith(suffix) || host.endsWith(rootedSuffix);

/** `manual.wlis` */
export const hostOfName = (name: LogicalName): string => name + suffix;

/** Null for what cannot be one. */
export const asLogicalName = (text: string): LogicalName | null =>
  text.length <= longest && pattern.test(text) ? (text as LogicalName) : null;

/**
 * Under what a name may be listed, what fits best first: itself, then the wildcards that stand for it (`*.b.docs` and
 * `*.docs` for `a.b.docs`), each with the labels that its star stands for.
 */
export function* patternsOf(
  name: LogicalName,
): Generator<{ readonly pattern: string; readonly rest: readonly string[] }> {
  yield { pattern: name, rest: [] };
  const labels = name.split('.');
  for (let star = 1; star < labels.length; star++) {
    yield { pattern: `*.${labels.slice(star).join('.')}`, rest: labels.slice(0, star) };
  }
}

const suffix = '.wlis';
const rootedSuffix = '.wlis.';

/** With its suffix it has to be a host name. */
const longest = 253 - suffix.length;

const pattern = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
