import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { bytes, milliseconds, type Bytes } from '../../config/units.js';
import { Cancellation } from '../../proxy/base/cancellation.js';
import { WillisError } from '../../proxy/base/errors.js';
import type { HttpUpstream } from '../../proxy/forward/http-upstream.js';
import type { OutgoingRequest } from '../../proxy/forward/upstream.js';
import { BufferedBody, type Body } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import { rawOrigin, type RawOrigin, type RawScript } from '../support/raw-origin.js';
import { createUpstream, failsWith, get, never, textOf } from './upstream-fixture.js';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const proceed = 'HTTP/1.1 100 Continue\r\n\r\n';

/** Counts its reads; gives one chunk. */
class CountedBody implements Body {
  readonly trailers = Fields.none;
  reads = 0;
  cancelled = false;
  constructor(
    readonly length: Bytes | null,
    private readonly chunk: string,
  ) {}
  read(): Buffer | null {
    return this.reads++ === 0 ? Buffer.from(this.chunk) : null;
  }
  cancel(): void {
    this.cancelled = true;
  }
}

describe('a request with Expect: 100-continue', () => {
  let origin: RawOrigin;
  let upstream: HttpUpstream;

  const start = async (script: RawScript, options: Parameters<typeof createUpstream>[0] = {}): Promise<void> => {
    origin = await rawOrigin(script);
    upstream = createUpstream({ continueTimeout: milliseconds(5000), ...options });
  };
  afterEach(async () => {
    await origin.close();
    await upstream.close();
  });

  const expecting = (body: Body): OutgoingRequest =>
    get(origin.target(), { method: 'POST', body, expectContinue: true });

  /** Asks for the content, and answers when all of it has come. */
  const asking =
    (end: string): RawScript =>
    (socket) => {
      let text = '';
      socket.removeAllListeners('data');
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        if (text.endsWith(end)) socket.write(ok);
      });
      socket.write(proceed);
    };

  it('has the field, and its content is read only after 100 (RFC 9110 §10.1.1)', async () => {
    await start(asking('content'));
    const body = new CountedBody(bytes(7), 'content');
    const informed: [number, number][] = [];
    const onInformational = (status: number): void => void informed.push([status, body.reads]);
    const response = await upstream.forward(expecting(body), { ...never, onInformational });
    assert.equal(await textOf(response), 'ok');
    assert.match(origin.requests[0]!, /\r\nexpect: 100-continue\r\n/i);
    assert.match(origin.requests[0]!, /\r\ncontent-length: 7\r\n(?:.*\r\n)*\r\n$/i);
    assert.deepEqual(informed, [[100, 0]]);
  });

  it('with content of unknown length is chunked after 100 (RFC 9112 §7.1)', async () => {
    await start(asking('7\r\ncontent\r\n0\r\n\r\n'));
    const response = await upstream.forward(expecting(new CountedBody(null, 'content')), never);
    assert.equal(await textOf(response), 'ok');
  });

  for (const status of [417, 413, 401, 200]) {
    it(`answered by ${status} first: the answer is passed on and the content never read (RFC 9110 §10.1.1)`, async () => {
      await start((socket) => void socket.write(`HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\nno`));
      const body = new CountedBody(bytes(7), 'content');
      const onInformational = (): void => assert.fail('no 100 came');
      const response = await upstream.forward(expecting(body), { ...never, onInformational });
      assert.equal(response.status, status);
      assert.equal(await textOf(response), 'no');
      assert.equal(body.reads, 0);
    });
  }

  it('after whose refusal the connection carries no other request (RFC 9110 §10.1.1)', async () => {
    await start((socket) => void socket.write('HTTP/1.1 417 X\r\nContent-Length: 2\r\n\r\nno'));
    await textOf(await upstream.forward(expecting(new CountedBody(bytes(7), 'content')), never));
    await textOf(await upstream.forward(get(origin.target()), never));
    assert.equal(origin.connections.length, 2);
  });

  it('to an origin server that knows no 100 is sent all the same after a while (RFC 9110 §10.1.1)', async () => {
    let text = '';
    await start(
      (socket: Socket) => {
        socket.removeAllListeners('data');
        socket.on('data', (chunk: Buffer) => {
          text += chunk.toString('latin1');
          if (text.endsWith('content')) socket.write(ok);
        });
      },
      { continueTimeout: milliseconds(20) },
    );
    const response = await upstream.forward(expecting(new CountedBody(bytes(7), 'content')), never);
    assert.equal(await textOf(response), 'ok');
  });

  it('102 and 103 before 100 do not release the content (RFC 9110 §15.2)', async () => {
    await start((socket, text, index) => {
      socket.write('HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n');
      asking('content')(socket, text, index);
    });
    const body = new CountedBody(bytes(7), 'content');
    const informed: [number, number][] = [];
    const onInformational = (status: number): void => void informed.push([status, body.reads]);
    await textOf(await upstream.forward(expecting(body), { ...never, onInformational }));
    assert.deepEqual(informed, [
      [102, 0],
      [103, 0],
      [100, 0],
    ]);
  });

  it('a second 100 is not passed on, and the content is sent once', async () => {
    let text = '';
    await start((socket) => {
      socket.removeAllListeners('data');
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        if (text.endsWith('content')) socket.write(ok);
      });
      socket.write(proceed + proceed);
    });
    const informed: number[] = [];
    const onInformational = (status: number): void => void informed.push(status);
    const body = new CountedBody(bytes(7), 'content');
    await textOf(await upstream.forward(expecting(body), { ...never, onInformational }));
    assert.deepEqual(informed, [100]);
    assert.equal(text, 'content');
  });

  it('without content is sent without the expectation (RFC 9110 §10.1.1)', async () => {
    await start((socket) => void socket.write(ok));
    const request = { ...get(origin.target()), expectContinue: true };
    assert.equal(await textOf(await upstream.forward(request, never)), 'ok');
    assert.doesNotMatch(origin.requests[0]!, /expect/i);
  });

  it('with empty content is sent without the expectation (RFC 9110 §10.1.1)', async () => {
    await start((socket) => void socket.write(ok));
    const empty = expecting(BufferedBody.from(''));
    assert.equal(await textOf(await upstream.forward(empty, never)), 'ok');
    assert.doesNotMatch(origin.requests[0]!, /expect/i);
  });

  it('fails like any other: reset, silence, an odd answer, the client going away', async () => {
    const answers: Record<string, [RawScript, Parameters<typeof failsWith>[0]]> = {
      reset: [(socket) => void socket.resetAndDestroy(), 'upstream-reset'],
      silence: [() => undefined, 'upstream-timeout'],
      'an unasked 101': [(socket) => void socket.write('HTTP/1.1 101 X\r\n\r\n'), 'upstream-malformed'],
      'gzip, chunked': [
        (socket) => void socket.write(ok.replace('Content-Length: 2', 'Transfer-Encoding: gzip, chunked')),
        'upstream-malformed',
      ],
    };
    for (const [script, code] of Object.values(answers)) {
      await start(script, { firstByteTimeout: milliseconds(100) });
      await assert.rejects(upstream.forward(expecting(new CountedBody(bytes(7), 'content')), never), failsWith(code));
      await origin.close();
      await upstream.close();
    }
    await start(() => undefined);
    const cancellation = new Cancellation();
    const pending = upstream.forward(expecting(new CountedBody(null, 'x')), { cancellation });
    while (origin.requests.length === 0) await new Promise(setImmediate);
    cancellation.cancel(new WillisError('client-gone', 'test'));
    await assert.rejects(pending, failsWith('client-gone'));
  });
});
