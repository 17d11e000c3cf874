import { NotBelieved, quoted } from './not-believed.js';
import { sha256 } from './sha256.js';

declare const digest: unique symbol;

/** A SHA-256 digest in the one spelling in which it is compared, listed and asked for: 64 lower-case hexadecimal digits. */
export type Digest = string & { readonly [digest]: true };

/** The digest of a text in UTF-8. */
export const digestOfText = (text: string): Digest => digestOfBytes(encoder.encode(text));

export const digestOfBytes = (data: Uint8Array): Digest => digestFrom(sha256(data));

/** The 32 bytes beginning at `at`, as a digest. */
export function digestFrom(data: Uint8Array, at = 0): Digest {
  for (let i = 0; i < 32; i++) {
    const byte = data[at + i] as number;
    codes[2 * i] = digits[byte >> 4] as number;
    codes[2 * i + 1] = digits[byte & 15] as number;
  }
  // one call makes one flat string, where adding up characters would leave a tree of them
  return String.fromCharCode.apply(null, codes) as Digest;
}

/** @throws NotBelieved malformed; `what` names it */
export function parseDigest(text: string, what: string): Digest {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new NotBelieved('malformed', `${what}: ${quoted(text)} is no SHA-256 digest`);
  return text as Digest;
}

/** Puts the 32 bytes of a digest into `target`, beginning at `at`. */
export function putDigest(from: Digest, target: Uint8Array, at: number): void {
  for (let i = 0; i < 32; i++) target[at + i] = (nibble(from, 2 * i) << 4) | nibble(from, 2 * i + 1);
}

export function digestBytes(from: Digest): Uint8Array {
  const target = new Uint8Array(32);
  putDigest(from, target, 0);
  return target;
}

function nibble(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 0x40 ? code - 0x30 : code - 0x57;
}

const encoder = new TextEncoder();
const codes = new Array<number>(64).fill(0);
const digits = encoder.encode('0123456789abcdef');
