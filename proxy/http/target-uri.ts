/** An `http` or `https` URI (RFC 9110 §4.2), normalised as §4.2.3 says: lower-case scheme and host, no default port. */
export interface TargetUri {
  readonly scheme: 'http' | 'https';
  /** Lower case; IPv6 literals in brackets. */
  readonly host: string;
  readonly port: number;
  /** `host`, or `host:port` where the port is not the scheme's default. */
  readonly authority: string;
  /** Path and query as received, at least `/`; `*` for `OPTIONS *`. */
  readonly path: string;
}

/** The same under another scheme; a port that was the default one, and left out, stays left out. */
export function underScheme(uri: TargetUri, scheme: TargetUri['scheme']): TargetUri {
  const { host, port } = uri;
  if (scheme === uri.scheme) return uri;
  const own = defaultPort(scheme);
  if (port === own || port === defaultPort(uri.scheme)) return { ...uri, scheme, port: own, authority: host };
  return { ...uri, scheme };
}

const defaultPort = (scheme: TargetUri['scheme']): number => (scheme === 'https' ? 443 : 80);

/** `scheme://authority`, the origin in the sense of RFC 6454. */
export const originOf = (uri: TargetUri): string => `${uri.scheme}://${uri.authority}`;

/** The whole URI. */
export const hrefOf = (uri: TargetUri): string =>
  uri.path === '*' ? originOf(uri) : `${uri.scheme}://${uri.authority}${uri.path}`;
