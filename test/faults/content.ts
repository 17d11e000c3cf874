import { createCipheriv, createHash } from 'node:crypto';

const block = 16;

/** The bytes from ≤ position < to of a version of what a key names: nobody needs to keep them to know what they are. */
export function contentOf(key: string, version: number, from: number, to: number): Buffer {
  const secret = createHash('sha256').update(`${version} ${key}`).digest();
  const counter = Buffer.alloc(block);
  counter.writeBigUInt64BE(BigInt(Math.floor(from / block)), 8);
  const before = from % block;
  const stream = createCipheriv('aes-128-ctr', secret.subarray(0, block), counter);
  return stream.update(Buffer.alloc(before + to - from)).subarray(before);
}
