/**
 * Field names in the spellings in which nearly all of them are sent, so that telling one from another makes no new strings,
 * and thousands of stored responses share those that they have in common.
 */

/** The lower-case form of a field name (names are compared without regard to case, RFC 9110 §5.1). */
export const lowerCaseName = (name: string): string => known.get(name)?.lower ?? name.toLowerCase();

/** The same characters: the one string that all messages share if the name is a usual one, otherwise the one given. */
export const sharedName = (name: string): string => known.get(name)?.written ?? name;

/** Whether `sharedName` has one string for that name. */
export const isSharedName = (name: string): boolean => known.has(name);

interface KnownName {
  readonly written: string;
  readonly lower: string;
}

/** As they are written by most; to be found in lower case too. */
const usual = `
  Accept Accept-Encoding Accept-Language Accept-Ranges Access-Control-Allow-Credentials Access-Control-Allow-Headers
  Access-Control-Allow-Methods Access-Control-Allow-Origin Access-Control-Expose-Headers Access-Control-Max-Age
  Access-Control-Request-Headers Access-Control-Request-Method Age Allow Alt-Svc Alt-Used Authorization Cache-Control
  Cache-Groups Cache-Status CDN-Cache-Control CDN-Loop Connection Content-Disposition Content-Encoding Content-Language
  Content-Length Content-Location Content-Range Content-Security-Policy Content-Security-Policy-Report-Only Content-Type
  Cookie Cross-Origin-Embedder-Policy Cross-Origin-Opener-Policy Cross-Origin-Resource-Policy Date DNT ETag Expect Expires
  Forwarded From Host If-Match If-Modified-Since If-None-Match If-Range If-Unmodified-Since Keep-Alive Last-Modified Link
  Location Max-Forwards NEL Origin P3P Permissions-Policy Pragma Priority Proxy-Authenticate Proxy-Authorization
  Proxy-Connection Proxy-Status Purpose Range Referer Referrer-Policy Report-To Reporting-Endpoints Retry-After Save-Data
  Sec-CH-UA Sec-CH-UA-Mobile Sec-CH-UA-Platform Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User Sec-GPC
  Sec-Purpose Server Server-Timing Set-Cookie Strict-Transport-Security Surrogate-Control Surrogate-Key TE
  Timing-Allow-Origin Trailer Transfer-Encoding Upgrade Upgrade-Insecure-Requests User-Agent Vary Via WWW-Authenticate
  X-Accel-Expires X-Cache X-Cache-Hits X-Content-Type-Options X-DNS-Prefetch-Control X-Forwarded-For X-Forwarded-Host
  X-Forwarded-Proto X-Frame-Options X-Powered-By X-Real-IP X-Request-ID X-Requested-With X-Robots-Tag X-Served-By X-Timer
  X-XSS-Protection`;

const known: ReadonlyMap<string, KnownName> = new Map(
  usual
    .trim()
    .split(/\s+/)
    .flatMap((written) => {
      const lower = written.toLowerCase();
      return [
        [written, { written, lower }],
        [lower, { written: lower, lower }],
      ] as const;
    }),
);
