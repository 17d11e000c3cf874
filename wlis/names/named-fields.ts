import type { Fields } from '../../proxy/http/fields.js';
import { hrefOf, originOf, type TargetUri } from '../../proxy/http/target-uri.js';
import { resolveReference } from '../../proxy/http/uri-reference.js';

/** A part of a URI space that somebody is shown under another name or scheme. */
export interface ShownPart {
  /** `http://manual.wlis`: what stands before the paths that are shown. */
  readonly origin: string;
  /** Path with which they begin; it ends in a slash. */
  readonly path: string;
  /** What takes the place of all that; its path ends in a slash. */
  readonly of: TargetUri;
}

/**
 * The fields of an answer for whoever is shown that part: `Location` and `Content-Location` lead to what is shown where
 * they lead into the part, and to where they did in all other cases, though they may have been relative.
 * @param target whose answer it is
 * @param dropsTls whether what came by TLS is shown without: then nothing is handed on that is for TLS alone
 */
export function namedFields(fields: Fields, target: TargetUri, part: ShownPart, dropsTls: boolean): Fields {
  let shown = fields;
  for (const name of ['Location', 'Content-Location']) {
    const value = fields.first(name.toLowerCase());
    const reference = value === undefined ? null : shownReference(value, target, part);
    if (reference !== null && reference !== value) shown = shown.with(name, reference);
  }
  return dropsTls ? withoutTls(shown) : shown;
}

/** Null for what is no reference to a page: it stays as it is. */
function shownReference(reference: string, target: TargetUri, { origin, path, of }: ShownPart): string | null {
  const resolved = resolveReference(target, reference);
  if (resolved === null) return null;
  const fragment = /#.*$/s.exec(reference)?.[0] ?? '';
  const isInside = originOf(resolved) === originOf(of) && resolved.path.startsWith(of.path);
  return (isInside ? origin + path + resolved.path.slice(of.path.length) : hrefOf(resolved)) + fragment;
}

/** Cookies with `Secure` would be sent in clear, and policies of transport are about another connection (RFC 6797 §7.2). */
function withoutTls(fields: Fields): Fields {
  const kept = fields.without('strict-transport-security');
  const cookies = kept.all('set-cookie');
  if (!cookies.some(isSecureCookie)) return kept;
  const others = cookies.filter((cookie) => !isSecureCookie(cookie));
  return kept.without('set-cookie').plus(...others.flatMap((cookie) => ['Set-Cookie', cookie]));
}

/** RFC 6265bis §5.6, with the prefixes of names that demand it. */
const isSecureCookie = (cookie: string): boolean =>
  /;\s*secure\s*(?:;|=|$)/i.test(cookie) || /^\s*__(?:secure|host)-/i.test(cookie);
