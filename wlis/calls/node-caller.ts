import type { Bytes, Milliseconds } from '../../config/units.js';
import type { Body } from '../../proxy/http/body.js';
import type { Fields } from '../../proxy/http/fields.js';

/** A call that this node makes to another one. */
export interface NodeCall {
  /** `https://m1.example` */
  readonly url: string;
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** Behind `/.well-known/wlis/`, with its query: `head?namespace=…`. */
  readonly path: string;
  /** JSON, null for none. */
  readonly content: string | null;
  /** Names and values in turns, besides those that every call has. */
  readonly fields: readonly string[];
  /** How long nothing may come before it is given up. */
  readonly patience: Milliseconds;
  readonly signal: AbortSignal;
}

export interface CallAnswer {
  readonly status: number;
  readonly fields: Fields;
  /** As UTF-8. */
  readonly text: string;
}

/** Makes calls to other nodes, signed with the key of this one if it has one (RFC 9421). */
export interface NodeCaller {
  /** The whole answer, whatever its status; encoded content is decoded. @throws CallFailed unreachable, not-believed beyond `longest` */
  ask(call: NodeCall, longest: Bytes): Promise<CallAnswer>;
  /** The answer with its content still to come, decoded; whoever gets it reads or cancels it. @throws CallFailed unreachable */
  open(call: NodeCall): Promise<{ readonly status: number; readonly fields: Fields; readonly body: Body }>;
}
