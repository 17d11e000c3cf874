import assert from 'node:assert/strict';
import { chmod, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { epochMs, milliseconds } from '../../../config/units.js';
import { delegate, foundNamespace, namespaceSigner, rotateRoot } from '../../../replication/keys/authority.js';
import { backupText, parseBackup, restore } from '../../../replication/keys/key-backup.js';
import { KeyDirectory } from '../../../replication/keys/key-directory.js';
import { KeyFileError } from '../../../replication/keys/key-file-error.js';
import { originOf, parseNamespace } from '../../../wlis/namespace.js';
import type { SigningKey } from '../../../wlis/trust/jws.js';
import { keyIdOf, type PublicKey } from '../../../wlis/trust/public-key.js';
import { openRootChain, rootChainText, type RootChain } from '../../../wlis/trust/root-chain.js';
import { keyForNamespace } from '../../../wlis/trust/root-statement.js';
import { TempDir } from '../../support/temp-dir.js';

const manual = parseNamespace('https://docs.example.org/manual/');
const guide = parseNamespace('https://docs.example.org/guide/');
const origin = originOf(manual);
const now = epochMs(1_700_000_000_000);
const year = milliseconds(365 * 86_400_000);

let temporary: TempDir;
let directory: KeyDirectory;
beforeEach(async () => {
  temporary = await TempDir.create();
  directory = new KeyDirectory(join(temporary.path, 'data'));
});
afterEach(() => temporary.remove());

const refused =
  (message: RegExp) =>
  (error: unknown): boolean =>
    error instanceof KeyFileError && message.test(error.message);

const files = (of = directory): Promise<string[]> => readdir(of.path);
const pathOf = (name: string): string => join(directory.path, name);
const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

/** The whole of a directory, for comparison. */
async function contents(of: KeyDirectory): Promise<Record<string, string>> {
  const names = await files(of);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(of.path, name), 'utf8')] as const)),
  );
}

async function signer(of = directory, namespace = manual, at = now): Promise<SigningKey> {
  const key = await namespaceSigner(of, namespace, at);
  assert.ok(typeof key !== 'string', key as string);
  return key;
}

async function refusal(of: KeyDirectory, at = now): Promise<string> {
  const key = await namespaceSigner(of, manual, at);
  assert.ok(typeof key === 'string', 'there is a key');
  return key;
}

const elsewhere = (name: string): KeyDirectory => new KeyDirectory(join(temporary.path, name));

async function copied(from: KeyDirectory, to: KeyDirectory): Promise<void> {
  const text = backupText({ keys: await from.keys(), chains: await from.chains() });
  await restore(to, await parseBackup(text, 'back-up'));
}

describe('a directory of keys', () => {
  it('makes the key of the node at first need, for its owner alone, and keeps it', async () => {
    const key = await directory.nodeKey();
    assert.deepEqual(await files(), ['node.jwk']);
    assert.equal(await modeOf(pathOf('node.jwk')), '600');
    assert.equal(await modeOf(directory.path), '700');
    assert.deepEqual(await new KeyDirectory(join(temporary.path, 'data')).nodeKey(), key);
  });

  it('gives all who ask at once the same key of the node', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => elsewhere('data').nodeKey()));
    assert.equal(new Set(keys.map(({ id }) => id)).size, 1);
    assert.deepEqual(await files(), ['node.jwk']);
  });

  it('refuses what others may use, and says the chmod that mends it', async () => {
    await directory.nodeKey();
    const path = pathOf('node.jwk');
    for (const mode of [0o640, 0o604, 0o620]) {
      await chmod(path, mode);
      await assert.rejects(directory.nodeKey(), refused(new RegExp(`mode 0${mode.toString(8)}.*: chmod 600 ${path}$`)));
    }
    await chmod(path, 0o600);
    await chmod(directory.path, 0o755);
    await assert.rejects(directory.nodeKey(), refused(new RegExp(`mode 0755.*: chmod 700 ${directory.path}$`)));
    await chmod(directory.path, 0o700);
    await directory.nodeKey();
  });

  it('refuses damaged keys, naming the file and nothing of the secret, and never makes another in their place', async () => {
    const { jwk } = await directory.nodeKey();
    const path = pathOf('node.jwk');
    const text = await readFile(path, 'utf8');
    const other = (await elsewhere('other').nodeKey()).jwk;
    const damaged = [
      '',
      text.slice(0, 100),
      text.replace(jwk.d, ''),
      text.replace(jwk.d, other.d),
      text.replace(jwk.x, other.x),
      text.replace('"node"', '"else"'),
      text.replace('{', '{"extra":"1",'),
      jwk.d,
    ];
    for (const one of damaged) {
      await writeFile(path, one);
      await assert.rejects(directory.nodeKey(), (error: unknown) => {
        assert.ok(error instanceof KeyFileError, String(error));
        assert.ok(error.message.startsWith(`${path}: damaged`), error.message);
        assert.equal(error.message.includes(jwk.d.slice(0, 8)), false, error.message);
        return true;
      });
      assert.equal(await readFile(path, 'utf8'), one);
    }
    await writeFile(path, 'x'.repeat(65_537));
    await assert.rejects(directory.nodeKey(), refused(/longer than 65536 bytes/));
  });

  it('refuses a key in the place of another', async () => {
    await foundNamespace(directory, manual, now, year);
    const [name = ''] = (await files()).filter((one) => one.startsWith('namespace-'));
    await writeFile(pathOf('node.jwk'), await readFile(pathOf(name)), { mode: 0o600 });
    await assert.rejects(directory.nodeKey(), refused(/node\.jwk: it has the key of namespace-/));
  });

  it('leaves nothing half made beside the keys', async () => {
    await foundNamespace(directory, manual, now, year);
    assert.equal((await files()).filter((name) => !/^(?:root|namespace)-.*\.jwk$/.test(name)).length, 1);
  });
});

