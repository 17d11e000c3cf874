import { bytes, type Bytes, type Milliseconds } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import { blockDigest } from '../../proxy/cache/disk/block-digest.js';
import type { BlockRange } from '../../wlis/trust/block-list.js';
import { BlockVerifier } from '../../wlis/trust/block-verifier.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { checkDraftList, type DraftedContent } from '../blob-draft.js';
import { digestOf } from '../content-hash.js';
import { CallFailed } from '../../wlis/calls/call-failed.js';
import type { RemoteHolder } from '../remote-holder.js';
import type { Bandwidth } from './bandwidth.js';
import { patiently } from '../../wlis/calls/patience.js';
import { SourceTrial, type Refusal } from './source-trial.js';

/** How everything is pulled at this node. */
export interface PullSettings {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly bandwidth: Bandwidth;
  /** How long may be waited for each 16 KiB before a source is given up. */
  readonly patience: Milliseconds;
}

/** Where something is pulled from, and who is told how that goes. */
export interface PullSources {
  /** In the order in which they are to be asked; asked anew each time. */
  readonly sources: () => readonly RemoteHolder[];
  readonly onRefused: (refusal: Refusal) => void;
  /** So many bytes have come, true or not. */
  readonly onBytes: (size: Bytes) => void;
}

/**
 * Blocks of a content in their order, each verified before it is given. Where a source breaks off, falls silent or sends a
 * wrong block, another one goes on at the first block that is missing.
 * @throws NoSource; what the signal has as its reason
 */
export async function* sourcedBlocks(
  content: DraftedContent,
  list: Uint8Array,
  range: BlockRange,
  from: PullSources,
  settings: PullSettings,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const trial = new SourceTrial(content.digest);
  for (let next = range.first; next < range.end;) {
    const source = trial.next(from.sources());
    const rest: BlockRange = { ...range, first: next, from: bytes(next * content.blockSize) };
    const verifier = new BlockVerifier(
      { ...content, list },
      blockDigest as (block: Uint8Array) => Promise<Buffer>,
      rest,
    );
    let received = 0;
    try {
      for await (const chunk of transfer(source, content, rest, from, settings, signal)) {
        for (const piece of cutAtBlocks(chunk, bytes(rest.from + received), content)) {
          for (const block of await verifier.take(piece)) yield asBuffer(block);
        }
        received += chunk.length;
      }
      if (verifier.next < range.end) throw brokenOff(source, verifier.next);
      return;
    } catch (error) {
      signal.throwIfAborted();
      const refusal = trial.failed(source.url, error, verifier.next > next);
      if (refusal !== null) from.onRefused(refusal);
      next = verifier.next;
    }
  }
}

/**
 * The block list of a content of several blocks.
 * @throws NoSource; NotBelieved if that is no list of the content, which is nobody's fault but that of who signed the record;
 * what the signal has as its reason
 */
export async function sourcedBlockList(
  content: DraftedContent,
  from: PullSources,
  settings: PullSettings,
  signal: AbortSignal,
): Promise<Buffer> {
  const trial = new SourceTrial(content.blocks);
  for (;;) {
    const source = trial.next(from.sources());
    let list: Buffer;
    try {
      list = await listFrom(source, content, settings, signal);
      from.onBytes(bytes(list.length));
      if (digestOf(list) !== content.blocks) throw new NotBelieved('wrong-digest', 'a block list is another one');
    } catch (error) {
      signal.throwIfAborted();
      const refusal = trial.failed(source.url, error, false);
      if (refusal !== null) from.onRefused(refusal);
      continue;
    }
    checkDraftList(list, content);
    return list;
  }
}

/** One that completes a block and goes on would lose the right one for what is wrong behind it. */
function* cutAtBlocks(chunk: Buffer, position: Bytes, { length, blockSize }: DraftedContent): Generator<Buffer> {
  for (let at = 0; at < chunk.length;) {
    const place = position + at;
    const rest = place < length ? Math.min(length - place, blockSize - (place % blockSize)) : chunk.length;
    const end = Math.min(chunk.length, at + rest);
    yield chunk.subarray(at, end);
    at = end;
  }
}

async function* transfer(
  source: RemoteHolder,
  { digest }: DraftedContent,
  range: BlockRange,
  { onBytes }: PullSources,
  { clock, bandwidth, patience }: PullSettings,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const chunks = patiently(
    (ending) => source.blob(digest, range.from, range.to, ending),
    { clock, patience, sizeOf: ({ length }) => bytes(length), failure: () => silent(source.url, patience) },
    signal,
  );
  for await (const chunk of chunks) {
    onBytes(bytes(chunk.length));
    yield chunk;
    await bandwidth.passed(bytes(chunk.length), signal);
  }
}

async function listFrom(
  source: RemoteHolder,
  { blocks }: DraftedContent,
  { clock, patience }: PullSettings,
  signal: AbortSignal,
): Promise<Buffer> {
  const once = async function* (ending: AbortSignal): AsyncGenerator<Buffer> {
    yield await source.blockList(blocks, ending);
  };
  const sizeOf = ({ length }: Buffer): Bytes => bytes(length);
  const failure = (): Error => silent(source.url, patience);
  for await (const list of patiently(once, { clock, patience, sizeOf, failure }, signal)) return list;
  throw brokenOff(source, 0);
}

const silent = (url: string, patience: Milliseconds): CallFailed =>
  new CallFailed('unreachable', url, 'silent', `nothing, or hardly anything, came in ${patience / 1000} s`);

const brokenOff = ({ url }: RemoteHolder, block: number): CallFailed =>
  new CallFailed('unreachable', url, 'broken-off', `the transfer broke off in block ${block}`);

const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
