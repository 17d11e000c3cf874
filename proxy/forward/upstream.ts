import type { Cancellation } from '../base/cancellation.js';
import type { Body } from '../http/body.js';
import type { Fields } from '../http/fields.js';
import type { TargetUri } from '../http/target-uri.js';
import type { AnsweredBy } from './answered-by.js';

/** A request as it is to leave: fields are complete (`Host`, `Via`, …) and free of hop-by-hop ones. */
export interface OutgoingRequest {
  readonly method: string;
  /** Where it goes: the connection is made to its host and port, the request target is its path. */
  readonly target: TargetUri;
  readonly fields: Fields;
  readonly body: Body | null;
  /** Address of the one for whom it is sent, by which one of several nodes may be chosen; it is told to nobody. */
  readonly client?: string;
  /** The node that its reader has chosen, `https://m1.example` or `primary`, where several could answer it. */
  readonly from?: string;
  /** Forward the client's `Expect: 100-continue` and wait with the body (RFC 9110 §10.1.1). */
  readonly expectContinue?: boolean;
}

/** A final response as received, framing undone, hop-by-hop fields still there. */
export interface IncomingResponse {
  readonly status: number;
  readonly reason: string;
  /** Version in which it was received. */
  readonly version: '1.0' | '1.1';
  readonly fields: Fields;
  /** Null for responses that have none by definition (HEAD, 204, 304). A broken transfer makes `read` reject. */
  readonly body: Body | null;
  /** Which of several nodes gave it, where there was a choice. It is about this answer, and is never stored with it. */
  readonly answeredBy?: AnsweredBy;
  /** Nothing proves it, where what others get is proven: it is for the one who asked alone, whatever it says itself. */
  readonly isUnproven?: boolean;
}

export interface ForwardOptions {
  /** Gives up the request, until the head of its response is there; from then on the reader of the body decides. */
  readonly cancellation: Cancellation;
  /** 1xx responses other than 101, as they come. */
  readonly onInformational?: (status: number, fields: Fields) => void;
}

/** A way to get an answer from "further in": an origin server, or later a group of replicas. */
export interface Upstream {
  /**
   * Sends the request; resolves with the head of the final response, its body still to be read. The caller owns that
   * body. A request whose method is safe or idempotent is sent again once if a reused connection turns out closed.
   * @throws WillisError of the table's upstream part
   */
  forward(request: OutgoingRequest, options: ForwardOptions): Promise<IncomingResponse>;
  /** Ends idle connections, waits for those in use. Idempotent. */
  close(): Promise<void>;
}
