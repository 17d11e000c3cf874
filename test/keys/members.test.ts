import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyDirectory } from '../../replication/keys/key-directory.js';
import { keyIdOf } from '../../wlis/trust/public-key.js';
import { Replicating, urlOf } from '../support/replicating.js';
import { until } from '../support/waiting.js';
import { flips } from './flips.js';

const files = { 'a.txt': 'A' };

/** What a primary tells anybody of one of its replicas (`GET …/status`). */
interface StatedReplica {
  readonly id: string;
  readonly urls: readonly string[];
  /** Absent below the primary. */
  readonly parent?: string;
}

describe('the keys of who replicates, and of whom is believed', () => {
  let site: Replicating;

  afterEach(() => site.stop());

  /** The name of the key of a node; it is the same one each time. */
  const idOf = async (name: string): Promise<string> => (await new KeyDirectory(site.path(name)).nodeKey()).id;

  const chains = () => new KeyDirectory(site.path('primary')).chains();

  /** The name of the root key of the primary. */
  const rootKey = async (): Promise<string> => {
    const [chain] = await chains();
    const statement = chain?.at(-1)?.statement;
    assert.ok(statement, 'the primary has founded its namespace');
    return keyIdOf(statement.rootKey);
  };

  const stated = async (): Promise<readonly StatedReplica[]> => {
    const answer = await site.visit(`/.well-known/wlis/status?namespace=${encodeURIComponent(`${site.origin}/`)}`);
    return answer.status === 200 ? (JSON.parse(answer.body.toString()) as { replicas: StatedReplica[] }).replicas : [];
  };

  /** Where a primary says that a replica is; undefined while it is not in the group. */
  const placeOf = async (id: string): Promise<string | null | undefined> => {
    const found = (await stated()).find((one) => one.id === id);
    return found === undefined ? undefined : (found.parent ?? null);
  };

  flips('primary.namespaces[].replicas.accept', 'whether anybody may replicate', async () => {
    site = await Replicating.start({ files, keys: { replicas: { accept: 'listed' } } });
    const stranger = await site.replica();
    await site.refused(stranger);
    assert.equal(await site.holds(stranger), false);
    await site.publish({ replicas: { accept: 'open' } });
    await site.inStep(await site.replica());
  });

  flips('primary.namespaces[].replicas.listed', 'who may besides', async () => {
    site = await Replicating.start({ files });
    const [one, two] = [await idOf('replica-1'), await idOf('replica-2')];
    await site.publish({ replicas: { accept: 'listed', listed: [one] } });
    const [first, second] = [await site.replica(), await site.replica()];
    await site.inStep(first);
    await site.refused(second);
    assert.equal(await site.holds(second), false);
    await site.publish({ replicas: { accept: 'listed', listed: [two] } });
    assert.equal(await placeOf(one), undefined);
    // it asks again at once
    await site.replicate(second, { pollEvery: '20s' });
    await site.inStep(second);
    assert.notEqual(await placeOf(two), undefined);
  });

  flips('primary.namespaces[].replicas.tokenFile', 'whose token that is', async () => {
    site = await Replicating.start({ files });
    const tokens = site.path('tokens');
    await site.write('one', 'one\n', tokens);
    await site.write('two', 'two\n', tokens);
    await site.publish({ replicas: { accept: 'listed', tokenFile: join(tokens, 'one') } });
    const first = await site.replica({ tokenFile: join(tokens, 'two') });
    await site.refused(first);
    assert.equal(await site.holds(first), false);
    await site.publish({ replicas: { accept: 'listed', tokenFile: join(tokens, 'two') } });
    await site.inStep(await site.replica({ tokenFile: join(tokens, 'two') }));
  });

  flips('primary.namespaces[].replicas.fanOut', 'how many are told by one node', async () => {
    site = await Replicating.start({ files, keys: { replicas: { accept: 'open', fanOut: 1 } } });
    const one = await site.replica();
    await site.inStep(one);
    const two = await site.replica();
    await site.inStep(two);
    assert.deepEqual(
      [await placeOf(await idOf('replica-1')), await placeOf(await idOf('replica-2'))],
      [null, await idOf('replica-1')],
    );
    await site.publish({ replicas: { accept: 'open', fanOut: 2 } });
    await site.inStep(await site.replica());
    assert.equal(await placeOf(await idOf('replica-3')), null);
  });

  flips('node.url', 'where other nodes reach this one', async () => {
    site = await Replicating.start({ files });
    const replica = await site.replica();
    const urls = async () => (await stated()).flatMap((one) => one.urls);
    await until(async () => (await urls()).join() === urlOf(replica));
    await replica.reload({ node: { url: null } });
    await until(async () => (await stated()).length === 1 && (await urls()).length === 0);
    await replica.reload({ node: { url: urlOf(replica) } });
    await until(async () => (await urls()).join() === urlOf(replica));
  });

  flips('wlis.privateAddresses', 'at which private addresses nodes of public namespaces may be', async () => {
    const url = 'http://site.invalid/';
    site = await Replicating.start({ files, keys: { url } });
    await until(async () => (await chains()).length > 0);
    const roots = [{ origin: 'http://site.invalid', key: await rootKey() }];
    const replica = await site.replica({ url }, { wlis: { trust: { roots } } });
    const members = (): Promise<string> =>
      site
        .visit(`/.well-known/wlis/status?namespace=${encodeURIComponent(url)}`)
        .then(({ status, body }) => (status === 200 ? body.toString() : ''));
    await until(() => replica.events.some(({ reason }) => String(reason).includes('called back')));
    assert.equal((await members()).includes(urlOf(replica)), false);
    await site.primary.reload({ wlis: { privateAddresses: ['127.0.0.1'] } });
    await site.replicate(replica, { url, pollEvery: '20s' });
    await until(async () => (await members()).includes(urlOf(replica)));
  });

  /** A replica that learns no root by itself, until the keys are others. */
  const believes = async (before: object, trust: () => object): Promise<void> => {
    const replica = await site.replica({}, { wlis: { trust: { firstUse: false, ...before } } });
    await site.refused(replica);
    assert.equal(await site.holds(replica), false);
    await replica.reload({ wlis: { trust: trust() } });
    await site.inStep(replica);
  };

  const stranger = 'mDCkGgCYyUB1Jiq0IGLR4ZgYhY3LVV8NyvNAPKz3Pq8';

  flips('wlis.trust.roots', 'root keys that are known', async () => {
    site = await Replicating.start({ files });
    const key = await rootKey();
    await believes({ roots: [] }, () => ({ roots: [{ origin: site.origin, key }] }));
  });

  flips('wlis.trust.roots[].origin', 'whose they are', async () => {
    site = await Replicating.start({ files });
    const key = await rootKey();
    await believes({ roots: [{ origin: 'http://127.0.0.1:1', key }] }, () => ({
      roots: [{ origin: site.origin, key }],
    }));
  });

  flips('wlis.trust.roots[].key', 'which they are', async () => {
    site = await Replicating.start({ files });
    const key = await rootKey();
    const roots = (named: string) => ({ roots: [{ origin: site.origin, key: named }] });
    await believes(roots(stranger), () => roots(key));
  });

  flips('wlis.trust.firstUse', 'whether a root is learned over plain HTTP', async () => {
    site = await Replicating.start({ files });
    await believes({ firstUse: false }, () => ({ firstUse: true }));
  });

  flips('documents.memory', 'what is kept in memory for visitors', async () => {
    const content = 'x'.repeat(100_000);
    site = await Replicating.start({ files: { 'x.txt': content } });
    await site.published('/x.txt', content);
    await lose();
    assert.equal((await site.visit('/x.txt')).status, 200);
    await site.primary.reload({ documents: { memory: 0 } });
    assert.equal((await site.visit('/x.txt')).status, 503);
  });

  /** Its only long content is gone from the disk. */
  async function lose(): Promise<void> {
    const documents = join(site.path('primary'), 'documents');
    const found = await readdir(documents, { recursive: true, withFileTypes: true });
    const large = found.filter((one) => one.isFile() && /^[0-9a-f]{64}$|^[0-9a-f]{62}$/.test(one.name));
    assert.equal(large.length, 1);
    for (const { parentPath, name } of large) await rm(join(parentPath, name));
  }
});
