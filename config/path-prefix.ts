/** What a site's prefix fails to be, in words that continue "expected …"; null if it may stand. */
export function prefixFault(path: string): string | null {
  if (!path.startsWith('/') || !path.endsWith('/')) return "a path that starts and ends with '/'";
  if (!/^[\x21-\x7e]+$/.test(path) || /[?#\\]/.test(path))
    return 'a path without query, fragment, backslash and spaces';
  return /\/\.{0,2}\//.test(path) ? 'a path without empty and dot segments' : null;
}
