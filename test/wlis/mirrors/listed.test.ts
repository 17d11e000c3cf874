import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { bytes, monotonicMs } from '../../../config/units.js';
import { Fields } from '../../../proxy/http/fields.js';
import type { MirrorList } from '../../../wlis/mirrors/listed-mirrors.js';
import { LearnedOriginals } from '../../../wlis/mirrors/learned-originals.js';
import { learnFrom, type LearnedOriginal } from '../../../wlis/mirrors/learned-original.js';
import { parseMirrorList } from '../../../wlis/mirrors/mirror-list.js';
import { MirrorSet, mirrorSetFor } from '../../../wlis/mirrors/mirror-set.js';
import { UnusablePlaces } from '../../../wlis/mirrors/unusable-places.js';
import { milliseconds, epochMs } from '../../../config/units.js';
import { answer } from '../../support/origin-scripts.js';
import { hrefOf, type TargetUri } from '../../../proxy/http/target-uri.js';
import { breakingAfter, later, longAgo, MirroredSite, serving } from './mirrored-site.js';

const text = 'The quick brown fox jumps over the lazy dog';
const long = Buffer.alloc(300_000, 'abcdefghijklmnopqrstuvwxyz0123456789').toString();
const hex = (content: string): string => createHash('sha256').update(content).digest('hex');

const listed = (xml: string): MirrorList => {
  const read = parseMirrorList(xml);
  if ('faults' in read) throw new Error(JSON.stringify(read.faults));
  return read.list;
};

/** A metalink for `a.txt` at all mirrors. */
const metalink =
  (content: string, size: number | null = content.length) =>
  (site: MirroredSite): MirrorList =>
    listed(
      `<metalink><file name="a.txt">${size === null ? '' : `<size>${size}</size>`}<hash type="sha-256">${hex(content)}</hash>` +
        site.mirrors.map((one) => `<url>${site.urlOf(one)}/pub/docs/a.txt</url>`).join('') +
        '</file></metalink>',
    );

describe('a document that a list of mirrors tells of', () => {
  let site: MirroredSite;
  afterEach(() => site.stop());

  it('comes from a mirror without the original being asked, if its digest is right', async () => {
    const mirrored = { content: text, fields: { ETag: '"m"', 'X-Own': '1', 'Last-Modified': later } };
    site = await MirroredSite.start(answer(500), [serving({ 'a.txt': mirrored })], { list: metalink(text) });
    const got = await site.get();
    assert.deepEqual([got.content, got.answeredBy?.role, site.original.count()], [text, 'mirror', 0]);
    assert.deepEqual([got.fields.get('etag'), got.fields.get('x-own')], [undefined, undefined]);
    assert.match(got.fields.get('repr-digest') ?? '', /^sha-256=:/);
  });

  it('may be of unknown size, and large', async () => {
    const mirrored = serving({ 'a.txt': { content: long } });
    site = await MirroredSite.start(answer(500), [breakingAfter(100_000, mirrored), mirrored], {
      list: metalink(long, null),
    });
    assert.equal((await site.get()).content, long);
  });

  it('comes from the original if what a mirror has is another one', async () => {
    const forged = serving({ 'a.txt': { content: text.replace('fox', 'FOX') } });
    const original = serving({ 'a.txt': { content: text } });
    site = await MirroredSite.start(original, [forged, answer(404)], { list: metalink(text) });
    const got = await site.get();
    assert.deepEqual([got.content, got.answeredBy?.role], [text, 'primary']);
  });

  it('in part needs what can be compared in part', async () => {
    const mirrored = serving({ 'a.txt': { content: text, fields: { 'Last-Modified': longAgo } } });
    site = await MirroredSite.start(mirrored, [mirrored], { list: metalink(text) });
    const first = await site.get('a.txt', { Range: 'bytes=4-8' });
    assert.deepEqual([first.content, first.answeredBy?.role], ['quick', 'primary']);
    const second = await site.get('a.txt', { Range: 'bytes=4-8' });
    assert.deepEqual([second.content, second.answeredBy?.role], ['quick', 'mirror']);
  });

  it('is no longer compared by the list once the original has said otherwise', async () => {
    const newer = serving({ 'a.txt': { content: 'newer', fields: { 'Last-Modified': later } } });
    site = await MirroredSite.start(newer, [serving({ 'a.txt': { content: text } })], { list: metalink(text) });
    assert.equal((await site.get()).content, text);
    site.order = [site.original];
    site.mirror(1).handle(answer(404));
    assert.equal((await site.get()).content, 'newer');
    site.mirror(1).handle(serving({ 'a.txt': { content: text } }));
    site.order = [site.mirror(1), site.original];
    assert.equal((await site.get()).content, 'newer');
  });
});

