import { removeDotSegments } from '../../../proxy/http/uri-reference.js';

/** A URL as an author wrote it, taken apart as browsers do. Paths begin with a slash unless they are relative. */
export type WrittenUrl =
  | (Parts & { readonly kind: 'absolute'; readonly scheme: 'http' | 'https' | null; readonly authority: string })
  | (Parts & { readonly kind: 'rooted' })
  /** `climbs`: it has a segment that leads upwards */
  | (Parts & { readonly kind: 'relative'; readonly climbs: boolean });

interface Parts {
  /** Without dot segments, unless it is relative. */
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
  /** With its number sign, or empty. */
  readonly fragment: string;
}

/**
 * Null for what is no http URL, or of no place that could be told for certain: `mailto:`, `http:x`, with a user, with a host that is
 * not ASCII. Of `scheme` null the URL has that of its page.
 */
export function readUrl(url: string): WrittenUrl | null {
  if (isPlainRelative(url)) return null;
  const [, written = '', query = '', fragment = ''] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(withoutBreaks(url)) ?? [];
  const text = written.replaceAll('\\', '/');
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') return null;
  const rest = scheme === undefined ? text : text.slice(scheme.length + 1);
  if (rest.startsWith('//')) return absolute(rest.slice(2), scheme ?? null, query, fragment);
  if (scheme !== undefined) return null;
  if (rest.startsWith('/')) return { kind: 'rooted', path: plainPath(rest), query, fragment };
  const path = withPlainDots(rest);
  return { kind: 'relative', path, query, fragment, climbs: /(?:^|\/)\.\.(?:\/|$)/.test(path) };
}

/** Without query and fragment. @param origin of the page: `https://docs.example` */
export function absoluteUrl(written: Exclude<WrittenUrl, { readonly kind: 'relative' }>, origin: string): string {
  if (written.kind === 'rooted') return origin + written.path;
  const scheme = written.scheme ?? origin.slice(0, origin.indexOf(':'));
  const usual = scheme === 'https' ? ':443' : ':80';
  const { authority } = written;
  return `${scheme}://${authority.endsWith(usual) ? authority.slice(0, -usual.length) : authority}${written.path}`;
}

/** A relative path as seen from that of a page. */
export const joined = (page: string, path: string): string =>
  removeDotSegments(page.replace(/[?#].*$/s, '').replace(/[^/]*$/, '') + path);

/** Most links: nothing in them says of itself where it leads. */
const isPlainRelative = (url: string): boolean => /^(?:[\w-][\w.-]*(?:\/[\w-][\w.-]*)*\/?)?(?:[?#].*)?$/s.test(url);

function absolute(text: string, scheme: 'http' | 'https' | null, query: string, fragment: string): WrittenUrl | null {
  const end = text.indexOf('/');
  const authority = (end < 0 ? text : text.slice(0, end)).toLowerCase();
  if (!/^(?:\[[\da-f:.]+\]|[\w.~-]+)(?::\d*)?$/.test(authority)) return null;
  const path = end < 0 ? '/' : plainPath(text.slice(end));
  return { kind: 'absolute', scheme, authority: authority.replace(/:$/, ''), path, query, fragment };
}

const plainPath = (path: string): string => {
  const plain = withPlainDots(path);
  return /\/\.{1,2}(?:\/|$)/.test(plain) ? removeDotSegments(plain) : plain;
};

/** Segments that are dots to browsers, however they are written. */
const withPlainDots = (path: string): string =>
  path.replace(/(?<=^|\/)(?:\.|%2e){1,2}(?=\/|$)/gi, (dots) => dots.replace(/%2e/gi, '.'));

/** Browsers take them out wherever they stand. */
const withoutBreaks = (url: string): string => url.replace(/[\t\n\r]/g, '');
