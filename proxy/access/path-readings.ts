/**
 * The ways in which servers read one path: percent-encoding undone once or until none is left, encoded slashes and
 * backslashes taken for data or for slashes, parameters of segments (`;…`) kept or dropped, repeated slashes merged or
 * not, and dot segments removed (RFC 3986 §5.2.4); and the path as it was written. A rule that must not be evaded has to
 * look at all of them.
 *
 * Each reading is in one spelling: of unreserved and a few other characters as they are, of everything else as `%XX`
 * (RFC 3986 §6.2.2). Readings of two paths correspond by index; a path that everybody reads the same has one.
 */
export function readingsOf(path: string): readonly string[] {
  if (!unusual.test(path)) return [path];
  const once = decodeOnce(path);
  return ambiguous.test(once) || path.includes('%25') ? allReadings(path, false) : [encode(once, false)];
}

/** The same of a pattern, in which `*` is a wildcard and `%2A` a character; always one for each way of reading. */
export const readingsOfPattern = (pattern: string): readonly string[] => allReadings(pattern, true);

/** What of a path may have another spelling, or mean something else to another server. */
const unusual = /[^A-Za-z0-9._~!$&'()+,=:@/-]|\/\/|\/\.{1,2}(?:\/|$)/;

/** The latter, in a path that was decoded: the last of these are markers of what was encoded. */
const ambiguous = /[\\;\u0100-\u01ff]|\/\/|\/\.{1,2}(?:\/|$)/;

function allReadings(path: string, isPattern: boolean): string[] {
  const once = decodeOnce(path);
  const through = path.includes('%25') ? decodeThrough(path) : once;
  const ways = [writtenParameters, slashes, parameters, repeatedSlashes, [withoutDotSegments]];
  const readings = ways.reduce(everyWay, [once, through]);
  return everyWay([once, ...readings], [(text) => encode(text, isPattern)]);
}

type Way = (text: string) => string;

/** What becomes of each text in each way. Most texts are the same, and what becomes of those is worked out once. */
function everyWay(texts: readonly string[], ways: readonly Way[]): string[] {
  const known = new Map<string, readonly string[]>();
  return texts.flatMap((text) => {
    const outcomes = known.get(text) ?? ways.map((way) => way(text));
    known.set(text, outcomes);
    return outcomes;
  });
}

/** Decoded characters that may be data where the same character, written as itself, is not. */
const encodedSlash = '\u012f';
const encodedBackslash = '\u015c';
const encodedSemicolon = '\u013b';
const encodedStar = '\u012a';

const slashes: readonly Way[] = [
  (text) => text,
  (text) => text.replaceAll(encodedSlash, '/'),
  (text) => text.replace(/[\\\u012f\u015c]/g, '/'),
];

/** Before anything is decoded. */
const writtenParameters: readonly Way[] = [(text) => text, (text) => text.replace(/;[^/]*/g, '')];

const parameters: readonly Way[] = [
  (text) => text.replaceAll(encodedSemicolon, ';'),
  (text) => text.replace(/[;\u013b][^/]*/g, ''),
];

const repeatedSlashes: readonly Way[] = [(text) => text, (text) => text.replace(/\/{2,}/g, '/')];

const decodeOnce = (path: string): string => path.replace(/%([\dA-Fa-f]{2})/g, (_, hex: string) => decoded(hex));

/** Undoes encodings of encodings too, in one pass: what a decoded character completes is decoded at once. */
function decodeThrough(path: string): string {
  const out: string[] = [];
  for (const character of path) {
    out.push(character);
    while (out.length >= 3 && out.at(-3) === '%') {
      const hex = `${out.at(-2) ?? ''}${out.at(-1) ?? ''}`;
      if (!/^[\dA-Fa-f]{2}$/.test(hex)) break;
      out.splice(-3, 3, decoded(hex));
    }
  }
  return out.join('');
}

function decoded(hex: string): string {
  const character = String.fromCharCode(parseInt(hex, 16));
  return markers.get(character) ?? character;
}

const markers: ReadonlyMap<string, string> = new Map([
  ['/', encodedSlash],
  ['\\', encodedBackslash],
  [';', encodedSemicolon],
  ['*', encodedStar],
]);
const marked: ReadonlyMap<string, string> = new Map([...markers].map(([character, marker]) => [marker, character]));

/** RFC 3986 §5.2.4, for a path that begins with a slash; others are left alone. */
function withoutDotSegments(path: string): string {
  if (!path.startsWith('/')) return path;
  const kept: string[] = [];
  const segments = path.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    const dots = segment === '.' || segment === '..';
    if (segment === '..') kept.pop();
    if (!dots) kept.push(segment);
    else if (index === segments.length - 1) kept.push('');
  }
  return `/${kept.join('/')}`;
}

/** Every octet in its one spelling. */
const encode = (text: string, isPattern: boolean): string =>
  text.replace(isPattern ? notInPattern : notInPath, (found) => {
    const octet = (marked.get(found) ?? found).charCodeAt(0);
    return `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
  });

const notInPath = /[^A-Za-z0-9._~!$&'()+,=:@/;-]/g;
const notInPattern = /[^A-Za-z0-9._~!$&'()+,=:@/;*-]/g;