describe('what is mirrored', () => {
  const uri = (href: string): TargetUri => {
    const { protocol, hostname, host, port, pathname, search } = new URL(href);
    const scheme = protocol === 'https:' ? 'https' : 'http';
    return {
      scheme,
      host: hostname,
      port: Number(port || (scheme === 'https' ? 443 : 80)),
      authority: host,
      path: pathname + search,
    };
  };
  const setOf = (of: string, at: readonly string[], list: MirrorList | null = null): MirrorSet =>
    new MirrorSet({ of: uri(of), at: at.map(uri), list, trust: 'compared' });
  const places = (set: MirrorSet, href: string): string[] =>
    set.placesOf(uri(href)).map(({ target }) => hrefOf(target));

  it('is at the same path below the mirror, query and all; each mirror once, and the original first', () => {
    const set = setOf('http://o.test/docs/', [
      'http://m.test/a/',
      'http://m.test/a/',
      'http://o.test/docs/',
      'http://n.test/',
    ]);
    assert.deepEqual(places(set, 'http://o.test/docs/x/y?z=1'), [
      'http://o.test/docs/x/y?z=1',
      'http://m.test/a/x/y?z=1',
      'http://n.test/x/y?z=1',
    ]);
  });

  it('is what the longest entry says', () => {
    const sets = [
      setOf('http://o.test/', []),
      setOf('http://o.test/docs/', []),
      setOf('http://o.test:81/docs/old/', []),
    ];
    assert.equal(mirrorSetFor(sets, uri('http://o.test/docs/old/x')), sets[1]);
    assert.equal(mirrorSetFor(sets, uri('http://o.test/x')), sets[0]);
    assert.equal(mirrorSetFor(sets, uri('https://o.test/x')), null);
  });

  it('a URL in a list that ends in the path of its file is of a mirror of everything, another one of that file alone', () => {
    const list = listed(`<metalink><file name="big.iso">
      <url>http://o.test/docs/iso/big.iso</url>
      <url>http://m.test/pub/iso/big.iso</url>
      <url>http://n.test/other.iso</url></file></metalink>`);
    const set = setOf('http://o.test/docs/', [], list);
    assert.deepEqual(places(set, 'http://o.test/docs/iso/big.iso').slice(1), [
      'http://m.test/pub/iso/big.iso',
      'http://n.test/other.iso',
    ]);
    assert.deepEqual(places(set, 'http://o.test/docs/x').slice(1), ['http://m.test/pub/x']);
  });
});

describe('what is remembered of originals and mirrors', () => {
  const policy = { heuristicFraction: 0.1, heuristicMax: milliseconds(1000), negative: milliseconds(1000) };
  const now = epochMs(Date.parse('2026-01-01T00:00:00Z'));
  const learned = (fields: Record<string, string>, requestFields: Record<string, string> = {}): LearnedOriginal => {
    const told = learnFrom({
      ...{ method: 'GET', status: 200, reason: 'OK', policy, requestTime: now, responseTime: now },
      fields: Fields.of(fields),
      requestFields: Fields.of(requestFields),
    });
    assert.ok(told, 'it can be remembered');
    return told;
  };

  it('has a bound in bytes: what was not used for longest goes first', () => {
    const table = new LearnedOriginals(bytes(40_000));
    const one = learned({ ETag: '"x"', 'X-Long': 'x'.repeat(4000) });
    for (let i = 0; i < 10; i++) {
      table.put(`http://o.test/${i}`, Fields.none, one);
      table.of('http://o.test/0', Fields.none);
    }
    assert.ok(table.size <= 40_000, `${table.size} bytes`);
    assert.ok(table.of('http://o.test/0', Fields.none) !== null, 'what is used stays');
    assert.equal(table.of('http://o.test/1', Fields.none), null);
  });

  it('is apart for requests that select apart (RFC 9110 §12.5.5), of each document four at most', () => {
    const table = new LearnedOriginals();
    for (const language of ['de', 'en', 'fr', 'es', 'it']) {
      const request = { 'Accept-Language': language };
      table.put(
        'http://o.test/',
        Fields.of(request),
        learned({ Vary: 'Accept-Language', ETag: `"${language}"` }, request),
      );
    }
    const tagFor = (language: string): string | undefined =>
      table.of('http://o.test/', Fields.of({ 'Accept-Language': language }))?.version.entityTag?.opaque;
    assert.deepEqual(['de', 'en', 'fr', 'es', 'it'].map(tagFor), [undefined, 'en', 'fr', 'es', 'it']);
  });

  it('is nothing of an answer with more fields than are worth it, or that varies by anything', () => {
    for (const fields of [{ 'X-Long': 'x'.repeat(9000) }, { Vary: '*' }]) {
      const told = learnFrom({
        ...{ method: 'GET', status: 200, reason: 'OK', policy, requestTime: now, responseTime: now },
        fields: Fields.of(fields),
        requestFields: Fields.none,
      });
      assert.equal(told, null);
    }
  });

  it('marks of unusable copies are bounded, and last longer each time', () => {
    const marks = new UnusablePlaces(3);
    const at = (seconds: number) => monotonicMs(seconds * 1000);
    for (const href of ['a', 'b', 'c', 'd']) marks.mark(href, null, 'old', at(0));
    assert.equal(marks.size, 3);
    assert.equal(marks.reason('a', null, at(0)), null);
    assert.deepEqual([marks.reason('d', null, at(59)), marks.reason('d', null, at(61))], ['old', null]);
    marks.mark('d', null, 'old', at(61));
    assert.deepEqual([marks.reason('d', null, at(61 + 119)), marks.reason('d', null, at(61 + 121))], ['old', null]);
  });
});
