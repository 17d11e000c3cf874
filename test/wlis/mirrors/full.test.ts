import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { failsWith } from '../../forward/upstream-fixture.js';
import { answer, inTurn, silence } from '../../support/origin-scripts.js';
import { until } from '../../support/waiting.js';
import type { OriginHandler } from '../../support/scripted-origin.js';
import {
  breakingAfter,
  digestField,
  later,
  longAgo,
  MirroredSite,
  serving,
  type SiteOptions,
} from './mirrored-site.js';

const text = 'The quick brown fox jumps over the lazy dog';
const long = Buffer.alloc(300_000, 'abcdefghijklmnopqrstuvwxyz0123456789').toString();

describe('mirrors that are trusted in full', () => {
  let site: MirroredSite;
  const start = async (original: OriginHandler, mirrors: readonly OriginHandler[], options: SiteOptions = {}) => {
    site = await MirroredSite.start(original, mirrors, { trust: 'full', ...options });
  };
  afterEach(() => site.stop());

  it('answer without the original being asked, with their own fields', async () => {
    const mirrored = { content: 'of the mirror', fields: { 'Last-Modified': later, ETag: '"m"' } };
    await start(serving({}), [serving({ 'a.txt': mirrored })]);
    const got = await site.get();
    assert.deepEqual([got.content, got.fields.get('etag'), got.answeredBy?.role], ['of the mirror', '"m"', 'mirror']);
    assert.equal(site.original.count(), 0);
  });

  it('send nothing on that reaches beyond the document, nor get what tells of the client', async () => {
    const fields = { 'Set-Cookie': 'a=b', 'Strict-Transport-Security': 'max-age=1', 'WLIS-Group': 'x', 'X-Own': '1' };
    await start(serving({}), [serving({ 'a.txt': { content: text, fields } })]);
    const got = await site.get('a.txt', { Referer: 'http://a.test/secret', 'WLIS-Have': 'x', Accept: 'text/plain' });
    for (const name of ['set-cookie', 'strict-transport-security', 'wlis-group'])
      assert.equal(got.fields.get(name), undefined);
    assert.equal(got.fields.get('x-own'), '1');
    const { headers } = site.mirror(1).last;
    assert.deepEqual(
      [headers['referer'], headers['wlis-have'], headers['accept']],
      [undefined, undefined, 'text/plain'],
    );
  });

  it('answer conditions and ranges as they are asked', async () => {
    const mirrored = { content: text, fields: { ETag: '"m"' } };
    await start(serving({}), [serving({ 'a.txt': mirrored })]);
    assert.equal((await site.ask('a.txt', { 'If-None-Match': '"m"' })).status, 304);
    const got = await site.get('a.txt', { Range: 'bytes=4-8' });
    assert.deepEqual([got.status, got.content, got.fields.get('content-range')], [206, 'quick', 'bytes 4-8/43']);
    const head = await site.ask('a.txt', {}, 'HEAD');
    assert.deepEqual([head.status, head.body, head.fields.get('content-length')], [200, null, '43']);
  });

  it('are asked one after the other, for what one does not have the next', async () => {
    const documents = serving({ 'a.txt': { content: text } });
    await start(serving({}), [serving({}), answer(302, { Location: '/' }), documents]);
    const got = await site.get();
    assert.equal(got.content, text);
    assert.deepEqual(
      got.answeredBy?.skipped.map(({ because }) => because),
      ['status 404', 'status 302'],
    );
  });

  it('do not say that something is not there, unless the original cannot be asked and none has it', async () => {
    await start(serving({ 'a.txt': { content: text } }), [serving({})]);
    assert.equal((await site.get()).content, text);
    site.original.handle(answer(500));
    const got = await site.get();
    assert.deepEqual([got.status, got.content, got.answeredBy?.role], [404, '', 'mirror']);
    site.mirror(1).handle(answer(403));
    assert.equal((await site.get()).status, 500);
  });

  it('are silent: another one answers, and at last the original, however long it takes', async () => {
    const asked: ServerResponse[] = [];
    const slow: OriginHandler = (_request, response) => void asked.push(response);
    await start(slow, [silence], { patience: 30 });
    const got = site.get();
    // once with patience, and then without
    await until(() => asked.length === 2);
    asked[1]?.end(text);
    assert.equal((await got).content, text);
  });

  it('that break off are continued only by what has the same validators', async () => {
    const fields = { 'Last-Modified': longAgo };
    const whole = serving({ 'a.txt': { content: long, fields } });
    const other = serving({ 'a.txt': { content: long.replaceAll('a', 'b'), fields: { 'Last-Modified': later } } });
    await start(whole, [breakingAfter(100_000, whole), other]);
    assert.equal((await site.get()).content, long);
    assert.match(site.original.last.headers.range ?? '', /^bytes=[1-9]/);
    await site.stop();
    await start(other, [inTurn(breakingAfter(100_000, whole), answer(503)), other]);
    await assert.rejects(site.get(), failsWith('upstream-incomplete'));
  });

  it('that send other bytes than their own digest says break off before the end', async () => {
    const fields = { 'Repr-Digest': digestField(long) };
    await start(serving({}), [serving({ 'a.txt': { content: `${long.slice(0, -1)}!`, fields } })]);
    await assert.rejects(site.get(), failsWith('upstream-malformed'));
  });

  it('get nothing of a request with credentials, and no change of a document', async () => {
    await start(serving({ 'a.txt': { content: text } }), [serving({ 'a.txt': { content: text } })]);
    assert.equal((await site.get('a.txt', { Cookie: 'a=b' })).content, text);
    assert.equal((await site.ask('a.txt', {}, 'DELETE')).status, 200);
    assert.equal(site.mirror(1).count(), 0);
    assert.equal(site.original.count(), 2);
  });
});
