import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { Digest } from '../../../wlis/trust/digest.js';
import { digestOfText } from '../../../wlis/trust/digest.js';
import { Trie } from '../../../wlis/trust/trie.js';
import { longerPrefix, parsePrefix, TriePart, WHOLE, type Prefix } from '../../../wlis/trust/trie-part.js';
import { MOST_LISTED, parseSubtree, subtreeAt, subtreeText } from '../../../wlis/trust/trie-subtree.js';
import { vectors } from '../vectors.js';
import { disbelief } from './disbelief.js';
import { changesBetween, contents, entriesOf, keys, numbered } from './trie-example.js';

interface Vectors {
  readonly roots: readonly { readonly count: number; readonly root: Digest }[];
  readonly subtrees: readonly { readonly count: number; readonly prefix: string; readonly text: string }[];
}

const table = vectors('trie') as Vectors;

const hash = (...parts: (Buffer | number)[]): Buffer => {
  const all = createHash('sha256');
  for (const part of parts) all.update(typeof part === 'number' ? Buffer.of(part) : part);
  return all.digest();
};

/** The definition (docs/protocol.md), as plainly as it can be written. */
function defined(entries: readonly (readonly [Buffer, Buffer])[], depth = 0): Buffer {
  const [first] = entries;
  if (first === undefined) return Buffer.alloc(32);
  if (entries.length === 1) return hash(0, ...first);
  const side = (bit: number): Buffer =>
    defined(
      entries.filter(([key]) => ((key[depth >> 3]! >> (7 - (depth & 7))) & 1) === bit),
      depth + 1,
    );
  return hash(1, side(0), side(1));
}

const rootOf = (map: ReadonlyMap<Digest, Digest>): string =>
  defined([...map].map(([key, record]) => [Buffer.from(key, 'hex'), Buffer.from(record, 'hex')])).toString('hex');

const prefixes = fc.tuple(keys, fc.nat(8)).map(([key, digits]) => key.slice(0, digits) as Prefix);

describe('the trie', () => {
  for (const { count, root } of table.roots) {
    it(`of ${count} documents has the root that docs/vectors/trie.json says`, () => {
      assert.equal(Trie.of(numbered(0, count)).root, root);
    });
  }

  it('has the root of its definition', () => {
    fc.assert(fc.property(contents, (map) => assert.equal(Trie.of(entriesOf(map)).root, rootOf(map))));
  });

  it('of the same set has the same root, in whatever order and steps it came to be', () => {
    fc.assert(
      fc.property(contents, contents, contents, fc.gen(), (a, b, target, gen) => {
        let trie = Trie.of(entriesOf(a));
        trie = trie.with(changesBetween(a, b));
        const changes = gen(fc.shuffledSubarray, changesBetween(b, target), { minLength: 0 });
        const done = new Set(changes.map(({ key }) => key));
        for (const change of changes) trie = trie.with([change]);
        trie = trie.with(changesBetween(b, target).filter(({ key }) => !done.has(key)));
        assert.equal(trie.root, rootOf(target));
        assert.equal(trie.size, target.size);
        assert.deepEqual(new Map([...trie.entries()].map(({ key, record }) => [key, record])), target);
      }),
    );
  });

  it('gives each record, lists all in the order of their keys, and says null of what is not there', () => {
    fc.assert(
      fc.property(contents, keys, (map, key) => {
        const trie = Trie.of(entriesOf(map));
        assert.equal(trie.get(key), map.get(key) ?? null);
        for (const [own, record] of map) assert.equal(trie.get(own), record);
        assert.deepEqual(
          [...trie.entries()].map((entry) => entry.key),
          [...map.keys()].sort(),
        );
      }),
    );
  });

  it('stays what it was when another one is made of it', () => {
    fc.assert(
      fc.property(contents, contents, (a, b) => {
        const before = Trie.of(entriesOf(a));
        const after = before.with(changesBetween(a, b));
        assert.equal(before.root, rootOf(a));
        assert.deepEqual(new Map([...before.entries()].map(({ key, record }) => [key, record])), a);
        assert.equal(after.with(changesBetween(b, a)).root, before.root);
      }),
    );
  });

  it('shares what did not change', () => {
    const trie = Trie.of(numbered(0, 1000));
    assert.equal(trie.with(numbered(3, 40)), trie);
    assert.equal(trie.with([{ key: digestOfText('no key'), record: null }]), trie);
    const other = trie.with([{ key: numbered(7, 8)[0]!.key, record: digestOfText('new') }]);
    const branches = new Set<unknown>();
    const visit = (node: typeof trie.node): void => {
      if (node === null) return;
      branches.add(node);
      visit(node.zero);
      visit(node.one);
    };
    visit(trie.node);
    const held = branches.size;
    visit(other.node);
    assert.ok(branches.size - held <= 12, `${branches.size - held} nodes beside ${held}`);
  });

  it('is held as if it had never been larger or smaller', () => {
    fc.assert(
      fc.property(contents, contents, (a, b) => {
        const grown = Trie.of(entriesOf(a)).with(changesBetween(a, b));
        assert.deepEqual(grown.node, Trie.of(entriesOf(b)).node);
      }),
    );
  });

  it('is not changed twice in one document at once', () => {
    const [entry] = numbered(0, 1);
    assert.throws(() => Trie.of([entry!, ...numbered(1, 30), { ...entry!, record: null }] as never), RangeError);
  });
});

