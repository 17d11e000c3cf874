import assert from 'node:assert/strict';
import fc from 'fast-check';
import { milliseconds } from '../../config/units.js';
import { Cancellation } from '../../proxy/base/cancellation.js';
import { WillisError } from '../../proxy/base/errors.js';
import type { HttpUpstream, HttpUpstreamOptions } from '../../proxy/forward/http-upstream.js';
import { OriginPlaces } from '../../proxy/forward/origin-places.js';
import { ParentProxy } from '../../proxy/forward/parent-proxy.js';
import { gate, type Gate } from '../support/gate.js';
import { rawOrigin, type RawOrigin } from '../support/raw-origin.js';
import { closing } from './connected-pair.js';
import { createDialler, createUpstream, failsWith, get, never, textOf } from './upstream-fixture.js';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('upstream.origins', () => {
  let origins: RawOrigin[];
  /** Held back while a gate is closed. */
  let held: Map<RawOrigin, Gate>;
  let upstream: HttpUpstream;

  const start = async (count: number, options: Partial<HttpUpstreamOptions>): Promise<void> => {
    held = new Map();
    origins = [];
    for (let i = 0; i < count; i++) {
      const origin: RawOrigin = await rawOrigin((socket) => {
        void (held.get(origin)?.promise ?? Promise.resolve()).then(() => socket.write(ok));
      });
      origins.push(origin);
    }
    upstream = createUpstream(options);
  };

  afterEach(async () => {
    for (const one of held.values()) one.open();
    await upstream.close();
    for (const origin of origins) await origin.close();
  });

  const origin = (index: number): RawOrigin => origins[index] as RawOrigin;
  const ask = async (index: number, cancellation = never.cancellation): Promise<string> =>
    textOf(await upstream.forward(get(origin(index).target()), { cancellation }));
  const hold = (index: number): Gate => {
    const one = gate();
    held.set(origin(index), one);
    return one;
  };
  const received = async (index: number, count = 1): Promise<void> => {
    while (origin(index).requests.length < count) await new Promise(setImmediate);
  };
  const waiting = async (count: number): Promise<void> => {
    while (upstream.connections.waiting < count) await new Promise(setImmediate);
  };

  it('beyond them the idle connections of the one that was not used for the longest time are closed', async () => {
    await start(3, { origins: 2 });
    await ask(0);
    await ask(1);
    await ask(0);
    await ask(2);
    await closing(origin(1).connections[0]!);
    assert.equal(upstream.connections.origins, 2);
    await ask(0);
    assert.equal(origin(0).connections.length, 1);
  });

  it('a request waits where all are in use, until one of them is done with', async () => {
    await start(3, { origins: 2 });
    const [first, second] = [hold(0), hold(1)];
    const busy = [ask(0), ask(1)];
    await received(0);
    await received(1);
    const next = ask(2);
    await waiting(1);
    assert.equal(origin(2).connections.length, 0);
    second.open();
    assert.equal(await next, 'ok');
    first.open();
    await Promise.all(busy);
    assert.deepEqual([upstream.connections.origins, upstream.connections.waiting], [2, 0]);
  });

  it('all requests for one that has got a place are let in with it', async () => {
    await start(2, { origins: 1 });
    const first = hold(0);
    const busy = ask(0);
    await received(0);
    const next = [ask(1), ask(1), ask(1)];
    await waiting(3);
    first.open();
    await busy;
    assert.deepEqual(await Promise.all(next), ['ok', 'ok', 'ok']);
  });

  it('a request that waited for connectTimeout is refused as too-busy', async () => {
    await start(2, { origins: 1, connectTimeout: milliseconds(20) });
    const first = hold(0);
    const busy = ask(0);
    await received(0);
    await assert.rejects(ask(1), failsWith('too-busy'));
    first.open();
    await busy;
    assert.equal(await ask(1), 'ok');
  });

  it('a request whose client goes away waits no longer', async () => {
    await start(3, { origins: 1 });
    const first = hold(0);
    const busy = ask(0);
    await received(0);
    const cancellation = new Cancellation();
    const gone = ask(1, cancellation);
    const next = ask(2);
    await waiting(2);
    cancellation.cancel(new WillisError('client-gone', 'test'));
    await assert.rejects(gone, failsWith('client-gone'));
    first.open();
    await busy;
    assert.equal(await next, 'ok');
    assert.equal(origin(1).connections.length, 0);
  });

  it('a connection that fails gives its place back', async () => {
    await start(2, { origins: 1 });
    const target = origin(0).target();
    await origin(0).close();
    for (let i = 0; i < 3; i++)
      await assert.rejects(upstream.forward(get(target), never), failsWith('connect-refused'));
    assert.equal(await ask(1), 'ok');
    assert.deepEqual([upstream.connections.origins, upstream.connections.open], [1, 1]);
  });

  it('whatever happens, no more have connections than may, nobody is forgotten, and the counts are true', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ origin: fc.nat(3), relayed: fc.boolean(), aborted: fc.boolean(), post: fc.boolean() }), {
          maxLength: 40,
        }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        async (requests, places, connections) => {
          await start(5, { origins: places, connections });
          const uri = { scheme: 'http', host: '127.0.0.1', port: origin(4).port, authority: '' } as const;
          const dialler = createDialler({ parent: new ParentProxy(uri, null), noProxy: ['private'] });
          upstream = createUpstream({ origins: places, connections, dialler });
          let most = 0;
          const asked = requests.map(async ({ origin: index, relayed, aborted, post }) => {
            const cancellation = new Cancellation();
            const target = origin(index).target('/', relayed ? 'relayed.example' : '127.0.0.1');
            const request = get(target, post ? { method: 'POST' } : {});
            const forwarded = upstream.forward(request, { cancellation });
            most = Math.max(most, upstream.connections.origins);
            if (aborted) setImmediate(() => cancellation.cancel(new WillisError('client-gone', 'test')));
            try {
              const text = await textOf(await forwarded);
              most = Math.max(most, upstream.connections.origins);
              return text;
            } catch (error) {
              assert.ok(aborted && error instanceof WillisError && error.code === 'client-gone', String(error));
              return 'gone';
            }
          });
          const answers = await Promise.all(asked);
          answers.forEach((text, i) => assert.ok(text === 'ok' || requests[i]?.aborted === true, text));
          assert.ok(most <= places, `${most} <= ${places}`);
          const counts = upstream.connections;
          assert.equal(counts.waiting, 0);
          assert.equal(counts.open, counts.idle);
          assert.ok(counts.origins <= places, `${counts.origins} <= ${places}`);
          await upstream.close();
          assert.deepEqual([upstream.connections.open, upstream.connections.origins], [0, 0]);
          for (const one of origins) await one.close();
        },
      ),
      { numRuns: 100 },
    );
  }).timeout(60_000);
});

describe('places for origin servers', () => {
  it('are refused to more requests than may wait', async () => {
    const places = new OriginPlaces({ origins: 1, timeout: milliseconds(60_000), makeRoom: () => false });
    assert.equal(places.take('a'), true);
    assert.equal(places.take('b'), false);
    const controllers = Array.from({ length: 1024 }, () => new AbortController());
    const waiting = controllers.map(({ signal }, i) => places.wait(`key-${i}`, signal).catch(() => undefined));
    await assert.rejects(places.wait('one more', never.signal), failsWith('too-busy'));
    for (const controller of controllers) controller.abort(new WillisError('client-gone', 'test'));
    await Promise.all(waiting);
    assert.equal(places.waiting, 0);
    places.free('a');
    assert.equal(places.take('b'), true);
  });

  it('go to those who came first, and not to one who comes just then', async () => {
    const places = new OriginPlaces({ origins: 1, timeout: milliseconds(60_000), makeRoom: () => false });
    places.take('a');
    const waits = places.wait('b', never.signal);
    places.free('a');
    assert.equal(places.take('c'), false);
    await waits;
    assert.equal(places.take('b'), true);
  });
});
