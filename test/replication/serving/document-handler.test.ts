import assert from 'node:assert/strict';
import { bytes, milliseconds } from '../../../config/units.js';
import { Cancellation } from '../../../proxy/base/cancellation.js';
import { WillisError, type ErrorCode } from '../../../proxy/base/errors.js';
import { BlobStoreError } from '../../../replication/blob-store-error.js';
import { CallFailed } from '../../../wlis/calls/call-failed.js';
import { DocumentHandler } from '../../../replication/serving/document-handler.js';
import type { Response } from '../../../proxy/http/message.js';
import { FakeClock } from '../../support/fake-clock.js';
import { gate } from '../../support/gate.js';
import {
  block,
  epoch,
  HeldExample,
  received,
  reprDigest,
  usualPolicy,
  visitor,
  type Received,
  type VisitorOptions,
} from './held-example.js';

const origin = 'http://docs.example.org';

interface Fixture {
  readonly held: HeldExample;
  readonly clock: FakeClock;
  readonly handler: DocumentHandler;
  readonly get: (path: string, options?: VisitorOptions) => Promise<Received>;
}

function fixture(memory = 1024 * 1024): Fixture {
  const held = new HeldExample();
  const clock = new FakeClock('2026-01-01T00:00:00Z');
  const handler = new DocumentHandler({ name: 'node-1', clock, memory: bytes(memory) });
  // what is thrown at once rejects too
  const get = async (path: string, options?: VisitorOptions): Promise<Received> =>
    received(handler.answer(visitor(origin + path, options), held));
  return { held, clock, handler, get };
}

/** With `/` and `/page` there. */
function withPage(memory?: number): Fixture {
  const made = fixture(memory);
  const { held } = made;
  held.put('', { variants: [held.content.add('front')] });
  held.put('page', {
    fields: block({ 'Cache-Control': 'max-age=60', Link: '</a.css>;rel=preload' }),
    variants: [held.content.add('0123456789', { etag: '"p"' })],
  });
  return made;
}

const fails =
  (code: ErrorCode, message = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof WillisError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };

describe('answers to visitors', () => {
  describe('a document', () => {
    it('is answered by its record: status, block, variant, Repr-Digest, and what is of the node (docs/protocol.md)', async () => {
      const { get } = withPage();
      const { status, fields, content } = await get('/page');
      assert.equal(status, 200);
      assert.deepEqual(fields, {
        'cache-control': 'max-age=60',
        link: '</a.css>;rel=preload',
        'content-type': 'text/plain; charset=utf-8',
        etag: '"p"',
        'last-modified': 'Sat, 22 Jul 2023 04:26:40 GMT',
        'repr-digest': reprDigest('0123456789'),
        'accept-ranges': 'bytes',
        'content-length': '10',
        date: 'Thu, 01 Jan 2026 00:00:00 GMT',
        'wlis-namespace': '"http://docs.example.org/";role=primary;epoch="1700000000000-0123456789abcdef";seq=7',
        'cache-status': 'node-1; hit; detail=authoritative',
      });
      assert.equal(content.toString(), '0123456789');
    });

    it('is found by its canonical URI, however its target is spelled (decision 17)', async () => {
      const { get, held } = withPage();
      held.put('a%2Fb~', { variants: [held.content.add('slash')] });
      for (const target of ['/page', '/p%61ge', '/x/../page', '/./page']) {
        assert.equal((await get(target)).status, 200, target);
      }
      assert.equal((await get('/a%2fb%7e')).content.toString(), 'slash');
      assert.equal((await get('/a/b~')).status, 404);
    });

    it('has Age at a replica: how long ago the primary published what it holds (decision 14)', async () => {
      const { get, held } = withPage();
      held.role = 'replica';
      held.confirmedAge = milliseconds(12_900);
      const { fields } = await get('/page');
      assert.equal(fields['age'], '12');
      assert.match(fields['wlis-namespace'] ?? '', /;role=replica;/);
      assert.equal(fields['cache-control'], 'max-age=60');
    });

    it('is answered in the same turn once its content is in memory, and is then read no more', async () => {
      const { get, held, handler } = withPage();
      await get('/page');
      const again = handler.answer(visitor(`${origin}/page`), held);
      assert.ok(!(again instanceof Promise), 'a promise');
      assert.equal((await received(again)).content.toString(), '0123456789');
      assert.equal(held.content.reads, 1);
    });

    it('that has changed is answered by what is visible then', async () => {
      const { get, held } = withPage();
      await get('/page');
      held.put('page', { variants: [held.content.add('new')] });
      assert.equal((await get('/page')).content.toString(), 'new');
      held.remove('page');
      assert.equal((await get('/page')).status, 404);
    });

    it('without content needs none: an empty file', async () => {
      const { get, held } = fixture();
      held.put('empty', { variants: [held.content.add('')] });
      const { status, fields } = await get('/empty');
      assert.deepEqual([status, fields['content-length'], held.content.reads], [200, '0', 0]);
    });

    it('that redirects has the status and Location of its record', async () => {
      const { get, held } = fixture();
      held.put('dir', { status: 301, fields: block({ Location: 'dir/' }) });
      const { status, fields, content } = await get('/dir');
      assert.deepEqual([status, fields['location'], fields['content-length'], content.length], [301, 'dir/', '0', 0]);
      // parts are of contents with status 200 alone
      assert.equal(fields['accept-ranges'], undefined);
    });

    it('that is gone has status 410, with content if its record has some', async () => {
      const { get, held } = fixture();
      held.put('old', { status: 410, variants: [held.content.add('moved on')] });
      const { status, content } = await get('/old', { fields: { Range: 'bytes=0-1', 'If-None-Match': '*' } });
      assert.deepEqual([status, content.toString()], [410, 'moved on']);
    });
  });

  describe('what is not there', () => {
    it('is answered by the page that the namespace has for it, with status 404', async () => {
      const { get, held } = withPage();
      held.put('#404', { status: 404, variants: [held.content.add('nothing here, sorry')] });
      const { status, content } = await get('/none');
      assert.deepEqual([status, content.toString()], [404, 'nothing here, sorry']);
    });

    it('has a plain answer where the namespace has no page, the same at every node', async () => {
      const { get } = withPage();
      const { status, fields, content } = await get('/none');
      assert.equal(status, 404);
      assert.equal(fields['content-type'], 'text/plain; charset=utf-8');
      assert.equal(fields['cache-control'], 'no-cache');
      assert.equal(content.toString(), 'There is nothing here.\n');
      assert.equal((await get('/none', { method: 'HEAD' })).fields['content-length'], String(content.length));
    });

    it('cannot be asked for by the path of that page', async () => {
      const { get, held } = withPage();
      held.put('#404', { status: 404, variants: [held.content.add('sorry')] });
      assert.equal((await get('/%23404')).status, 404);
    });

    it('a query that no document has is dropped by the policy `ignore`, and by no other (decision 17)', async () => {
      const { get, held } = withPage();
      held.put('page?v=2', { variants: [held.content.add('two')] });
      assert.equal((await get('/page?r=1')).content.toString(), '0123456789');
      assert.equal((await get('/page?v=2')).content.toString(), 'two');
      assert.equal((await get('/none?r=1')).status, 404);
      held.remove('page?v=2');
      assert.equal((await get('/page?v=2')).content.toString(), '0123456789');
      for (const query of ['exact', 'forward'] as const) {
        held.policy = { ...usualPolicy, query };
        assert.equal((await get('/page?r=1')).status, 404, query);
      }
    });
  });

  describe('a target outside the namespace', () => {
    it('is misdirected, be it only for its scheme (protocol rule 13)', async () => {
      const { handler, get } = withPage();
      const held = new HeldExample('https://docs.example.org/');
      held.put('page', { variants: [held.content.add('secret')] });
      assert.throws(() => handler.answer(visitor('http://docs.example.org/page'), held), fails('misdirected'));
      assert.equal((await received(handler.answer(visitor('https://docs.example.org/page'), held))).status, 200);
      await assert.rejects(get('/.well-known/x'), fails('misdirected'));
    });

    it('is seen by host, port and path', () => {
      const { handler } = fixture();
      const held = new HeldExample('http://docs.example.org:8080/manual/');
      for (const uri of ['http://docs.example.org/manual/', 'http://docs.example.org:8080/', 'http://x:8080/manual/']) {
        assert.throws(() => handler.has(visitor(uri).target, held), fails('misdirected'), uri);
      }
      assert.equal(handler.has(visitor('http://docs.example.org:8080/manual/').target, held), false);
      held.put('', { variants: [held.content.add('x')] });
      assert.equal(handler.has(visitor('http://docs.example.org:8080/manual/').target, held), true);
      assert.equal(handler.has(visitor('http://docs.example.org.:8080/manual/').target, held), true);
    });

    it('that nobody agrees on is a bad request', async () => {
      const { get } = withPage();
      for (const path of ['/a%00', '/a%5Cb']) await assert.rejects(get(path), fails('bad-request'), path);
    });
  });

  describe('conditions (RFC 9110 §13)', () => {
    it('If-None-Match and If-Modified-Since are answered by 304, without content being read', async () => {
      const { get, held } = withPage();
      for (const fields of [
        { 'If-None-Match': '"x", W/"p"' },
        { 'If-None-Match': '*' },
        { 'If-Modified-Since': 'Sat, 22 Jul 2023 04:26:40 GMT' },
      ]) {
        const answer = await get('/page', { fields });
        assert.equal(answer.status, 304, JSON.stringify(fields));
        assert.equal(answer.fields['etag'], '"p"');
        assert.equal(answer.fields['cache-control'], 'max-age=60');
        assert.equal(answer.fields['content-length'], undefined);
        assert.equal(answer.fields['content-type'], undefined);
      }
      assert.equal(held.content.reads, 0);
      assert.equal((await get('/page', { fields: { 'If-None-Match': '"x"' } })).status, 200);
      assert.equal(
        (await get('/page', { fields: { 'If-Modified-Since': 'Sat, 22 Jul 2023 04:26:39 GMT' } })).status,
        200,
      );
    });

    it('If-Match and If-Unmodified-Since that fail are answered by 412', async () => {
      const { get, held } = withPage();
      for (const fields of [
        { 'If-Match': '"x"' },
        { 'If-Match': 'W/"p"' },
        { 'If-Unmodified-Since': 'Sat, 22 Jul 2023 04:26:39 GMT' },
        { 'If-Match': '"x"', 'If-None-Match': '"p"' },
      ]) {
        const { status, fields: lines, content } = await get('/page', { fields });
        assert.deepEqual([status, content.length], [412, 0], JSON.stringify(fields));
        assert.deepEqual([lines['repr-digest'], lines['etag'], lines['content-length']], [undefined, undefined, '0']);
      }
      for (const fields of [
        { 'If-Match': '*' },
        { 'If-Match': '"x", "p"' },
        { 'If-Match': '"p"', 'If-Unmodified-Since': 'Sat, 22 Jul 2023 04:26:39 GMT' },
        { 'If-Unmodified-Since': 'Sat, 22 Jul 2023 04:26:40 GMT' },
        { 'If-Unmodified-Since': 'yesterday' },
      ]) {
        assert.equal((await get('/page', { fields })).status, 200, JSON.stringify(fields));
      }
      held.put('dir', { status: 301, fields: block({ Location: 'dir/' }) });
      assert.equal((await get('/dir', { fields: { 'If-Match': '"x"' } })).status, 301);
    });

    it('without a date of modification conditions on one are ignored (RFC 9110 §13.1.3, §13.1.4)', async () => {
      const { get, held, clock } = fixture();
      held.put('undated', { variants: [held.content.add('x', { lastModified: null, etag: null })] });
      for (const name of ['If-Modified-Since', 'If-Unmodified-Since']) {
        for (const seconds of [-3600, 0, 3600]) {
          const fields = { [name]: clock.httpDate(seconds), 'If-Range': clock.httpDate(seconds) };
          assert.equal((await get('/undated', { fields })).status, 200, name);
        }
      }
    });
  });

  describe('ranges (RFC 9110 §14)', () => {
    it('one range, a suffix, and several are answered by 206', async () => {
      const { get } = withPage();
      const one = await get('/page', { fields: { Range: 'bytes=2-4' } });
      assert.deepEqual([one.status, one.fields['content-range'], one.content.toString()], [206, 'bytes 2-4/10', '234']);
      // of the whole representation (RFC 9530 §3)
      assert.equal(one.fields['repr-digest'], reprDigest('0123456789'));
      const suffix = await get('/page', { fields: { Range: 'bytes=-3' } });
      assert.equal(suffix.content.toString(), '789');
    });

    it('several ranges of a long content are parts with their own Content-Range', async () => {
      const { get, held } = fixture();
      const long = Buffer.alloc(200_000, 'abcdefghij');
      held.put('long', { variants: [held.content.add(long)] });
      const { status, fields, content } = await get('/long', { fields: { Range: 'bytes=0-9,100000-100009' } });
      assert.equal(status, 206);
      const [, boundary = ''] = /^multipart\/byteranges; boundary=(.+)$/.exec(fields['content-type'] ?? '') ?? [];
      const type = 'Content-Type: text/plain; charset=utf-8\r\n';
      const part = (range: string): string =>
        `--${boundary}\r\n${type}Content-Range: bytes ${range}/200000\r\n\r\nabcdefghij\r\n`;
      assert.equal(content.toString(), `${part('0-9')}${part('100000-100009')}--${boundary}--\r\n`);
    });

    it('a range that is not there is answered by 416, which describes no representation', async () => {
      const { get, held } = withPage();
      const { status, fields, content } = await get('/page', { fields: { Range: 'bytes=10-' } });
      assert.deepEqual([status, fields['content-range'], content.length], [416, 'bytes */10', 0]);
      for (const name of ['repr-digest', 'etag', 'cache-control', 'content-type', 'last-modified']) {
        assert.equal(fields[name], undefined, name);
      }
      assert.equal(held.content.reads, 0);
    });

    it('If-Range by the entity-tag, and by a date where that is a strong validator (RFC 9110 §13.1.5)', async () => {
      const { get, held, clock } = withPage();
      const range = { Range: 'bytes=0-0' };
      const modified = 'Sat, 22 Jul 2023 04:26:40 GMT';
      assert.equal((await get('/page', { fields: { ...range, 'If-Range': '"p"' } })).status, 206);
      assert.equal((await get('/page', { fields: { ...range, 'If-Range': modified } })).status, 206);
      for (const other of ['"x"', 'W/"p"', 'Sat, 22 Jul 2023 04:26:41 GMT']) {
        assert.equal((await get('/page', { fields: { ...range, 'If-Range': other } })).status, 200, other);
      }
      held.put('page', { variants: [held.content.add('changed', { lastModified: clock.now() })] });
      assert.equal((await get('/page', { fields: { ...range, 'If-Range': clock.httpDate() } })).status, 200);
    });

    it('HEAD is answered like GET without Range, without content being read (RFC 9110 §9.3.2, §14.2)', async () => {
      const { get, held } = withPage();
      const head = await get('/page', { method: 'HEAD', fields: { Range: 'bytes=0-1' } });
      assert.equal(held.content.reads, 0);
      const whole = await get('/page');
      assert.deepEqual([head.status, head.fields, head.content.length], [200, whole.fields, 0]);
    });
  });

  describe('other methods', () => {
    it('OPTIONS tells the methods, and what the document says to pages of other origins (Fetch standard §4.8)', async () => {
      const { get, held, handler } = withPage();
      held.put('api', {
        fields: block({
          'Access-Control-Allow-Origin': '*',
          'Access-Control-Allow-Headers': 'x-a',
          'Cache-Control': 'no-cache',
        }),
        variants: [held.content.add('{}')],
      });
      const { status, fields } = await get('/api', { method: 'OPTIONS' });
      assert.equal(status, 204);
      assert.equal(fields['allow'], 'GET, HEAD, OPTIONS');
      assert.equal(fields['access-control-allow-origin'], '*');
      assert.equal(fields['access-control-allow-headers'], 'x-a');
      assert.equal(fields['cache-control'], undefined);
      assert.equal((await get('/none', { method: 'OPTIONS' })).status, 204);
      const request = visitor(`${origin}/`, { method: 'OPTIONS' });
      const server = handler.answer({ ...request, target: { ...request.target, path: '*' } }, held);
      assert.equal((await received(server)).fields['allow'], 'GET, HEAD, OPTIONS');
    });

    it('all others are refused with 405 and Allow', async () => {
      const { get } = withPage();
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'get', 'PURGE']) {
        await assert.rejects(get('/page', { method }), (error) => {
          fails('method-not-allowed')(error);
          assert.deepEqual((error as WillisError).answerFields, ['Allow', 'GET, HEAD, OPTIONS']);
          return true;
        });
      }
    });
  });

  it('cookies and credentials have no effect (decision 18)', async () => {
    const { get } = withPage();
    const fields = { Cookie: 'session=1', Authorization: 'Basic YTpi' };
    assert.deepEqual(await get('/page', { fields }), await get('/page'));
  });

  describe('content that is not in memory', () => {
    it('is fetched where it is not here, and the answer says so once', async () => {
      const { get, held } = fixture();
      const variant = held.content.add('far away');
      held.put('far', { variants: [variant] });
      held.content.notHere.add(variant.digest);
      assert.equal((await get('/far', { method: 'HEAD' })).fields['cache-status'], 'node-1; hit; detail=authoritative');
      assert.equal((await get('/far')).fields['cache-status'], 'node-1; fwd=miss; detail=authoritative');
      assert.equal((await get('/far')).fields['cache-status'], 'node-1; hit; detail=authoritative');
    });

    it('is got once for all who want it at the same time', async () => {
      const { get, held } = withPage();
      const opened = gate();
      held.content.beforeBlock = () => opened.promise;
      const answers = ['bytes=0-3', 'bytes=4-', ''].map((Range) =>
        get('/page', Range === '' ? {} : { fields: { Range } }),
      );
      opened.open();
      const contents = (await Promise.all(answers)).map(({ content }) => content.toString());
      assert.deepEqual(contents, ['0123', '456789', '0123456789']);
      assert.equal(held.content.reads, 1);
    });

    it('and cannot be had makes an error instead of a broken answer: damaged here, or not to be fetched', async () => {
      for (const length of [10, 500_000]) {
        const { get, held } = fixture();
        const variant = held.content.add(Buffer.alloc(length, 'x'));
        held.put('lost', { variants: [variant] });
        held.content.beforeBlock = () => {
          throw new BlobStoreError('damaged', 'blob is not what was stored');
        };
        await assert.rejects(get('/lost'), fails('content-unavailable', /not what was stored/));
        await assert.rejects(get('/lost', { fields: { Range: 'bytes=1-2,8-8' } }), fails('content-unavailable'));
        held.content.beforeBlock = () => {
          throw new CallFailed('unreachable', 'https://m1.example', '', 'no answer');
        };
        await assert.rejects(get('/lost'), fails('content-unreachable', /m1\.example/));
        held.content.beforeBlock = () => undefined;
        assert.equal((await get('/lost')).content.length, length);
      }
    });

    it('of another length than the record says is not served', async () => {
      for (const [length, stored] of [
        [10, 9],
        [10, 11],
        [500_000, 499_999],
        [500_000, 500_001],
        [500_000, 60_000],
      ] as const) {
        const { get, held } = fixture();
        const variant = held.content.add(Buffer.alloc(length, 'x'));
        held.put('torn', { variants: [variant] });
        held.content.read = async function* () {
          await Promise.resolve();
          yield Buffer.alloc(stored);
        };
        await assert.rejects(get('/torn'), fails('content-unavailable', /bytes that the record says/), String(stored));
      }
    });

    it('and is long is streamed: a block ahead of its reader, no more', async () => {
      const { held, handler } = fixture();
      const long = Buffer.alloc(700_000, '0123456789');
      held.put('long', { variants: [held.content.add(long)] });
      const { body, status } = await handler.answer(visitor(`${origin}/long`), held);
      assert.deepEqual([status, held.content.blocks], [200, 1]);
      const first = await body?.read();
      assert.equal(first?.length, 65_536);
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(held.content.blocks, 2);
      body?.cancel();
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual([held.content.blocks, held.content.returns], [2, 1]);
      assert.equal(await body?.read(), null);
      assert.ok((await received(handler.answer(visitor(`${origin}/long`), held))).content.equals(long), 'other bytes');
      assert.equal(handler.usage.contents, 0);
    });

    it('that breaks off breaks the body', async () => {
      const { get, held } = fixture();
      held.put('long', { variants: [held.content.add(Buffer.alloc(700_000))] });
      held.content.beforeBlock = (number) => {
        if (number === 3) throw new BlobStoreError('damaged', 'block 3');
      };
      await assert.rejects(get('/long'), fails('content-unavailable', /block 3/));
    });

    it('is waited for only while its client is there', async () => {
      for (const length of [10, 500_000]) {
        const { held, get } = fixture();
        held.put('slow', { variants: [held.content.add(Buffer.alloc(length))] });
        const opened = gate();
        held.content.beforeBlock = () => opened.promise;
        const cancellation = new Cancellation();
        const answer = get('/slow', { cancellation });
        cancellation.cancel(new WillisError('client-gone', 'gone'));
        await assert.rejects(answer, fails('client-gone'));
        opened.open();
        held.content.beforeBlock = () => undefined;
        assert.equal((await get('/slow')).content.length, length);
      }
    });
  });

  describe('memory', () => {
    it('keeps what was used last, within its limit', async () => {
      const { get, held, handler } = fixture(40_000);
      for (let i = 0; i < 50; i++) held.put(`d${i}`, { variants: [held.content.add(Buffer.alloc(3000, String(i)))] });
      for (let i = 0; i < 50; i++) {
        await get('/d0');
        await get(`/d${i}`);
        const { contents, documents, limit } = handler.usage;
        assert.ok(contents <= 30_000 && documents <= 10_000, `${contents} and ${documents} of ${limit}`);
      }
      assert.equal(held.content.reads, 50);
      await get('/d1');
      assert.equal(held.content.reads, 51);
    });

    it('of no size serves all the same', async () => {
      const { get, handler } = withPage(0);
      for (let i = 0; i < 3; i++) assert.equal((await get('/page')).content.toString(), '0123456789');
      assert.deepEqual(handler.usage, { contents: 0, documents: 0, limit: 0 });
    });
  });

  describe('what is not confirmed', () => {
    it('is served by an expired head within the grace, and says so (decision 1)', async () => {
      const { handler, clock } = fixture();
      const held = new HeldExample('http://docs.example.org/', undefined, clock.now());
      held.role = 'replica';
      held.put('page', { variants: [held.content.add('x')] });
      const get = async (): Promise<Received> => received(handler.answer(visitor(`${origin}/page`), held));
      assert.equal((await get()).fields['cache-status'], 'node-1; hit; detail=unconfirmed');
      clock.advance(usualPolicy.grace);
      await assert.rejects(get(), fails('unconfirmed', /grace/));
    });

    it('is not served by a replica that holds nothing yet', async () => {
      const { get, held } = withPage();
      held.role = 'replica';
      held.edition = null;
      await assert.rejects(get('/page'), fails('unconfirmed', /holds nothing/));
    });

    it('is served with `bounded` within the bound alone, and by no replica with `strict` (protocol rule 10)', async () => {
      const { get, held } = withPage();
      held.policy = { ...usualPolicy, consistency: { mode: 'bounded', bound: milliseconds(30_000) } };
      held.role = 'replica';
      held.confirmedAge = milliseconds(29_999);
      assert.equal((await get('/page')).status, 200);
      held.confirmedAge = milliseconds(30_000);
      await assert.rejects(get('/page'), fails('unconfirmed'));
      held.policy = { ...usualPolicy, consistency: { mode: 'strict' } };
      held.confirmedAge = milliseconds(0);
      await assert.rejects(get('/page'), fails('unconfirmed', /strict/));
      held.role = 'primary';
      assert.equal((await get('/page')).status, 200);
    });
  });

  describe('where pages come from', () => {
    const visit = async (held: HeldExample, handler: DocumentHandler): Promise<Response> =>
      handler.answer(visitor(`${origin}/page`), held);

    it('is told: from this node, by the head that it answers by, and under the name of its bytes', async () => {
      const { held, clock } = fixture();
      const variant = held.content.add('<!doctype html>', { type: 'text/html' });
      held.put('page', { variants: [variant] });
      held.role = 'replica';
      held.confirmedAge = milliseconds(5000);
      const handler = new DocumentHandler({
        name: 'node-1',
        clock,
        memory: bytes(1000),
        url: () => 'https://m1.example',
      });
      const confirmed = clock.now() - 5000;
      const { provenance } = await visit(held, handler);
      assert.deepEqual(
        { ...provenance },
        {
          ...{ receivedAt: confirmed, ageThen: 0, freshUntil: null, contentName: `sha-256 ${variant.digest}` },
          source: { url: 'https://m1.example', role: 'replica', version: { epoch, seq: 7 }, isUnconfirmed: false },
        },
      );
      clock.advance(60_000);
      held.confirmedAge = milliseconds(65_100);
      const again = (await visit(held, handler)).provenance;
      assert.equal(again?.receivedAt, confirmed, 'the same as long as the head is the same');
    });

    it('by an expired head is said to be so; of what is no page nothing is told', async () => {
      const { held, clock } = fixture();
      held.put('page', { variants: [held.content.add('<!doctype html>', { type: 'text/html; charset=utf-8' })] });
      held.role = 'replica';
      const handler = new DocumentHandler({ name: 'node-1', clock, memory: bytes(1000) });
      held.edition = new HeldExample(held.namespace, held.content, clock.now() - 1).edition;
      assert.equal((await visit(held, handler)).provenance?.source?.isUnconfirmed, true);
      held.put('page', { variants: [held.content.add('text')] });
      assert.equal((await visit(held, handler)).provenance, undefined);
    });
  });
});