describe('a part of a trie', () => {
  it('has the entries and the digest of what lies below its prefix', () => {
    fc.assert(
      fc.property(contents, prefixes, (map, prefix) => {
        const below = new Map([...map].filter(([key]) => key.startsWith(prefix)));
        const part = new TriePart(Trie.of(entriesOf(map)), prefix);
        assert.equal(part.size, below.size);
        assert.deepEqual(
          [...part.entries()],
          entriesOf(below).sort((a, b) => (a.key < b.key ? -1 : 1)),
        );
        const pairs = [...below].map(([key, record]) => [Buffer.from(key, 'hex'), Buffer.from(record, 'hex')] as const);
        assert.equal(part.digest, defined(pairs, 4 * prefix.length).toString('hex'));
      }),
    );
  });

  for (const text of ['A', 'x', ' ', 'a'.repeat(64)]) {
    it(`${JSON.stringify(text)} is no prefix`, () => assert.throws(() => parsePrefix(text), disbelief('malformed')));
  }
});

describe('what is sent of a trie', () => {
  for (const { count, prefix, text } of table.subtrees) {
    it(`is that of docs/vectors/trie.json: at '${prefix}' of ${count} documents`, () => {
      const trie = Trie.of(numbered(0, count));
      const at = parsePrefix(prefix);
      assert.equal(subtreeText(subtreeAt(trie, at)), text);
      assert.deepEqual(parseSubtree(text, { prefix: at, digest: new TriePart(trie, at).digest }), subtreeAt(trie, at));
    });
  }

  it('is believed by the digest of its prefix, and says all that is needed to ask on', () => {
    fc.assert(
      fc.property(contents, prefixes, (map, prefix) => {
        const trie = Trie.of(entriesOf(map));
        const { digest, size } = new TriePart(trie, prefix);
        const subtree = parseSubtree(subtreeText(subtreeAt(trie, prefix)), { prefix, digest });
        assert.deepEqual(subtree, subtreeAt(trie, prefix));
        assert.equal(subtree.kind, size <= MOST_LISTED ? 'entries' : 'children');
        if (subtree.kind === 'entries') return;
        for (const [digit, child] of subtree.children.entries()) {
          const part = new TriePart(trie, longerPrefix(prefix, digit));
          assert.deepEqual(child, part.size > 1 ? part.digest : ([...part.entries()][0] ?? null));
        }
      }),
    );
  });

  it('changed in any character, is refused', () => {
    const trie = Trie.of(numbered(0, 40));
    const expected = { prefix: WHOLE, digest: trie.root };
    const texts = [subtreeText(subtreeAt(trie, WHOLE)), subtreeText(subtreeAt(Trie.of(numbered(0, 3)), WHOLE))];
    const digests = [trie.root, Trie.of(numbered(0, 3)).root];
    for (const [i, text] of texts.entries()) {
      parseSubtree(text, { prefix: WHOLE, digest: digests[i]! });
      fc.assert(
        fc.property(
          fc.nat(text.length - 1),
          fc.constantFrom(...Array.from('0123456789abcdef",[]{}:nul ')),
          (at, character) => {
            const altered = text.slice(0, at) + character + text.slice(at + 1);
            fc.pre(altered !== text);
            assert.throws(
              () => parseSubtree(altered, { prefix: WHOLE, digest: digests[i]! }),
              (error: Error) => error.name === 'NotBelieved',
            );
          },
        ),
        { numRuns: 300 },
      );
    }
    assert.throws(() => parseSubtree(texts[1]!, expected), disbelief('wrong-digest', /^trie at ''/));
  });

  it('hostile answers are named: of another prefix, too many, out of order, elsewhere, nothing as something', () => {
    const digest = digestOfText('any');
    const [a, b] = [`0${'1'.repeat(63)}`, `0${'2'.repeat(63)}`];
    const at = (text: string) => () => parseSubtree(text, { prefix: parsePrefix('0'), digest });
    const zeros = '0'.repeat(64);
    assert.throws(at('{"entries":[],"prefix":"1"}'), disbelief('wrong-subject', /of "1" instead/));
    assert.throws(at(`{"entries":[["${b}","${a}"],["${a}","${a}"]],"prefix":"0"}`), disbelief('malformed', /order/));
    assert.throws(at(`{"entries":[["${a}","${a}"],["${a}","${b}"]],"prefix":"0"}`), disbelief('malformed', /order/));
    assert.throws(at(`{"entries":[["1${a.slice(1)}","${a}"]],"prefix":"0"}`), disbelief('malformed', /otherwise/));
    assert.throws(at(`{"entries":[["${a}","${zeros}"]],"prefix":"0"}`), disbelief('malformed', /nothing given as/));
    assert.throws(at(`{"entries":[["${a}"]],"prefix":"0"}`), disbelief('malformed', /no pair/));
    assert.throws(at('{"children":[],"prefix":"0"}'), disbelief('malformed', /0 children instead of 16/));
    const children = (first: string) =>
      `{"children":[${[first, ...new Array<string>(15).fill('null')].join()}],"prefix":"0"}`;
    assert.throws(at(children(`"${zeros}"`)), disbelief('malformed', /nothing given as something/));
    assert.throws(at(children(`["${a}","${a}"]`)), disbelief('malformed', /otherwise/));
    assert.throws(at(children('7')), disbelief('malformed', /no pair/));
    const many = new Array<string>(17).fill('0').join();
    assert.throws(at(`{"entries":[${many}],"prefix":"0"}`), disbelief('too-large', /more than 16 'entries'/));
    assert.throws(at(' '.repeat(8193)), disbelief('too-large'));
  });
});
