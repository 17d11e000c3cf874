import type { CanonicalUri } from '../canonical-uri.js';
import { pathInside, type Namespace } from '../namespace.js';
import { fromBase64url, toBase64url } from './base64url.js';
import { checkBlockList } from './block-list.js';
import { canonicalJson, parseCanonicalJson, type Json } from './canonical-json.js';
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
  /** The document; or, of a URI that has none, what the namespace answers there, null if it says nothing of that. */
  readonly record: DocumentRecord | null;
  readonly isThere: boolean;
  /** By variant, for those of more than one block: the block list, if it was sent. */
  readonly blockLists: ReadonlyMap<number, Uint8Array>;
}

/** Where the one who answers has what the trie knows by digest only. */
export interface ProofSource {
  readonly head: SignedHead;
  readonly trie: Trie;
  /** The text of a record that is in the trie. */
  readonly recordText: (key: string) => string;
  /** The block list of a variant if it is to be sent along. */
  readonly blockList: (record: DocumentRecord, variant: number) => Uint8Array | null;
}

/** Everything that is needed to believe an answer for a URI, or that there is nothing: the answer to `…/proof`. */
export function proofAnswer(uri: CanonicalUri, { head, trie, recordText, blockList }: ProofSource): string {
  const { namespace } = head.head;
  const proven = (path: string) => {
    const key = recordKey({ namespace, path });
    const { record, proof } = prove(trie, key);
    return { text: record === null ? null : recordText(key), proof: proofText(proof) };
  };
  const path = pathInside(namespace, uri);
  if (path === null) throw new NotBelieved('wrong-subject', 'proof: of a URI outside the namespace');
  const own = proven(path);
  if (own.text !== null) {
    const record = parseRecord(own.text);
    const blocks = record.kind === 'document' ? listsOf(record, blockList) : undefined;
    return canonicalJson({ head: head.jws, proof: own.proof, record: JSON.parse(own.text) as Json, blocks });
  }
  const other = proven(NOT_FOUND);
  const notFound = { proof: other.proof, record: other.text === null ? undefined : (JSON.parse(other.text) as Json) };
  return canonicalJson({ head: head.jws, proof: own.proof, notFound });
}

/**
 * Reads the answer to `…/proof`, from whomever it came.
 * @param keyFor the key of that name if it signs for the namespace
 * @throws NotBelieved for whatever does not prove what it says
 */
export async function openProofAnswer(
  text: string,
  uri: CanonicalUri,
  namespace: Namespace,
  keyFor: (id: KeyId) => PublicKey | null,
): Promise<ProvenDocument> {
  const path = pathInside(namespace, uri);
  if (path === null) throw new NotBelieved('wrong-subject', 'proof: of a URI outside the namespace');
  const members = new Members(parseCanonicalJson(text, 'proof answer', longest), 'proof answer');
  const { head, jws } = await openHead(members.text('head', longest), namespace, keyFor);
  const record = members.has('record') ? openRecord(members, head, path) : null;
  const blockLists = members.optional('blocks', (name) => openLists(members.value(name), record)) ?? new Map();
  if (record !== null) {
    members.end();
    return { head, jws, record, isThere: true, blockLists };
  }
  checkAbsence(head.root, recordKey({ namespace, path }), parseProof(members.text('proof', longest)));
  const notFound = members.optional('notFound', (name) => openNotFound(members.value(name), head)) ?? null;
  members.end();
  return { head, jws, record: notFound, isThere: false, blockLists };
}

function openNotFound(value: Json, head: Head): DocumentRecord | null {
  const members = new Members(value, 'proof answer: notFound');
  const record = members.has('record') ? openRecord(members, head, NOT_FOUND) : null;
  if (record === null) {
    const { root, namespace } = head;
    checkAbsence(root, recordKey({ namespace, path: NOT_FOUND }), parseProof(members.text('proof', longest)));
  }
  members.end();
  return record;
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
