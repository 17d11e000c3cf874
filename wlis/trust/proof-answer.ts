import type { CanonicalUri } from '../canonical-uri.js';
import { pathInside, plainPath, type Namespace } from '../namespace.js';
import { fromBase64url, toBase64url } from './base64url.js';
import { checkBlockList } from './block-list.js';
import { canonicalJson, parseCanonicalJson, type Json, type JsonObject } from './canonical-json.js';
import { compareVersions } from './epoch.js';
import { openHead, type Head, type SignedHead } from './head.js';
import { Members } from './members.js';
import { NotBelieved } from './not-believed.js';
import { checkAbsence, checkPresence, prove } from './proof.js';
import { parseProof, proofText } from './proof-format.js';
import type { KeyId, PublicKey } from './public-key.js';
import { NOT_FOUND, parseRecord, recordDigest, recordKey, type DocumentRecord } from './record.js';
import type { Trie } from './trie.js';

/** What is true of a URI under a verified head. Whether that head is current is for the reader to judge. */
export interface ProvenDocument {
  readonly head: Head;
  readonly jws: string;
  /**
   * The document, that of the URI without its query where queries are dropped; or, of a URI that has none, what the namespace
   * answers there, null if it says nothing of that.
   */
  readonly record: DocumentRecord | null;
  readonly isThere: boolean;
  /** By variant, for those of more than one block: the block list, if it was sent. */
  readonly blockLists: ReadonlyMap<number, Uint8Array>;
}

/** Where the one who answers has what the trie knows by digest only. */
export interface ProofSource {
  readonly head: SignedHead;
  readonly trie: Trie;
  /** Whether the namespace drops a query that no document has: then the URI without it is proven too. */
  readonly dropsQuery: boolean;
  /** The text of a record that is in the trie. */
  readonly recordText: (key: string) => string;
  /** The block list of a variant if it is to be sent along. */
  readonly blockList: (record: DocumentRecord, variant: number) => Uint8Array | null;
}

/** Everything that is needed to believe an answer for a URI, or that there is nothing: the answer to `…/proof`. */
export const proofAnswer = (uri: CanonicalUri, source: ProofSource): string =>
  canonicalJson({ head: source.head.jws, ...provenMembers(uri, source) });

/** The same without the head, which is told beside it: what `WLIS-Proof` has. */
export const proofUnderHead = (uri: CanonicalUri, source: ProofSource): string =>
  canonicalJson(provenMembers(uri, source));

/** Who asked, and what of. */
export interface AskedProof {
  readonly uri: CanonicalUri;
  /** Whether the namespace drops a query that no document has, as its group says. */
  readonly dropsQuery: boolean;
}

/**
 * Reads the answer to `…/proof`, from whomever it came.
 * @param keyFor the key of that name if it signs for the namespace
 * @throws NotBelieved for whatever does not prove what it says
 */
export async function openProofAnswer(
  text: string,
  asked: AskedProof,
  namespace: Namespace,
  keyFor: (id: KeyId) => PublicKey | null,
): Promise<ProvenDocument> {
  askedPath(namespace, asked.uri);
  const members = new Members(parseCanonicalJson(text, 'proof answer', longest), 'proof answer');
  return openMembers(members, await openHead(members.text('head', longest), namespace, keyFor), asked);
}

/**
 * Reads what `proofUnderHead` made.
 * @param head that was told beside it, and has been verified
 * @throws NotBelieved for whatever does not prove what it says
 */
export function openProofUnderHead(text: string, asked: AskedProof, head: SignedHead): ProvenDocument {
  return openMembers(new Members(parseCanonicalJson(text, 'proof answer', longest), 'proof answer'), head, asked);
}

function provenMembers(uri: CanonicalUri, source: ProofSource): JsonObject {
  const { namespace } = source.head.head;
  const path = askedPath(namespace, uri);
  const own = presence(path, source);
  if (own.record !== undefined) return own;
  const plain = source.dropsQuery ? plainPath(path) : null;
  const other = plain === null ? undefined : presence(plain, source);
  if (other?.record !== undefined) return { proof: own.proof, withoutQuery: other };
  const { proof, record } = presence(NOT_FOUND, source);
  return { proof: own.proof, withoutQuery: other, notFound: { proof, record } };
}

/** The proof of what is at a path, its record, and the block lists that are sent along. */
function presence(path: string, { head, trie, recordText, blockList }: ProofSource) {
  const key = recordKey({ namespace: head.head.namespace, path });
  const { record: digest, proof } = prove(trie, key);
  if (digest === null) return { proof: proofText(proof), record: undefined };
  const text = recordText(key);
  const record = parseRecord(text);
  const blocks = record.kind === 'document' ? listsOf(record, blockList) : undefined;
  return { proof: proofText(proof), record: JSON.parse(text) as Json, blocks };
}

