import type { ForwardOptions, IncomingResponse, OutgoingRequest } from '../../proxy/forward/upstream.js';
import type { KnownNamespace } from '../directory/known-namespace.js';

/** The way to a primary through one of its replicas, for requests that it alone may answer (protocol, rule 7). */
export interface PrimaryRelay {
  /** Null if there is no such way. @throws WillisError as an Upstream does */
  forward(known: KnownNamespace, request: OutgoingRequest, options: ForwardOptions): Promise<IncomingResponse | null>;
}
