import { randomBytes } from 'node:crypto';
import type { Clock } from '../proxy/base/clock.js';
import type { Namespace } from '../wlis/namespace.js';
import { compareEpochs, newEpoch, parseEpoch, type Epoch } from '../wlis/trust/epoch.js';
import { NotBelieved } from '../wlis/trust/not-believed.js';
import type { BlobStore } from './blob-store.js';
import type { Change } from './change-list.js';
import { ChangeJournal } from './change-journal.js';
import { digestsIn } from './document-blobs.js';

export interface SeedOptions {
  readonly namespace: Namespace;
  /** Of the journal that a `Publication` of the namespace opens; that of an earlier life may be there. */
  readonly path: string;
  /** Has the bytes of all documents. */
  readonly blobs: BlobStore;
  readonly clock: Clock;
}

/** Documents of which something is not in the store: nobody could get them from a primary that has no more than that. */
export class SeedIncomplete extends Error {
  override readonly name = 'SeedIncomplete';

  constructor(
    readonly missing: number,
    /** One of them. */
    readonly path: string,
  ) {
    super(`the bytes of ${missing} documents are not here, ${path} is one of them`);
  }
}

/**
 * Writes what a primary begins with that takes the place of one that is gone for good: the documents of a replica, in a new
 * epoch. Nothing may have the publication open.
 *
 * @param after the latest epoch that is known of the namespace
 * @param list that of the edition that the replica holds
 * @throws SeedIncomplete, and nothing has been written
 */
export async function seedPublication(
  options: SeedOptions,
  after: Epoch,
  list: { changes(): Iterable<Change<string>> },
): Promise<Epoch> {
  const { blobs, clock } = options;
  const documents = [...list.changes()].filter(({ document }) => document !== null);
  const missing = documents.filter(({ document }) => !isHere(document ?? '', blobs));
  if (missing[0] !== undefined) throw new SeedIncomplete(missing.length, missing[0].path);
  await blobs.sync();
  const before = await epochOf(options);
  const previous = before !== null && compareEpochs(before, after) > 0 ? before : after;
  const epoch = newEpoch(previous, clock.now(), randomBytes(8));
  const journal = await ChangeJournal.begin(options, epoch, documents);
  await journal.close();
  return epoch;
}

const isHere = (document: string, blobs: BlobStore): boolean =>
  digestsIn(document).every((digest) => digest === emptyDigest || blobs.has(digest));

/** Of the journal that is there, if that can be read. */
async function epochOf(options: SeedOptions): Promise<Epoch | null> {
  const { journal } = await ChangeJournal.open(options);
  if (journal === null) return null;
  await journal.close();
  try {
    return parseEpoch(journal.epoch);
  } catch (error) {
    if (error instanceof NotBelieved) return null;
    throw error;
  }
}

/** SHA-256 of nothing, which is nowhere stored. */
const emptyDigest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
