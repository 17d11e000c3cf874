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

/** The same for a pattern of paths below a namespace or directory. */
export function insidePatternFault(text: string): string | null {
  if (text === '' || text.startsWith('/')) return "a path without '/' at its beginning";
  if (text.split('/').some((part) => part === '..' || part === '.')) return "a path without '.' and '..'";
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
  const steps = [...(below ? `${pattern}**` : pattern).matchAll(/\*+|[^*]/g)].map(([step]) => stepOf(step));
  return matcher(Int32Array.from(steps));
}

/** The same of target URIs without their query: scheme and host are the same in any case (RFC 9110 §4.2.3). */
export const uriTest = (pattern: string): ((uri: string) => boolean) =>
  patternTest(pattern.replace(/^[^/]*\/\/[^/]*/, (origin) => origin.toLowerCase()));

/** A step of a pattern: the code of a character, or one of these. */
const withinSegment = -1;
const anything = -2;

function stepOf(text: string): number {
  if (!text.startsWith('*')) return text.charCodeAt(0);
  return text === '*' ? withinSegment : anything;
}

/** Follows all ways through the pattern at once: `reached` has the steps that a match may go on with. */
function matcher(steps: Int32Array): (text: string) => boolean {
  const end = steps.length;
  let reached = new Int32Array(end + 1);
  let next = new Int32Array(end + 1);
  /** After which character a step was reached last. */
  const reachedAt = new Int32Array(end + 1);
  let count = 0;
  const reach = (list: Int32Array, step: number, at: number): void => {
    // a wildcard may stand for nothing
    for (let one = step; reachedAt[one] !== at; one++) {
      reachedAt[one] = at;
      list[count++] = one;
      if (one === end || (steps[one] as number) >= 0) return;
    }
  };
  return (text) => {
    reachedAt.fill(-1);
    count = 0;
    reach(reached, 0, 0);
    for (let at = 1; at <= text.length && count > 0; at++) {
      const code = text.charCodeAt(at - 1);
      const before = count;
      count = 0;
      for (let i = 0; i < before; i++) {
        const one = reached[i] as number;
        if (one === end) continue;
        const step = steps[one] as number;
        if (step === code) reach(next, one + 1, at);
        else if (step === anything || (step === withinSegment && code !== SLASH)) reach(next, one, at);
      }
      [reached, next] = [next, reached];
    }
    return reachedAt[end] === text.length;
  };
}

const SLASH = 0x2f;
