import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes, epochMs, type Bytes } from '../../../config/units.js';
import { createLogger } from '../../../proxy/base/logger.js';
import { IndexedNamespace } from '../../../replication/search/indexed-namespace.js';
import { documentText } from '../../../replication/source/published-document.js';
import { PageIndex } from '../../../wlis/search/page-index.js';
import { IndexLost } from '../../../wlis/search/search-engine.js';
import { queryTerms } from '../../../wlis/search/search-query.js';
import { searchablePage } from '../../../wlis/search/searchable-page.js';
import type { HeldPage, IndexOutcome } from '../../../wlis/search/thread-calls.js';
import { fieldsBlock } from '../../../wlis/trust/fields-block.js';
import type { Variant } from '../../../wlis/trust/variant.js';
import { FakeClock } from '../../support/fake-clock.js';
import { HeldFixture, type Put } from '../held-fixture.js';

/** An index in this thread, which may be lost. */
class NearIndex {
  index: PageIndex;
  readonly taken: string[] = [];
  /** The next page is the end of it. */
  isToFail = false;
  onLost = (): void => undefined;

  constructor(readonly limit: Bytes) {
    this.index = new PageIndex(limit);
  }

  get usage() {
    return this.index.usage;
  }

  async put(page: HeldPage, content: Uint8Array): Promise<IndexOutcome> {
    this.taken.push(page.path);
    await Promise.resolve();
    if (this.isToFail) {
      this.isToFail = false;
      this.index = new PageIndex(this.limit);
      queueMicrotask(() => this.onLost());
      throw new IndexLost('on purpose');
    }
    const searchable = searchablePage(page, Buffer.from(content));
    if (searchable !== null) return this.index.put(searchable);
    this.index.remove(page);
    return { kind: 'unwanted' };
  }

  remove(place: Parameters<PageIndex['remove']>[0]): Promise<void> {
    this.index.remove(place);
    return Promise.resolve();
  }
}

let made = 0;
/** No two are equal, for what is equal is found once. */
const html = (content: string): Put => [{ content: `${content}<!--${made++}-->`, type: 'text/html; charset=utf-8' }];

