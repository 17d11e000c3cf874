import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { epochMs } from '../../config/units.js';
import { createLogger } from '../../proxy/base/logger.js';
import { Fields } from '../../proxy/http/fields.js';
import type { NodeCaller } from '../../wlis/calls/node-caller.js';
import { CallFailed } from '../../wlis/calls/call-failed.js';
import { RootKeeper, type RootKeeperOptions } from '../../wlis/root-keeper.js';
import { parseNamespace } from '../../wlis/namespace.js';
import type { SigningKey } from '../../wlis/trust/jws.js';
import { rootChainText, signRoot, type RootChain } from '../../wlis/trust/root-chain.js';
import { FakeClock } from '../support/fake-clock.js';
import { TempDir } from '../support/temp-dir.js';
import { keyNamed } from './trust/keys-example.js';
import { disbelief } from './trust/disbelief.js';

const plain = 'http://docs.example';
const overTls = 'https://docs.example';
const made = new FakeClock().now();
const { signal } = new AbortController();

describe('who signs for a namespace, as a replica knows it', () => {
  let directory: TempDir;
  let clock: FakeClock;
  let roots: readonly SigningKey[];
  let signers: readonly SigningKey[];
  let events: { readonly code: string }[];
  let asked: string[];
  /** What is answered at which URL: a chain, or nobody answers. */
  let at: Map<string, RootChain>;

  before(async () => {
    roots = await Promise.all(['root 1', 'root 2', 'root 3', 'root of another'].map(keyNamed));
    signers = await Promise.all(['signer 1', 'signer 2'].map(keyNamed));
  });
  beforeEach(async () => {
    directory = await TempDir.create();
    clock = new FakeClock();
    [events, asked] = [[], []];
    at = new Map();
  });
  afterEach(() => directory.remove());

  const root = (n: number): SigningKey => roots[n] as SigningKey;
  const signer = (n: number): SigningKey => signers[n] as SigningKey;

  /** Root keys by which the statements are signed in turn, the last of which names that signer. */
  async function chainOf(origin: string, by: readonly number[], named = 0): Promise<RootChain> {
    let chain: RootChain = [];
    for (const [i, n] of by.entries()) {
      const key = signer(i === by.length - 1 ? named : 0);
      const statement = {
        ...{ origin, serial: i + 1, issued: epochMs(made + i), rootKey: root(n).publicKey },
        nextRootKey: root(n === 3 ? 2 : (n + 1) % 3).id,
        namespaces: [
          {
            ...{ namespace: parseNamespace(`${origin}/`), aliases: [] },
            signers: [{ key: key.publicKey, serial: 1, notAfter: epochMs(made + 86_400_000) }],
          },
        ],
      };
      const past = by[i - 1] ?? n;
      chain = await signRoot(statement, chain, past === n ? [root(n)] : [root(n), root(past)]);
    }
    return chain;
  }

  const caller: NodeCaller = {
    ask: ({ url, path }) => {
      asked.push(url);
      const chain = at.get(url);
      if (chain === undefined) return Promise.reject(new CallFailed('unreachable', url, '', 'nobody answers'));
      assert.equal(path, `root?origin=${encodeURIComponent(chain[0]?.statement.origin ?? '')}`);
      return Promise.resolve({ status: 200, fields: Fields.none, text: rootChainText(chain) });
    },
    open: () => Promise.reject(new Error('not asked for')),
  };

  const keeper = (over: Partial<RootKeeperOptions> = {}): Promise<RootKeeper> =>
    RootKeeper.open({
      ...{ namespace: parseNamespace(`${plain}/`), directory: join(directory.path, 'roots'), configured: null },
      ...{ firstUse: true, others: () => [], caller, clock },
      logger: createLogger({ level: 'debug', write: (line) => events.push(JSON.parse(line) as { code: string }) }),
      ...over,
    });
  const ofTls = { namespace: parseNamespace(`${overTls}/`), firstUse: false };

  it('is nobody before it has been learned', async () => {
    const roots = await keeper();
    assert.deepEqual([roots.isKnown, roots.chain, roots.keyFor(signer(0).id)], [false, [], null]);
    await assert.rejects(roots.learn(signal), CallFailed);
    assert.equal(roots.isKnown, false);
  });

  it('is learned over plain HTTP where the operator lets it, and refused with what to do elsewhere', async () => {
    at.set(plain, await chainOf(plain, [0]));
    const careful = await keeper({ firstUse: false });
    await assert.rejects(careful.learn(signal), disbelief('wrong-signature', /wlis\.trust\.firstUse/));
    assert.equal(careful.isKnown, false);
    const trusting = await keeper();
    await trusting.learn(signal);
    assert.deepEqual(trusting.keyFor(signer(0).id), signer(0).publicKey);
    assert.equal(trusting.keyFor(signer(1).id), null, 'whom it does not name');
  });

  it('is learned over TLS from the authority alone, whatever is said of the first use', async () => {
    const chain = await chainOf(overTls, [0]);
    at.set('https://m1.example', chain);
    const roots = await keeper({ ...ofTls, others: () => ['https://m1.example'] });
    await assert.rejects(roots.learn(signal), CallFailed);
    assert.deepEqual(asked, [overTls], 'nobody else is asked for a root that is not known');
    at.set(overTls, chain);
    await roots.learn(signal);
    assert.ok(roots.isKnown, 'the authority is believed');
  });

  it('is learned from anybody where the operator named the root key, and only what leads to that', async () => {
    const others = (): string[] => ['http://m1.example', 'http://m2.example'];
    at.set('http://m1.example', await chainOf(plain, [3]));
    at.set('http://m2.example', await chainOf(plain, [0]));
    const roots = await keeper({ configured: root(0).id, firstUse: false, others });
    await roots.learn(signal);
    assert.deepEqual(asked, [plain, ...others()]);
    assert.deepEqual(roots.keyFor(signer(0).id), signer(0).publicKey);
    const wrong = await keeper({ configured: root(2).id, firstUse: true, others });
    await assert.rejects(wrong.learn(signal));
    assert.equal(wrong.isKnown, false);
  });

  it('follows a change of the root key and of the signer that the chain leads to', async () => {
    at.set(plain, await chainOf(plain, [0]));
    const roots = await keeper();
    await roots.learn(signal);
    at.set(plain, await chainOf(plain, [0, 1], 1));
    clock.advance(10_000);
    await roots.learn(signal);
    assert.deepEqual(roots.keyFor(signer(1).id), signer(1).publicKey);
    assert.equal(roots.keyFor(signer(0).id), null, 'who signed before does so no more');
    assert.deepEqual(roots.everKeyFor(signer(0).id), signer(0).publicKey, 'but did');
  });

  it('takes nothing that does not follow from what is known, and keeps that', async () => {
    const known = await chainOf(plain, [0, 1], 1);
    at.set(plain, known);
    const roots = await keeper();
    await roots.learn(signal);
    for (const [chain, reason, said] of [
      [await chainOf(plain, [3], 0), 'wrong-signature', /wlis\.trust\.roots/],
      [known.slice(0, 1), 'out-of-date', /older/],
    ] as const) {
      at.set(plain, chain);
      clock.advance(10_000);
      await assert.rejects(roots.learn(signal), disbelief(reason, said));
      assert.deepEqual(roots.chain, known);
    }
  });

  it('asks once for many who want to know, and not again so soon', async () => {
    at.set(plain, await chainOf(plain, [0]));
    const roots = await keeper();
    await Promise.all([roots.learn(signal), roots.learn(signal), roots.learn(signal)]);
    await roots.learn(signal);
    clock.advance(9999);
    await roots.learn(signal);
    assert.equal(asked.length, 1);
    clock.advance(1);
    await roots.learn(signal);
    assert.equal(asked.length, 2);
  });

  it('is sought for at whoever has what an unknown key signed, in a bounded number of places', async () => {
    at.set(plain, await chainOf(plain, [0]));
    const others = (): string[] => Array.from({ length: 20 }, (_, n) => `http://m${n}.example`);
    const roots = await keeper({ others });
    await roots.learn(signal);
    asked = [];
    assert.equal(await roots.seek(null, signal), false);
    assert.equal(asked.length, 8);
    clock.advance(10_000);
    at.set('http://promoted.example', await chainOf(plain, [0, 0], 1));
    asked = [];
    assert.equal(await roots.seek('http://promoted.example', signal), true);
    assert.deepEqual(asked, ['http://promoted.example']);
    assert.deepEqual(roots.keyFor(signer(1).id), signer(1).publicKey);
    assert.equal(await roots.seek('http://promoted.example', signal), false, 'not again so soon');
  });

  it('is remembered over restarts, for the node alone to read', async () => {
    at.set(plain, await chainOf(plain, [0, 1], 1));
    const first = await keeper();
    await first.learn(signal);
    asked = [];
    const again = await keeper({ firstUse: false });
    assert.deepEqual([again.chain, asked], [first.chain, []]);
    assert.deepEqual(again.keyFor(signer(1).id), signer(1).publicKey);
    const [file = ''] = await readdir(join(directory.path, 'roots'));
    assert.equal((await stat(join(directory.path, 'roots', file))).mode & 0o777, 0o600);
    at.set(plain, await chainOf(plain, [3]));
    clock.advance(10_000);
    await assert.rejects(again.learn(signal), disbelief('wrong-signature'), 'what it remembers binds it');
  });

  it('is learned anew where what is remembered is not what the operator says by now', async () => {
    at.set(plain, await chainOf(plain, [3]));
    await (await keeper()).learn(signal);
    const corrected = await keeper({ configured: root(0).id });
    assert.equal(corrected.isKnown, false);
    at.set(plain, await chainOf(plain, [0]));
    await corrected.learn(signal);
    assert.deepEqual(corrected.keyFor(signer(0).id), signer(0).publicKey);
  });

  it('is learned anew where what is remembered cannot be read, and that is said', async () => {
    at.set(plain, await chainOf(plain, [0]));
    await (await keeper()).learn(signal);
    const [file = ''] = await readdir(join(directory.path, 'roots'));
    await writeFile(join(directory.path, 'roots', file), '{"origin":');
    const roots = await keeper();
    assert.equal(roots.isKnown, false);
    assert.ok(
      events.some(({ code }) => code === 'root-forgotten'),
      'it is logged',
    );
    await roots.learn(signal);
    assert.ok(roots.isKnown, 'it is asked for again');
  });

  it('is signed for by a key only as long as the root says', async () => {
    at.set(plain, await chainOf(plain, [0]));
    const roots = await keeper();
    await roots.learn(signal);
    clock.advance(86_400_001);
    assert.equal(roots.keyFor(signer(0).id), null);
    assert.deepEqual(roots.everKeyFor(signer(0).id), signer(0).publicKey);
  });
});
