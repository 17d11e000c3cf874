import { createHash } from 'node:crypto';
import { bytes, type Bytes } from '../config/units.js';

/**
 * A frame of a checked log:
 *
 *     ┌────────┬───────┬──────────────┬─────────┐
 *     │ length │ flags │ chain        │ payload │      length: of the payload, 4 bytes, big-endian
 *     │ 4      │ 1     │ 16           │ length  │      flags: 1 = what follows belongs to the same group
 *     └────────┴───────┴──────────────┴─────────┘
 *
 * `chain` is the first half of SHA-256 over the chain of the frame before, length, flags and payload, so that a frame counts
 * only at its own place behind its own predecessors. The first frame follows the chain of the kind of the log.
 */
export const frameHead = 21;
export const chainSize = 16;
export const longestPayload = 8 * 1024 * 1024;

export interface Frame {
  readonly payload: Buffer;
  /** The group that this frame belongs to goes on. */
  readonly continues: boolean;
}

/** The chain before the first frame: `kind` tells one sort of log, and version of its format, from another. */
export const firstChain = (kind: string): Buffer =>
  createHash('sha256').update(`willis log ${kind}`).digest().subarray(0, chainSize);

/** @throws RangeError for a payload that is too long for one frame */
export function encodeFrame(chain: Buffer, { payload, continues }: Frame): Buffer {
  if (payload.length > longestPayload) throw new RangeError(`a frame of ${payload.length} bytes is too long`);
  const frame = Buffer.allocUnsafe(frameHead + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  frame[4] = continues ? 1 : 0;
  payload.copy(frame, frameHead);
  chainOf(chain, frame).copy(frame, 5);
  return frame;
}

export const chainIn = (frame: Buffer): Buffer => frame.subarray(5, 5 + chainSize);

/** How long the frame is that begins so; null if none can begin so. */
export function frameLength(head: Buffer): Bytes | null {
  const length = head.readUInt32BE(0);
  const flags = head[4] as number;
  return length > longestPayload || flags > 1 ? null : bytes(frameHead + length);
}

/** The frame, if it is whole and follows that chain. */
export function decodeFrame(chain: Buffer, frame: Buffer): Frame | null {
  if (!chainOf(chain, frame).equals(chainIn(frame))) return null;
  return { payload: frame.subarray(frameHead), continues: frame[4] === 1 };
}

function chainOf(before: Buffer, frame: Buffer): Buffer {
  return createHash('sha256')
    .update(before)
    .update(frame.subarray(0, 5))
    .update(frame.subarray(frameHead))
    .digest()
    .subarray(0, chainSize);
}
