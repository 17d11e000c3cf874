import { bytes } from '../../config/units.js';
import { plainPath } from '../../wlis/namespace.js';
import type { Digest } from '../../wlis/trust/digest.js';
import type { ProofSource } from '../../wlis/trust/proof-answer.js';
import { NOT_FOUND, recordKey } from '../../wlis/trust/record.js';
import { BlobStoreError } from '../blob-store-error.js';
import { recordTextOf } from '../document-record.js';
import type { HeldNamespace, Provable } from '../held-namespace.js';
import { parseDocument } from '../source/published-document.js';
import type { BlobReads } from './blob-reads.js';

/** Whose records a proof about a path may need: its own, that of the path without its query, that for all that is not there. */
export function pathsAround(path: string, { policy }: Pick<HeldNamespace, 'policy'>): readonly string[] {
  const plain = policy.query === 'ignore' ? plainPath(path) : null;
  return plain === null ? [path, NOT_FOUND] : [path, plain, NOT_FOUND];
}

/**
 * What proofs about a path are made from. What the list has is read in the same turn, before it may go on; short block lists
 * are then got from the store.
 */
export async function proofSource(
  path: string,
  provable: Provable,
  held: HeldNamespace,
  blobs: BlobReads,
): Promise<ProofSource> {
  const paths = pathsAround(path, held);
  const texts = textsOf(provable, held, paths);
  const there = paths.find((one) => provable.list.latest(one)?.document != null);
  const document = there === undefined || there === NOT_FOUND ? null : provable.list.latest(there)?.document;
  const { head, trie } = provable;
  const dropsQuery = held.policy.query === 'ignore';
  const lists = document == null ? new Map<Digest, Buffer>() : await blockLists(there as string, document, blobs);
  return {
    ...{ head, trie, dropsQuery },
    recordText: (key) => texts.get(key) ?? '',
    blockList: (record, variant) => lists.get(record.variants[variant]?.blocks as Digest) ?? null,
  };
}

/** Those that are short: others are asked for by themselves. */
async function blockLists(path: string, document: string, blobs: BlobReads): Promise<ReadonlyMap<Digest, Buffer>> {
  const lists = new Map<Digest, Buffer>();
  for (const { length, blockSize, blocks } of parseDocument(path, document).variants) {
    const size = blobs.lengthOf(blocks);
    if (length <= blockSize || size === undefined || size > longestList) continue;
    const content = await blobs.readWhole(blocks).catch((error: unknown) => {
      if (error instanceof BlobStoreError) return null;
      throw error;
    });
    if (content !== null) lists.set(blocks, content);
  }
  return lists;
}

/** The records at some paths, by their keys. */
function textsOf(
  { list, head }: Provable,
  { namespace }: HeldNamespace,
  paths: readonly string[],
): Map<string, string> {
  const texts = new Map<string, string>();
  for (const path of paths) {
    const change = list.latest(path);
    if (change === undefined) continue;
    texts.set(recordKey({ namespace, path }), recordTextOf(change, namespace, head.head.epoch));
  }
  return texts;
}

/** Of 128 blocks. */
const longestList = bytes(4096);
