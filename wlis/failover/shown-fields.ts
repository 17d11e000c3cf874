import type { Milliseconds } from '../../config/units.js';
import type { Fields } from '../../proxy/http/fields.js';
import { parseHeadField } from '../calls/head-field.js';
import { parseNamespaceField } from '../piggyback/namespace-field.js';
import { PROOF_FIELD, parseProofField } from '../piggyback/proof-field.js';

/** What an answer of a node says of itself, none of it believed. */
export interface ShownFields {
  /** The head, and how old it is said to be; null if there is none. */
  readonly head: { readonly jws: string; readonly age: Milliseconds } | null;
  /** Null if there is none. */
  readonly proof: string | null;
}

/** @throws NotBelieved malformed for a head that is none */
export function shownFields(fields: Fields): ShownFields {
  const head = fields.first(headName);
  return {
    head: head === undefined ? null : parseHeadField(head),
    proof: parseProofField(fields.first(proofName)),
  };
}

/**
 * Whether an answer is to this very request, so that it is the node that has sent it, and no cache on the way (protocol
 * decision 15).
 * @param nonce that was sent in `WLIS-Have`
 */
export const isFresh = (fields: Fields, nonce: string): boolean =>
  parseNamespaceField(fields.first(namespaceName))?.nonce === nonce;

const headName = 'wlis-head';
const proofName = PROOF_FIELD.toLowerCase();
const namespaceName = 'wlis-namespace';
