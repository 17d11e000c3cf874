import { createHash } from 'node:crypto';
import { bytes, milliseconds, type Bytes } from '../../../config/units.js';
import { ContentHasher } from '../../../replication/content-hash.js';
import { Bandwidth } from '../../../replication/pull/bandwidth.js';
import type { Refusal } from '../../../replication/pull/source-trial.js';
import type { PullSettings } from '../../../replication/pull/sourced-blocks.js';
import { CallFailed } from '../../../wlis/calls/call-failed.js';
import type { BundledContent, ListPosition, RemoteHolder } from '../../../replication/remote-holder.js';
import { systemClock } from '../../../proxy/base/clock.js';
import type { Digest } from '../../../wlis/trust/digest.js';
import type { Variant } from '../../../wlis/trust/variant.js';

export const BLOCK = 65_536;

export interface Sample extends Variant {
  readonly data: Buffer;
  readonly list: Buffer;
}

/** A content as a record has it. */
export function sample(data: Buffer): Sample {
  const hasher = new ContentHasher(bytes(data.length));
  hasher.update(data);
  const { digest, blockSize, blockList, blocks } = hasher.end();
  const length = bytes(data.length);
  const plain = { coding: null, language: null, type: null, etag: null, lastModified: null };
  return { ...plain, length, digest, blockSize, blocks, data, list: blockList };
}

/** Bytes that are different for each name, and the same each time. */
export function bytesOf(name: string, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let i = 0; 32 * i < length; i++) blocks.push(createHash('sha256').update(`${name} ${i}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
}

export const settings = (patience = 20_000): PullSettings => ({
  clock: systemClock,
  bandwidth: new Bandwidth({ limit: null, clock: systemClock }),
  patience: milliseconds(patience),
});

/** Another node, in memory, that does what the test wants. */
export class FakeHolder implements RemoteHolder {
  readonly #contents = new Map<Digest, Buffer>();
  readonly #lists = new Map<Digest, Buffer>();
  /** What was asked for: `blob <n> from-to`, `list <n>`, `bundle since`; contents by their order. */
  readonly asked: string[] = [];
  /** How many bytes of contents it gave. */
  given = 0;
  /** In one piece. */
  pieceSize = 10_000;
  /** Alters what is given of a blob; what it throws breaks the transfer. */
  tamper: (piece: Buffer, at: number) => Buffer | Promise<Buffer> = (piece) => piece;
  /** Called before anything is given. */
  before: (call: string, signal: AbortSignal) => Promise<void> | void = () => undefined;
  /** What bundles have, in the order of changes. */
  bundled: readonly { readonly sample: Sample; readonly seq: number }[] = [];

  constructor(
    readonly url: string,
    samples: readonly Sample[] = [],
  ) {
    for (const one of samples) this.add(one);
  }

  add({ digest, data, blocks, list }: Sample): void {
    this.#contents.set(digest, data);
    this.#lists.set(blocks, list);
  }

  async *blob(digest: Digest, from: Bytes, to: Bytes, signal: AbortSignal): AsyncGenerator<Buffer> {
    const number = [...this.#contents.keys()].indexOf(digest);
    await this.#call(`blob ${number} ${from}-${to}`, signal);
    const content = this.#contents.get(digest);
    if (content === undefined) throw this.failed('gone');
    for (let at: number = from; at < to; at += this.pieceSize) {
      signal.throwIfAborted();
      const piece = await this.tamper(content.subarray(at, Math.min(to, at + this.pieceSize)), at);
      this.given += piece.length;
      yield piece;
    }
  }

  async blockList(digest: Digest, signal: AbortSignal): Promise<Buffer> {
    await this.#call(`list ${[...this.#lists.keys()].indexOf(digest)}`, signal);
    const list = this.#lists.get(digest);
    if (list === undefined) throw this.failed('gone');
    return list;
  }

  async *bundle(since: ListPosition | null, maxBytes: Bytes, signal: AbortSignal): AsyncGenerator<BundledContent> {
    await this.#call(`bundle ${since?.seq ?? 0}`, signal);
    let room: number = maxBytes;
    for (const { sample: one, seq } of this.bundled) {
      if (seq <= (since?.seq ?? 0)) continue;
      room -= one.length;
      if (room < 0) return;
      const content = await this.tamper(one.data, 0);
      this.given += content.length;
      yield { digest: one.digest, content, seq };
    }
  }

  failed(fault: CallFailed['fault'], reason = ''): CallFailed {
    return new CallFailed(fault, this.url, reason, fault);
  }

  head = this.#unused;
  changes = this.#unused;
  subtrees = this.#unused;
  records = this.#unused;

  async #call(call: string, signal: AbortSignal): Promise<void> {
    this.asked.push(call);
    await this.before(call, signal);
    signal.throwIfAborted();
  }

  #unused(): Promise<never> {
    return Promise.reject(new Error('no test of contents asks for that'));
  }
}

/** Whom to ask, and all that was told of them. */
export class FakeSources {
  readonly refused: Refusal[] = [];
  received = 0;
  spared = 0;
  readonly sources: () => readonly RemoteHolder[];

  constructor(...holders: readonly RemoteHolder[]) {
    this.sources = () => holders;
  }

  readonly onRefused = (refusal: Refusal): void => void this.refused.push(refusal);
  readonly onBytes = (size: Bytes): void => void (this.received += size);
  readonly onSpared = (size: Bytes): void => void (this.spared += size);
}
