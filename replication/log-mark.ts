import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { bytes, type Bytes } from '../config/units.js';
import { chainSize } from './log-frames.js';

/** How far a log has come. */
export interface LogPlace {
  /** The name of the file, so that a mark is never taken for that of another. */
  readonly id: Buffer;
  readonly end: Bytes;
  readonly chain: Buffer;
}

/** Bytes of the name of a log. */
export const idSize = 16;

const markSize = idSize + 8 + chainSize;
const checkSize = 8;

/** The mark of a log says how far it was acknowledged. */
export function encodeMark({ id, end, chain }: LogPlace): Buffer {
  const mark = Buffer.alloc(markSize + checkSize);
  id.copy(mark, 0);
  mark.writeBigUInt64BE(BigInt(end), idSize);
  chain.copy(mark, idSize + 8);
  checkOf(mark).copy(mark, markSize);
  return mark;
}

/** Null if there is none, or none that is whole: it is a witness, whose absence proves nothing. */
export async function readMark(path: string): Promise<LogPlace | null> {
  try {
    const mark = await readFile(`${path}.mark`);
    if (mark.length !== markSize + checkSize || !checkOf(mark).equals(mark.subarray(markSize))) return null;
    const end = Number(mark.readBigUInt64BE(idSize));
    return { id: mark.subarray(0, idSize), end: bytes(end), chain: mark.subarray(idSize + 8, markSize) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

const checkOf = (mark: Buffer): Buffer =>
  createHash('sha256').update(mark.subarray(0, markSize)).digest().subarray(0, checkSize);