describe('the pages of a namespace in an index', () => {
  let held: HeldFixture;
  let near: NearIndex;
  let indexed: IndexedNamespace;
  let stops: (() => void)[];

  const follow = (limit = bytes(1 << 28)): void => {
    near = new NearIndex(limit);
    indexed = new IndexedNamespace({
      ...{ namespace: held.namespace, held: () => held, engine: near, inTurn: (work) => work() },
      onDisplaced: (places) => places.forEach(({ path }) => indexed.displaced(path)),
      ...{ clock: new FakeClock(), logger: createLogger({ level: 'silent', write: () => undefined }) },
    });
    near.onLost = () => indexed.lost();
    stops.push(held.onEdition(() => indexed.wake()));
    indexed.wake();
  };

  beforeEach(async () => {
    stops = [];
    held = await HeldFixture.create();
  });
  afterEach(async () => {
    for (const stop of stops) stop();
    await indexed.stop();
  });

  const found = (words: string, index = near.index): string[] => {
    const asked = { terms: queryTerms(words), offset: 0, limit: 50 };
    return index
      .search(asked, new Set([held.namespace]))
      .pages.map(({ path }) => path)
      .sort();
  };

  it('are those documents with status 200 that are HTML or text, and say nothing against it', async () => {
    const variantsOf = (content: string) => [
      { ...held.blobs.add(Buffer.from(`${content}<!--${made++}-->`)), type: 'text/html' },
    ];
    const publish = (path: string, status: 200 | 301 | 404, lines: string[], variants: readonly Variant[]) =>
      held.publish([{ path, document: documentText({ status, fields: fieldsBlock(lines), variants }) }]);
    await held.put({
      html: html('penguin'),
      text: 'penguin',
      picture: [{ content: 'penguin', type: 'image/svg+xml' }],
      '#404': html('penguin'),
    });
    await held.put({
      script: [{ content: 'penguin', type: 'text/javascript' }],
      meta: html('<meta name=robots content=none>penguin'),
    });
    await publish('robots', 200, ['X-Robots-Tag', 'noarchive, noindex'], variantsOf('penguin'));
    await publish('otherbot', 200, ['X-Robots-Tag', 'otherbot: noindex'], variantsOf('penguin'));
    await publish('moved', 301, ['Location', '/html'], variantsOf('penguin'));
    await publish('gone', 404, [], variantsOf('penguin'));
    follow();
    await indexed.idle();
    assert.deepEqual(found('penguin'), ['html', 'otherbot', 'text']);
    assert.deepEqual(indexed.counts, { pending: 0, indexed: 3, lacking: 0, leftOut: 0, refused: 1 });
    assert.equal(indexed.isComplete, true);
  });

  it('are followed by the changes alone: nothing else is read again', async () => {
    await held.put({ a: html('penguin'), b: html('walrus'), c: html('seal') });
    follow();
    await indexed.idle();
    near.taken.length = 0;
    await held.put({ b: html('penguin'), d: html('seal') });
    await held.put({ c: null });
    await indexed.idle();
    assert.deepEqual(
      [near.taken, found('penguin'), found('seal'), found('walrus')],
      [['b', 'd'], ['a', 'b'], ['d'], []],
    );
    near.taken.length = 0;
    await held.renew();
    // another epoch, or a list that has forgotten what was removed, is compared by what is known of the documents
    await held.begin('1800000000000-0123456789abcdef');
    await indexed.idle();
    assert.deepEqual([near.taken, found('penguin'), indexed.isComplete], [[], ['a', 'b'], true]);
  });

  it('are gone with what was forgotten while nobody followed', async () => {
    await held.put({ a: html('penguin'), b: html('penguin') });
    follow();
    await indexed.idle();
    const [stop] = stops.splice(0);
    stop?.();
    await held.put({ a: null });
    held.edition?.list.forgetRemovals(epochMs(Number.MAX_SAFE_INTEGER));
    indexed.wake();
    await indexed.idle();
    assert.deepEqual(found('penguin'), ['b']);
  });

  it('whose content is not here are taken once it is, and are not found by what they were', async () => {
    await held.put({ a: html('penguin') });
    follow();
    await indexed.idle();
    await held.put({ a: html('walrus') });
    const [digest, hidden] = [...held.blobs.contents].at(-1)!;
    held.blobs.contents.delete(digest);
    await indexed.idle();
    indexed.wake();
    await indexed.idle();
    assert.deepEqual([found('penguin'), indexed.counts.lacking, indexed.isComplete], [[], 1, false]);
    held.blobs.contents.set(digest, hidden);
    await held.renew();
    await indexed.idle();
    assert.deepEqual([found('walrus'), indexed.isComplete], [['a'], true]);
  });

  it('that found no room come in where there is some again', async () => {
    const words = (name: string): Put => html(Array.from({ length: 400 }, (_, at) => `${name}${at}`).join(' '));
    await held.put({ a: words('high'), 'b/c': words('deep'), 'b/d/e': words('deepest') });
    follow(bytes(500_000));
    await indexed.idle();
    const first = { ...indexed.counts };
    assert.ok(first.leftOut > 0 && first.indexed > 0, JSON.stringify(first));
    assert.deepEqual([found('high1'), found('deepest1'), indexed.isComplete], [['a'], [], false]);
    await held.put({ a: null, 'b/c': null });
    await indexed.idle();
    assert.deepEqual([found('high1'), found('deepest1'), indexed.isComplete], [[], ['b/d/e'], true]);
  });

  it('are all taken again by an index that was lost', async () => {
    await held.put({ a: html('penguin'), b: html('penguin'), c: html('penguin') });
    follow();
    await indexed.idle();
    near.isToFail = true;
    await held.put({ d: html('penguin') });
    await indexed.idle();
    await indexed.idle();
    assert.deepEqual([found('penguin'), indexed.isComplete], [['a', 'b', 'c', 'd'], true]);
  });

  it('of more than 2 MiB are taken by their beginnings', async () => {
    await held.put({ a: html(`penguin ${' '.repeat(3_000_000)} walrus`) });
    follow();
    await indexed.idle();
    assert.deepEqual([found('penguin'), found('walrus')], [['a'], []]);
  });

  it('are in it as in one that was made of what is there, after anything that may happen', async () => {
    const path = fc.constantFrom('', 'a', 'b', 'c/', 'c/d', 'e/f/g');
    const text = fc.constantFrom('penguin', 'walrus seal', 'penguin seal', '<meta name=robots content=noindex>seal');
    const event = fc.oneof(
      { weight: 8, arbitrary: fc.record({ kind: fc.constant('put' as const), path, text }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), path }) },
      fc.record({ kind: fc.constantFrom('begin', 'lose', 'forget', 'idle', 'wake') }),
    );
    let epochs = 0;
    const run = async (events: readonly { kind: string; path?: string; text?: string }[]): Promise<void> => {
      held = await HeldFixture.create();
      stops = [];
      follow();
      for (const { kind, path: at = '', text: content = '' } of events) {
        if (kind === 'put') await held.put({ [at]: [{ content, type: 'text/html' }] });
        if (kind === 'remove' && held.visible(at)?.document != null) await held.put({ [at]: null });
        if (kind === 'begin') await held.begin(`18000000${String(epochs++).padStart(5, '0')}-0123456789abcdef`);
        if (kind === 'lose') near.isToFail = true;
        if (kind === 'forget') held.edition?.list.forgetRemovals(epochMs(Number.MAX_SAFE_INTEGER));
        if (kind === 'idle') await indexed.idle();
        if (kind === 'wake') indexed.wake();
      }
      near.isToFail = false;
      indexed.wake();
      await indexed.idle();
      const before = near;
      const [counts, complete] = [{ ...indexed.counts }, indexed.isComplete];
      for (const stop of stops.splice(0)) stop();
      await indexed.stop();
      follow();
      await indexed.idle();
      for (const words of ['penguin', 'walrus', 'seal', 'noindex']) {
        assert.deepEqual(found(words, before.index), found(words), words);
      }
      assert.deepEqual(counts, indexed.counts);
      assert.deepEqual([complete, indexed.isComplete], [true, true]);
      for (const stop of stops.splice(0)) stop();
      await indexed.stop();
    };
    await fc.assert(fc.asyncProperty(fc.array(event, { maxLength: 25 }), run), { numRuns: 100 });
  }).timeout(60_000);
});
