import assert from 'node:assert/strict';
import { once } from 'node:events';
import { milliseconds, type Bytes } from '../../config/units.js';
import { Cancellation } from '../../proxy/base/cancellation.js';
import { WillisError } from '../../proxy/base/errors.js';
import type { HttpUpstream } from '../../proxy/forward/http-upstream.js';
import { BufferedBody, type Body } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import { gate } from '../support/gate.js';
import { rawOrigin, type RawOrigin, type RawScript } from '../support/raw-origin.js';
import { turns } from '../support/willis.js';
import { createUpstream, failsWith, get, never, textOf } from './upstream-fixture.js';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

const gone = new WillisError('client-gone', 'test');

/** Content that comes when the test says so; reading it after its cancellation is an error, as with a client's. */
class HeldBody implements Body {
  readonly length: Bytes | null = null;
  readonly trailers = Fields.none;
  readonly held = gate();
  reads = 0;
  cancelled = false;
  constructor(private readonly chunks: readonly string[] = ['content']) {}

  async read(): Promise<Buffer | null> {
    assert.ok(!this.cancelled, 'a cancelled body was read');
    const chunk = this.chunks[this.reads++];
    await this.held.promise;
    return chunk === undefined ? null : Buffer.from(chunk);
  }
  cancel(): void {
    this.cancelled = true;
  }
}

