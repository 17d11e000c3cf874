import { bytes, type Bytes, type Milliseconds } from '../../config/units.js';
import type { Digest } from '../../wlis/trust/digest.js';
import type { Epoch } from '../../wlis/trust/epoch.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { once } from '../blob-content.js';
import type { BlobStore } from '../blob-store.js';
import { readAhead } from '../read-ahead.js';
import { CallFailed } from '../../wlis/calls/call-failed.js';
import type { BundledContent, ListPosition, RemoteHolder } from '../remote-holder.js';
import { patiently } from '../../wlis/calls/patience.js';
import { NoSource, SourceTrial } from './source-trial.js';
import type { PullSettings, PullSources } from './sourced-blocks.js';

export interface BundlePullOptions {
  readonly store: BlobStore;
  readonly settings: PullSettings;
  readonly from: PullSources;
  readonly epoch: Epoch;
  /** Number of the change behind which it begins. */
  readonly after: number;
  /** Number of the last change that something is wanted of. */
  readonly last: number;
  /** Whether a content is still wanted; others come along, and are left. */
  readonly isWanted: (digest: Digest) => boolean;
  /** It is in the store. */
  readonly onGot: (digest: Digest, size: Bytes) => void;
}

/** Of one answer. */
const bundleSize = bytes(8 * 1024 * 1024);
/** So much may come that is not wanted, and an eighth of what is. */
const mostUnwanted = 64 * 1024;
/** Contents that are being stored while the next ones come. */
const atOnce = 16;

/** `wasteful`: too much came that is not wanted. `no-source`: nobody gives any, now. */
export type BundlesEnd = 'done' | 'wasteful' | 'no-source';

/**
 * Gets short contents of changes, many in one answer, as far as bundles have them and as long as most of what they have is
 * wanted. What is missing afterwards is to be pulled by itself.
 * @throws BlobStoreError; what the signal has as its reason
 */
export async function pullBundles(options: BundlePullOptions, signal: AbortSignal): Promise<BundlesEnd> {
  const trial = new SourceTrial(null);
  const state: State = { position: options.after, useful: 0, unwanted: 0, isWasteful: false };
  while (state.position < options.last) {
    const before = state.position;
    const source = nextOf(trial, options.from.sources());
    if (source === null) return 'no-source';
    try {
      if (!(await takeBundle(source, state, options, signal))) return 'wasteful';
      // it has nothing more, or nothing short
      if (state.position === before) return 'done';
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CallFailed) && !(error instanceof NotBelieved)) throw error;
      const refusal = trial.failed(source.url, error, state.position > before);
      if (refusal !== null) options.from.onRefused(refusal);
    }
  }
  return 'done';
}

interface State {
  /** All changes up to that number have come, as far as bundles have them. */
  position: number;
  useful: number;
  unwanted: number;
  isWasteful: boolean;
}

/** @returns false if too much of it is not wanted */
async function takeBundle(
  source: RemoteHolder,
  state: State,
  { store, settings, from, epoch, last, isWanted, onGot }: BundlePullOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const { clock, patience, bandwidth } = settings;
  const since: ListPosition | null = state.position === 0 ? null : { epoch, seq: state.position, root: null };
  const parts = patiently<BundledContent>(
    (ending) => source.bundle(since, bundleSize, ending),
    { clock, patience, sizeOf: sizeOfPart, failure: () => silent(source.url, patience) },
    signal,
  );
  const taken = async (part: TakenPart): Promise<TakenPart> => {
    if (!part.isWanted) return part;
    const { digest } = await store.put(once(part.content), bytes(part.content.length));
    if (digest !== part.digest) throw new NotBelieved('wrong-digest', `a bundle has ${digest} as ${part.digest}`);
    return part;
  };
  const arriving = worthwhile(parts, state, { isWanted, onBytes: from.onBytes });
  for await (const part of readAhead(arriving, atOnce, taken)) {
    const size = bytes(part.content.length);
    if (part.isWanted) onGot(part.digest, size);
    state.position = Math.max(state.position, part.seq);
    if (state.position >= last) return true;
    await bandwidth.passed(size, signal);
    signal.throwIfAborted();
  }
  return !state.isWasteful;
}

interface TakenPart extends BundledContent {
  readonly isWanted: boolean;
}

/** What comes, until too much of it is not wanted. */
async function* worthwhile(
  parts: AsyncIterable<BundledContent>,
  state: State,
  { isWanted, onBytes }: Pick<BundlePullOptions, 'isWanted'> & Pick<PullSources, 'onBytes'>,
): AsyncGenerator<TakenPart> {
  for await (const part of parts) {
    const size = bytes(part.content.length);
    onBytes(size);
    const wanted = isWanted(part.digest);
    if (wanted) state.useful += size;
    else state.unwanted += size;
    yield { ...part, isWanted: wanted };
    state.isWasteful = state.unwanted > mostUnwanted + state.useful / 8;
    if (state.isWasteful) return;
  }
}

function nextOf(trial: SourceTrial, sources: readonly RemoteHolder[]): RemoteHolder | null {
  try {
    return trial.next(sources);
  } catch (error) {
    if (error instanceof NoSource) return null;
    throw error;
  }
}

/** An empty content is progress as well. */
const sizeOfPart = ({ content }: BundledContent): Bytes => bytes(content.length + 256);

const silent = (url: string, patience: Milliseconds): CallFailed =>
  new CallFailed('unreachable', url, 'silent', `hardly anything of a bundle came in ${patience / 1000} s`);
