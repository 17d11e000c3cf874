import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, readFile, readdir, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { isPassword } from '../../proxy/access/password-hash.js';
import { parseUsers } from '../../proxy/access/users-file.js';
import { secretInput, type SecretInput } from '../../proxy/cli/secret-input.js';
import { user, type UserOptions } from '../../proxy/cli/user.js';
import { passwordLine, tokenLine } from '../access/known-users.js';
import { TempDir } from '../support/temp-dir.js';
import { Terminal } from './terminal.js';

/** What a person types at a terminal, answer by answer. */
const typing = (...answers: readonly (string | null)[]): SecretInput => {
  const left = [...answers];
  return {
    isTerminal: true,
    ask: () => Promise.resolve(left.shift() ?? null),
    all: () => Promise.reject(new Error('a terminal never ends')),
  };
};

const piped = (text: string): SecretInput => ({
  isTerminal: false,
  ask: () => Promise.reject(new Error('nobody is there to be asked')),
  all: () => Promise.resolve(text),
});

describe('willis user', () => {
  let directory: TempDir;
  let terminal: Terminal;
  beforeEach(async () => {
    directory = await TempDir.create();
    terminal = new Terminal(directory.path);
  });
  afterEach(() => directory.remove());

  const run = (name: string, input: SecretInput, options: UserOptions = { file: 'users' }): Promise<number> =>
    user(name, options, terminal, input);
  const written = (): Promise<string> => readFile(join(directory.path, 'users'), 'utf8');
  const passwordFits = async (name: string, password: string): Promise<boolean> => {
    const read = parseUsers(await written());
    const hash = 'users' in read ? read.users.passwords.get(name) : undefined;
    return hash !== undefined && isPassword(password, hash);
  };

  it('asks for a password twice at a terminal and keeps its hash, in a file for its owner alone', async () => {
    assert.equal(await run('alice', typing('wonderland', 'wonderland')), 0);
    assert.equal(await passwordFits('alice', 'wonderland'), true);
    assert.equal(await passwordFits('alice', 'wonderlan'), false);
    assert.equal((await stat(join(directory.path, 'users'))).mode & 0o777, 0o600);
    assert.match(terminal.stderr, /^alice has a password in .*users\n$/);
    assert.equal(terminal.stdout, '');
  });

  it('reads it from standard input otherwise, as one line', async () => {
    assert.equal(await run('alice', piped('from a pipe\n')), 0);
    assert.equal(await passwordFits('alice', 'from a pipe'), true);
    assert.equal(await run('alice', piped('two\nlines\n')), 1);
    assert.equal(await run('alice', piped('')), 1);
    assert.equal(await run('alice', piped('a\tb')), 1);
    assert.match(terminal.stderr, /a password is one line\n.*an empty password is none\n.*no control characters\n$/s);
    assert.equal(await passwordFits('alice', 'from a pipe'), true);
  });

  it('changes nothing if the two differ, or the person gives up', async () => {
    assert.equal(await run('alice', typing('one', 'other')), 1);
    assert.equal(await run('alice', typing('one', null)), 1);
    assert.equal(await run('alice', typing(null)), 1);
    assert.deepEqual(await readdir(directory.path), []);
    assert.match(terminal.stderr, /not the same, nothing has changed\n.*given up, nothing has changed\n/s);
  });

  it('takes the place of what the user had, and leaves the rest of the file as it is', async () => {
    const others = [passwordLine('bob', 'builder'), tokenLine('alice', 't')];
    await directory.write('users', `# the office\n${passwordLine('alice', 'old')}\n\n${others.join('\n')}`);
    assert.equal(await run('alice', piped('new')), 0);
    assert.equal(await passwordFits('alice', 'new'), true);
    const [comment, , blank, ...rest] = (await written()).split('\n');
    assert.deepEqual([comment, blank, ...rest], ['# the office', '', ...others, '']);
    assert.equal(await run('carol', piped('new')), 0);
    assert.match(await written(), /\ncarol:scrypt\$.*\n$/);
  });

  it('--bearer makes a token of 256 bits, prints it once and keeps its digest', async () => {
    assert.equal(await run('ci', piped(''), { file: 'users', bearer: true }), 0);
    const token = terminal.stdout.trimEnd();
    assert.equal(Buffer.from(token, 'base64url').length, 32);
    const digest = createHash('sha256').update(token).digest('hex');
    assert.equal(await written(), `ci:bearer$${digest}\n`);
    assert.ok(!terminal.stderr.includes(token), terminal.stderr);
    terminal.stdout = '';
    assert.equal(await run('ci', piped(''), { file: 'users', bearer: true }), 0);
    assert.notEqual(terminal.stdout.trimEnd(), token);
    assert.equal((await written()).split('\n').length, 2);
  });

  it('--remove takes a user away, with --bearer only the token', async () => {
    const alice = passwordLine('alice', 'x');
    await directory.write('users', `${alice}\n${tokenLine('alice', 't')}\n# end\n`);
    assert.equal(await run('alice', piped(''), { file: 'users', remove: true, bearer: true }), 0);
    assert.equal(await written(), `${alice}\n# end\n`);
    assert.equal(await run('alice', piped(''), { file: 'users', remove: true, bearer: true }), 1);
    assert.equal(await run('alice', piped(''), { file: 'users', remove: true }), 0);
    assert.equal(await written(), '# end\n');
    assert.equal(await run('alice', piped(''), { file: 'users', remove: true }), 1);
    assert.match(terminal.stderr, /users has no token for alice\n.*users has no alice\n$/s);
  });

  it('--print prints the line and writes nothing', async () => {
    assert.equal(await run('alice', piped('wonderland'), { print: true }), 0);
    const read = parseUsers(terminal.stdout);
    assert.ok('users' in read, JSON.stringify(read));
    assert.deepEqual([...read.users.passwords.keys()], ['alice']);
    assert.deepEqual(await readdir(directory.path), []);
  });

  it('writes to the file that the configuration names', async () => {
    await directory.write('proxy.config.yaml', 'access: {authentication: {usersFile: users}}');
    assert.equal(await run('alice', piped('x'), {}), 0);
    assert.equal(await passwordFits('alice', 'x'), true);
  });

  it('says so, with 2, if that names none or cannot stand', async () => {
    await directory.write('none.yaml', '{}');
    await directory.write('bad.yaml', 'x: 1');
    assert.equal(await run('alice', piped('x'), { config: 'none.yaml' }), 2);
    assert.equal(await run('alice', piped('x'), { config: 'bad.yaml' }), 2);
    assert.match(terminal.stderr, /^willis user: none\.yaml names no file of users: .*\nbad\.yaml:1:1 x: /);
  });

  it('refuses names that cannot stand in the file or in Basic credentials (RFC 7617 §2)', async () => {
    for (const name of ['', 'a b', 'a:b', '*', '#a', 'a\u0007']) assert.equal(await run(name, piped('x')), 1, name);
    assert.deepEqual(await readdir(directory.path), []);
  });

  it('leaves a file alone that has a line that cannot stand, and names the line', async () => {
    await directory.write('users', '# one\nalice:plain text\n');
    assert.equal(await run('bob', piped('x')), 1);
    assert.equal(await written(), '# one\nalice:plain text\n');
    assert.match(terminal.stderr, /users:2: expected 'scrypt/);
    assert.ok(!terminal.stderr.includes('plain'), terminal.stderr);
  });

  it('replaces a file at once: through a link, keeping its mode but for others, and leaving nothing behind', async () => {
    const path = await directory.write('real', '');
    await chmod(path, 0o644);
    await symlink('real', join(directory.path, 'users'));
    assert.equal(await run('alice', piped('x')), 0);
    assert.deepEqual((await readdir(directory.path)).sort(), ['real', 'users']);
    assert.equal((await stat(path)).mode & 0o777, 0o640);
    assert.equal(await passwordFits('alice', 'x'), true);
    assert.equal(await run('alice', piped('x'), { file: 'none/users' }), 1);
    assert.match(terminal.stderr, /ENOENT/);
  });
});

/** As much of a terminal as is used. */
class FakeTerminal extends PassThrough {
  readonly isTTY = true;
  readonly modes: boolean[] = [];

  setRawMode(raw: boolean): void {
    this.modes.push(raw);
  }
}

describe('a secret typed at a terminal', () => {
  const typed = async (
    ...chunks: readonly string[]
  ): Promise<{ line: string | null; modes: boolean[]; shown: string }> => {
    const stream = new FakeTerminal();
    let shown = '';
    const asked = secretInput(stream, (text) => (shown += text)).ask('Password: ');
    for (const chunk of chunks) stream.write(chunk);
    const line = await asked;
    return { line, modes: stream.modes, shown };
  };

  it('is read with the terminal in raw mode, which echoes nothing, and not left there', async () => {
    assert.deepEqual(await typed('se', 'crét\r'), { line: 'secrét', modes: [true, false], shown: 'Password: \n' });
  });

  it('can be corrected by Backspace and Ctrl-U', async () => {
    assert.equal((await typed('wrong\u0015sez\u007f\u0008ecret\n')).line, 'secret');
    assert.equal((await typed('\u007fa\r')).line, 'a');
  });

  it('can be given up by Ctrl-C and Ctrl-D', async () => {
    assert.deepEqual((await typed('a\u0003')).line, null);
    assert.deepEqual((await typed('\u0004')).modes, [true, false]);
  });

  it('is given up if the terminal goes away', async () => {
    const stream = new FakeTerminal();
    const asked = secretInput(stream, () => undefined).ask('');
    stream.end('abc');
    assert.equal(await asked, null);
  });

  it('that is piped is everything that comes', async () => {
    const stream = new PassThrough();
    stream.end('ab\ncé');
    const input = secretInput(stream, () => undefined);
    assert.equal(input.isTerminal, false);
    assert.equal(await input.all(), 'ab\ncé');
  });
});
