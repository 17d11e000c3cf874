import assert from 'node:assert/strict';
import fc from 'fast-check';
import { proofSource } from '../../../replication/calls/proof-making.js';
import { canonicalUri } from '../../../wlis/canonical-uri.js';
import { openProofAnswer, proofAnswer, type ProvenDocument } from '../../../wlis/trust/proof-answer.js';
import { recordDigest } from '../../../wlis/trust/record.js';
import { recordKey } from '../../../wlis/trust/record.js';
import { recordTextOf } from '../../../replication/document-record.js';
import { HeldFixture } from '../held-fixture.js';
import { ReplicaFixture } from './replica-fixture.js';

describe('what a replica holds', () => {
  let held: HeldFixture;
  let replica: ReplicaFixture;
  beforeEach(async () => {
    held = await HeldFixture.create();
    replica = await ReplicaFixture.create(held);
  });
  afterEach(() => replica.remove());

  const seqOf = (path: string): number | undefined => replica.replica.view.visible(path)?.seq;

  it('is an edition once all contents of it are here, and nothing before', async () => {
    await held.put({ a: 'one', b: 'two' });
    assert.equal((await replica.take()).kind, 'changes');
    assert.deepEqual(
      replica.wanted.map(({ path }) => path),
      ['a', 'b'],
    );
    await replica.bring(({ path }) => path === 'a');
    assert.equal(replica.editions, 0);
    await replica.bring(({ path }) => path === 'b');
    assert.equal(replica.replica.view.held?.trie.root, held.edition?.trie.root);
    assert.equal(replica.editions, 1);
  });

  it('goes on being shown as it was until the new content is here (rule 3)', async () => {
    await held.put({ a: 'one', b: 'two' });
    await replica.take();
    await replica.bring();
    await held.put({ a: 'three', b: 'four' });
    await replica.take();
    assert.deepEqual([seqOf('a'), seqOf('b')], [1, 2]);
    await replica.bring(({ path }) => path === 'b');
    assert.deepEqual([seqOf('a'), seqOf('b')], [1, 4], 'document by document');
    assert.equal(replica.replica.view.held?.head.head.seq, 2);
    await replica.bring();
    assert.deepEqual([seqOf('a'), replica.replica.view.held.head.head.seq], [3, 4]);
  });

  it('proves in mid-change that there is nothing, and what stands for it as it is visible', async () => {
    await held.put({ a: 'one', '#404': 'nothing here' });
    await replica.take();
    await replica.bring();
    const before = replica.replica.view.held?.head.head.seq;
    // the content does not come: whoever has it is away
    await held.put({ a: 'two' });
    await replica.take();
    const { view } = replica.replica;
    for (const path of ['nothing', 'nothing?x=1', 'a?x=1']) {
      const proven = await proofAt(path);
      assert.equal(proven.isThere, path === 'a?x=1', path);
      assert.equal(proven.record?.path, path === 'a?x=1' ? 'a' : '#404');
      assert.equal(proven.record.seq, view.visible(proven.record.path)?.seq);
    }
    await held.put({ '#404': 'nothing here, still' });
    await replica.take();
    assert.equal((await proofAt('nothing')).head.seq, before, 'under the head of what is shown');
    await replica.bring(({ path }) => path === '#404');
    const { head, record } = await proofAt('nothing');
    assert.deepEqual([head.seq, record?.seq], [4, 4]);
  });

  /** As the call `proof` proves it, and somebody else reads that. */
  async function proofAt(path: string): Promise<ProvenDocument> {
    const { namespace, policy } = held;
    const provable = replica.replica.view.provable(path);
    assert.ok(provable !== null, `nothing can be proven at ${path}`);
    const uri = canonicalUri(namespace + path);
    const text = proofAnswer(uri, await proofSource(path, provable, held, replica.blobs));
    return openProofAnswer(text, { uri, dropsQuery: policy.query === 'ignore' }, namespace, held.keyFor);
  }

  it('shows a set as a whole', async () => {
    await held.put({ a: 'one', b: 'two', c: 'x' });
    await replica.take();
    await replica.bring();
    await held.put({ a: 'three', b: 'four' }, true);
    await held.put({ c: 'y' });
    await replica.take();
    await replica.bring(({ path }) => path !== 'a');
    assert.deepEqual([seqOf('a'), seqOf('b'), seqOf('c')], [1, 2, 6]);
    await replica.bring();
    assert.deepEqual([seqOf('a'), seqOf('b'), seqOf('c')], [4, 5, 6]);
  });

  it('outlives the process, what is shown ahead of it too', async () => {
    await held.put({ a: 'one', b: 'two' });
    await replica.take();
    await replica.bring();
    await held.put({ a: 'three', b: 'four' });
    await replica.take();
    await replica.bring(({ path }) => path === 'b');
    await replica.restart();
    assert.deepEqual([seqOf('a'), seqOf('b')], [1, 4]);
    assert.equal(replica.replica.view.held?.head.head.seq, 2);
    await replica.take();
    assert.deepEqual(
      replica.wanted.map(({ path }) => path),
      ['a'],
      'nothing twice',
    );
    await replica.bring();
    assert.deepEqual([seqOf('a'), seqOf('b')], [3, 4]);
  });

  it('pulls nothing again when an epoch begins with the same contents', async () => {
    await held.put({ a: 'one', b: 'two' });
    await replica.take();
    await replica.bring();
    await held.begin('1700000001000-0123456789abcdef');
    await replica.take();
    await replica.settle();
    assert.deepEqual(replica.wanted, []);
    assert.equal(replica.replica.view.held?.head.head.epoch, '1700000001000-0123456789abcdef');
  });

  it('finds by comparing what the list does not tell any more', async () => {
    await held.put({ a: 'one', b: 'two', c: 'x' });
    await replica.take();
    await replica.bring();
    const { clock } = replica;
    await held.put({ b: null, c: 'y' });
    held.edition?.list.forgetRemovals(clock.now());
    await replica.take();
    await replica.bring();
    assert.deepEqual([seqOf('a'), replica.at('b') ?? null, seqOf('c')], [1, null, 5]);
    assert.equal(replica.replica.view.held?.trie.root, held.edition?.trie.root);
  });

  it('is changed by nothing that does not lead to the root of the head', async () => {
    await held.put({ a: 'one' });
    await replica.take();
    await replica.bring();
    await held.put({ a: 'two' });
    await held.renew({ root: 'ab'.repeat(32) as never });
    await assert.rejects(replica.take(), /another root/);
    assert.deepEqual([seqOf('a'), replica.replica.view.held?.head.head.seq], [1, 1]);
  });

  it('has no contents beyond its subset, and shows the documents all the same', async () => {
    const some = await ReplicaFixture.create(held, { include: ['in/**'] });
    await held.put({ 'in/a': 'one', b: 'two' });
    await some.take();
    assert.deepEqual(
      some.wanted.map(({ path }) => path),
      ['in/a'],
    );
    await some.bring();
    assert.equal(some.replica.view.held?.trie.size, 2);
    await some.remove();
  });

  it('pulls nothing that changed where documents are only marked stale', async () => {
    const lazy = await ReplicaFixture.create(held, { onChange: 'markStale' });
    await held.put({ a: 'one' });
    await lazy.take();
    await lazy.settle();
    assert.deepEqual(lazy.wanted, []);
    assert.equal(lazy.replica.view.visible('a')?.seq, 1);
    await lazy.remove();
  });

  it('keeps contents of removed documents if it is told so, and deletes them otherwise', async () => {
    const keeping = await ReplicaFixture.create(held, { keepsRemoved: true });
    await held.put({ a: 'one' });
    for (const one of [replica, keeping]) {
      await one.take();
      await one.bring();
    }
    await held.put({ a: null });
    for (const one of [replica, keeping]) {
      await one.take();
      await one.settle();
      await one.restart();
      one.clock.advance(1_000_000_000);
      await one.blobs.collect();
    }
    assert.deepEqual([replica.blobs.usage.blobs, keeping.blobs.usage.blobs], [0, 1]);
    assert.equal(keeping.at('a'), null, 'it is not served in either case');
    await keeping.remove();
  });

  it('never goes back, shows no half of a set, can prove what it shows, and comes to what the primary has', async () => {
    const path = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const edits = fc.dictionary(path, fc.option(fc.constantFrom('1', '2', '3', '4'), { nil: null }), { minKeys: 1 });
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('put' as const), edits, isSet: fc.boolean() }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('bring' as const), mask: fc.nat(31) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('epoch' as const) }) },
    );
    let epochs = 1_700_000_002_000;
    const runs = fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const primary = await HeldFixture.create({ epoch: `${++epochs}-0123456789abcdef` });
      const follower = await ReplicaFixture.create(primary);
      let seen = new Map<string, readonly [string, number]>();
      const look = async (): Promise<void> => {
        const { view } = follower.replica;
        const now = new Map<string, readonly [string, number]>();
        for (const one of ['a', 'b', 'c', 'd', 'e']) {
          const change = view.visible(one);
          if (change === undefined) continue;
          const provable = view.provable(one);
          if (provable !== null && change.document !== null) {
            const { epoch } = provable.head.head;
            const text = recordTextOf(change, primary.namespace, epoch);
            const key = recordKey({ namespace: primary.namespace, path: one });
            assert.equal(provable.trie.get(key), recordDigest(text), `${one} is proven by what it is shown by`);
            now.set(one, [epoch, change.seq]);
          }
        }
        for (const [one, [epoch, seq]] of now) {
          const before = seen.get(one);
          if (before?.[0] === epoch) assert.ok(seq >= before[1], `${one} went back from ${before[1]} to ${seq}`);
        }
        seen = new Map([...seen, ...now]);
        await Promise.resolve();
      };
      for (const one of steps) {
        if (one.do === 'put') await primary.put(one.edits, one.isSet);
        else if (one.do === 'take') await follower.take();
        else if (one.do === 'bring') await follower.bring((_, i) => ((one.mask >> (i % 5)) & 1) === 1);
        else if (one.do === 'restart') await follower.restart();
        else if (one.do === 'forget') primary.edition?.list.forgetRemovals(Infinity as never);
        else await primary.begin(`${++epochs}-0123456789abcdef`);
        await follower.settle();
        await look();
      }
      await follower.take();
      await follower.bring();
      assert.equal(follower.replica.view.held?.trie.root, primary.edition?.trie.root);
      for (const one of ['a', 'b', 'c', 'd', 'e']) {
        assert.equal(follower.at(one) ?? null, primary.visible(one)?.document ?? null, one);
      }
      await follower.remove();
    });
    await fc.assert(runs, { numRuns: 40 });
  }).timeout(60_000);
});
