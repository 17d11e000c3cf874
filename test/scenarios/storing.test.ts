import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { answer, answerBrokenOff, inTurn, type ScriptedFields } from '../support/origin-scripts.js';
import { RawClient } from '../support/raw-client.js';
import type { OriginHandler } from '../support/scripted-origin.js';
import { cacheStatusOf, outcomeOf, startWillis, turns, type Willis } from '../support/willis.js';

const fresh = { 'Cache-Control': 'max-age=60' };

/** Each answer differs from the one before. */
const numbered =
  (status: number, fields: ScriptedFields): OriginHandler =>
  (request, response, index) =>
    answer(status, fields, `answer ${index}`)(request, response, index);

describe('storing responses', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
  });
  afterEach(() => willis.stop());

  /** Whether a second client is answered without the origin server after the first one has asked. */
  const isStored = async (
    status: number,
    fields: ScriptedFields,
    first: Record<string, string> = {},
  ): Promise<boolean> => {
    willis.serve(numbered(status, fields));
    const before = willis.origin.count();
    const one = await willis.get('/a', first);
    const two = await willis.get('/a');
    const stored = willis.origin.count() === before + 1;
    assert.equal(cacheStatusOf(one)['stored'], stored ? true : undefined);
    assert.equal(one.body.equals(two.body), stored);
    return stored;
  };

  it('a fresh answer to GET serves the next request (RFC 9111 §3)', async () => {
    willis.serve(answer(200, fresh, 'hello'));
    const first = await willis.get('/a');
    const second = await willis.get('/a');
    assert.equal(first.body.toString(), 'hello');
    assert.equal(second.body.toString(), 'hello');
    assert.equal(willis.origin.count(), 1);
    const key = 'http://site.test/a';
    assert.deepEqual(cacheStatusOf(first), { fwd: 'uri-miss', 'fwd-status': '200', stored: true, key });
    assert.deepEqual(cacheStatusOf(second), { hit: true, ttl: '60' });
  });

  for (const directive of [
    'private, max-age=60',
    'no-store, max-age=60',
    'Private, max-age=60',
    'max-age=60, NO-STORE',
  ]) {
    it(`an answer with "${directive}" is never served to another (RFC 9111 §5.2.2.5, §5.2.2.7)`, async () => {
      assert.equal(await isStored(200, { 'Cache-Control': directive }), false);
    });
  }

  it('the answer to a request with no-store is not stored (RFC 9111 §5.2.1.5)', async () => {
    assert.equal(await isStored(200, fresh, { 'Cache-Control': 'no-store' }), false);
  });

  it('the answer to a request with Authorization is not stored (RFC 9111 §3.5)', async () => {
    assert.equal(await isStored(200, fresh, { Authorization: 'Basic eDp5' }), false);
  });

  for (const directive of ['public, max-age=60', 's-maxage=60', 'must-revalidate, max-age=60']) {
    it(`the answer to a request with Authorization is stored if it says ${directive} (RFC 9111 §3.5)`, async () => {
      assert.equal(await isStored(200, { 'Cache-Control': directive }, { Authorization: 'Basic eDp5' }), true);
    });
  }

  it('Set-Cookie without explicit freshness is not stored, and with it is replayed (RFC 9111 §7.3)', async () => {
    const lastModified = willis.clock.httpDate(-864_000);
    assert.equal(await isStored(200, { 'Set-Cookie': 'id=1', 'Last-Modified': lastModified }), false);
    willis.serve(answer(200, { ...fresh, 'Set-Cookie': ['id=1', 'b=2'] }, 'x'));
    await willis.get('/cookie');
    const second = await willis.get('/cookie');
    assert.equal(outcomeOf(second), 'hit');
    assert.deepEqual(second.all('set-cookie'), ['id=1', 'b=2']);
  });

  for (const directive of ['private', 'no-cache']) {
    it(`fields named by a qualified ${directive} are withheld from the second client (RFC 9111 §5.2.2.${directive === 'private' ? 7 : 4})`, async () => {
      const control = `max-age=60, ${directive}="X-Own, Set-Cookie"`;
      willis.serve(
        answer(200, { 'Cache-Control': control, 'X-Own': 'mine', 'Set-Cookie': 'a=b', 'X-All': 'ours' }, 'x'),
      );
      const first = await willis.get('/a');
      const second = await willis.get('/a');
      assert.equal(first.get('x-own'), 'mine');
      assert.equal(first.get('set-cookie'), 'a=b');
      assert.equal(outcomeOf(second), 'hit');
      assert.equal(second.get('x-own'), undefined);
      assert.equal(second.get('set-cookie'), undefined);
      assert.equal(second.get('x-all'), 'ours');
    });
  }

  it('an unknown status is stored with explicit freshness only (RFC 9111 §3)', async () => {
    assert.equal(await isStored(299, { 'Last-Modified': willis.clock.httpDate(-864_000) }), false);
    assert.equal(await isStored(299, fresh), true);
  });

  it('must-understand overrides no-store for a status that is understood, and forbids storing others (RFC 9111 §5.2.2.3)', async () => {
    const control = 'max-age=60, no-store, must-understand';
    assert.equal(await isStored(299, { 'Cache-Control': 'max-age=60, must-understand' }), false);
    assert.equal(await isStored(200, { 'Cache-Control': control }), true);
  });

  it('an answer without content is stored as well (RFC 9110 §15.3.5)', async () => {
    willis.serve(answer(204, fresh));
    const first = await willis.get('/a');
    const second = await willis.get('/a');
    assert.equal(cacheStatusOf(first)['stored'], true);
    assert.equal(outcomeOf(second), 'hit');
    assert.equal(second.status, 204);
    assert.equal(second.get('content-length'), undefined);
  });

  it('HEAD is answered from a stored GET (RFC 9111 §4)', async () => {
    willis.serve(answer(200, { ...fresh, ETag: '"1"' }, 'hello'));
    await willis.get('/a');
    const head = await willis.ask('HEAD', '/a');
    assert.equal(outcomeOf(head), 'hit');
    assert.equal(head.status, 200);
    assert.equal(head.contentLength, 5);
    assert.equal(head.get('etag'), '"1"');
    assert.equal(willis.origin.count(), 1);
  });

  it('the answer to HEAD is not stored in the place of a GET (RFC 9110 §9.3.2)', async () => {
    willis.serve(answer(200, fresh, 'hello'));
    await willis.ask('HEAD', '/a');
    const get = await willis.get('/a');
    assert.equal(get.body.toString(), 'hello');
    assert.equal(willis.origin.count(), 2);
  });

  it('fields of the connection, and those it nominates, are neither passed on nor stored (RFC 9111 §3.1, RFC 9110 §7.6.1)', async () => {
    willis.serve(
      answer(
        200,
        {
          ...fresh,
          Connection: 'X-Hop, close',
          'X-Hop': '1',
          'Keep-Alive': 'timeout=5',
          'Proxy-Authenticate': 'Basic',
          'X-End': '2',
        },
        'x',
      ),
    );
    for (const expected of ['uri-miss', 'hit']) {
      const response = await willis.get('/a');
      assert.equal(outcomeOf(response), expected);
      assert.equal(response.get('x-hop'), undefined);
      assert.equal(response.get('keep-alive'), undefined);
      assert.equal(response.get('proxy-authenticate'), undefined);
      assert.equal(response.get('x-end'), '2');
    }
  });

  it('trailers are passed on, stored and replayed (RFC 9110 §6.5, RFC 9111 §3.1)', async () => {
    willis.serve((_request, response) => {
      response.writeHead(200, { ...fresh, Trailer: 'X-Sum' });
      response.write('hello');
      response.addTrailers({ 'X-Sum': '42' });
      response.end();
    });
    for (const expected of ['uri-miss', 'hit']) {
      const response = await willis.get('/a');
      assert.equal(outcomeOf(response), expected);
      assert.equal(response.body.toString(), 'hello');
      assert.deepEqual(response.trailers, [['X-Sum', '42']], expected);
    }
  });

  it('informational responses are passed on and not stored (RFC 9110 §15.2)', async () => {
    willis.serve((_request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.writeHead(200, { ...fresh, 'Content-Length': '2' });
      response.end('ok');
    });
    const first = await willis.get('/a');
    const second = await willis.get('/a');
    assert.deepEqual(
      first.informational.map(({ status }) => status),
      [103],
    );
    assert.equal(first.informational[0]?.get('link'), '</style.css>; rel=preload');
    assert.deepEqual(second.informational, []);
    assert.equal(outcomeOf(second), 'hit');
  });

  describe('that break off', () => {
    const broken: [string, OriginHandler][] = [
      [
        'with a Content-Length that is not reached',
        answerBrokenOff(200, { ...fresh, 'Content-Length': '100' }, 'only this'),
      ],
      ['in the middle of chunks', answerBrokenOff(200, fresh, 'only this')],
    ];
    for (const [how, script] of broken) {
      it(`${how} break for the client, and are never served as whole (RFC 9111 §3.3, RFC 9112 §8)`, async () => {
        const whole = 'only this and what comes after it'.padEnd(100, '.');
        willis.serve(inTurn(script, answer(200, fresh, whole)));
        const client = await willis.begin('GET', '/a');
        await assert.rejects(client.receive(), /ended where/);
        const second = await willis.get('/a');
        assert.equal(second.body.toString(), whole);
        assert.equal(willis.origin.count(), 2);
        assert.equal((await willis.get('/a')).body.toString(), whole);
      });
    }

    it('by a reset inside a chunk break for the client, and are not stored (RFC 9112 §8)', async () => {
      willis.serve(
        inTurn(
          (_request, response) => {
            response.writeHead(200, fresh);
            response.flushHeaders();
            const socket = response.socket as Socket;
            socket.write('A\r\nonly', () => socket.resetAndDestroy());
          },
          answer(200, fresh, 'whole'),
        ),
      );
      const client = await willis.begin('GET', '/a');
      await assert.rejects(client.receive());
      assert.equal((await willis.get('/a')).body.toString(), 'whole');
    });
  });

  it('the answer to POST serves a later GET if it says so by Content-Location and its freshness (RFC 9110 §9.3.3)', async () => {
    const here = 'http://site.test/a';
    willis.serve((request, response, index) =>
      answer(200, { ...fresh, ...(request.method === 'POST' && { 'Content-Location': here }) }, `answer ${index}`)(
        request,
        response,
        index,
      ),
    );
    await willis.get('/a');
    const post = await willis.ask('POST', '/a', {}, 'change');
    assert.equal(post.body.toString(), 'answer 1');
    assert.equal(cacheStatusOf(post)['stored'], true);
    const get = await willis.get('/a');
    assert.equal(outcomeOf(get), 'hit');
    assert.equal(get.body.toString(), 'answer 1');
  });

  it('the answer to POST without Content-Location serves no GET (RFC 9110 §9.3.3)', async () => {
    willis.serve(numbered(200, fresh));
    await willis.ask('POST', '/a', {}, 'change');
    assert.equal((await willis.get('/a')).body.toString(), 'answer 1');
  });

  it('a body larger than the operator allows passes through whole and is not stored', async () => {
    await willis.stop();
    willis = await startWillis({ config: { cache: { maxDocument: '64KiB' } } });
    const large = Buffer.alloc(300_000, 'x');
    willis.serve(inTurn(answer(200, fresh, large), answer(200, { ...fresh, 'Content-Length': null }, large)));
    for (const expected of [1, 2, 3]) {
      const response = await willis.get('/a');
      assert.equal(response.body.length, large.length);
      assert.equal(willis.origin.count(), expected);
    }
  });

  it('a client that stops reading holds the origin server back instead of filling memory', async () => {
    await willis.stop();
    willis = await startWillis({ config: { cache: { maxDocument: '64KiB' } } });
    const total = 400;
    let written = 0;
    willis.serve(async (_request, response) => {
      response.writeHead(200, fresh);
      for (; written < total; written++) if (!response.write(Buffer.alloc(256 * 1024))) await once(response, 'drain');
      response.end();
    });
    const client = await RawClient.connect(willis.sitePort);
    client.stopReading();
    client.request('GET', '/a', { Host: 'site.test' });
    await willis.origin.received(1);
    let before = -1;
    while (before !== written) {
      before = written;
      await turns(2000);
    }
    assert.ok(written < total / 2, `${written} of ${total} pieces were taken`);
    client.close();
    assert.equal(await willis.origin.last.ended, 'aborted');
  });
});