function openMembers(members: Members, { head, jws }: SignedHead, { uri, dropsQuery }: AskedProof): ProvenDocument {
  const path = askedPath(head.namespace, uri);
  const own = openPresence(members, head, path);
  const other = own === null ? openWithoutQuery(members, head, path, dropsQuery) : null;
  const there = own ?? other;
  const notFound =
    there === null ? members.optional('notFound', (name) => openNotFound(members.value(name), head)) : undefined;
  members.end();
  if (there !== null) return { head, jws, ...there, isThere: true };
  return { head, jws, record: notFound ?? null, isThere: false, blockLists: new Map() };
}

/** What answers a query that no document has: null for nothing. The answerer may have known another policy of the namespace. */
function openWithoutQuery(members: Members, head: Head, path: string, dropsQuery: boolean): Presence | null {
  const plain = plainPath(path);
  if (plain === null) return null;
  const sent = members.optional('withoutQuery', (name) => members.value(name));
  if (sent === undefined) {
    if (dropsQuery) throw new NotBelieved('out-of-date', 'proof answer: it does not drop the query');
    return null;
  }
  const inner = new Members(sent, 'proof answer: withoutQuery');
  const other = openPresence(inner, head, plain);
  inner.end();
  if (other !== null && !dropsQuery) throw new NotBelieved('out-of-date', 'proof answer: it drops the query');
  return other;
}

interface Presence extends Pick<ProvenDocument, 'blockLists'> {
  readonly record: DocumentRecord;
}

/** What is proven to be at a path: null for nothing. */
function openPresence(members: Members, head: Head, path: string): Presence | null {
  if (members.has('record')) {
    const record = openRecord(members, head, path);
    const blockLists = members.optional('blocks', (name) => openLists(members.value(name), record)) ?? new Map();
    return { record, blockLists };
  }
  const { root, namespace } = head;
  checkAbsence(root, recordKey({ namespace, path }), parseProof(members.text('proof', longest)));
  return null;
}

function openNotFound(value: Json, head: Head): DocumentRecord | null {
  const members = new Members(value, 'proof answer: notFound');
  const there = openPresence(members, head, NOT_FOUND);
  members.end();
  return there?.record ?? null;
}

/** @throws NotBelieved wrong-subject */
function askedPath(namespace: Namespace, uri: CanonicalUri): string {
  const path = pathInside(namespace, uri);
  if (path === null) throw new NotBelieved('wrong-subject', 'proof: of a URI outside the namespace');
  return path;
}

/** The record of a path, and that it belongs to the head. */
function openRecord(members: Members, head: Head, path: string): DocumentRecord {
  // the same text again: a part of a canonical text is canonical
  const text = canonicalJson(members.value('record'));
  const record = parseRecord(text);
  const { namespace } = head;
  const key = recordKey({ namespace, path });
  checkPresence(head.root, { key, record: recordDigest(text) }, parseProof(members.text('proof', longest)));
  if (record.kind !== 'document' || record.namespace !== namespace || record.path !== path) {
    throw new NotBelieved('wrong-subject', 'proof answer: the record is of something else');
  }
  if (compareVersions(record, head) > 0)
    throw new NotBelieved('malformed', 'proof answer: the record is ahead of the head');
  return record;
}

function listsOf(record: DocumentRecord, blockList: ProofSource['blockList']): Json | undefined {
  const lists = record.variants.map((_, index) => {
    const list = blockList(record, index);
    return list === null ? null : toBase64url(list);
  });
  return lists.some((list) => list !== null) ? lists : undefined;
}

function openLists(value: Json, record: DocumentRecord | null): Map<number, Uint8Array> {
  const lists = new Map<number, Uint8Array>();
  const texts = Array.isArray(value) ? (value as readonly Json[]) : [];
  if (texts.length !== record?.variants.length) throw wrong("'blocks' does not fit the record");
  for (const [index, variant] of record.variants.entries()) {
    const text = texts[index] ?? null;
    if (text === null) continue;
    const list = typeof text === 'string' ? fromBase64url(text) : null;
    if (list === null) throw wrong(`'blocks' has no base64url for variant ${index}`);
    checkBlockList(list, variant);
    lists.set(index, list);
  }
  return lists;
}

const wrong = (fault: string): NotBelieved => new NotBelieved('malformed', `proof answer: ${fault}`);

/** In characters. A block list of 4096 blocks is 175,000 of them. */
const longest = 1_048_576;
