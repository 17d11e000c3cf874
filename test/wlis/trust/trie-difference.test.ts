import assert from 'node:assert/strict';
import fc from 'fast-check';
import { digestOfText, type Digest } from '../../../wlis/trust/digest.js';
import { Trie } from '../../../wlis/trust/trie.js';
import { MOST_PREFIXES, trieDifferences, type TrieDifference } from '../../../wlis/trust/trie-difference.js';
import { disbelief } from './disbelief.js';
import { changesBetween, contents, entriesOf, numbered, served } from './trie-example.js';

const all = async (differences: AsyncGenerator<TrieDifference>): Promise<TrieDifference[]> => {
  const found: TrieDifference[] = [];
  for await (const difference of differences) found.push(difference);
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
};

const expected = (own: ReadonlyMap<Digest, Digest>, other: ReadonlyMap<Digest, Digest>): TrieDifference[] =>
  [...new Set([...own.keys(), ...other.keys()])]
    .map((key) => ({ key, own: own.get(key) ?? null, other: other.get(key) ?? null }))
    .filter((difference) => difference.own !== difference.other)
    .sort((a, b) => (a.key < b.key ? -1 : 1));

describe('the difference of two tries', () => {
  it('is all documents in which they differ, each once, and no other', async () => {
    await fc.assert(
      fc.asyncProperty(contents, contents, async (own, other) => {
        const trie = Trie.of(entriesOf(other));
        const found = await all(trieDifferences(Trie.of(entriesOf(own)), trie.root, served(trie).fetch));
        assert.deepEqual(found, expected(own, other));
      }),
    );
  });

  it('applied, makes the one of the other', async () => {
    await fc.assert(
      fc.asyncProperty(contents, contents, async (a, b) => {
        const own = Trie.of(entriesOf(a));
        const other = own.with(changesBetween(a, b));
        const found = await all(trieDifferences(own, other.root, served(other).fetch));
        assert.equal(own.with(found.map(({ key, other: record }) => ({ key, record }))).root, other.root);
      }),
    );
  });

  it('asks for nothing if there is none', async () => {
    const trie = Trie.of(numbered(0, 100));
    const { fetch, asked } = served(Trie.of(numbered(0, 100)));
    assert.deepEqual(await all(trieDifferences(trie, trie.root, fetch)), []);
    assert.deepEqual(asked, { requests: 0, prefixes: 0 });
  });

  it('asks for the way to each difference and no more: of 20,000 documents at most 4 prefixes for each', async () => {
    const own = Trie.of(numbered(0, 20_000));
    for (const count of [1, 7, 300]) {
      const changed = numbered(0, count).map(({ key }, i) => ({
        key,
        record: i % 2 ? null : digestOfText(`new ${i}`),
      }));
      const other = own.with(changed);
      const { fetch, asked } = served(other);
      const found = await all(trieDifferences(own, other.root, fetch));
      assert.equal(found.length, count);
      assert.ok(asked.prefixes <= 4 * count, `${asked.prefixes} prefixes for ${count} differences`);
      assert.ok(asked.requests <= 4 + asked.prefixes / 16, `${asked.requests} requests for ${asked.prefixes} prefixes`);
    }
  });

  it('to a trie that is empty, or from one, is all of the other', async () => {
    const trie = Trie.of(numbered(0, 500));
    const gone = await all(trieDifferences(trie, Trie.empty.root, served(Trie.empty).fetch));
    assert.deepEqual(
      gone.map(({ key }) => key),
      [...trie.entries()].map(({ key }) => key),
    );
    assert.equal(
      gone.every(({ other }) => other === null),
      true,
    );
    const come = await all(trieDifferences(Trie.empty, trie.root, served(trie).fetch));
    assert.deepEqual(
      come.map(({ key, other }) => ({ key, record: other })),
      [...trie.entries()],
    );
  });

  it('asks for at most 64 prefixes at once', async () => {
    const trie = Trie.of(numbered(0, 3000));
    const { fetch } = served(trie);
    let most = 0;
    const counted = (prefixes: Parameters<typeof fetch>[0]) => {
      most = Math.max(most, prefixes.length);
      return fetch(prefixes);
    };
    assert.equal((await all(trieDifferences(Trie.empty, trie.root, counted))).length, 3000);
    assert.equal(most, MOST_PREFIXES);
  });

  it('of a liar is nothing but what the root says: any other answer is refused', async () => {
    const own = Trie.of(numbered(0, 300));
    const honest = own.with(numbered(300, 310));
    const liar = own.with(numbered(305, 320));
    await assert.rejects(all(trieDifferences(own, honest.root, served(liar).fetch)), disbelief('wrong-digest'));
    await assert.rejects(
      all(trieDifferences(own, honest.root, () => Promise.resolve([]))),
      disbelief('malformed', /0 answers for 1 prefixes/),
    );
  });

  it('is given up when the other trie has more than was agreed', async () => {
    const trie = Trie.of(numbered(0, 300));
    const limited = trieDifferences(Trie.empty, trie.root, served(trie).fetch, 299);
    await assert.rejects(all(limited), disbelief('too-large', /more than 299 other documents/));
    assert.equal((await all(trieDifferences(Trie.empty, trie.root, served(trie).fetch, 300))).length, 300);
  });
});
