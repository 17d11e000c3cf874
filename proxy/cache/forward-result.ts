import type { AnsweredBy } from '../forward/answered-by.js';
import type { ReceivedResponse } from './receive-response.js';
import type { FilledRepresentation } from './storing.js';
import type { ResponseMetadata, StoredResponse } from './stored-response.js';
import { classifyValidation } from './validation.js';

/** What one forward brought: to whoever asked for it, and to those who waited. */
export type ForwardResult =
  /** It is being stored, and serves whoever it matches. */
  | { readonly kind: 'storing'; readonly received: ReceivedResponse; readonly representation: FilledRepresentation }
  /** 304: the stored response is as good as new. */
  | Validated
  /** The server could not validate, and the stored response may stand in. */
  | { readonly kind: 'stale'; readonly stored: StoredResponse; readonly detail: string; readonly status: number | null }
  /** For the one who asked only. */
  | { readonly kind: 'not-stored'; readonly received: ReceivedResponse; readonly reason: string };

/** A stored response whose bytes are the answer. */
export interface Validated {
  readonly kind: 'validated';
  readonly stored: StoredResponse;
  /** As the one who asked is told: with the fields that a qualified directive withholds from others. */
  readonly metadata: ResponseMetadata;
  /** Whether it stands so in the store. */
  readonly updated: boolean;
  /** Who said so, where several could have. */
  readonly answeredBy?: AnsweredBy | null;
}

/** What stands in the store, as it stands there. */
export const validatedAs = (stored: StoredResponse): Validated => ({
  kind: 'validated',
  stored,
  metadata: stored,
  updated: true,
});

/** Lets go of what a result holds, when the one who asked has gone. */
export function release(result: ForwardResult): void {
  if (result.kind === 'not-stored') result.received.body?.cancel();
}

/** Whether a result that is not stored still shows that the response it was to validate is out of date (RFC 9111 §4.3.3). */
export const supersedes = (result: ForwardResult): boolean =>
  result.kind === 'not-stored' &&
  result.reason !== 'provoked' &&
  classifyValidation(result.received.status) === 'replace';