describe('a connection to an origin server', () => {
  let origin: RawOrigin;
  let upstream: HttpUpstream;

  const start = async (script: RawScript, options: Parameters<typeof createUpstream>[0] = {}): Promise<void> => {
    origin = await rawOrigin(script);
    upstream = createUpstream(options);
  };

  afterEach(async () => {
    await origin.close();
    await upstream.close();
  });

  describe('that ends while its reader is slow', () => {
    const size = 1_000_000;
    const heads = {
      'Content-Length': `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`,
      'the end': 'HTTP/1.1 200 OK\r\n\r\n',
      chunks: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`,
    };
    for (const [framing, head] of Object.entries(heads)) {
      for (const pause of [1, 3, 40]) {
        it(`has brought the whole content that ${framing} delimits, read after ${pause} turns (RFC 9112 §8)`, async () => {
          await start((socket) => {
            socket.write(head);
            socket.write(Buffer.alloc(size));
            socket.end(framing === 'chunks' ? '\r\n0\r\n\r\n' : '');
          });
          const { body } = await upstream.forward(get(origin.target()), never);
          let total = 0;
          for (let chunk = await body!.read(); chunk !== null; chunk = await body!.read()) {
            total += chunk.length;
            await turns(pause);
          }
          assert.equal(total, size);
        });
      }
    }

    it('with less than the content in its last bytes has not brought it: upstream-incomplete (RFC 9112 §8)', async () => {
      await start((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size + 1}\r\n\r\n`);
        socket.end(Buffer.alloc(size));
      });
      const response = await upstream.forward(get(origin.target()), never);
      await turns(100);
      await assert.rejects(textOf(response), failsWith('upstream-incomplete'));
    });

    it('and whose content is all there is free for the next request before it is read', async () => {
      const exactly = 256 * 1024;
      await start((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${exactly}\r\n\r\n`);
        socket.write(Buffer.alloc(exactly));
      });
      const first = await upstream.forward(get(origin.target()), never);
      const closing = upstream.close();
      await closing;
      assert.equal((await textOf(first)).length, exactly);
    });
  });

  describe('given up', () => {
    it('at whatever moment before an answer is given up, and the next request is clean', async () => {
      await start((socket, text) => {
        if (!text.includes('/held')) socket.write(ok);
      });
      await textOf(await upstream.forward(get(origin.target()), never));
      for (let ticks = 0; ticks < 12; ticks++) {
        const cancellation = new Cancellation();
        const response = upstream.forward(get(origin.target('/held')), { cancellation });
        const given = assert.rejects(response, failsWith('client-gone'));
        for (let i = 0; i < ticks; i++) await Promise.resolve();
        cancellation.cancel(gone);
        await given;
        await textOf(await upstream.forward(get(origin.target()), never));
      }
    });

    it('while its content waits for the client: the content is cancelled', async () => {
      await start(() => undefined);
      const body = new HeldBody();
      const cancellation = new Cancellation();
      const response = upstream.forward(get(origin.target(), { method: 'POST', body }), { cancellation });
      while (origin.requests.length < 1) await turns(1);
      cancellation.cancel(gone);
      await assert.rejects(response, failsWith('client-gone'));
      assert.equal(body.cancelled, true);
      body.held.open();
      await turns();
      assert.equal(body.reads, 1);
    });

    it('while the origin server does not take the content: nothing more of it is read', async () => {
      await start((socket) => void socket.pause());
      let reads = 0;
      const flood: Body = {
        length: null,
        trailers: Fields.none,
        read: () => {
          assert.ok(!cancellation.cancelled, 'read after the end');
          reads++;
          return Buffer.alloc(65_536);
        },
        cancel: () => undefined,
      };
      const cancellation = new Cancellation();
      const response = upstream.forward(get(origin.target(), { method: 'POST', body: flood }), { cancellation });
      for (let before = -1; before !== reads || reads === 0; before = reads) await turns(50);
      cancellation.cancel(gone);
      await assert.rejects(response, failsWith('client-gone'));
      await turns(50);
    });
  });

  describe('kept', () => {
    it('and about to be closed does not carry a PUT, whose content could not be sent again', async () => {
      await start((socket, text) => {
        if (text.startsWith('GET')) socket.write(ok);
        else if (socket === origin.connections[0]) socket.end();
        else if (text.endsWith('0\r\n\r\n')) socket.write(ok);
      });
      await textOf(await upstream.forward(get(origin.target()), never));
      const body = new HeldBody();
      const response = upstream.forward(get(origin.target(), { method: 'PUT', body }), never);
      await turns(50);
      body.held.open();
      assert.equal(await textOf(await response), 'ok');
      assert.equal(body.cancelled, false);
    });

    it('is closed when the origin server ends it right behind a response (RFC 9112 §9.6)', async () => {
      await start((socket) => void socket.end(ok));
      for (let i = 0; i < 3; i++) assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), 'ok');
      await once(origin.connections[2]!, 'close').catch(() => undefined);
    });
  });

  describe('100 (Continue)', () => {
    const expecting = (body: Body) => ({ method: 'PUT', body, expectContinue: true });

    it('is told once, though the origin server says it after the client was no longer kept waiting (RFC 9110 §10.1.1)', async () => {
      const told = gate();
      await start(
        (socket, text) => {
          if (text.includes('Expect')) void told.promise.then(() => socket.write('HTTP/1.1 100 Continue\r\n\r\n'));
          if (text.endsWith('0\r\n\r\n')) socket.write(ok);
        },
        { continueTimeout: milliseconds(10) },
      );
      const body = new HeldBody();
      const informed: number[] = [];
      const onInformational = (status: number): void => {
        informed.push(status);
        told.open();
      };
      const request = get(origin.target(), expecting(body));
      const response = upstream.forward(request, { ...never, onInformational });
      await told.promise;
      await turns(50);
      body.held.open();
      assert.equal(await textOf(await response), 'ok');
      assert.deepEqual(informed, [100]);
    });

    it('is waited for; a final answer instead of it leaves the content unread (RFC 9110 §10.1.1)', async () => {
      await start((socket) => void socket.write('HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n'));
      const body = new HeldBody();
      const onInformational = (): void => assert.fail('nothing to continue with');
      const response = await upstream.forward(get(origin.target(), expecting(body)), { ...never, onInformational });
      assert.equal(response.status, 417);
      assert.equal(body.reads, 0);
      assert.equal(body.cancelled, true);
    });
  });

  describe('of a pool that closes', () => {
    it('is waited for, also by those who wait for their turn', async () => {
      const held = [gate(), gate()];
      await start(
        (socket, _text, index) =>
          void held[index]!.promise.then(() => socket.end(ok.replace('OK', 'OK\r\nConnection: close'))),
        { connections: 1 },
      );
      const first = upstream.forward(get(origin.target()), never).then(textOf);
      const second = upstream.forward(get(origin.target()), never).then(textOf);
      while (origin.requests.length < 1) await turns(1);
      let closed = false;
      const closing = upstream.close().then(() => (closed = true));
      held[0]!.open();
      assert.equal(await first, 'ok');
      while (origin.requests.length < 2) await turns(1);
      assert.equal(closed, false);
      held[1]!.open();
      assert.equal(await second, 'ok');
      await closing;
    });
  });

  it('an answer to content of known length that is complete leaves the connection to the next request', async () => {
    await start((socket) => void socket.write(ok));
    const put = get(origin.target(), { method: 'PUT', body: BufferedBody.from('x') });
    await textOf(await upstream.forward(put, never));
    await textOf(await upstream.forward(get(origin.target()), never));
    assert.equal(origin.connections.length, 1);
  });
});
