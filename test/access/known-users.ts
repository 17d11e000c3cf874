import { createHash, scryptSync } from 'node:crypto';
import { formatCredential } from '../../proxy/access/users-file.js';

/** The line of a users file for a user with a password, hashed as cheaply as is allowed. */
export function passwordLine(name: string, password: string, N = 1024): string {
  const salt = Buffer.from(`the salt of ${name}`);
  const key = scryptSync(password, salt, 32, { N, r: 1, p: 1 }).toString('base64url');
  return formatCredential({ kind: 'password', name, hash: { N, r: 1, p: 1, salt: salt.toString('base64url'), key } });
}

/** The line for a user with a token. */
export const tokenLine = (name: string, token: string): string =>
  formatCredential({ kind: 'token', name, digest: createHash('sha256').update(token).digest('hex') });

/** The value of Proxy-Authorization for a name and a password (RFC 7617). */
export const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
