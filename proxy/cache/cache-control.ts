import type { Seconds } from '../../config/units.js';

/** The response directives that govern a shared cache (RFC 9111 §5.2.2), from `CDN-Cache-Control` or `Cache-Control`. */
export interface ResponseDirectives {
  /** Which field they come from: RFC 9213's targeted field if it is there, valid and not empty. */
  readonly source: 'cdn-cache-control' | 'cache-control';
  readonly noStore: boolean;
  /** true: unqualified; a list: only those fields (lower case). */
  readonly private: boolean | readonly string[];
  readonly noCache: boolean | readonly string[];
  readonly public: boolean;
  readonly mustRevalidate: boolean;
  readonly proxyRevalidate: boolean;
  readonly mustUnderstand: boolean;
  readonly noTransform: boolean;
  /** 'invalid' if present but without a usable value: such a response is to be taken as stale (§4.2.1). */
  readonly maxAge: Seconds | 'invalid' | null;
  readonly sMaxage: Seconds | 'invalid' | null;
  readonly staleWhileRevalidate: Seconds | null;
  readonly staleIfError: Seconds | null;
}

/** The request directives (RFC 9111 §5.2.1). */
export interface RequestDirectives {
  readonly noStore: boolean;
  /** Also `Pragma: no-cache` where there is no `Cache-Control` (§5.4). */
  readonly noCache: boolean;
  readonly onlyIfCached: boolean;
  readonly noTransform: boolean;
  readonly maxAge: Seconds | null;
  readonly minFresh: Seconds | null;
  /** Infinity for `max-stale` without a value. */
  readonly maxStale: Seconds | null;
  readonly staleIfError: Seconds | null;
}
