import type { FileHandle } from 'node:fs/promises';
import { bytes, type Bytes } from '../config/units.js';
import { chainIn, decodeFrame, firstChain, frameHead, frameLength } from './log-frames.js';

/** How far a log can be believed. */
export interface LogReading {
  /** The end of the last whole group of frames. */
  readonly end: Bytes;
  /** The chain at that place. */
  readonly chain: Buffer;
  /** The chain at the place asked for; null if no frame ends there. */
  readonly chainAtMark: Buffer | null;
  /** Bytes behind the end that are no whole group. */
  readonly excess: Bytes;
}

const pieceSize = 1024 * 1024;

/**
 * Reads frames as far as they are right, and gives the payloads of whole groups.
 * @param mark a place of which the chain is wanted
 */
export async function readLog(
  file: FileHandle,
  kind: string,
  mark: Bytes | null,
  onPayload: (payload: Buffer) => void,
): Promise<LogReading> {
  const { size } = await file.stat();
  const input = new Input(file);
  let chain = firstChain(kind);
  let [end, endChain] = [0, chain];
  let chainAtMark: Buffer | null = mark === 0 ? chain : null;
  let group: Buffer[] = [];
  for (;;) {
    const head = await input.peek(frameHead);
    const length = head === null ? null : frameLength(head);
    const frame = length === null ? null : await input.peek(length);
    const decoded = frame === null ? null : decodeFrame(chain, frame);
    if (frame === null || decoded === null) break;
    chain = Buffer.from(chainIn(frame));
    group.push(decoded.payload);
    input.skip(frame.length);
    if (input.position === mark) chainAtMark = chain;
    if (decoded.continues) continue;
    for (const payload of group) onPayload(payload);
    group = [];
    [end, endChain] = [input.position, chain];
  }
  return { end: bytes(end), chain: endChain, chainAtMark, excess: bytes(size - end) };
}

/** A file, read from its beginning with room to look ahead. */
class Input {
  readonly #file: FileHandle;
  #buffer: Buffer = Buffer.alloc(0);
  #position = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  get position(): number {
    return this.#position;
  }

  /** The next so many bytes, which stay as they are; null if there are not as many. */
  async peek(count: number): Promise<Buffer | null> {
    while (this.#buffer.length < count) {
      const piece = Buffer.allocUnsafe(Math.max(pieceSize, count - this.#buffer.length));
      const { bytesRead } = await this.#file.read(piece, 0, piece.length, this.#position + this.#buffer.length);
      if (bytesRead === 0) return null;
      this.#buffer = Buffer.concat([this.#buffer, piece.subarray(0, bytesRead)]);
    }
    return this.#buffer.subarray(0, count);
  }

  skip(count: number): void {
    this.#buffer = this.#buffer.subarray(count);
    this.#position += count;
  }
}
