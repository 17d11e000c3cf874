import assert from 'node:assert/strict';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { epochMs } from '../../config/units.js';
import {
  delegateKey,
  exportKeys,
  importKeys,
  listKeys,
  newKeys,
  rotateRootKey,
  type NewKeyOptions,
} from '../../proxy/cli/keys.js';
import { nameNamespace, type NameOptions } from '../../proxy/cli/keys-name.js';
import type { KeysReport } from '../../proxy/cli/keys-text.js';
import type { SecretInput } from '../../proxy/cli/secret-input.js';
import { isOwnName, openName, type NameStatement } from '../../wlis/trust/name-statement.js';
import { keyIdOf } from '../../wlis/trust/public-key.js';
import { TempDir } from '../support/temp-dir.js';
import { Terminal } from './terminal.js';

const manual = 'https://docs.example.org/manual/';
const now = epochMs(1_700_000_000_000);
const primary = { directory: 'primary' };
const other = { directory: 'other' };

const piped = (text = ''): SecretInput => ({
  isTerminal: false,
  ask: () => Promise.reject(new Error('nobody is there to be asked')),
  all: () => Promise.resolve(text),
});

describe('willis keys', () => {
  let directory: TempDir;
  let terminal: Terminal;
  beforeEach(async () => {
    directory = await TempDir.create();
    terminal = new Terminal(directory.path);
  });
  afterEach(() => directory.remove());

  /** Runs a command that has to end well, and gives what it printed. */
  async function done(command: (console: Terminal) => Promise<number>): Promise<Terminal> {
    const own = new Terminal(directory.path);
    assert.equal(await command(own), 0, own.stderr);
    return own;
  }
  const found = (options: NewKeyOptions = primary): Promise<Terminal> =>
    done((console) => newKeys(manual, options, console, now));
  const report = async (options = primary): Promise<KeysReport> =>
    JSON.parse((await done((console) => listKeys({ ...options, json: true }, console))).stdout) as KeysReport;
  const signerOf = async (options = primary): Promise<KeysReport['roots'][number]['namespaces'][number]> =>
    (await report(options)).roots[0]!.namespaces[0]!;

  it('makes what a primary needs, and lists it', async () => {
    const { stderr } = await found();
    assert.match(stderr, /A root of https:\/\/docs\.example\.org is begun\./);
    const [root] = (await report()).roots;
    assert.deepEqual([root?.serial, root?.root.here, root?.next.here], [1, true, true]);
    assert.deepEqual([root?.namespaces[0]?.namespace, root?.namespaces[0]?.here], [manual, true]);
    assert.equal(root?.namespaces[0]?.notAfter, new Date(now + 400 * 86_400_000).toISOString());
    const { stdout } = await done((console) => listKeys(primary, console));
    assert.match(stdout, /^keys in +.*primary\/keys\nnode +\S{43}\nroot +https:\/\/docs\.example\.org, statement 1\n/);
    assert.match((await found()).stderr, /Nothing has changed/);
  });

  it('lists no secret', async () => {
    await found();
    const names = await readdir(join(directory.path, 'primary/keys'));
    const secrets = await Promise.all(
      names
        .filter((name) => name.endsWith('.jwk'))
        .map(async (name) => {
          const text = await readFile(join(directory.path, 'primary/keys', name), 'utf8');
          return (JSON.parse(text) as { d: string }).d;
        }),
    );
    assert.equal(secrets.length, 4);
    const printed = [
      await done((console) => listKeys(primary, console)),
      await done((console) => listKeys({ ...primary, json: true }, console)),
      await done((console) => exportKeys('-', { ...primary, public: true }, console)),
    ].map(({ stdout, stderr }) => stdout + stderr);
    for (const secret of secrets) assert.equal(printed.join('').includes(secret), false);
  });

  it('delegates to a key of another machine, by way of what is public', async () => {
    await found();
    const key = (await found({ ...other, keyOnly: true })).stdout.trim();
    assert.deepEqual((await report(other)).roots, []);
    await done((console) => delegateKey(manual, key, { ...primary, days: '10' }, console, now));
    assert.equal((await signerOf()).here, false);
    await done((console) => exportKeys('public', { ...primary, public: true }, console));
    await done((console) => importKeys('public', other, console, piped()));
    const signer = await signerOf(other);
    assert.deepEqual([signer.here, signer.notAfter], [true, new Date(now + 10 * 86_400_000).toISOString()]);
    assert.deepEqual(
      (await report()).unnamed.map(({ of }) => of),
      [manual],
    );
  });

  it('trusts the same key for longer', async () => {
    await found({ ...primary, days: '1' });
    const { id } = await signerOf();
    await done((console) => delegateKey(manual, undefined, { ...primary, days: '2' }, console, now));
    const signer = await signerOf();
    assert.deepEqual([signer.id, signer.notAfter], [id, new Date(now + 2 * 86_400_000).toISOString()]);
  });

  it('changes the root key', async () => {
    await found();
    const before = (await report()).roots[0]!;
    await done((console) => rotateRootKey('https://docs.example.org', primary, console, now));
    const after = (await report()).roots[0]!;
    assert.deepEqual([after.serial, after.root.id], [2, before.next.id]);
    assert.deepEqual(
      (await report()).unnamed.map(({ id }) => id),
      [before.root.id],
    );
  });

  it('makes a back-up for its owner alone, and restores it', async () => {
    await found();
    await done((console) => exportKeys('saved', primary, console));
    assert.equal((await stat(join(directory.path, 'saved'))).mode & 0o777, 0o600);
    await done((console) => importKeys('saved', other, console, piped()));
    assert.deepEqual(await report(other), await report());
    const { stdout } = await done((console) => exportKeys('-', primary, console));
    await done((console) => importKeys('-', { directory: 'third' }, console, piped(stdout)));
    assert.deepEqual(await report({ directory: 'third' }), await report());
  });

  it('never writes over a file', async () => {
    await found();
    await directory.write('saved', 'mine');
    assert.equal(await exportKeys('saved', primary, terminal), 1);
    assert.match(terminal.stderr, /saved: there is such a file already/);
    assert.equal(await readFile(join(directory.path, 'saved'), 'utf8'), 'mine');
    await found(other);
    await done((console) => exportKeys('own', primary, console));
    assert.equal(await importKeys('own', other, terminal, piped()), 1);
    assert.match(
      terminal.stderr,
      /there is another root of https:\/\/docs\.example\.org, which the back-up contradicts/,
    );
  });

  it('says what cannot be done, and why', async () => {
    const cases: readonly (readonly [() => Promise<number>, RegExp])[] = [
      [() => newKeys('manual', primary, terminal, now), /"manual" is no namespace: no http or https URI/],
      [() => newKeys('https://x.example/a', primary, terminal, now), /ends in '\/'/],
      [() => newKeys(manual, { ...primary, days: '0' }, terminal, now), /--days: expected a number/],
      [() => delegateKey(manual, undefined, primary, terminal, now), /no root of https:.*: willis keys new/],
      [() => rotateRootKey('https://docs.example.org', primary, terminal, now), /there is no root/],
      [() => exportKeys('saved', primary, terminal), /there are no keys in/],
      [() => importKeys('none', primary, terminal, piped()), /ENOENT/],
      [() => importKeys('-', primary, terminal, piped('{}')), /standard input: no back-up of keys/],
    ];
    for (const [command, message] of cases) {
      terminal.stderr = '';
      assert.equal(await command(), 1);
      assert.match(terminal.stderr, /^willis keys: /);
      assert.match(terminal.stderr, message);
    }
    assert.deepEqual(await readdir(directory.path), []);
    await found();
    assert.equal(await delegateKey(manual, 'x', primary, terminal, now), 1);
    assert.match(terminal.stderr, /"x" is no Ed25519 public key/);
    assert.equal(await delegateKey('https://docs.example.org/new/', undefined, primary, terminal, now), 1);
    assert.match(terminal.stderr, /its root does not name https:.*new\/ yet: say which key is to sign/);
  });

  it('finds node.data in the configuration, which has to stand', async () => {
    await directory.write('proxy.config.yaml', 'node:\n  data: state\n');
    await done((console) => newKeys(manual, {}, console, now));
    assert.equal((await readdir(join(directory.path, 'state/keys'))).length, 5);
    await directory.write('wrong.yaml', 'nodes: 1\n');
    assert.equal(await listKeys({ config: 'wrong.yaml' }, terminal), 2);
  });

  describe('name', () => {
    const give = (name: string, uri: string | undefined, options: NameOptions = primary): Promise<Terminal> =>
      done((console) => nameNamespace(name, uri, options, console, now));
    const refused = async (name: string, uri: string | undefined, options: NameOptions = primary): Promise<string> => {
      assert.equal(await nameNamespace(name, uri, options, terminal, now), 1);
      return terminal.stderr;
    };
    const statement = async (file: string): Promise<NameStatement> => {
      const text = await readFile(join(directory.path, 'primary/names', file), 'utf8');
      return (await openName(text.trim())).statement;
    };
    const namingKey = async (): Promise<KeysReport['naming'][number]> => (await report()).naming[0]!;

    it('signs a name by a key that is made for it, where a directory takes it from', async () => {
      const { stderr } = await give('manual', 'https://Docs.example.org/manual/');
      const { id } = await namingKey();
      assert.match(stderr, /^manual\.wlis stands for https:\/\/docs\.example\.org\/manual\/ until 2024-12-/);
      assert.match(stderr, new RegExp(`wlis\\.trust\\.names has ${id}\n$`));
      const { name, namespace, key, issued, expires } = await statement('manual.jws');
      assert.deepEqual([name, namespace, keyIdOf(key), issued], ['manual', manual, id, now]);
      assert.equal(expires, now + 400 * 86_400_000);
    });

    it('each statement is later than the one before, by the same key, and takes its place', async () => {
      await give('*.docs', manual);
      const first = await statement('%2A.docs.jws');
      await give('*.docs', 'https://docs.example.org/new/', { ...primary, days: '1' });
      const second = await statement('%2A.docs.jws');
      assert.deepEqual([second.serial, second.key], [first.serial + 1, first.key]);
      await give('*.docs', undefined, { ...primary, remove: true });
      const third = await statement('%2A.docs.jws');
      assert.deepEqual([third.serial, third.namespace], [first.serial + 2, null]);
      assert.deepEqual(await readdir(join(directory.path, 'primary/names')), ['%2A.docs.jws']);
    });

    it('--own signs a name that says by itself which key gives it', async () => {
      const { stderr } = await give('manual', manual, { ...primary, own: true });
      const { own, id } = await namingKey();
      assert.match(stderr, new RegExp(`^manual\\.${own}\\.wlis stands for .*everybody believes it\\.\n$`, 's'));
      const { name } = await statement(`manual.${own}.jws`);
      assert.equal(isOwnName(id, name), true);
      const { stdout } = await done((console) => listKeys(primary, console));
      assert.match(stdout, new RegExp(`naming +${id}\n +own names +\\*\\.${own}\\.wlis\n`));
      assert.doesNotMatch(stdout, /unnamed/);
    });

    it('of several keys the one that is meant has to be said', async () => {
      await give('manual', manual);
      await done((console) => nameNamespace('manual', manual, other, console, now));
      await done((console) => exportKeys('backup', other, console));
      await done((console) => importKeys('backup', primary, console, piped()));
      assert.match(await refused('manual', manual), /several naming keys: say which by --key/);
      const [, second] = (await report()).naming;
      await give('manual', manual, { ...primary, key: second!.id });
      assert.equal(keyIdOf((await statement('manual.jws')).key), second!.id);
      assert.match(await refused('manual', manual, { ...primary, key: 'A'.repeat(43) }), /there is no naming key/);
    });

    it('what cannot be a name, or is not said, is refused, and no key is made', async () => {
      for (const [name, uri, why] of [
        ['Manual', manual, /is no name/],
        ['manual.', manual, /is no name/],
        ['*', manual, /is no name/],
        ['../x', manual, /is no name/],
        ['manual', undefined, /say which namespace/],
        ['manual', 'https://docs.example.org/x', /is no namespace/],
      ] as const) {
        assert.match(await refused(name, uri), why);
      }
      assert.match(await refused('manual', manual, { ...primary, remove: true }), /--remove takes no namespace/);
      assert.match(await refused('manual', manual, { ...primary, days: '0' }), /--days/);
      assert.deepEqual((await report()).naming, []);
    });
  });
});
