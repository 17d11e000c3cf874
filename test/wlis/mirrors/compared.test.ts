import assert from 'node:assert/strict';
import { failsWith } from '../../forward/upstream-fixture.js';
import { answer, silence } from '../../support/origin-scripts.js';
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

describe('mirrors that are compared with the original', () => {
  let site: MirroredSite;
  const start = async (original: OriginHandler, mirrors: readonly OriginHandler[], options?: SiteOptions) => {
    site = await MirroredSite.start(original, mirrors, options);
  };
  afterEach(() => site.stop());

  const dated = { content: text, fields: { 'Last-Modified': longAgo } };
  const paths = (server: { readonly requests: readonly { method: string; url: string }[] }): string[] =>
    server.requests.map(({ method, url }) => `${method} ${url}`);

  describe('which copy is the same', () => {
    it('is one of the same length and time of modification: the original is asked by HEAD, and the mirror for the bytes', async () => {
      await start(serving({ 'a.txt': dated }), [serving({ 'a.txt': dated })]);
      const got = await site.get();
      assert.equal(got.content, text);
      assert.deepEqual(paths(site.original), ['HEAD /docs/a.txt']);
      assert.deepEqual(paths(site.mirror(1)), ['GET /pub/docs/a.txt']);
      assert.equal(got.answeredBy?.role, 'mirror');
      assert.equal(site.mirror(1).last.headers.host, site.mirror(1).authority);
    });

    it('is one of the same strong entity-tag', async () => {
      const tagged = (tag: string) => serving({ 'a.txt': { content: text, fields: { ETag: tag } } });
      await start(tagged('"1"'), [tagged('"1"')]);
      assert.equal((await site.get()).answeredBy?.role, 'mirror');
    });

    it('is none of a weak entity-tag, nor without any validator', async () => {
      for (const fields of [{ ETag: 'W/"1"' }, {}]) {
        await start(serving({ 'a.txt': { content: text, fields } }), [serving({ 'a.txt': { content: text, fields } })]);
        const got = await site.get();
        assert.deepEqual([got.content, got.answeredBy?.role], [text, 'primary']);
        await site.stop();
      }
    });

    it('is none that was modified at the same time as the answer was made (RFC 9110 §8.8.2.2)', async () => {
      const young = { content: text, fields: { 'Last-Modified': 'Thu, 01 Jan 2026 00:00:00 GMT' } };
      await start(serving({ 'a.txt': young }), [serving({ 'a.txt': young })]);
      assert.equal((await site.get()).answeredBy?.role, 'primary');
    });

    for (const [name, mirrored, because] of [
      ['of another length', { ...dated, content: `${text}!` }, 'another length: 44 instead of 43'],
      ['of another time', { content: text, fields: { 'Last-Modified': later } }, 'modified at another time'],
      [
        'with another coding',
        { content: text, fields: { 'Last-Modified': longAgo, 'Content-Encoding': 'gzip' } },
        'another coding: gzip',
      ],
      [
        'that tells another digest',
        { content: text, fields: { 'Last-Modified': longAgo, 'Repr-Digest': digestField('other') } },
        'another digest',
      ],
    ] as const) {
      it(`is none ${name}: it is passed over with the reason, and the original answers`, async () => {
        const fields = { 'Last-Modified': longAgo, 'Repr-Digest': digestField(text) };
        await start(serving({ 'a.txt': { content: text, fields } }), [serving({ 'a.txt': mirrored })]);
        // what has a digest and is small is compared by that alone
        const withoutDigest = serving({ 'a.txt': dated });
        if (because !== 'another digest') site.original.handle(withoutDigest);
        const got = await site.get();
        assert.deepEqual([got.content, got.answeredBy?.role], [text, 'primary']);
        assert.deepEqual(
          got.answeredBy?.skipped.map((one) => one.because),
          [because],
        );
      });
    }

    it('is one that says the same digest, in any of the three fields (RFC 9530, RFC 3230)', async () => {
      const base64 = digestField(long).slice('sha-256=:'.length, -1);
      const said = [
        { 'Repr-Digest': digestField(long) },
        { 'Content-Digest': digestField(long) },
        { Digest: `md5=x, SHA-256=${base64}` },
      ];
      for (const fields of said) {
        const original = { content: long, fields: { 'Last-Modified': longAgo, 'Repr-Digest': digestField(long) } };
        await start(serving({ 'a.txt': original }), [
          serving({ 'a.txt': { content: long, fields: { 'Last-Modified': later, ...fields } } }),
        ]);
        const got = await site.get();
        assert.deepEqual([got.content === long, got.answeredBy?.role], [true, 'mirror']);
        await site.stop();
      }
    });

    it('is not asked again for the same version for a while, and then is', async () => {
      await start(serving({ 'a.txt': dated }), [serving({ 'a.txt': { ...dated, content: 'older' } })]);
      await site.get();
      const again = await site.get();
      assert.equal(site.mirror(1).count(), 1);
      assert.deepEqual(
        again.answeredBy?.skipped.map(({ because }) => because),
        ['another length: 5 instead of 43'],
      );
      site.mirror(1).handle(serving({ 'a.txt': dated }));
      site.clock.advance(61_000);
      assert.equal((await site.get()).answeredBy?.role, 'mirror');
    });

    it('that has no ranges is still asked for the whole', async () => {
      const whole = { content: text, fields: { 'Last-Modified': longAgo, 'Cache-Control': 'max-age=100' } };
      const withoutRanges = answer(200, { 'Last-Modified': longAgo }, text);
      await start(serving({ 'a.txt': whole }), [withoutRanges]);
      const part = await site.get('a.txt', { Range: 'bytes=4-8' });
      assert.deepEqual(
        part.answeredBy?.skipped.map(({ because }) => because),
        ['no ranges'],
      );
      assert.equal((await site.get()).answeredBy?.role, 'mirror');
      await site.get('a.txt', { Range: 'bytes=4-8' });
      assert.equal(site.mirror(1).count(), 2);
    });

    it('is asked at once when the original has another version', async () => {
      const fresh = { content: 'newer', fields: { 'Last-Modified': later } };
      await start(serving({ 'a.txt': dated }), [serving({ 'a.txt': fresh })]);
      await site.get();
      site.original.handle(serving({ 'a.txt': fresh }));
      const got = await site.get('a.txt', { 'Cache-Control': 'no-cache' });
      assert.deepEqual([got.content, got.answeredBy?.role], ['newer', 'mirror']);
    });
  });

  describe('the answer', () => {
    it('has the fields of the original and none of the mirror', async () => {
      const original = {
        content: text,
        fields: { 'Last-Modified': longAgo, ETag: '"o"', 'Content-Security-Policy': 'x' },
      };
      const mirrored = {
        content: text,
        fields: { 'Last-Modified': longAgo, ETag: '"m"', 'Content-Type': 'text/html', 'Set-Cookie': 'a=b' },
      };
      await start(serving({ 'a.txt': original }), [serving({ 'a.txt': mirrored })]);
      const { fields, answeredBy } = await site.get();
      assert.equal(answeredBy?.role, 'mirror');
      assert.equal(fields.get('etag'), '"o"');
      assert.equal(fields.get('content-type'), 'text/plain');
      assert.equal(fields.get('content-security-policy'), 'x');
      assert.equal(fields.get('set-cookie'), undefined);
      assert.equal(fields.get('content-length'), '43');
    });

    it('tells how long ago the original has said so (RFC 9111 §5.1)', async () => {
      const fields = { 'Last-Modified': longAgo, 'Cache-Control': 'max-age=100' };
      await start(serving({ 'a.txt': { content: text, fields } }), [serving({ 'a.txt': dated })]);
      await site.get();
      site.clock.advance(40_000);
      const got = await site.get();
      assert.equal(got.fields.get('age'), '40');
      assert.deepEqual(paths(site.original), ['HEAD /docs/a.txt']);
    });

    it('is one range, of exactly the bytes that were asked for (RFC 9110 §14.2)', async () => {
      await start(serving({ 'a.txt': dated }), [serving({ 'a.txt': dated })]);
      const got = await site.get('a.txt', { Range: 'bytes=4-8' });
      assert.deepEqual([got.status, got.content, got.answeredBy?.role], [206, 'quick', 'mirror']);
      assert.equal(got.fields.get('content-range'), 'bytes 4-8/43');
      assert.equal((await site.get('a.txt', { Range: 'bytes=-3' })).content, 'dog');
    });

    it('is the whole where If-Range names another version than the original has (RFC 9110 §13.1.5)', async () => {
      const original = { content: text, fields: { 'Last-Modified': longAgo, ETag: '"o"' } };
      await start(serving({ 'a.txt': original }), [serving({ 'a.txt': dated })]);
      const other = await site.get('a.txt', { Range: 'bytes=4-8', 'If-Range': '"m"' });
      assert.deepEqual([other.status, other.content], [200, text]);
      const same = await site.get('a.txt', { Range: 'bytes=4-8', 'If-Range': '"o"' });
      assert.deepEqual([same.status, same.content, same.answeredBy?.role], [206, 'quick', 'mirror']);
    });

    it('of a mirror with another range than was asked for is not used', async () => {
      const wrong: OriginHandler = (_request, response) => {
        response.writeHead(206, { 'Last-Modified': longAgo, 'Content-Range': 'bytes 5-9/43', 'Content-Length': '5' });
        response.end('uick ');
      };
      await start(serving({ 'a.txt': dated }), [wrong]);
      const got = await site.get('a.txt', { Range: 'bytes=4-8' });
      assert.deepEqual([got.content, got.answeredBy?.role], ['quick', 'primary']);
    });
  });

  describe('what is for the original alone', () => {
    it('is all that bears credentials, protects the original, or asks for several ranges', async () => {
      await start(serving({ 'a.txt': dated }), [serving({ 'a.txt': dated })]);
      for (const fields of [
        { Cookie: 'a=b' },
        { Authorization: 'Basic YTpi' },
        { 'If-Match': '"x"' },
        { Range: 'bytes=0-1,5-6' },
      ]) {
        const { answeredBy } = await site.get('a.txt', fields);
        assert.equal(answeredBy, undefined);
      }
      assert.equal(site.mirror(1).count(), 0);
    });

    it('is what says whether something has changed, and the 304 counts as its word', async () => {
      const original = {
        content: text,
        fields: { 'Last-Modified': longAgo, ETag: '"o"', 'Cache-Control': 'max-age=10' },
      };
      await start(serving({ 'a.txt': original }), [serving({ 'a.txt': dated })]);
      await site.get();
      site.clock.advance(20_000);
      assert.equal((await site.ask('a.txt', { 'If-None-Match': '"o"' })).status, 304);
      const got = await site.get();
      assert.equal(got.answeredBy?.role, 'mirror');
      assert.deepEqual(paths(site.original), ['HEAD /docs/a.txt', 'GET /docs/a.txt']);
    });

    it('is a path with dot segments, which may lead out of what is mirrored', async () => {
      await start(answer(200, {}, 'other'), [answer(200, {}, 'other')]);
      assert.equal((await site.ask('%2e%2E/secret')).answeredBy, undefined);
      assert.equal((await site.ask('x/../../secret?a=.')).answeredBy, undefined);
      assert.equal(site.mirror(1).count(), 0);
    });

    it('is an answer with Set-Cookie, or that only its reader may have', async () => {
      for (const fields of [{ 'Set-Cookie': 'a=b' }, { 'Cache-Control': 'private' }, { 'Cache-Control': 'no-store' }]) {
        const document = { content: text, fields: { 'Last-Modified': longAgo, ...fields } as Record<string, string> };
        await start(serving({ 'a.txt': document }), [serving({ 'a.txt': dated })]);
        assert.equal((await site.get()).answeredBy?.role, 'primary');
        assert.equal(site.mirror(1).count(), 0);
        await site.stop();
      }
    });

    it('is what has nothing to compare by, which it need not be asked by HEAD each time', async () => {
      await start(serving({ 'a.txt': { content: text } }), [serving({ 'a.txt': dated })]);
      for (let i = 0; i < 3; i++) assert.equal((await site.get()).answeredBy?.role, 'primary');
      assert.deepEqual(
        paths(site.original),
        ['HEAD', 'GET', 'GET', 'GET'].map((method) => `${method} /docs/a.txt`),
      );
      assert.equal(site.mirror(1).count(), 0);
    });

    it('is that something is not there', async () => {
      await start(serving({}), [serving({ 'a.txt': dated })]);
      const got = await site.get();
      assert.deepEqual([got.status, got.content, got.answeredBy?.role], [404, 'none', 'primary']);
    });
  });

  describe('where the original cannot be asked', () => {
    it('what it said before counts on', async () => {
      await start(serving({ 'a.txt': dated }), [serving({ 'a.txt': dated })]);
      await site.get();
      await site.original.close();
      site.clock.advance(100 * 86_400_000);
      const got = await site.get();
      assert.deepEqual([got.content, got.answeredBy?.role, got.answeredBy?.isUnconfirmed], [text, 'mirror', true]);
      assert.equal(got.fields.get('age'), String(100 * 86_400));
    });

    it('that goes for 5xx, for silence, for conditions, HEAD, and what was not there', async () => {
      await start(
        serving({ 'a.txt': { content: text, fields: { ...dated.fields, ETag: '"o"' } } }),
        [serving({ 'a.txt': dated })],
        { patience: 50 },
      );
      await site.get();
      await site.get('none.txt');
      for (const failing of [answer(503), silence]) {
        site.original.handle(failing);
        site.clock.advance(100 * 86_400_000);
        assert.equal((await site.get()).content, text);
        assert.equal((await site.ask('a.txt', { 'If-None-Match': '"o"' })).status, 304);
        assert.equal((await site.ask('a.txt', { 'If-None-Match': '"m"' })).status, 200);
        const head = await site.ask('a.txt', {}, 'HEAD');
        assert.deepEqual([head.status, head.body, head.fields.get('content-length')], [200, null, '43']);
        assert.equal((await site.get('none.txt')).status, 404);
      }
    });

    it('a mirror that has got another version meanwhile is not believed', async () => {
      const [old, newer] = [dated, { content: 'newer', fields: { 'Last-Modified': later } }];
      await start(serving({ 'a.txt': old }), [serving({ 'a.txt': old }), serving({ 'a.txt': old })]);
      await site.get();
      await site.original.close();
      site.clock.advance(100 * 86_400_000);
      site.mirror(1).handle(serving({ 'a.txt': newer }));
      const got = await site.get();
      assert.deepEqual([got.content, site.mirror(2).count()], [text, 1]);
    });

    it('what it forbade to use unconfirmed is not used (RFC 9111 §5.2.2.2)', async () => {
      const strict = {
        content: text,
        fields: { 'Last-Modified': longAgo, 'Cache-Control': 'max-age=10, must-revalidate' },
      };
      await start(serving({ 'a.txt': strict }), [serving({ 'a.txt': dated })]);
      await site.get();
      await site.original.close();
      assert.equal((await site.get()).content, text);
      site.clock.advance(20_000);
      await assert.rejects(site.get(), failsWith('connect-refused'));
    });

    it('and has said nothing, its failure is the answer', async () => {
      await start(answer(503, {}, 'busy'), [serving({ 'a.txt': dated })]);
      const got = await site.get();
      assert.deepEqual([got.status, got.content], [503, 'busy']);
      assert.equal(site.mirror(1).count(), 0);
    });
  });

  describe('a content that breaks off', () => {
    const longDated = { content: long, fields: { 'Last-Modified': longAgo } };
    const whole = serving({ 'a.txt': longDated });

    it('goes on at the next byte from another mirror, by a range', async () => {
      await start(whole, [breakingAfter(100_000, whole), whole]);
      const got = await site.get();
      assert.equal(got.content, long);
      assert.match(site.mirror(2).last.headers.range ?? '', /^bytes=[1-9]\d*-299999$/);
      assert.equal(site.ground.counts.continued.value, 1);
      assert.equal(site.healthOf(1).failure?.reason, 'broken');
    });

    it('from the original goes on at a mirror, and the other way round', async () => {
      await start(breakingAfter(100_000, whole), [whole]);
      site.order = [site.original, site.mirror(1)];
      assert.equal((await site.get()).content, long);
      site.original.handle(whole);
      site.mirror(1).handle(breakingAfter(100_000, whole));
      site.order = [site.mirror(1), site.original];
      site.clock.advance(10_000_000);
      assert.equal((await site.get()).content, long);
    });

    it('that stalls goes on elsewhere when patience is at its end', async () => {
      const stalling: OriginHandler = (_request, response) => {
        response.writeHead(200, { ...longDated.fields, 'Content-Length': String(long.length) });
        response.write(long.slice(0, 50_000));
      };
      await start(whole, [stalling, whole], { patience: 60 });
      assert.equal((await site.get()).content, long);
      assert.equal(site.healthOf(1).failure?.reason, 'silent');
    });

    it('that stalls is waited for where nobody else has it', async () => {
      let goOn = (): void => undefined;
      const stalling: OriginHandler = ({ headers }, response) => {
        if (headers.range !== undefined) return void response.writeHead(404).end();
        response.writeHead(200, { ...longDated.fields, 'Content-Length': String(long.length) });
        response.write(long.slice(0, 50_000));
        goOn = () => response.end(long.slice(50_000));
      };
      await start(stalling, [serving({})], { patience: 30 });
      site.order = [site.original, site.mirror(1)];
      const got = site.get();
      await until(() => site.original.count() > 0 && site.mirror(1).count() > 0);
      goOn();
      assert.equal((await got).content, long);
    });

    it('in the middle of a range goes on within that range', async () => {
      await start(whole, [breakingAfter(10_000, whole), whole]);
      const got = await site.get('a.txt', { Range: 'bytes=1000-200999' });
      assert.equal(got.content, long.slice(1000, 201_000));
      assert.match(site.mirror(2).last.headers.range ?? '', /^bytes=\d+-200999$/);
    });

    it('never goes on with another version: it breaks visibly', async () => {
      const other = { content: long.replaceAll('a', 'b'), fields: { 'Last-Modified': later } };
      await start(serving({}), [serving({ 'a.txt': other })]);
      const once: OriginHandler = (request, response, index) =>
        (request.method === 'HEAD' || index === 0 ? breakingAfter(100_000, whole) : answer(503))(
          request,
          response,
          index,
        );
      site.original.handle(once);
      site.order = [site.original, site.mirror(1)];
      await assert.rejects(site.get(), failsWith('upstream-incomplete'));
      assert.match(site.mirror(1).last.headers.range ?? '', /^bytes=/);
    });

    it('is not gone on with for a reader who has gone', async () => {
      let closed: Promise<unknown> = Promise.resolve();
      const stalling: OriginHandler = ({ ended }, response) => {
        closed = ended;
        response.writeHead(200, { ...longDated.fields, 'Content-Length': String(long.length) });
        response.write(long.slice(0, 50_000));
      };
      await start(whole, [stalling, whole]);
      const response = await site.ask();
      await response.body?.read();
      response.body?.cancel();
      assert.equal(await closed, 'aborted');
      assert.equal(site.mirror(2).count(), 0);
    });
  });

  describe('a content with a digest', () => {
    const fields = { 'Last-Modified': longAgo, 'Repr-Digest': digestField(text) };

    it('that is small is compared before anything of it goes on, and is got elsewhere if it is another', async () => {
      const forged = serving({
        'a.txt': { content: text.replace('fox', 'FOX'), fields: { 'Last-Modified': longAgo } },
      });
      await start(serving({ 'a.txt': { content: text, fields } }), [forged, serving({ 'a.txt': dated })]);
      const got = await site.get();
      assert.deepEqual([got.content, got.answeredBy?.url], [text, site.urlOf(site.mirror(2))]);
      assert.deepEqual(
        got.answeredBy?.skipped.map(({ because }) => because),
        ['false content'],
      );
      assert.equal(site.healthOf(1).failure?.reason, 'false');
      assert.ok(
        site.logged.some(({ code }) => code === 'mirror-false'),
        'the log names the mirror',
      );
    });

    it('that is large breaks off before its end if it is another', async () => {
      const original = { content: long, fields: { 'Last-Modified': longAgo, 'Repr-Digest': digestField(long) } };
      const forged = { content: `${long.slice(0, -9)}<script/>`, fields: { 'Last-Modified': longAgo } };
      await start(serving({ 'a.txt': original }), [serving({ 'a.txt': forged })]);
      const response = await site.ask();
      const received: Buffer[] = [];
      await assert.rejects(async () => {
        for (;;) received.push((await response.body?.read()) ?? assert.fail('it came to an end'));
      }, failsWith('upstream-malformed'));
      assert.doesNotMatch(Buffer.concat(received).toString(), /script/);
      assert.equal((await site.get()).answeredBy?.role, 'primary');
    });
  });

  it('a redirect, an error and a page for everything are passed over', async () => {
    const mirrors = [answer(302, { Location: 'http://elsewhere.test/' }), answer(500), answer(200, {}, 'Welcome!')];
    await start(serving({ 'a.txt': dated }), mirrors);
    const got = await site.get();
    assert.deepEqual([got.content, got.answeredBy?.role], [text, 'primary']);
    const reasons = got.answeredBy?.skipped.map(({ because }) => because);
    assert.deepEqual(reasons, ['status 302', 'status 500', 'another length: 8 instead of 43']);
  });

  it('no more of them are asked than attempts allow', async () => {
    await start(serving({ 'a.txt': dated }), [answer(404), answer(404), answer(404)], { attempts: 2 });
    assert.equal((await site.get()).content, text);
    assert.deepEqual(
      site.mirrors.map((mirror) => mirror.count()),
      [1, 1, 0],
    );
  });

  it('one that was down is tried beside requests when its time has come, and used again', async () => {
    await start(serving({ 'a.txt': dated }), [answer(503), serving({ 'a.txt': dated })]);
    const [first] = site.mirrors;
    const health = () => site.healthOf(1);
    while (health().breaker === 'closed') {
      site.ground.unusable.clear(first?.url('/pub/docs/a.txt') ?? '');
      await site.get();
    }
    first?.handle(serving({ 'a.txt': dated }));
    site.clock.advance(2000);
    assert.equal(health().breaker, 'probing');
    assert.equal((await site.get()).answeredBy?.url, site.urlOf(site.mirror(2)));
    await until(() => health().breaker === 'closed');
    assert.equal((await site.get()).answeredBy?.url, site.urlOf(site.mirror(1)));
  });
});
