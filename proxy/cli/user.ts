import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { withCredential, withoutUser } from '../access/edited-users.js';
import { hashPassword } from '../access/password-hash.js';
import { formatCredential, isFileName, parseUsers, type Credential } from '../access/users-file.js';
import { isSystemError, openConfig } from './config-file.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import { replaceFile } from './replace-file.js';
import type { SecretInput } from './secret-input.js';

export interface UserOptions {
  /** The configuration that names the file of users, if none is given. */
  readonly config?: string;
  readonly file?: string;
  readonly bearer?: boolean;
  readonly remove?: boolean;
  readonly print?: boolean;
}

/** `willis user`: gives a user a password or a token, or takes them away. */
export async function user(
  name: string,
  options: UserOptions,
  console: Console,
  input: SecretInput,
): Promise<ExitCode> {
  try {
    return await edit(name, options, console, input);
  } catch (error) {
    if (!(error instanceof Refused) && !isSystemError(error)) throw error;
    console.err(`willis user: ${error.message}\n`);
    return error instanceof Refused ? error.code : exitCodes.failure;
  }
}

async function edit(name: string, options: UserOptions, console: Console, input: SecretInput): Promise<ExitCode> {
  if (!isFileName(name)) {
    throw new Refused(
      `${JSON.stringify(name)} cannot be a name: at most 64 characters, without spaces, ':' and '*', and no '#' at the start`,
    );
  }
  const bearer = options.bearer === true;
  if (options.print === true) {
    if (options.remove === true) throw new Refused('--print and --remove do not go together');
    const { credential, token } = await newCredential(name, bearer, input);
    console.out(`${formatCredential(credential)}\n`);
    if (token !== null) console.err(`The token, which is not shown again: ${token}\n`);
    return exitCodes.ok;
  }
  const path = usersFile(options, console);
  const text = readUsers(path);
  if (options.remove === true) {
    const rest = withoutUser(text, name, bearer ? 'token' : null);
    if (rest === null) throw new Refused(`${path} has no ${bearer ? 'token for ' : ''}${name}`);
    replaceFile(path, rest);
    console.err(`${name}${bearer ? ' has no token any more' : ' is removed'} in ${path}\n`);
    return exitCodes.ok;
  }
  const { credential, token } = await newCredential(name, bearer, input);
  replaceFile(path, withCredential(text, credential));
  console.err(
    token === null ? `${name} has a password in ${path}\n` : `${name} has a token in ${path}; it is not shown again:\n`,
  );
  if (token !== null) console.out(`${token}\n`);
  return exitCodes.ok;
}

/** Why nothing was done. */
class Refused extends Error {
  constructor(
    message: string,
    readonly code: ExitCode = exitCodes.failure,
  ) {
    super(message);
  }
}

function usersFile({ file, config }: UserOptions, console: Console): string {
  if (file !== undefined) return resolve(console.directory, file);
  const opened = openConfig(config, console);
  if (opened === null) throw new Refused('give --file, or a configuration that can stand', exitCodes.configuration);
  const path = opened.config.access.authentication.usersFile;
  if (path !== null) return path;
  throw new Refused(
    `${opened.name} names no file of users: give --file, or set access.authentication.usersFile`,
    exitCodes.configuration,
  );
}

/** Nobody, if there is no such file yet. */
function readUsers(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return '';
    throw error;
  }
  const read = parseUsers(text);
  if (!('faults' in read)) return text;
  const [fault] = read.faults;
  throw new Refused(`${path}:${fault?.line ?? 0}: expected ${fault?.expected ?? ''}, got ${fault?.got ?? ''}`);
}

async function newCredential(
  written: string,
  bearer: boolean,
  input: SecretInput,
): Promise<{ readonly credential: Credential; readonly token: string | null }> {
  const name = written.normalize('NFC');
  if (bearer) {
    const token = randomBytes(32).toString('base64url');
    const digest = createHash('sha256').update(token).digest('hex');
    return { credential: { kind: 'token', name, digest }, token };
  }
  const hash = await hashPassword(await newPassword(name, input));
  return { credential: { kind: 'password', name, hash }, token: null };
}

async function newPassword(name: string, input: SecretInput): Promise<string> {
  const password = input.isTerminal ? await askTwice(name, input) : (await input.all()).replace(/\r?\n$/, '');
  if (password === '') throw new Refused('an empty password is none');
  if (/[\r\n]/.test(password)) throw new Refused('a password is one line');
  // RFC 7617 §2: it could not be sent
  if (/\p{Cc}/u.test(password)) throw new Refused('a password has no control characters');
  return password;
}

async function askTwice(name: string, input: SecretInput): Promise<string> {
  const first = await input.ask(`Password for ${name}: `);
  const second = first === null ? null : await input.ask('Once more: ');
  if (first === null || second === null) throw new Refused('given up, nothing has changed');
  if (first !== second) throw new Refused('the two are not the same, nothing has changed');
  return first;
}