describe('a root', () => {
  it('is begun with the first namespace, and believed by those who read it', async () => {
    const chain = await foundNamespace(directory, manual, now, year);
    const [first] = await openRootChain(rootChainText(chain), origin);
    const key = await signer();
    assert.equal(keyForNamespace(first!.statement, manual, now)(key.id), key.publicKey);
    assert.deepEqual(await directory.chain(origin), chain);
    assert.equal((await directory.keys()).length, 3);
  });

  it('is not changed for a namespace that it names', async () => {
    await foundNamespace(directory, manual, now, year);
    const before = await contents(directory);
    assert.equal((await foundNamespace(directory, manual, now, year)).length, 1);
    assert.deepEqual(await contents(directory), before);
  });

  it('names further namespaces beside those it has', async () => {
    await foundNamespace(directory, manual, now, year);
    const key = await signer();
    const chain = await foundNamespace(directory, guide, now, year);
    assert.deepEqual(
      chain.at(-1)?.statement.namespaces.map(({ namespace }) => namespace),
      [guide, manual],
    );
    assert.equal((await signer()).id, key.id);
    assert.notEqual((await signer(directory, guide)).id, key.id);
  });

  it('trusts a key for as long as was said, and again when it is asked', async () => {
    await foundNamespace(directory, manual, now, year);
    const { id, publicKey } = await signer();
    const end = epochMs(now + year + 1);
    assert.match(await refusal(directory, end), /until 2024-11-13T.*: willis keys delegate https/);
    await delegate(directory, manual, publicKey, end, year);
    assert.equal((await signer(directory, manual, end)).id, id);
  });

  it('hands a namespace on to a key that another machine made', async () => {
    await foundNamespace(directory, manual, now, year);
    const other = elsewhere('other');
    const key = await other.make({ kind: 'namespace', namespace: manual });
    const chain = await delegate(directory, manual, key.jwk.x as PublicKey, now, year);
    assert.match(await refusal(directory), /which is not in/);
    assert.equal(await refusal(other), `no root statement in ${other.path} names ${manual}`);
    await restore(other, { keys: [], chains: [chain] });
    assert.equal((await signer(other)).id, key.id);
  });

  it('changes its key for the one that was named before, and names another', async () => {
    const [first] = (await foundNamespace(directory, manual, now, year)).map(({ statement }) => statement);
    const chain = await rotateRoot(directory, origin, now);
    const { rootKey, nextRootKey, namespaces } = chain.at(-1)!.statement;
    assert.equal(keyIdOf(rootKey), first!.nextRootKey);
    assert.notEqual(nextRootKey, first!.nextRootKey);
    assert.deepEqual(namespaces, first!.namespaces);
    await rotateRoot(directory, origin, now);
    assert.equal((await openRootChain(rootChainText(await directory.chain(origin)), origin)).length, 3);
  });

  it('says where its key would have to be if that is kept elsewhere, and changes nothing', async () => {
    const [{ statement }] = (await foundNamespace(directory, manual, now, year)) as [RootChain[number]];
    const [root, next] = [keyIdOf(statement.rootKey), statement.nextRootKey];
    await rm(pathOf(`root-${next}.jwk`));
    await assert.rejects(rotateRoot(directory, origin, now), refused(new RegExp(`root-${next}.*kept elsewhere`)));
    await rm(pathOf(`root-${root}.jwk`));
    const before = await contents(directory);
    await assert.rejects(rotateRoot(directory, origin, now), refused(new RegExp(`root-${root}.*kept elsewhere`)));
    await assert.rejects(delegate(directory, manual, statement.rootKey, now, year), refused(/kept elsewhere/));
    assert.deepEqual(await contents(directory), before);
    await signer();
  });

  it('that was never begun has no key to change', async () => {
    await assert.rejects(
      rotateRoot(directory, origin, now),
      refused(/there is no root of https:\/\/docs\.example\.org/),
    );
  });

  it('is changed by one of two who try at once, and the other is told', async () => {
    await foundNamespace(directory, manual, now, year);
    const { publicKey } = await signer();
    const tries = [1, 2].map((days) => delegate(elsewhere('data'), manual, publicKey, now, milliseconds(days)));
    const outcomes = await Promise.allSettled(tries);
    const failed = outcomes.filter((one) => one.status === 'rejected');
    const chain = await directory.chain(origin);
    // the second may have come late enough to go on from the first
    assert.equal(chain.length, 3 - failed.length);
    for (const { reason } of failed) assert.match(String(reason), /made meanwhile; try again/);
    assert.equal((await files()).filter((name) => name.endsWith('.json')).length, 1);
  });

  it('goes on from its last statement only, be the place of an earlier one free', async () => {
    const first = await foundNamespace(directory, manual, now, year);
    const other = elsewhere('other');
    await copied(directory, other);
    const second = await rotateRoot(other, origin, now);
    for (const day of [1, 2]) await delegate(directory, manual, (await signer()).publicKey, now, milliseconds(day));
    const before = await contents(directory);
    for (const chain of [first, second]) assert.throws(() => directory.keepChain(chain), refused(/made meanwhile/));
    assert.deepEqual(await contents(directory), before);
  });

  it('that is damaged, or of another origin, is refused and never begun anew', async () => {
    await foundNamespace(directory, manual, now, year);
    const name = (await files()).find((one) => one.endsWith('.json'))!;
    const text = await readFile(pathOf(name), 'utf8');
    for (const damaged of ['', '{}', text.slice(0, -20), text.replace('docs.example.org', 'x.example')]) {
      await writeFile(pathOf(name), damaged);
      await assert.rejects(foundNamespace(directory, guide, now, year), refused(new RegExp(`${name}: damaged`)));
    }
  });
});

