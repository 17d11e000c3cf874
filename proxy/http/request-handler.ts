import type { Duplex } from 'node:stream';
import type { Bytes, Milliseconds } from '../../config/units.js';
import type { Aborted } from '../base/access-line.js';
import type { WillisError } from '../base/errors.js';
import type { Fields } from './fields.js';
import type { Request, Response } from './message.js';
import type { Receipt } from './received-request.js';

/** A request for a tunnel (RFC 9110 §9.3.6). */
export interface ConnectRequest extends Receipt {
  /** Where to; IPv6 literals in brackets. */
  readonly authority: { readonly host: string; readonly port: number };
  readonly version: '1.0' | '1.1';
  readonly fields: Fields;
}

/** What a server does with what it receives. */
export interface RequestHandler {
  /** Answers a request. An answer that is not a promise is sent in the same turn. */
  request(request: Request): Response | Promise<Response>;
  /**
   * Takes a connection over for a tunnel. The socket is paused, half-open sockets are allowed, and nobody else listens
   * to it but for guards against unhandled errors. `head` is what came behind the request.
   */
  connect(request: ConnectRequest, socket: Duplex, head: Buffer): void;
  /**
   * Takes a connection over for WebSocket, in the same state as for `connect`, and returns true; or leaves everything
   * as it is and returns false, and the request is answered like another. The request's signal does not tell of the
   * connection once it is taken over.
   */
  upgrade(request: Request, socket: Duplex, head: Buffer): boolean;
}

/** How an exchange went, for the access log and metrics. */
export interface Outcome extends Receipt, Measured {}

export interface Measured {
  /** What was taken in of the request until its answer had ended: head, content and framing. */
  readonly bytesIn: Bytes;
  /** What was given to the connection: informational responses, head, content and framing. */
  readonly bytesOut: Bytes;
  /** Of that the content of the answer, without framing. */
  readonly contentOut: Bytes;
  /** From the end of the request's head until the head of the answer was sent; null if it was not. */
  readonly firstByteTime: Milliseconds | null;
  /** From the end of the request's head to the end of the answer. */
  readonly duration: Milliseconds;
  /** Who kept the answer from arriving complete, as far as this side can know; null if nobody did. */
  readonly aborted: Aborted | null;
  /** Why the content of the answer broke off; null if it did not, or its client went away. */
  readonly failure: WillisError | null;
}

/** What is known of a request that is answered with an error: the request is null if it was malformed. */
export interface RefusalContext extends Receipt {
  readonly request: Request | ConnectRequest | null;
}

/** The ends of exchanges that a server leaves to others. */
export interface ExchangeObserver {
  /** The answer to a request that was refused, or whose handler failed. */
  onRefused(error: WillisError, context: RefusalContext): Response;
  /** Called once for every answer, sent or not; the request is null if it was malformed. */
  onFinished(request: Request | null, response: Response, outcome: Outcome): void;
}
