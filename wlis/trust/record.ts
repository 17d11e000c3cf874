import { NotCanonical } from '../not-canonical.js';
import type { CanonicalUri } from '../canonical-uri.js';
import { parseNamespace, uriInside, type Namespace } from '../namespace.js';
import { canonicalJson, parseCanonicalJson, type Json, type JsonObject } from './canonical-json.js';
import { digestOfText, type Digest } from './digest.js';
import { parseEpoch, type Version } from './epoch.js';
import { parseFieldsBlock, valuesIn, type FieldsBlock } from './fields-block.js';
import { Members } from './members.js';
import { NotBelieved, quoted } from './not-believed.js';
import { parseVariant, variantJson, type Variant } from './variant.js';

/** What a primary publishes under one URI: enough to answer every request for it, and to check every byte of it. */
export interface DocumentRecord extends Version {
  readonly kind: 'document';
  readonly namespace: Namespace;
  /** The canonical URI without the namespace; `NOT_FOUND` for what the namespace answers with where it has nothing. */
  readonly path: string;
  readonly status: DocumentStatus;
  readonly fields: FieldsBlock;
  /** In the order in which the primary prefers them. Empty: answers without content. */
  readonly variants: readonly Variant[];
}

/** That a document is there no longer. It stands in the list of changes; the trie has nothing under its key. */
export interface Removal extends Version {
  readonly kind: 'removal';
  readonly namespace: Namespace;
  readonly path: string;
}

export type DocumentStatus = (typeof statuses)[number];

/** The path of the answer for all that is not there. No canonical URI has a fragment, so that it is in nobody's way. */
export const NOT_FOUND = '#404';

/**
 * The exact text of a record, one line, whose bytes in UTF-8 are what its digest is of.
 * @throws NotBelieved malformed, too-large for what no reader would take, so that it is never signed
 */
export function recordText(record: DocumentRecord | Removal): string {
  const { kind, namespace, path, epoch, seq } = record;
  const place = { kind: kinds[kind], namespace, path, epoch, seq };
  const text = canonicalJson(record.kind === 'removal' ? place : { ...place, ...sealedOf(record) });
  parseRecord(text);
  return text;
}

export const recordDigest = (text: string): Digest => digestOfText(text);

/** What the trie has a record under: the SHA-256 of its canonical URI. */
export const recordKey = ({ namespace, path }: { namespace: Namespace; path: string }): Digest =>
  digestOfText(namespace + path);

/** The same of a URI that somebody asks for. */
export const keyOf = (uri: CanonicalUri): Digest => digestOfText(uri);

/** @throws NotBelieved malformed, too-large */
export function parseRecord(text: string): DocumentRecord | Removal {
  const json = parseCanonicalJson(text, 'record', LONGEST_RECORD);
  const members = new Members(json, 'record');
  const kind = members.text('kind', 32);
  const place = placeOf(members);
  if (kind === kinds.removal) {
    members.end();
    return { kind: 'removal', ...place };
  }
  if (kind !== kinds.document) throw new NotBelieved('malformed', `record: of an unknown kind ${quoted(kind)}`);
  const record: DocumentRecord = {
    kind: 'document',
    ...place,
    status: statusOf(members),
    fields: parseFieldsBlock(members.value('fields')),
    variants: members.list('variants', mostVariants).map((one, i) => parseVariant(one, `record: variant ${i}`)),
  };
  members.end();
  checkRecord(record);
  return record;
}

const sealedOf = ({ status, fields, variants }: DocumentRecord): JsonObject => ({
  status,
  fields,
  variants: variants.map(variantJson),
});

/** What must hold of a record beside the form of its parts. */
function checkRecord({ path, status, fields, variants }: DocumentRecord): void {
  const wrong = (fault: string): NotBelieved => new NotBelieved('malformed', `record: ${fault}`);
  if (path === NOT_FOUND && status !== 404) throw wrong(`${NOT_FOUND} with status ${status}`);
  if (variants.length === 0 && status === 200) throw wrong('status 200 without a variant');
  const isRedirect = status > 300 && status < 400;
  if (isRedirect && valuesIn(fields, 'location').length !== 1) throw wrong(`status ${status} without one Location`);
  const selecting = new Set(variants.map(({ coding, language, type }) => JSON.stringify([coding, language, type])));
  if (selecting.size < variants.length) throw wrong('two variants that nothing tells apart');
  const digests = new Map<string, Digest>();
  for (const { etag, digest } of variants) {
    if (etag === null || etag.startsWith('W/')) continue;
    if ((digests.get(etag) ?? digest) !== digest) throw wrong('two contents with one strong entity-tag');
    digests.set(etag, digest);
  }
}

function placeOf(members: Members): Version & { readonly namespace: Namespace; readonly path: string } {
  const path = members.text('path', LONGEST_RECORD);
  const text = members.text('namespace', LONGEST_RECORD);
  try {
    const namespace = parseNamespace(text);
    if (namespace !== text) throw new NotCanonical('not in its canonical spelling');
    if (path !== NOT_FOUND) uriInside(namespace, path);
    return { namespace, path, epoch: parseEpoch(members.text('epoch', 64), 'record'), seq: members.integer('seq', 1) };
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw new NotBelieved('malformed', `record: ${quoted(text)} ${quoted(path)}: ${error.message}`, { cause: error });
  }
}

function statusOf(members: Members): DocumentStatus {
  const value: Json = members.value('status');
  const status = statuses.find((one) => one === value);
  if (status === undefined) throw new NotBelieved('malformed', "record: 'status' is not one that documents have");
  return status;
}

const statuses = [200, 301, 302, 303, 307, 308, 404, 410] as const;

const kinds = { document: 'document/1', removal: 'removal/1' } as const;

const mostVariants = 64;

/** In characters: a fields block of its greatest size, its URI and 64 variants fit in. */
export const LONGEST_RECORD = 131_072;
