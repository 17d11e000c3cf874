import assert from 'node:assert/strict';
import { bytes, epochMs, milliseconds } from '../../../config/units.js';
import type { HttpRemoteHolder } from '../../../replication/calls/http-remote-holder.js';
import type { ChangesAnswer, ListPosition } from '../../../replication/remote-holder.js';
import { recordDigest, recordKey, recordText } from '../../../wlis/trust/record.js';
import { Trie } from '../../../wlis/trust/trie.js';
import { trieDifferences } from '../../../wlis/trust/trie-difference.js';
import { closeServers } from '../../http/test-server.js';
import { HeldFixture, sha256Of } from '../held-fixture.js';
import { all, answeringNode, callers, closeCallers, failing, unhurried, type AnsweringNode } from './call-fixture.js';

describe('the calls about a namespace, both ends', () => {
  let held: HeldFixture;
  let node: AnsweringNode;
  let holder: HttpRemoteHolder;

  beforeEach(async () => {
    held = await HeldFixture.create();
    await held.put({ 'a.txt': 'one', 'b.txt': 'two', 'c.txt': 'three' });
    node = await answeringNode([held]);
    holder = (await callers()).holder(node.url, held);
  });

  afterEach(async () => {
    node.waiting.close();
    await closeCallers();
    await closeServers();
    assert.deepEqual(node.errors, []);
  });

  const position = (): ListPosition => {
    const { epoch, seq, root } = held.edition!.head.head;
    return { epoch, seq, root };
  };

  const changes = async (since: ListPosition | null): Promise<ChangesAnswer> => {
    const answer = await holder.changes(since, unhurried);
    return answer.kind === 'changes' ? answer : assert.fail(answer.kind);
  };

  describe('head', () => {
    it('gives the head, and how long ago its primary published it', async () => {
      held.confirmedAge = milliseconds(1234.5);
      const { head, age } = await holder.head(null, milliseconds(0), unhurried);
      assert.deepEqual(head, held.edition!.head);
      assert.equal(age, 1235);
    });

    it('waits for a later version, and for no renewed head', async () => {
      const asked = holder.head(position(), milliseconds(30_000), unhurried);
      while (node.waiting.size === 0) await new Promise(setImmediate);
      await held.renew();
      assert.equal(node.waiting.size, 1);
      await held.put({ 'd.txt': 'four' });
      assert.equal((await asked).head.head.seq, 4);
      assert.deepEqual([node.waiting.size, held.listeners], [0, 0]);
    });

    it('is answered at once where the version is later already', async () => {
      const { head } = await holder.head({ ...position(), seq: 2 }, milliseconds(30_000), unhurried);
      assert.equal(head.head.seq, 3);
    });

    it('is answered as it is when the wait is over', async () => {
      const { head } = await holder.head(position(), milliseconds(20), unhurried);
      assert.equal(head.head.seq, 3);
      assert.deepEqual([node.waiting.size, held.listeners], [0, 0]);
    });

    it('stops waiting when its caller has gone, or the node stops', async () => {
      const gone = new AbortController();
      const asked = holder.head(position(), milliseconds(30_000), gone.signal);
      while (node.waiting.size === 0) await new Promise(setImmediate);
      gone.abort(new Error('enough'));
      await assert.rejects(asked, /enough/);
      while (node.waiting.size > 0) await new Promise(setImmediate);
      assert.equal(held.listeners, 0);
      const other = holder.head(position(), milliseconds(30_000), unhurried);
      while (node.waiting.size === 0) await new Promise(setImmediate);
      node.waiting.close();
      assert.equal((await other).head.head.seq, 3);
    });

    it('is refused where too many wait', async () => {
      const few = await answeringNode([held], { mostWaiting: 1 });
      const there = (await callers()).holder(few.url, held);
      const asked = there.head(position(), milliseconds(30_000), unhurried);
      while (few.waiting.size === 0) await new Promise(setImmediate);
      const refused = there.head(position(), milliseconds(30_000), unhurried);
      await assert.rejects(refused, failing('busy', 'too-many-waiting'));
      few.waiting.close();
      await asked;
    });

    it('of a namespace that is not there, or not yet, is refused', async () => {
      const other = await HeldFixture.create({ namespace: 'http://other.example/', isEmpty: true });
      const there = (await callers()).holder(node.url, other);
      await assert.rejects(there.head(null, milliseconds(0), unhurried), failing('refused', 'not-replicated'));
      const joining = await answeringNode([other]);
      const early = (await callers()).holder(joining.url, other);
      await assert.rejects(early.head(null, milliseconds(0), unhurried), failing('busy', 'not-ready'));
    });
  });

  describe('changes', () => {
    it('gives all records to whoever has nothing', async () => {
      const { records, tail, sets, head } = await changes(null);
      assert.deepEqual(
        records.map(({ kind, path, seq }) => [kind, path, seq]),
        [
          ['document', 'a.txt', 1],
          ['document', 'b.txt', 2],
          ['document', 'c.txt', 3],
        ],
      );
      const root = Trie.of(
        records.map((record) => ({ key: recordKey(record), record: recordDigest(recordText(record)) })),
      ).root;
      assert.deepEqual([tail, sets], [{ count: 3, seq: 3, root }, []]);
      assert.equal(head.head.root, root);
    });

    it('gives what came since: records, removals, and what is visible together', async () => {
      const since = position();
      await held.put({ 'd.txt': 'four', 'a.txt': null, 'b.txt': 'five' }, true);
      await held.put({ 'e.txt': 'six' });
      const { records, sets, tail } = await changes(since);
      assert.deepEqual(
        records.map(({ kind, path, seq }) => [kind, path, seq]),
        [
          ['document', 'd.txt', 4],
          ['removal', 'a.txt', 5],
          ['document', 'b.txt', 6],
          ['document', 'e.txt', 7],
        ],
      );
      assert.deepEqual([sets, tail.seq], [[[4, 6]], 7]);
    });

    it('gives nothing to whoever is in step', async () => {
      const { records, tail } = await changes(position());
      assert.deepEqual([records, tail.count, tail.seq], [[], 0, 3]);
    });

    it('of a list that went another way is refused, with the head: the same number with another root, or one ahead', async () => {
      const own = position();
      const root = sha256Of('another');
      const diverged = await holder.changes({ ...own, root }, unhurried);
      assert.deepEqual([diverged.kind, diverged.head], ['diverged', held.edition!.head]);
      assert.equal((await holder.changes({ ...own, seq: 4 }, unhurried)).kind, 'diverged');
      // the root of a number that has passed is known as long as somebody was told of it
      await holder.head(null, milliseconds(0), unhurried);
      await held.put({ 'd.txt': 'four' });
      assert.equal((await holder.changes({ ...own, root }, unhurried)).kind, 'diverged');
      assert.equal((await holder.changes(own, unhurried)).kind, 'changes');
      assert.equal((await holder.changes({ ...own, root: null }, unhurried)).kind, 'changes');
    });

    it('of another epoch, or from before what the list remembers, is refused, with the head', async () => {
      const own = position();
      await held.put({ 'a.txt': null });
      held.edition!.list.forgetRemovals(epochMs(Number.MAX_SAFE_INTEGER));
      const tooFar = await holder.changes(own, unhurried);
      assert.deepEqual([tooFar.kind, tooFar.head], ['forgotten', held.edition!.head]);
      const { records, tail } = await changes(null);
      assert.deepEqual([records.length, tail.seq], [2, 4]);
      await held.begin('1700000009999-0123456789abcdef');
      assert.equal((await holder.changes(own, unhurried)).kind, 'forgotten');
    });

    it('are those of one moment, whatever is published while they are on their way', async () => {
      const many = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`page${i}`, `content ${i}`]));
      await held.put(many);
      const asked = changes(null);
      await new Promise(setImmediate);
      for (let i = 0; i < 20; i++) await held.put({ [`page${i}`]: `other ${i}` });
      const { records, tail } = await asked;
      const trie = Trie.of(
        records.map((record) => ({ key: recordKey(record), record: recordDigest(recordText(record)) })),
      );
      assert.equal(trie.root, tail.root);
    });

    it('are for those only who are admitted', async () => {
      const closed = await answeringNode([held], {
        admits: (call) => void call.signedBy((id) => (id === friend.key.id ? friend.key.publicKey : null)),
      });
      const friend = await callers();
      const stranger = await callers();
      assert.equal((await friend.holder(closed.url, held).changes(null, unhurried)).kind, 'changes');
      const there = stranger.holder(closed.url, held);
      const { root } = position();
      await assert.rejects(there.changes(null, unhurried), failing('refused', 'unknown-key'));
      await assert.rejects(there.subtrees(root!, ['' as never], unhurried), failing('refused', 'unknown-key'));
      await assert.rejects(all(there.bundle(null, bytes(1_000_000), unhurried)), failing('refused', 'unknown-key'));
      assert.equal((await there.head(null, milliseconds(0), unhurried)).head.head.seq, 3);
    });
  });

  describe('trie', () => {
    it('leads to every difference, and gives the records there', async () => {
      const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`page${i}`, `content ${i}`]));
      await held.put(many);
      const own = held.edition!.trie;
      await held.put({ page7: 'other', page8: null, page500: 'new' });
      const { root } = held.edition!.head.head;
      await holder.head(null, milliseconds(0), unhurried);
      // it goes on changing, while somebody compares
      await held.put({ page9: 'other' });
      const found = [];
      for await (const one of trieDifferences(own, root, (prefixes) => holder.subtrees(root, prefixes, unhurried))) {
        found.push(one);
      }
      const keyOf = (path: string) => recordKey({ namespace: held.namespace, path });
      const keys = found.map(({ key }) => key);
      assert.deepEqual(keys.sort(), ['page7', 'page8', 'page500'].map(keyOf).sort());
      const records = await holder.records(root, [keyOf('page500'), keyOf('page7')], unhurried);
      assert.deepEqual(
        records.map(({ path }) => path),
        ['page500', 'page7'],
      );
    });

    it('that is left behind, or the record of which is, is gone', async () => {
      const { root } = held.edition!.head.head;
      await holder.head(null, milliseconds(0), unhurried);
      await held.put({ 'a.txt': 'other' });
      const key = recordKey({ namespace: held.namespace, path: 'a.txt' });
      await assert.rejects(holder.records(root, [key], unhurried), failing('gone', 'gone', /record/));
      const unknown = holder.subtrees(sha256Of('none'), ['' as never], unhurried);
      await assert.rejects(unknown, failing('gone', 'gone', /trie/));
    });
  });

  describe('blob and blocks', () => {
    const long = Buffer.alloc(300_000, 'abcdefghijklm');

    it('give bytes by their digest, whole and in part', async () => {
      await held.put({ long });
      const digest = sha256Of(long);
      const read = async (from: number, to: number): Promise<Buffer> =>
        Buffer.concat(await all(holder.blob(digest, bytes(from), bytes(to), unhurried)));
      assert.deepEqual(await read(0, long.length), long);
      assert.deepEqual(await read(65_536, 131_072), long.subarray(65_536, 131_072));
      assert.deepEqual(await read(299_999, 300_000), long.subarray(299_999));
      assert.deepEqual(await read(5, 5), Buffer.alloc(0));
      const [record] = (await changes({ ...position(), seq: 3, root: null })).records;
      const { blocks } = (record?.kind === 'document' ? record : assert.fail()).variants[0]!;
      assert.equal(sha256Of(await holder.blockList(blocks, unhurried)), blocks);
    });

    it('that are not there are gone', async () => {
      const digest = sha256Of('none');
      const none = holder.blob(digest, bytes(0), bytes(1), unhurried);
      await assert.rejects(all(none), failing('gone', 'not-here'));
      await assert.rejects(holder.blockList(digest, unhurried), failing('gone', 'not-here'));
    });

    it('beyond their end are refused', async () => {
      const digest = sha256Of('one');
      await assert.rejects(
        all(holder.blob(digest, bytes(0), bytes(4), unhurried)),
        failing('not-believed', 'wrong-subject', /from 0 to 4/),
      );
      await assert.rejects(
        all(holder.blob(digest, bytes(3), bytes(4), unhurried)),
        failing('refused', 'range-not-satisfiable'),
      );
    });
  });

  describe('bundle', () => {
    it('gives the short contents of what changed, each once, and how far they reach', async () => {
      const since = position();
      await held.put({
        p: 'same',
        q: 'same',
        r: Buffer.alloc(70_000),
        s: [{ content: 'x' }, { content: 'y', coding: 'gzip' }],
      });
      await held.put({ p: null, t: '' });
      const parts = await all(holder.bundle(since, bytes(1_000_000), unhurried));
      assert.deepEqual(
        parts.map(({ content, seq }) => [content.toString(), seq]),
        [
          ['same', 6],
          ['x', 6],
          ['y', 8],
          ['', 9],
        ],
      );
    });

    it('ends where it would be longer than was asked for, and the next one goes on there', async () => {
      const contents = Array.from({ length: 12 }, (_, i) => String(i).padEnd(30_000, 'x'));
      await held.put(Object.fromEntries(contents.map((content, i) => [`page${i}`, content])));
      const got: string[] = [];
      let since: ListPosition = { ...position(), seq: 3, root: null };
      for (let rounds = 0; rounds < 20; rounds++) {
        const parts = await all(holder.bundle(since, bytes(131_072), unhurried));
        if (parts.length === 0) break;
        assert.ok(parts.length <= 4, `${parts.length} parts`);
        got.push(...parts.map(({ content }) => content.toString()));
        since = { ...since, seq: parts.at(-1)!.seq };
      }
      assert.deepEqual(got, contents);
    });

    it('leaves out what is not there', async () => {
      const since = position();
      await held.put({ p: 'there', q: 'not there' });
      held.blobs.contents.delete(sha256Of('not there'));
      const parts = await all(holder.bundle(since, bytes(1_000_000), unhurried));
      assert.deepEqual(
        parts.map(({ content, seq }) => [content.toString(), seq]),
        [['there', 5]],
      );
    });
  });
});
