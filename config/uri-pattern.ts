/** What a pattern of target URIs fails to be, in words that continue "expected …"; null if it may stand. */
export function uriPatternFault(text: string): string | null {
  const match = /^(https?|\*):\/\/([^/?#]+)(\/.*)$/i.exec(text);
  if (match === null) return "an http or https URL with a path, or '*' in place of its scheme";
  const [, , authority = '', path = ''] = match;
  if (!/^(?:[A-Za-z0-9._*-]+|\[[0-9A-Fa-f:.]+\])(?::(?:\d{1,5}|\*))?$/.test(authority)) return 'a URL with a host name';
  return pathPatternFault(path);
}

/** The same for a pattern of paths. */
export function pathPatternFault(text: string): string | null {
  if (!text.startsWith('/') && !text.startsWith('*')) return "a path that begins with '/' or '*'";
  if (!/^[\x21-\x7e]+$/.test(text) || /[?#\\]/.test(text)) {
    return 'a path without query, fragment, backslash and spaces, as it is percent-encoded';
  }
  return text.length <= 1024 && (text.match(/\*+/g)?.length ?? 0) <= 8
    ? null
    : 'at most 1024 characters and 8 wildcards';
}

/**
 * A test for a pattern: `*` stands for any characters but `/`, `**` for any; a pattern that ends in `/` stands for all that
 * lies below. Takes time in proportion to both lengths at most, whatever the text.
 */
export function patternTest(pattern: string): (text: string) => boolean {
  const below = pattern.endsWith('/');
  if (!pattern.includes('*')) return below ? (text) => text.startsWith(pattern) : (text) => text === pattern;
  const steps = [...(below ? `${pattern}**` : pattern).matchAll(/\*+|[^*]/g)].map(([step]) => step);
  return (text) => matches(steps, text);
}

/** Follows all ways through the pattern at once: `reached` has the steps that a match may go on with. */
function matches(steps: readonly string[], text: string): boolean {
  let reached = closure(steps, new Set([0]));
  for (const character of text) {
    const next = new Set<number>();
    for (const at of reached) {
      const step = steps[at] ?? '';
      if (!step.startsWith('*')) {
        if (step === character) next.add(at + 1);
      } else if (step !== '*' || character !== '/') next.add(at);
    }
    if (next.size === 0) return false;
    reached = closure(steps, next);
  }
  return reached.has(steps.length);
}

/** A wildcard may stand for nothing. */
function closure(steps: readonly string[], reached: Set<number>): Set<number> {
  for (const at of reached) if (steps[at]?.startsWith('*') === true) reached.add(at + 1);
  return reached;
}