describe('a back-up of keys', () => {
  it('brings back all of it', async () => {
    await directory.nodeKey();
    await foundNamespace(directory, manual, now, year);
    await rotateRoot(directory, origin, now);
    const other = elsewhere('other');
    await copied(directory, other);
    assert.deepEqual(await contents(other), await contents(directory));
    await copied(directory, other);
    assert.deepEqual(await contents(other), await contents(directory));
  });

  it('adds newer statements of the same root, and takes older ones for no news', async () => {
    await foundNamespace(directory, manual, now, year);
    const other = elsewhere('other');
    await copied(directory, other);
    await rotateRoot(directory, origin, now);
    const old = { keys: await other.keys(), chains: await other.chains() };
    assert.deepEqual(await restore(directory, old), { keys: 0, chains: 0 });
    assert.deepEqual(await restore(other, { keys: await directory.keys(), chains: await directory.chains() }), {
      keys: 1,
      chains: 1,
    });
    assert.deepEqual(await contents(other), await contents(directory));
  });

  it('brings the keys of a namespace to another node, which stays who it is', async () => {
    await directory.nodeKey();
    await foundNamespace(directory, manual, now, year);
    const other = elsewhere('other');
    const { id } = await other.nodeKey();
    await copied(directory, other);
    assert.equal((await other.nodeKey()).id, id);
    const namesOf = async (one: KeyDirectory) =>
      (await one.keys()).flatMap((key) => (key.purpose.kind === 'node' ? [] : [key.id]));
    assert.deepEqual(await namesOf(other), await namesOf(directory));
  });

  it('that contradicts a root that is there changes nothing', async () => {
    await directory.nodeKey();
    const other = elsewhere('other');
    await other.nodeKey();
    await foundNamespace(other, guide, now, year);
    const before = await contents(other);
    await foundNamespace(directory, manual, now, year);
    await assert.rejects(copied(directory, other), refused(/another root of https:\/\/docs\.example\.org/));
    assert.deepEqual(await contents(other), before);
  });

  it('in any other form is none, and nothing of its secrets is told', async () => {
    const { jwk } = await directory.nodeKey();
    const text = backupText({ keys: await directory.keys(), chains: [] });
    const wrong = ['', '{}', text.slice(0, -5), text.replace('keys/1', 'keys/2'), text.replace(jwk.d, 'AA'), jwk.d];
    for (const one of wrong) {
      await assert.rejects(parseBackup(one, 'saved'), (error: unknown) => {
        assert.ok(error instanceof KeyFileError, String(error));
        assert.match(error.message, /^saved: no back-up of keys/);
        assert.equal(error.message.includes(jwk.d.slice(0, 8)), false);
        return true;
      });
    }
  });
});
