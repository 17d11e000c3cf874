import assert from 'node:assert/strict';
import { join } from 'node:path';
import { milliseconds } from '../../../config/units.js';
import { createLogger } from '../../../proxy/base/logger.js';
import { Fields } from '../../../proxy/http/fields.js';
import type { NodeCaller } from '../../../wlis/calls/node-caller.js';
import { delegate, foundNamespace, namespaceSigner, rotateRoot } from '../../../replication/keys/authority.js';
import { restore } from '../../../replication/keys/key-backup.js';
import { KeyDirectory } from '../../../replication/keys/key-directory.js';
import { NewerRoots } from '../../../replication/keys/newer-roots.js';
import { succeed, successionOf } from '../../../replication/keys/succession.js';
import { CallFailed } from '../../../wlis/calls/call-failed.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import type { PublicKey } from '../../../wlis/trust/public-key.js';
import { rootChainText } from '../../../wlis/trust/root-chain.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TempDir } from '../../support/temp-dir.js';

const manual = parseNamespace('http://docs.example.org/manual/');
const origin = 'http://docs.example.org';
const now = new FakeClock().now();
const year = milliseconds(365 * 86_400_000);
const lifetime = { now, lifetime: year };

let temporary: TempDir;
let old: KeyDirectory;
let other: KeyDirectory;
beforeEach(async () => {
  temporary = await TempDir.create();
  old = new KeyDirectory(join(temporary.path, 'old'));
  other = new KeyDirectory(join(temporary.path, 'other'));
  await foundNamespace(old, manual, now, year);
});
afterEach(() => temporary.remove());

/** All of the keys, or those of one kind only. */
async function bring(kind?: 'root' | 'namespace'): Promise<void> {
  const keys = (await old.keys()).filter(({ purpose }) => kind === undefined || purpose.kind === kind);
  await restore(other, { keys, chains: await old.chains() });
}

describe('the keys of whoever takes the place of a primary', () => {
  it('are a new one where the root key is, and the old one has ended', async () => {
    await bring('root');
    assert.equal(await succeed(other, manual, await old.chain(origin), lifetime), 'root');
    const signer = await namespaceSigner(other, manual, now);
    assert.ok(typeof signer !== 'string', 'nobody signs');
    const [before, after] = [await old.chain(origin), await other.chain(origin)];
    const signersOf = (chain: typeof after) =>
      chain.at(-1)!.statement.namespaces[0]!.signers.map(({ serial }) => serial);
    assert.deepEqual([signersOf(before), signersOf(after), after.length], [[1], [2], 2]);
    assert.equal(after.at(-1)?.statement.namespaces[0]?.signers[0]?.key, signer.publicKey);
  });

  it('are that of the old primary where the root key is not', async () => {
    await bring('namespace');
    assert.equal(await succeed(other, manual, [], lifetime), 'namespace');
    assert.deepEqual(await other.chain(origin), await old.chain(origin));
  });

  it('go on from what others know, if a back-up is older than that', async () => {
    await bring();
    await rotateRoot(old, origin, now);
    const known = await old.chain(origin);
    await assert.doesNotReject(successionOf(other, manual, known, now));
    // the next root key is in every back-up of the one before
    assert.equal(await succeed(other, manual, known, lifetime), 'root');
    assert.equal((await other.chain(origin)).length, 3);
  });

  it('are wanting, which is said, where neither is, and where they are of another root', async () => {
    await assert.rejects(
      successionOf(other, manual, [], now),
      /no root statement of http:\/\/docs\.example\.org is known/,
    );
    await assert.rejects(
      successionOf(other, manual, await old.chain(origin), now),
      /neither the root key \S+ of \S+ nor the key/,
    );
    await foundNamespace(other, manual, now, year);
    await assert.rejects(successionOf(other, manual, await old.chain(origin), now), /has another root of/);
  });
});

describe('a primary that asks its replicas for newer root statements', () => {
  const events: { readonly code: string }[] = [];
  const asked: string[] = [];
  let answers: Readonly<Record<string, string | null>>;
  let roots: NewerRoots;
  beforeEach(() => {
    events.length = 0;
    asked.length = 0;
    answers = {};
    const caller: NodeCaller = {
      ask: ({ url }) => {
        asked.push(url);
        const text = answers[url];
        if (text == null) return Promise.reject(new CallFailed('unreachable', url, '', 'away'));
        return Promise.resolve({ status: 200, fields: Fields.none, text });
      },
      open: () => Promise.reject(new Error('not here')),
    };
    const logger = createLogger({
      level: 'info',
      write: (line) => void events.push(JSON.parse(line) as { code: string }),
    });
    const members = () => ['http://a.example', 'http://b.example'];
    roots = new NewerRoots({ namespace: manual, keys: old, caller, members, clock: new FakeClock(), logger });
  });
  const ask = (): Promise<void> => roots.ask(new AbortController().signal);
  const codes = (): readonly string[] => events.map(({ code }) => code);

  it('takes those that go on from its own, and signs no more if they name another key', async () => {
    await bring();
    answers = {
      'http://b.example': rootChainText(await succeed(other, manual, [], lifetime).then(() => other.chain(origin))),
    };
    await ask();
    assert.deepEqual(codes(), ['primary-replaced']);
    const signer = await namespaceSigner(old, manual, now);
    assert.match(
      typeof signer === 'string' ? signer : 'it signs',
      /the root names the key \S+ for \S+, which is not in/,
    );
    await ask();
    assert.deepEqual(codes(), ['primary-replaced']);
  });

  it('signs on where they say something else', async () => {
    await bring();
    await rotateRoot(other, origin, now);
    answers = { 'http://a.example': rootChainText(await other.chain(origin)) };
    await ask();
    assert.deepEqual(codes(), ['root-changed']);
    assert.ok(typeof (await namespaceSigner(old, manual, now)) !== 'string', 'nobody signs');
  });

  it('takes nothing of another root, nothing older, and nothing that is no chain', async () => {
    const before = await old.chain(origin);
    await foundNamespace(other, manual, now, year);
    const { jwk } = await other.make({ kind: 'namespace', namespace: manual });
    await delegate(other, manual, jwk.x as PublicKey, now, year);
    answers = { 'http://a.example': rootChainText(await other.chain(origin)), 'http://b.example': '{}' };
    await ask();
    answers = { 'http://a.example': rootChainText(before) };
    await ask();
    assert.deepEqual([codes(), await old.chain(origin)], [[], before]);
  });

  it('asks one after the other while it runs', async () => {
    for (let i = 0; i < 3; i++) {
      roots.look();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await roots.stop();
    assert.ok(asked.length >= 1 && new Set(asked).size <= 2, asked.join());
  });
});
