import { isUserName } from '../../config/user-name.js';

/** The scrypt hash of a password (RFC 7914) and what it was made with; salt and key in base64url. */
export interface PasswordHash {
  /** CPU and memory cost, a power of 2. */
  readonly N: number;
  readonly r: number;
  readonly p: number;
  readonly salt: string;
  readonly key: string;
}

/** Who may prove to be whom, and by what. */
export interface Users {
  readonly passwords: ReadonlyMap<string, PasswordHash>;
  /** Names by the SHA-256 of their token, in hexadecimal. */
  readonly tokens: ReadonlyMap<string, string>;
}

/** A line that cannot stand. Says nothing of the secret in it. */
export interface UsersFault {
  readonly line: number;
  /** In words that continue "expected …, got …". */
  readonly expected: string;
  readonly got: string;
}

/** One line of a users file; of a name there is one of each kind at most. */
export type Credential =
  | { readonly kind: 'password'; readonly name: string; readonly hash: PasswordHash }
  | { readonly kind: 'token'; readonly name: string; readonly digest: string };

/**
 * Reads a file of users, one credential a line; empty lines and those that begin with `#` do not count:
 *
 *     alice:scrypt$16384$8$5$<salt>$<key>      a password, salt and key in base64url
 *     build-7:bearer$<digest>                  a token, by its SHA-256 in hexadecimal
 */
export function parseUsers(text: string): { readonly users: Users } | { readonly faults: readonly UsersFault[] } {
  const passwords = new Map<string, PasswordHash>();
  const tokens = new Map<string, string>();
  const faults: UsersFault[] = [];
  const named = new Set<string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const at = (expected: string, got: string): void => void faults.push({ line: index + 1, expected, got });
    if (isBlank(line)) continue;
    const read = parseCredential(line);
    if ('got' in read) at(read.expected, read.got);
    else if (named.has(`${read.kind} ${read.name}`)) at(`one ${read.kind} for each user`, `another for ${read.name}`);
    else {
      named.add(`${read.kind} ${read.name}`);
      if (read.kind === 'password') passwords.set(read.name, read.hash);
      else if (tokens.has(read.digest))
        at('a token of their own for each user', `the token of ${tokens.get(read.digest) ?? ''} again`);
      else tokens.set(read.digest, read.name);
    }
  }
  return faults.length > 0 ? { faults } : { users: { passwords, tokens } };
}

/** Whether a line of a users file stands for nobody. */
export const isBlank = (line: string): boolean => /^\s*(?:#.*)?$/.test(line);

/** One line, neither blank nor a comment. */
export function parseCredential(line: string): Credential | Omit<UsersFault, 'line'> {
  const [, written, kind = '', rest = ''] = /^([^:]*):([^$]*)\$?(.*)$/.exec(line.trimEnd()) ?? [];
  if (written === undefined) return { expected: 'a name, a colon and a secret', got: 'no colon' };
  const name = written.normalize('NFC');
  if (!isFileName(name)) return { expected: 'the name of a user before the colon', got: shown(written) };
  if (kind === 'bearer') {
    const isDigest = /^[\da-f]{64}$/.test(rest);
    return isDigest
      ? { kind: 'token', name, digest: rest }
      : { expected: "a SHA-256 in hexadecimal after 'bearer$'", got: `something else for ${name}` };
  }
  if (kind !== 'scrypt') {
    return {
      expected: "'scrypt$…' or 'bearer$…' after the colon, as 'willis user' writes it",
      got: ofAnotherKind(kind),
    };
  }
  const hash = parseHash(rest);
  return typeof hash === 'string'
    ? { expected: hash, got: `something else for ${name}` }
    : { kind: 'password', name, hash };
}

/** As one line, without the line feed. */
export function formatCredential(credential: Credential): string {
  const { name } = credential;
  if (credential.kind === 'token') return `${name}:bearer$${credential.digest}`;
  const { N, r, p, salt, key } = credential.hash;
  return `${name}:scrypt$${N}$${r}$${p}$${salt}$${key}`;
}

/** Whether a name can stand in a users file: a line that begins with `#` is a comment. */
export const isFileName = (name: string): boolean => isUserName(name) && !name.startsWith('#');

/** Bounds that keep one check from taking seconds or gigabytes, and from being worth nothing. */
const leastCost = 1024;
const mostCost = 1 << 20;
const mostWork = 1 << 24;

/** The hash, or what it fails to be. */
function parseHash(text: string): PasswordHash | string {
  const match = /^(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([\w-]{11,86})\$([\w-]{43})$/.exec(text);
  if (match === null) return "N, r, p, salt and a key of 32 bytes after 'scrypt$', separated by '$'";
  const [N, r, p] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const isPowerOf2 = N > 0 && (N & (N - 1)) === 0;
  if (!isPowerOf2 || N < leastCost || N > mostCost) return `an N that is a power of 2 from ${leastCost} to ${mostCost}`;
  if (r < 1 || p < 1 || N * r * p > mostWork) return `an r and a p from 1, with N·r·p at most ${mostWork}`;
  return { N, r, p, salt: match[4] ?? '', key: match[5] ?? '' };
}

/** Only words that are known not to be a secret that went astray. */
const ofAnotherKind = (kind: string): string => (otherKinds.includes(kind) ? `'${kind}'` : 'something else');

const otherKinds: readonly string[] = ['bcrypt', 'argon2', 'argon2id', 'pbkdf2', 'sha256', 'sha512', 'token', 'basic'];

const shown = (name: string): string => JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
