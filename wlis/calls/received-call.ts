import type { Request, Response } from '../../proxy/http/message.js';
import type { KeyId, PublicKey } from '../trust/public-key.js';

/** A call of the protocol as this node received it: `/.well-known/wlis/<name>/<rest>?<query>`. */
export interface ReceivedCall {
  readonly request: Request;
  readonly name: string;
  /** Empty if there is none. Not decoded. */
  readonly rest: string;
  /** Decoded; no parameter is there twice. */
  readonly query: ReadonlyMap<string, string>;
  /** Null if there is none. It was read within bounds. */
  readonly content: Buffer | null;
  /**
   * Who signed it. A call counts once: ask once.
   * @param keyFor the key of that name if it may make this call
   * @throws CallProblem 401
   */
  signedBy(keyFor: (id: KeyId) => PublicKey | null): PublicKey;
}

/** What answers the calls of one name. */
export interface CallResource {
  readonly methods: readonly ('GET' | 'PUT' | 'DELETE')[];
  /** @throws CallProblem (or rejects with one) */
  answer(call: ReceivedCall): Response | Promise<Response>;
}
