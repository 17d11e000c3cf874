import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../../config/units.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import { PageIndex, TooCostly, type FoundPages, type SearchablePage } from '../../../wlis/search/page-index.js';
import { queryTerms } from '../../../wlis/search/search-query.js';
import { digestOfText } from '../../../wlis/trust/digest.js';

const one = parseNamespace('http://one.example/');
const two = parseNamespace('http://two.example/');
const plenty = bytes(1 << 30);

const page = (path: string, text: string, over: Partial<SearchablePage> = {}): SearchablePage => ({
  ...{ namespace: one, path, digest: digestOfText(path + text), title: path, headings: '', description: '', text },
  ...over,
});

const search = (index: PageIndex, words: string, namespaces = [one, two], offset = 0, limit = 10): FoundPages =>
  index.search({ terms: queryTerms(words), offset, limit }, new Set(namespaces));
const paths = (...args: Parameters<typeof search>): string[] => search(...args).pages.map(({ path }) => path);

describe('an index of pages', () => {
  let index: PageIndex;
  beforeEach(() => (index = new PageIndex(plenty)));

  it('finds pages that have all the words, those first that have them in the title or in a heading', () => {
    index.put(page('text', 'the emperor penguin swims'));
    index.put(page('heading', 'it swims', { headings: 'Penguin' }));
    index.put(page('title', 'it swims', { title: 'Penguin' }));
    index.put(page('other', 'the emperor walks'));
    assert.deepEqual(paths(index, 'penguin swims'), ['title', 'heading', 'text']);
    assert.equal(search(index, 'penguin swims').match, 'all');
    assert.deepEqual(paths(index, 'nothing'), []);
    assert.deepEqual(paths(index, ''), []);
    assert.deepEqual(paths(index, '?!'), []);
  });

  it('gives up a question that nobody waits for any more, however many words a page has for it', () => {
    const words = Array.from({ length: 12_000 }, (_, i) => `word${i.toString(36)}`);
    index.put(page('a', words.join(' ')));
    let asked = 0;
    const set = new Set([one]);
    const query = { terms: queryTerms('wor word'), offset: 0, limit: 10 };
    assert.throws(() => index.search(query, set, () => ++asked === 3), TooCostly);
    assert.equal(asked, 3);
    assert.deepEqual(
      index.search(query, set, () => false).pages.map(({ path }) => path),
      ['a'],
    );
  });

  it('takes the last word for the beginning of one, which may not be finished', () => {
    index.put(page('a', 'normalisation of strings'));
    assert.deepEqual(paths(index, 'strings norm'), ['a']);
    assert.deepEqual(paths(index, 'st'), [], 'too little to begin with');
  });

  it('looks for similar words where none has just these, and then for some of them', () => {
    index.put(page('a', 'python programming'));
    index.put(page('b', 'snakes'));
    const typo = search(index, 'pyhton');
    assert.deepEqual([typo.match, typo.pages[0]?.path], ['similar', 'a']);
    const some = search(index, 'snakes xyzzy');
    assert.deepEqual([some.match, some.pages[0]?.path], ['some', 'b']);
  });

  it('finds single characters and pairs of scripts that have no spaces', () => {
    index.put(page('a', '東京都へようこそ'));
    for (const words of ['東', '京', '都', 'こ', '東京', '京都', 'ようこそ', '東京都']) {
      assert.deepEqual(paths(index, words), ['a'], words);
    }
    assert.deepEqual(paths(index, '都東'), []);
  });

  it('finds nothing in namespaces that were not asked for', () => {
    index.put(page('a', 'penguin'));
    index.put(page('b', 'penguin', { namespace: two }));
    assert.deepEqual(paths(index, 'penguin', [two]), ['b']);
    assert.deepEqual(paths(index, 'penguin', []), []);
  });

  it('shows the same content once, by its most valuable path', () => {
    const same = { digest: digestOfText('same'), title: 'Same' };
    for (const path of ['manual/index.html', 'manual/', 'copy/of/manual.html']) index.put(page(path, 'penguin', same));
    index.put(page('a', 'penguin', { ...same, namespace: two }));
    const found = search(index, 'penguin');
    assert.equal(found.total, 2);
    assert.deepEqual(new Set(found.pages.map(({ path }) => path)), new Set(['manual/', 'a']));
  });

  it('gives a part of many, in an order that does not change', () => {
    for (let at = 0; at < 25; at++) index.put(page(`p${at}`, 'penguin', { title: 'same' }));
    const all = paths(index, 'penguin', [one], 0, 50);
    assert.equal(all.length, 25);
    assert.deepEqual([...paths(index, 'penguin'), ...paths(index, 'penguin', [one], 10)], all.slice(0, 20));
    assert.deepEqual(paths(index, 'penguin', [one], 1000), []);
    assert.equal(search(index, 'penguin', [one], 1000).total, 25);
  });

  it('takes a page in place of what was there, and forgets without a trace', () => {
    const { bytes: nothing } = index.usage;
    index.put(page('a', 'penguin'));
    index.put(page('a', 'walrus'));
    assert.deepEqual([paths(index, 'penguin'), paths(index, 'walrus')], [[], ['a']]);
    assert.equal(index.usage.documents, 1);
    index.remove({ namespace: one, path: 'a' });
    index.remove({ namespace: one, path: 'a' });
    assert.deepEqual(paths(index, 'walrus'), []);
    assert.equal(index.usage.documents, 0);
    assert.ok(index.usage.bytes - nothing < 5000, `${index.usage.bytes - nothing} bytes are left`);
  });

  it('forgets a whole namespace, which can come again at once', async () => {
    for (let at = 0; at < 100; at++) index.put(page(`a${at}`, `penguin w${at}`));
    index.put(page('b', 'penguin', { namespace: two }));
    const dropped = index.drop(one);
    assert.deepEqual(paths(index, 'penguin'), ['b']);
    index.put(page('a1', 'penguin again'));
    await dropped;
    assert.deepEqual(new Set(paths(index, 'penguin')), new Set(['b', 'a1']));
    assert.deepEqual([index.usage.documents, paths(index, 'w77')], [2, []]);
    await index.drop(two);
    await index.drop(two);
    assert.deepEqual(paths(index, 'penguin'), ['a1']);
  });

  const large = (path: string, over: Partial<SearchablePage> = {}): SearchablePage =>
    page(path, Array.from({ length: 500 }, (_, at) => `${path.replaceAll('/', '')}${at}`).join(' '), over);

  it('leaves out those of the largest namespace that lie deepest, where there is no room', () => {
    index = new PageIndex(bytes(1_000_000));
    const all = ['top', 'a/one', 'a/two', 'a/b/three', 'a/b/four', 'a/b/c/five', 'a/b/c/six', 'a/b/c/seven'];
    const displaced = all.flatMap((path) => {
      const outcome = index.put(large(path));
      return outcome.kind === 'indexed' ? outcome.displaced.map((place) => place.path) : [path];
    });
    assert.ok(displaced.length > 0 && index.usage.bytes <= index.usage.limit, `${index.usage.bytes} bytes`);
    const isIn = (path: string): boolean => paths(index, `${path.replaceAll('/', '')}1`).length > 0;
    assert.deepEqual(
      all.filter((path) => !isIn(path)),
      all.filter((path) => displaced.includes(path)),
    );
    assert.ok(isIn('top') && !isIn('a/b/c/seven'), displaced.join());
    // another namespace gets its share
    const small = index.put(large('x/y/z/deep', { namespace: two }));
    const from = small.kind === 'indexed' ? new Set(small.displaced.map(({ namespace }) => namespace)) : null;
    assert.deepEqual(from, new Set([one]), 'of the larger one');
  });

  it('keeps to a smaller limit at once, and says which had to go', () => {
    for (const path of ['top', 'a/one', 'a/b/two']) index.put(large(path));
    const displaced = index.resize(bytes(500_000)).map(({ path }) => path);
    assert.deepEqual(displaced.slice(0, 1), ['a/b/two']);
    assert.ok(index.usage.bytes <= 500_000, `${index.usage.bytes}`);
    assert.equal(index.usage.documents, 3 - displaced.length);
  });

  it('has no room for a page that is larger than all there is', () => {
    index = new PageIndex(bytes(10_000));
    assert.equal(index.put(large('top')).kind, 'left-out');
    assert.equal(index.usage.documents, 0);
  });

  it('is after any changes as one that was made of what is there', () => {
    const words = fc.array(fc.constantFrom('alpha', 'beta', 'gamma', 'delta', '東京', 'Ärger'), { maxLength: 6 });
    const put = fc.record({ at: fc.constantFrom('a', 'b', 'c/d'), in: fc.constantFrom(one, two), words });
    const change = fc.oneof(
      put,
      fc.record({ at: put.map(({ at }) => at), in: fc.constantFrom(one, two), words: fc.constant(null) }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
        const changed = new PageIndex(plenty);
        const present = new Map<string, SearchablePage>();
        for (const { at, in: namespace, words: its } of changes) {
          const key = namespace + at;
          if (its === null) changed.remove({ namespace, path: at });
          else changed.put(page(at, its.join(' '), { namespace, title: its[0] ?? '' }));
          if (its === null) present.delete(key);
          else present.set(key, page(at, its.join(' '), { namespace, title: its[0] ?? '' }));
        }
        const fresh = new PageIndex(plenty);
        for (const each of present.values()) fresh.put(each);
        for (const asked of ['alpha', 'beta gam', 'arger', '京', 'delt alpha', 'gamna']) {
          assert.deepEqual(search(changed, asked), search(fresh, asked), asked);
        }
        assert.equal(changed.usage.documents, present.size);
      }),
      { numRuns: 150 },
    );
  });
});
