/**
 * The path of a document by the names of its file and directories: percent-encoded as canonical URIs are, that is what is
 * neither unreserved nor a sub-delim nor `:`, `@`. Null for what no canonical URI can name: backslashes, names that are not
 * UTF-8 (which reach us with U+FFFD in them), and the names `.` and `..`.
 */
export function encodePath(names: string): string | null {
  if (isPlain.test(names)) return names;
  if (/[\\\ufffd\0\p{Surrogate}]/u.test(names)) return null;
  if (names.split('/').some((name) => name === '.' || name === '..')) return null;
  return names.replace(encoded, encodeURIComponent);
}

/** The directory of a document, as its path has it: up to the last slash. */
export const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/') + 1);

/** A reference to a document of the same directory, which is not taken for a URI with a scheme. */
export const referenceTo = (segment: string): string =>
  /^[^/]*:/.test(segment) || segment === '' ? `./${segment}` : segment;

const isPlain = /^(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*\/)*(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*)?$/;
const encoded = /[^A-Za-z0-9._~!$&'()*+,;=:@/-]/gu;
