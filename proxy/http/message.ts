import type { EpochMs } from '../../config/units.js';
import type { Cancellation } from '../base/cancellation.js';
import type { Body } from './body.js';
import type { ExchangeRecord } from './exchange-record.js';
import type { Fields } from './fields.js';
import type { Provenance } from './provenance.js';
import type { TargetUri } from './target-uri.js';

/** Who sent a request, as far as the connection tells. */
export interface Client {
  /** IP address in text form; IPv4-mapped IPv6 addresses are written as IPv4. */
  readonly address: string;
  readonly port: number;
  /** Whether the connection is TLS. */
  readonly secure: boolean;
}

/** A request as received, its framing already undone and checked. Never mutated. */
export interface Request {
  /** Case-sensitive (RFC 9110 §9.1). */
  readonly method: string;
  /** The target URI, rebuilt by RFC 9112 §3.3; for `OPTIONS *` its path is `*`. */
  readonly target: TargetUri;
  /** How the request target was written (RFC 9112 §3.2). */
  readonly form: 'origin' | 'absolute' | 'asterisk';
  readonly version: '1.0' | '1.1';
  /** All received fields, hop-by-hop ones included. */
  readonly fields: Fields;
  /** Null if the request has no content; a body of length 0 if it says `Content-Length: 0`. */
  readonly body: Body | null;
  readonly client: Client;
  readonly receivedAt: EpochMs;
  /** Short id that stands in the log and in error answers. */
  readonly id: string;
  readonly record: ExchangeRecord;
  /** Cancelled when the client has gone or the connection broke before the answer was complete. */
  readonly cancellation: Cancellation;
  /** Passes an informational (1xx) response on to the client, if it speaks HTTP/1.1 (RFC 9110 §15.2). */
  inform(status: number, fields: Fields): void;
}

/** A final response. Never mutated. */
export interface Response {
  /** 200 to 999. */
  readonly status: number;
  /** Reason phrase; may be empty. */
  readonly reason: string;
  /**
   * End-to-end fields. `Content-Length` stands here if the length of the representation is known; `Transfer-Encoding`,
   * `Connection` and other hop-by-hop fields never do: `send` frames the message itself.
   */
  readonly fields: Fields;
  /** Null if there is no content. For a HEAD request it is null whatever `Content-Length` says. */
  readonly body: Body | null;
  /** For the access log and metrics; never sent. */
  readonly note?: ResponseNote;
  /** Where it comes from, if it is the answer of another server; never sent. */
  readonly provenance?: Provenance | undefined;
}

/** What this node did for a response, in the words of RFC 9211. */
export interface ResponseNote {
  /** `hit` or `fwd=…`, with `;collapsed` and `;stale` where that is so; `purge`; absent for other answers. */
  readonly outcome?: string;
  /** Code of the error table if this node generated the answer because of a failure. */
  readonly error?: string;
}
