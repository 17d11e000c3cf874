import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { PasswordHash } from './users-file.js';

/** 16 MiB and about a fifth of a second of one core. */
const cost = { N: 16_384, r: 8, p: 5 } as const;

/** The hash to be kept of a new password. */
export async function hashPassword(password: string): Promise<PasswordHash> {
  const salt = randomBytes(16).toString('base64url');
  const key = await derive(password, { ...cost, salt });
  return { ...cost, salt, key: key.toString('base64url') };
}

/** Whether a password is the one that was hashed. Runs off the event loop, and compares in constant time. */
export async function isPassword(password: string, hash: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, hash), Buffer.from(hash.key, 'base64url'));
}

const keyLength = 32;

function derive(password: string, { N, r, p, salt }: Omit<PasswordHash, 'key'>): Promise<Buffer> {
  // the same characters are the same password, however a keyboard composes them (RFC 8265 §4.2.2)
  const text = Buffer.from(password.normalize('NFC'), 'utf8');
  const maxmem = 128 * r * (N + p) + 1_048_576;
  return new Promise((resolve, reject) => {
    scrypt(text, Buffer.from(salt, 'base64url'), keyLength, { N, r, p, maxmem }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
