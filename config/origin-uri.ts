/** The part of an origin server that a site stands for. Has the shape of a target URI whose path ends in `/`. */
export interface OriginUri {
  readonly scheme: 'http' | 'https';
  /** Lower case; IPv6 literals in brackets. */
  readonly host: string;
  readonly port: number;
  /** `host`, or `host:port` where the port is not the scheme's default. */
  readonly authority: string;
  readonly path: string;
}

/** The URI in normal form, or what is wrong with it in words that continue "expected …". */
export function parseOriginUri(text: string): OriginUri | string {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return 'an http or https URL';
  if (/[\s\\]/.test(text)) return 'a URL without spaces and backslashes';
  const url = new URL(text);
  if (text.includes('?') || text.includes('#')) return 'a URL without a query and a fragment';
  if (/^[^/]*\/\/[^/]*@/.test(text)) return 'a URL without user and password';
  if (!url.pathname.endsWith('/')) return "a URL whose path ends in '/'";
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port);
  return { scheme, host: url.hostname, port, authority: url.host, path: url.pathname };
}

export const formatOriginUri = (uri: OriginUri): string => `${uri.scheme}://${uri.authority}${uri.path}`;

/** A proxy that requests are sent to. */
export type ProxyUri = Omit<OriginUri, 'path'>;

/** The same for the URL of a proxy, which has no path. */
export function parseProxyUri(text: string): ProxyUri | string {
  const uri = parseOriginUri(text.endsWith('/') ? text : `${text}/`);
  if (typeof uri === 'string') return uri.includes('user and password') ? `${uri}: those have keys of their own` : uri;
  const { path, ...proxy } = uri;
  return path === '/' ? proxy : 'a URL without a path';
}

export const formatProxyUri = ({ scheme, authority }: ProxyUri): string => `${scheme}://${authority}`;
