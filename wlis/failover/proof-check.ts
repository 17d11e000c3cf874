import { bytes, type Bytes } from '../../config/units.js';
import { RecentlyUsed } from '../../proxy/cache/recently-used.js';
import type { CanonicalUri } from '../canonical-uri.js';
import type { KnownNamespace } from '../directory/known-namespace.js';
import { openProofUnderHead } from '../trust/proof-answer.js';
import { canonicalJson, parseCanonicalJson, type JsonObject } from '../trust/canonical-json.js';
import { NotBelieved } from '../trust/not-believed.js';
import { KnownDocument } from './known-document.js';
import { VerifiedHeads } from './verified-heads.js';

/** What a node has shown for an answer. */
export interface ShownProof {
  readonly jws: string;
  /** What belongs to the URI under that head, as `WLIS-Proof` has it. */
  readonly text: string;
  /** Who has shown it. */
  readonly at: string;
}

interface Remembered {
  readonly text: string;
  readonly dropsQuery: boolean;
  readonly document: KnownDocument;
}

/**
 * Verifies what proves a document, or that there is none. What was verified last is remembered by its URI, and costs a
 * comparison when it is shown again.
 */
export class ProofCheck {
  readonly #heads: VerifiedHeads;
  readonly #remembered: RecentlyUsed<CanonicalUri, Remembered>;

  constructor(limit: Bytes) {
    this.#heads = new VerifiedHeads(bytes(Math.min(mostForHeads, limit / 4)));
    this.#remembered = new RecentlyUsed(limit);
  }

  /** What was verified last of a URI, be it out of date by now: good for guesses about the next answer. */
  last(uri: CanonicalUri): KnownDocument | null {
    return this.#remembered.use(uri)?.document ?? null;
  }

  /** @throws NotBelieved; or the reason of the signal */
  async open(uri: CanonicalUri, known: KnownNamespace, shown: ShownProof, signal: AbortSignal): Promise<KnownDocument> {
    const { jws, text, at } = shown;
    // whatever else is remembered: its signer may have been replaced meanwhile
    const head = await this.#heads.open(jws, known, at, signal);
    const dropsQuery = known.group.group.policy.query === 'ignore';
    const last = this.#remembered.use(uri);
    const before = last?.text === text && last.dropsQuery === dropsQuery ? last.document : null;
    if (before !== null && before.proven.jws === jws) return before;
    const document =
      // a head that only renews what it says leaves all proofs as they are
      before?.proven.head.root === head.head.root
        ? before.under(head)
        : new KnownDocument(openProofUnderHead(text, { uri, dropsQuery }, head));
    const size = bytes(document.footprint + 2 * (text.length + jws.length));
    this.#remembered.put(uri, { text, dropsQuery, document }, size);
    return document;
  }
}

/** The head and the rest of an answer to `…/proof`. @throws NotBelieved malformed, too-large */
export function partsOfProofAnswer(answer: string): { readonly jws: string; readonly text: string } {
  const json = parseCanonicalJson(answer, 'proof answer', longest);
  const { head, ...rest } =
    typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as JsonObject) : {};
  if (typeof head !== 'string') throw new NotBelieved('malformed', 'proof answer: it has no head');
  return { jws: head, text: canonicalJson(rest) };
}

const mostForHeads = 2_097_152;
/** In characters, as `openProofAnswer` has it. */
const longest = 1_048_576;
