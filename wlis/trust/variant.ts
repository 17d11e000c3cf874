import { bytes, epochMs, type Bytes, type EpochMs } from '../../config/units.js';
import { blockSizeFor, SMALLEST_BLOCK } from './block-list.js';
import type { Json, JsonObject } from './canonical-json.js';
import { digestBytes, digestOfBytes, type Digest } from './digest.js';
import { Members } from './members.js';
import { NotBelieved, quoted } from './not-believed.js';

/** One representation of a document (RFC 9110 §3.2): the bytes, and what its own fields are. */
export interface Variant {
  /** `Content-Encoding`, null if there is none. */
  readonly coding: string | null;
  /** `Content-Language`, null if it is not said. */
  readonly language: string | null;
  /** `Content-Type`, null if it is not said. */
  readonly type: string | null;
  /** With its quotes, and `W/` if it is weak. */
  readonly etag: string | null;
  /** Whole seconds. */
  readonly lastModified: EpochMs | null;
  readonly length: Bytes;
  /** SHA-256 of all of it. */
  readonly digest: Digest;
  readonly blockSize: Bytes;
  /** SHA-256 of the block list. */
  readonly blocks: Digest;
}

/** The SHA-256 of the block list of a content that is one block, or none. */
export const oneBlockList = (length: Bytes, digest: Digest): Digest =>
  digestOfBytes(length === 0 ? new Uint8Array(0) : digestBytes(digest));

/** As a record has it: what is null is left out, and what follows from the rest too. */
export function variantJson(variant: Variant): JsonObject {
  const { coding, language, type, etag, lastModified, length, digest, blockSize, blocks } = variant;
  const isOneBlock = length <= SMALLEST_BLOCK;
  return {
    coding: coding ?? undefined,
    language: language ?? undefined,
    type: type ?? undefined,
    etag: etag ?? undefined,
    lastModified: lastModified ?? undefined,
    length,
    digest,
    blockSize: isOneBlock ? undefined : blockSize,
    blocks: isOneBlock ? undefined : blocks,
  };
}

/** @throws NotBelieved malformed, too-large */
export function parseVariant(value: Json, what: string): Variant {
  const members = new Members(value, what);
  const text = (pattern: RegExp) => (name: string) => matching(members, name, pattern);
  const coding = members.optional('coding', text(isToken)) ?? null;
  const language = members.optional('language', text(isLanguage)) ?? null;
  const type = members.optional('type', text(isType)) ?? null;
  const etag = members.optional('etag', text(isEntityTag)) ?? null;
  const lastModified = members.optional('lastModified', (name) => wholeSeconds(members, name)) ?? null;
  const length = bytes(members.integer('length', 0));
  const digest = members.digest('digest');
  const blocks = blocksOf(members, length, digest);
  members.end();
  return { coding, language, type, etag, lastModified, length, digest, ...blocks };
}

function blocksOf(members: Members, length: Bytes, digest: Digest): { blockSize: Bytes; blocks: Digest } {
  if (length <= SMALLEST_BLOCK) return { blockSize: SMALLEST_BLOCK, blocks: oneBlockList(length, digest) };
  const blockSize = bytes(members.integer('blockSize', SMALLEST_BLOCK));
  if (blockSize !== blockSizeFor(length)) {
    throw new NotBelieved('malformed', `${members.what}: blocks of ${blockSize} bytes for ${length} bytes`);
  }
  return { blockSize, blocks: members.digest('blocks') };
}

function matching(members: Members, name: string, pattern: RegExp): string {
  const text = members.text(name, 512);
  if (pattern.test(text)) return text;
  throw new NotBelieved('malformed', `${members.what}: '${name}' cannot be ${quoted(text)}`);
}

function wholeSeconds(members: Members, name: string): EpochMs {
  // what HTTP-date can say: up to the year 9999
  const time = members.integer(name, 0, 253_402_300_799_000);
  if (time % 1000 !== 0) throw new NotBelieved('malformed', `${members.what}: '${name}' is not of whole seconds`);
  return epochMs(time);
}

/** One coding or several in the order in which they were applied (RFC 9110 §8.4), in lower case. */
const isToken = /^[!#$%&'*+.^_`|~0-9a-z-]+(?:, [!#$%&'*+.^_`|~0-9a-z-]+)*$/;

/** Language tags (RFC 5646 §2.1) in the form of `Content-Language` (RFC 9110 §8.5). */
const isLanguage = /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*(?:, [A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)*$/;

/** RFC 9110 §8.3.1, roughly: what can be sent and is not two values. */
const isType = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*;[\x20-\x7e\t]*[\x21-\x7e])?$/;

/** RFC 9110 §8.8.3 */
const isEntityTag = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;
