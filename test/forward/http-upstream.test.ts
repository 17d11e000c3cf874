import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { bytes, milliseconds } from '../../config/units.js';
import { Cancellation } from '../../proxy/base/cancellation.js';
import { WillisError } from '../../proxy/base/errors.js';
import { DialGuard } from '../../proxy/forward/dial-guard.js';
import type { HttpUpstream } from '../../proxy/forward/http-upstream.js';
import { BufferedBody, type Body } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import { gate } from '../support/gate.js';
import { pour, rawOrigin, type RawOrigin, type RawScript } from '../support/raw-origin.js';
import { settled } from '../support/waiting.js';
import { createUpstream, failsWith, get, never, textOf } from './upstream-fixture.js';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A body whose chunks the test hands out one by one. */
class ScriptedBody implements Body {
  readonly length = null;
  readonly trailers = Fields.none;
  reads = 0;
  cancelled = false;
  constructor(private readonly next: (index: number) => Buffer | null | Promise<Buffer | null>) {}
  read(): Buffer | null | Promise<Buffer | null> {
    return this.next(this.reads++);
  }
  cancel(): void {
    this.cancelled = true;
  }
}

describe('the HTTP upstream', () => {
  let origin: RawOrigin;
  let upstream: HttpUpstream;
  const opened: { close(): Promise<void> }[] = [];

  const start = async (script: RawScript, options: Parameters<typeof createUpstream>[0] = {}): Promise<void> => {
    origin = await rawOrigin(script);
    upstream = createUpstream(options);
    opened.push(origin, upstream);
  };
  const answering = (...answers: string[]): Promise<void> =>
    start((socket, _text, index) => void socket.write(answers[Math.min(index, answers.length - 1)] ?? '', 'latin1'));

  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  describe('a response', () => {
    it('has status, reason, fields in order and case, and content (RFC 9112 §4)', async () => {
      await answering('HTTP/1.1 203 Fair \xe9\r\nX-A: 1\r\nx-b:  \xe9 \r\nX-A: 2\r\nContent-Length: 3\r\n\r\nabc');
      const response = await upstream.forward(get(origin.target()), never);
      assert.equal(response.status, 203);
      assert.deepEqual(response.fields.lines, ['X-A', '1', 'x-b', '\xe9', 'X-A', '2', 'Content-Length', '3']);
      assert.equal(response.body?.length, 3);
      assert.equal(await textOf(response), 'abc');
      assert.equal(response.body.read(), null);
    });

    it('keeps a reason phrase of UTF-8 octets as octets, and may do without one (RFC 9112 §4)', async () => {
      await answering(
        'HTTP/1.1 200 \xc3\xa9\r\nContent-Length: 0\r\n\r\n',
        'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n',
      );
      assert.equal((await upstream.forward(get(origin.target()), never)).reason, '\xc3\xa9');
      assert.equal((await upstream.forward(get(origin.target()), never)).reason, '');
    });

    for (const status of [200, 299, 404, 599, 600, 999]) {
      it(`with status ${status} is passed on as it is (RFC 9110 §15)`, async () => {
        await answering(`HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`);
        assert.equal((await upstream.forward(get(origin.target()), never)).status, status);
      });
    }

    it('that is chunked is decoded, with its trailers (RFC 9112 §7.1)', async () => {
      const trailers = 'X-Sum: 9\r\nContent-Type: x\r\nTransfer-Encoding: x\r\nHost: x\r\n\r\n';
      await answering(
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\n${trailers}`,
      );
      const response = await upstream.forward(get(origin.target()), never);
      assert.equal(response.body?.length, null);
      assert.equal(await textOf(response), 'abcde');
      assert.deepEqual(response.body.trailers.lines, ['X-Sum', '9']);
    });

    it('without length lasts until the end of the connection (RFC 9112 §6.3)', async () => {
      await start((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end'));
      assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), 'until the end');
      await start((socket) => socket.end('HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n'));
      assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), '');
    });

    for (const status of [204, 304]) {
      it(`with status ${status} has no content, whatever its Content-Length says (RFC 9112 §6.3)`, async () => {
        await answering(`HTTP/1.1 ${status} X\r\nContent-Length: 100\r\n\r\n`, ok);
        const response = await upstream.forward(get(origin.target()), never);
        assert.equal(response.body, null);
        assert.equal(response.fields.first('content-length'), '100');
        assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), 'ok');
      });
    }

    it('to HEAD has no content, whatever its framing fields say (RFC 9112 §6.3)', async () => {
      await answering(
        'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
        ok,
      );
      assert.equal((await upstream.forward(get(origin.target(), { method: 'HEAD' }), never)).body, null);
      assert.equal((await upstream.forward(get(origin.target(), { method: 'HEAD' }), never)).body, null);
      assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), 'ok');
    });

    it('may come byte by byte, also its interim responses', async () => {
      const text =
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n';
      const send = async (socket: Socket): Promise<void> => {
        socket.setNoDelay(true);
        for (const c of text) await new Promise<void>((resolve) => socket.write(c, () => setImmediate(resolve)));
      };
      await start((socket) => void send(socket));
      const informed: number[] = [];
      const onInformational = (status: number): void => void informed.push(status);
      const response = await upstream.forward(get(origin.target()), { ...never, onInformational });
      assert.equal(await textOf(response), 'abc');
      assert.deepEqual(informed, [103]);
      assert.deepEqual(response.body?.trailers.lines, ['X', 'y']);
    });
  });

  describe('interim responses', () => {
    it('102 and 103 are passed on as they come, each with its own fields (RFC 9110 §15.2, RFC 8297)', async () => {
      await answering(
        `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n${ok}`,
      );
      const informed: [number, readonly string[]][] = [];
      const onInformational = (status: number, fields: Fields): void => void informed.push([status, fields.lines]);
      const response = await upstream.forward(get(origin.target()), { ...never, onInformational });
      assert.deepEqual(informed, [
        [102, []],
        [103, ['Link', '</a>; rel=preload']],
      ]);
      assert.deepEqual(response.fields.lines, ['Content-Length', '2']);
      assert.equal(await textOf(response), 'ok');
    });

    it('100 that was not asked for is ignored (RFC 9110 §15.2.1)', async () => {
      await answering(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\nX: y\r\n\r\n${ok}`);
      const onInformational = (): void => assert.fail('not asked for');
      const response = await upstream.forward(get(origin.target()), { ...never, onInformational });
      assert.deepEqual(response.fields.lines, ['Content-Length', '2']);
      assert.equal(await textOf(response), 'ok');
    });

    it('without end are too many', async () => {
      await answering('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100));
      await assert.rejects(upstream.forward(get(origin.target()), never), failsWith('upstream-malformed'));
    });
  });

  describe('a hostile answer', () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    const malformedHeads: Record<string, string> = {
      'no HTTP at all': 'hello, this is not HTTP\r\n\r\n',
      'HTTP/0.9': '<html></html>',
      'HTTP/2.0': 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n',
      'another protocol': 'ICY 200 OK\r\n\r\nabc',
      'a protocol the parser knows': 'RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n',
      'lower-case HTTP': 'http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      'an empty line before it': '\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      'two spaces before the status': 'HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n',
      'a status of two digits': 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n',
      'a status of four digits': 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n',
      'a status below 100': 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n',
      'a control character in the reason': 'HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n',
      'bare LF': 'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
      'bare LF after a field': 'HTTP/1.1 200 OK\r\nA: b\nContent-Length: 0\r\n\r\n',
      'bare CR in a field': 'HTTP/1.1 200 OK\r\nA: b\rc\r\nContent-Length: 0\r\n\r\n',
      'NUL in a field': 'HTTP/1.1 200 OK\r\nA: b\0c\r\nContent-Length: 0\r\n\r\n',
      'DEL in a field': 'HTTP/1.1 200 OK\r\nA: b\x7fc\r\nContent-Length: 0\r\n\r\n',
      'a folded field': 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n',
      'white space before the first field': 'HTTP/1.1 200 OK\r\n A: b\r\nContent-Length: 0\r\n\r\n',
      'white space before the colon': 'HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n',
      'a space in a field name': 'HTTP/1.1 200 OK\r\nA B: c\r\nContent-Length: 0\r\n\r\n',
      'an empty field name': 'HTTP/1.1 200 OK\r\n: c\r\nContent-Length: 0\r\n\r\n',
      'a line without colon': 'HTTP/1.1 200 OK\r\nabc\r\nContent-Length: 0\r\n\r\n',
      'Content-Length and chunked':
        'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      'Content-Length twice': 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc',
      'two Content-Lengths that differ': 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
      'a list as Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc',
      'a negative Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc',
      'a signed Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc',
      'a hexadecimal Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length: 0x3\r\n\r\nabc',
      'an empty Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nabc',
      'a Content-Length beyond 2^53': 'HTTP/1.1 200 OK\r\nContent-Length: 1152921504606846976\r\n\r\nabc',
      'a Content-Length beyond 2^64': 'HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc',
      'gzip, chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      'chunked, chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n',
      'chunked twice': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'chunked, gzip': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
      identity: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nabc',
      ',chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n',
      xchunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
      'vertical tab before chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n',
      'an empty Transfer-Encoding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: \r\n\r\nabc',
      'chunked in HTTP/1.0': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      '101 with Upgrade': 'HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x02hi',
      '101 without Upgrade': 'HTTP/1.1 101 S\r\n\r\n',
      'a head without end': `HTTP/1.1 200 OK\r\n${`X: ${'y'.repeat(1000)}\r\n`.repeat(100)}`,
      'an interim head without end': `HTTP/1.1 103 X\r\n${`X: ${'y'.repeat(1000)}\r\n`.repeat(100)}`,
    };
    for (const [name, answer] of Object.entries(malformedHeads)) {
      it(`${name}: refused, the connection dropped, and the next request clean (RFC 9112 §6.3, §11)`, async () => {
        const dropped = gate();
        await start((socket, _text, index) => {
          socket.once('close', () => dropped.open());
          if (index > 0) socket.write(ok);
          else socket.write(answer, 'latin1');
          if (name === 'HTTP/0.9') socket.end();
        });
        const error = await upstream.forward(get(origin.target()), never).then(
          () => assert.fail('accepted'),
          (reason: unknown) => reason as WillisError,
        );
        assert.equal(error.code, 'upstream-malformed', `${error.code}: ${error.message}`);
        await dropped.promise;
        assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), 'ok');
      });
    }

    const malformedBodies: Record<string, string> = {
      'chunk size 0x3': `${chunked}0x3\r\nabc\r\n0\r\n\r\n`,
      'chunk size -1': `${chunked}-1\r\nabc\r\n0\r\n\r\n`,
      'chunk size with a space': `${chunked}3 \r\nabc\r\n0\r\n\r\n`,
      'chunk size ended by LF': `${chunked}3\nabc\r\n0\r\n\r\n`,
      'chunk extension ended by LF': `${chunked}3;a\nabc\r\n0\r\n\r\n`,
      'chunk size beyond 2^64': `${chunked}fffffffffffffffff\r\nabc`,
      'chunk data without CRLF': `${chunked}3\r\nabcX\r\n0\r\n\r\n`,
      'an empty chunk size': `${chunked}\r\nabc`,
      'a folded trailer': `${chunked}0\r\nA: b\r\n c\r\n\r\n`,
    };
    for (const [name, answer] of Object.entries(malformedBodies)) {
      it(`${name}: the body breaks, and the next request is clean (RFC 9112 §7.1)`, async () => {
        await answering(answer, ok);
        await assert.rejects(
          upstream.forward(get(origin.target()), never).then(textOf),
          failsWith('upstream-malformed'),
        );
        assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), 'ok');
      });
    }

    it('bytes after a complete response never reach the next request (RFC 9112 §6.3)', async () => {
      const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
      await answering(ok + evil, ok);
      for (let i = 0; i < 3; i++) assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), 'ok');
      assert.ok(origin.connections.length > 1, String(origin.connections.length));
    });

    it('a second response that comes later on the idle connection closes it (RFC 9112 §6.3)', async () => {
      const closed = gate();
      const second = gate();
      await start((socket, _text, index) => {
        socket.once('close', () => closed.open());
        socket.write(ok);
        if (index === 0) void second.promise.then(() => socket.write(ok.replace('ok', 'no')));
      });
      assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), 'ok');
      second.open();
      await closed.promise;
      assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), 'ok');
    });

    it('content after a 204, a 304 or to HEAD never reaches the next request (RFC 9112 §6.3)', async () => {
      const evil = 'Content-Length: 60\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
      await answering(`HTTP/1.1 204 X\r\n${evil}`, `HTTP/1.1 304 X\r\n${evil}`, `HTTP/1.1 200 X\r\n${evil}`, ok);
      assert.equal((await upstream.forward(get(origin.target()), never)).status, 204);
      assert.equal((await upstream.forward(get(origin.target()), never)).status, 304);
      assert.equal((await upstream.forward(get(origin.target(), { method: 'HEAD' }), never)).status, 200);
      assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), 'ok');
    });
  });

  describe('a broken transfer', () => {
    const partly = (text: string, how: (socket: Socket) => void, options: Parameters<typeof start>[1] = {}) =>
      start((socket, _text, index) => {
        if (index > 0) socket.write(ok);
        else socket.write(text, () => setImmediate(() => how(socket)));
      }, options);
    const end = (socket: Socket): void => void socket.end();
    const reset = (socket: Socket): void => void socket.resetAndDestroy();
    const stall = (): void => undefined;

    for (const [how, act, code] of [
      ['ends', end, 'upstream-reset'],
      ['is reset', reset, 'upstream-reset'],
    ] as const) {
      for (const text of ['', 'HTTP/1.1 200 OK\r\nContent-Le', 'HTTP/1.1 103 Early Hints\r\n\r\n']) {
        it(`the connection ${how} after ${JSON.stringify(text)}: ${code}`, async () => {
          await partly(text, act);
          await assert.rejects(upstream.forward(get(origin.target()), never), failsWith(code));
          assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), 'ok');
        });
      }
      for (const framing of [
        'Content-Length: 10',
        'Transfer-Encoding: chunked',
        'Connection: close\r\nContent-Length: 10',
        'Connection: close\r\nTransfer-Encoding: chunked',
      ]) {
        it(`the connection ${how} within content of ${JSON.stringify(framing)}: upstream-incomplete (RFC 9112 §8)`, async () => {
          await partly(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n5\r\n12`, act);
          const response = await upstream.forward(get(origin.target()), never);
          await assert.rejects(textOf(response), failsWith('upstream-incomplete'));
          assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), 'ok');
        });
      }
    }

    it('a reset within content that lasts until the end is no end: upstream-incomplete (RFC 9112 §8)', async () => {
      for (const version of ['HTTP/1.0', 'HTTP/1.1']) {
        await partly(`${version} 200 OK\r\n\r\npart`, reset);
        const response = await upstream.forward(get(origin.target()), never);
        await assert.rejects(textOf(response), failsWith('upstream-incomplete'));
      }
    });

    it('a reset while a slow reader holds the origin back breaks the body and nothing else', async () => {
      await start((socket) => {
        socket.write('HTTP/1.0 200 OK\r\n\r\n');
        const more = (): void => {
          while (socket.write(Buffer.alloc(65536)));
          if (socket.bytesWritten > 300_000) setTimeout(() => socket.resetAndDestroy(), 20);
          else socket.once('drain', more);
        };
        more();
      });
      const response = await upstream.forward(get(origin.target()), never);
      await once(origin.connections[0]!, 'close');
      await assert.rejects(textOf(response), failsWith('upstream-incomplete'));
    });

    it('what came before the break can be read', async () => {
      await partly('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345', end);
      const response = await upstream.forward(get(origin.target()), never);
      assert.equal(String(await response.body?.read()), '12345');
      await assert.rejects(async () => response.body?.read(), failsWith('upstream-incomplete'));
    });

    it('an origin that is silent before the head: upstream-timeout', async () => {
      await start(stall, { firstByteTimeout: milliseconds(30) });
      await assert.rejects(upstream.forward(get(origin.target()), never), failsWith('upstream-timeout'));
    });

    it('an origin that is silent within the head: upstream-timeout', async () => {
      await partly('HTTP/1.1 200 OK\r\nX: ', stall, { firstByteTimeout: milliseconds(30) });
      await assert.rejects(upstream.forward(get(origin.target()), never), failsWith('upstream-timeout'));
    });

    it('an origin that is silent within the body: upstream-timeout', async () => {
      await partly('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123', stall, { bodyTimeout: milliseconds(30) });
      const response = await upstream.forward(get(origin.target()), never);
      await assert.rejects(textOf(response), failsWith('upstream-timeout'));
      assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), 'ok');
    });

    it('a reader that is slower than the limit of silence is none', async () => {
      const size = 2_000_000;
      await start(
        (socket) => {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
          socket.write(Buffer.alloc(size));
        },
        { bodyTimeout: milliseconds(40) },
      );
      const response = await upstream.forward(get(origin.target()), never);
      await new Promise((resolve) => setTimeout(resolve, 120));
      assert.equal((await textOf(response)).length, size);
    });
  });

  describe('connections', () => {
    it('are used again, one request at a time (RFC 9112 §9.3)', async () => {
      await answering(ok);
      for (let i = 0; i < 5; i++) assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), 'ok');
      assert.equal(origin.connections.length, 1);
      await Promise.all([1, 2, 3].map(async () => textOf(await upstream.forward(get(origin.target()), never))));
      assert.equal(origin.connections.length, 3);
    });

    it('are not used again after Connection: close or HTTP/1.0 (RFC 9112 §9.3)', async () => {
      await answering(
        'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok',
        'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
        ok,
      );
      for (let i = 0; i < 3; i++) assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), 'ok');
      assert.equal(origin.connections.length, 3);
    });

    it('beyond the limit wait for their turn, in order', async () => {
      const gates = [gate(), gate(), gate()];
      await start((socket, _text, index) => void gates[index]?.promise.then(() => socket.write(ok)), {
        connections: 1,
      });
      const order: number[] = [];
      const all = [0, 1, 2].map(async (i) => {
        const response = await upstream.forward(get(origin.target(`/${i}`)), never);
        assert.equal(await textOf(response), 'ok');
        order.push(i);
      });
      for (const one of gates) one.open();
      await Promise.all(all);
      assert.deepEqual(order, [0, 1, 2]);
      assert.equal(origin.connections.length, 1);
      assert.deepEqual(
        origin.requests.map((text) => text.split(' ')[1]),
        ['/0', '/1', '/2'],
      );
    });

    it('one that waits is given up with the signal, and the next one has its turn', async () => {
      const held = gate();
      await start((socket) => void held.promise.then(() => socket.write(ok)), { connections: 1 });
      const first = upstream.forward(get(origin.target()), never);
      const cancellation = new Cancellation();
      const second = upstream.forward(get(origin.target()), { cancellation });
      const third = upstream.forward(get(origin.target()), never);
      cancellation.cancel(new WillisError('client-gone', 'test'));
      await assert.rejects(second, failsWith('client-gone'));
      held.open();
      assert.equal(await textOf(await first), 'ok');
      assert.equal(await textOf(await third), 'ok');
    });

    it('a failed one makes room for those that wait', async () => {
      const script: RawScript = (socket, _text, index) => {
        if (index === 0) socket.resetAndDestroy();
        else socket.write(ok);
      };
      await start(script, { connections: 1 });
      const first = upstream.forward(get(origin.target()), never);
      const second = upstream.forward(get(origin.target()), never);
      await assert.rejects(first, failsWith('upstream-reset'));
      assert.equal(await textOf(await second), 'ok');
    });

    it('with keepAlive 0 carry one request each and say so (RFC 9112 §9.6)', async () => {
      await start((socket) => void socket.write(ok), { keepAlive: milliseconds(0) });
      for (let i = 0; i < 2; i++) assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), 'ok');
      assert.equal(origin.connections.length, 2);
      assert.match(origin.requests[0]!, /\r\nconnection: close\r\n/i);
    });

    it('that are idle end after keepAlive', async () => {
      await start((socket) => void socket.write(ok), { keepAlive: milliseconds(20) });
      assert.equal(await textOf(await upstream.forward(get(origin.target()), never)), 'ok');
      const [socket] = origin.connections;
      if (!socket!.closed) await once(socket!, 'close');
    });

    it('close ends idle ones and waits for those in use', async () => {
      const held = gate();
      await start((socket, text) => {
        const turn = text.includes('/slow') ? held.promise : Promise.resolve();
        void turn.then(() => socket.write(ok));
      });
      await Promise.all([1, 2].map(async () => textOf(await upstream.forward(get(origin.target()), never))));
      const slow = upstream.forward(get(origin.target('/slow')), never);
      while (origin.requests.length < 3) await new Promise(setImmediate);
      let closed = false;
      const closing = upstream.close().then(() => (closed = true));
      await new Promise(setImmediate);
      assert.equal(closed, false);
      await assert.rejects(upstream.forward(get(origin.target()), never), failsWith('internal'));
      held.open();
      assert.equal(await textOf(await slow), 'ok');
      await closing;
      await upstream.close();
    });
  });

  describe('a kept connection that was closed', () => {
    /** Answers the first request of each connection, and ends or resets at the second. */
    const closingAtSecond = (how: 'end' | 'reset'): Promise<void> => {
      const seen = new WeakMap<Socket, number>();
      return start((socket) => {
        const count = (seen.get(socket) ?? 0) + 1;
        seen.set(socket, count);
        if (count === 1) socket.write(ok);
        else if (how === 'end') socket.end();
        else socket.resetAndDestroy();
      });
    };

    for (const how of ['end', 'reset'] as const) {
      for (const method of ['GET', 'DELETE', 'OPTIONS']) {
        it(`by ${how}: ${method} is idempotent and sent once more (RFC 9110 §9.2.2)`, async () => {
          await closingAtSecond(how);
          await textOf(await upstream.forward(get(origin.target()), never));
          const again = await upstream.forward(get(origin.target(), { method }), never);
          assert.equal(await textOf(again), 'ok');
          assert.equal(origin.requests.length, 3);
          assert.equal(origin.connections.length, 2);
        });
      }

      it(`by ${how}: POST is sent once, over a new connection that is not about to close (RFC 9110 §9.2.2)`, async () => {
        await closingAtSecond(how);
        await textOf(await upstream.forward(get(origin.target()), never));
        const post = get(origin.target(), { method: 'POST', body: BufferedBody.from('x') });
        assert.equal(await textOf(await upstream.forward(post, never)), 'ok');
        assert.equal(origin.requests.length, 2);
        assert.equal(origin.connections.length, 2);
      });

      it(`by ${how}: PUT has content, which can be sent once, and goes over a new connection too`, async () => {
        await closingAtSecond(how);
        await textOf(await upstream.forward(get(origin.target()), never));
        const put = get(origin.target(), { method: 'PUT', body: BufferedBody.from('x') });
        assert.equal(await textOf(await upstream.forward(put, never)), 'ok');
        assert.equal(origin.requests.length, 2);
        assert.equal(origin.connections.length, 2);
      });
    }

    it('while it was idle is not used: POST goes by a new one', async () => {
      await answering(ok);
      await textOf(await upstream.forward(get(origin.target()), never));
      origin.connections[0]!.end();
      await once(origin.connections[0]!, 'close');
      const post = get(origin.target(), { method: 'POST', body: BufferedBody.from('x') });
      assert.equal(await textOf(await upstream.forward(post, never)), 'ok');
    });

    it('a request is sent again once, not twice', async () => {
      let answers = 0;
      await start((socket) => {
        if (answers++ === 0) socket.write(ok);
        else socket.resetAndDestroy();
      });
      await textOf(await upstream.forward(get(origin.target()), never));
      await assert.rejects(upstream.forward(get(origin.target()), never), failsWith('upstream-reset'));
      assert.equal(origin.requests.length, 3);
    });

    it('after a byte of an answer a request is not sent again', async () => {
      let answers = 0;
      await start((socket) => {
        if (answers++ === 0) socket.write(ok);
        else socket.end('H');
      });
      await textOf(await upstream.forward(get(origin.target()), never));
      await assert.rejects(upstream.forward(get(origin.target()), never), WillisError);
      assert.equal(origin.requests.length, 2);
    });

    it('a request on a new connection is not sent again', async () => {
      await start((socket) => void socket.resetAndDestroy());
      await assert.rejects(upstream.forward(get(origin.target()), never), failsWith('upstream-reset'));
      assert.equal(origin.requests.length, 1);
    });
  });

  describe('a request', () => {
    it('has its target and fields as given, and nothing added (RFC 9112 §3)', async () => {
      await answering(ok);
      const fields = new Fields(['X-A', '1', 'Host', 'www.example.org', 'x-a', '\xe9', 'Via', '1.1 w']);
      await textOf(await upstream.forward(get(origin.target('/a%20b?c=d&e'), { fields }), never));
      const expected = `GET /a%20b?c=d&e HTTP/1.1\r\n${fields.wire()}\r\n`;
      assert.equal(origin.requests[0], expected);
    });

    it('OPTIONS * is sent as such (RFC 9112 §3.2.4)', async () => {
      await answering(ok);
      const response = await upstream.forward(get(origin.target('*'), { method: 'OPTIONS' }), never);
      assert.equal(await textOf(response), 'ok');
      assert.match(origin.requests[0]!, /^OPTIONS \* HTTP\/1\.1\r\n/);
    });

    it('with content of known length has Content-Length, otherwise it is chunked (RFC 9112 §6.2, §7.1)', async () => {
      await start((socket, text) => {
        if (/hello$|\r\n0\r\n\r\n$|: 0\r\n/i.test(text)) socket.write(ok);
      });
      for (const method of ['POST', 'PUT', 'DELETE', 'GET', 'UNKNOWN']) {
        const request = get(origin.target(), { method, body: BufferedBody.from('hello') });
        assert.equal(await textOf(await upstream.forward(request, never)), 'ok');
        assert.match(origin.requests.at(-1)!, /\r\ncontent-length: 5\r\n\r\nhello$/i);
      }
      const chunked = new ScriptedBody((i) => (i === 0 ? Buffer.from('hello') : null));
      // The script sees the head and the content together: they come in one packet.
      const all = upstream.forward(get(origin.target(), { method: 'POST', body: chunked }), never);
      assert.equal(await textOf(await all), 'ok');
      assert.match(origin.requests.at(-1)!, /\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/i);
      const empty = get(origin.target(), { method: 'POST', body: BufferedBody.from('') });
      assert.equal(await textOf(await upstream.forward(empty, never)), 'ok');
      assert.match(origin.requests.at(-1)!, /\r\ncontent-length: 0\r\n\r\n$/i);
    });

    it('whose content breaks is broken off, with the failure of the content', async () => {
      const closed = gate();
      await start((socket) => void socket.once('close', () => closed.open()));
      const body = new ScriptedBody((i) =>
        i === 0 ? Buffer.from('x') : Promise.reject(new WillisError('client-gone', 'test')),
      );
      await assert.rejects(
        upstream.forward(get(origin.target(), { method: 'POST', body }), never),
        failsWith('client-gone'),
      );
      await closed.promise;
    });

    it('whose content is shorter than it says is broken off (RFC 9112 §6.3)', async () => {
      await start(() => undefined);
      const short = Object.assign(new ScriptedBody((i) => (i === 0 ? Buffer.from('x') : null)), {
        length: bytes(5) as never,
      });
      await assert.rejects(
        upstream.forward(get(origin.target(), { method: 'POST', body: short }), never),
        failsWith('bad-request'),
      );
    });

    it('that is answered while its content is being sent: the answer comes, and the rest is not read', async () => {
      await start((socket) => void socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig'));
      const body = new ScriptedBody((i) => (i === 0 ? Buffer.from('first') : new Promise(() => undefined)));
      const response = await upstream.forward(get(origin.target(), { method: 'POST', body }), never);
      assert.equal(response.status, 413);
      assert.equal(await textOf(response), 'big');
      await new Promise(setImmediate);
      assert.equal(body.cancelled, true);
      assert.equal(body.reads, 2);
    });

    it('that is answered in full flood: the answer comes, and the rest is not read', async () => {
      await start((socket) => {
        socket.pause();
        socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig');
      });
      const body = new ScriptedBody(() => Buffer.alloc(65536));
      const response = await upstream.forward(get(origin.target(), { method: 'POST', body }), never);
      assert.equal(await textOf(response), 'big');
      await new Promise((resolve) => setTimeout(resolve, 20));
      const { reads } = body;
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(body.cancelled, true);
      assert.equal(body.reads, reads);
    });

    it('the time a client takes for its content is not the silence of the origin', async () => {
      const second = gate();
      const script: RawScript = (socket, text) => {
        if (text.includes('0\r\n\r\n')) socket.write(ok);
      };
      await start(script, { firstByteTimeout: milliseconds(40) });
      origin.connections.length = 0;
      const body = new ScriptedBody((i) => (i === 0 ? second.promise.then(() => Buffer.from('x')) : null));
      const response = upstream.forward(get(origin.target(), { method: 'POST', body }), never);
      setTimeout(() => second.open(), 120);
      assert.equal(await textOf(await response), 'ok');
    });

    it('an origin that does not read the content: upstream-timeout', async () => {
      await start((socket) => void socket.pause(), { firstByteTimeout: milliseconds(40) });
      const body = new ScriptedBody(() => Buffer.alloc(65536));
      await assert.rejects(
        upstream.forward(get(origin.target(), { method: 'POST', body }), never),
        failsWith('upstream-timeout'),
      );
      assert.equal(body.cancelled, true);
    });

    it('is given up when it is cancelled: before, while connecting and before the head; the body is the matter of its reader', async () => {
      const rest = gate();
      await start((socket, text) => {
        if (!text.includes('/body')) return;
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123');
        void rest.promise.then(() => socket.write('4567890'));
      });
      const gone = new WillisError('client-gone', 'test');
      const cancelled = new Cancellation();
      cancelled.cancel(gone);
      await assert.rejects(
        upstream.forward(get(origin.target()), { cancellation: cancelled }),
        failsWith('client-gone'),
      );
      for (const waitFor of [0, 1]) {
        const cancellation = new Cancellation();
        const response = upstream.forward(get(origin.target()), { cancellation });
        while (origin.requests.length < waitFor) await new Promise(setImmediate);
        cancellation.cancel(gone);
        await assert.rejects(response, failsWith('client-gone'));
      }
      const cancellation = new Cancellation();
      const response = await upstream.forward(get(origin.target('/body')), { cancellation });
      assert.equal(String(await response.body!.read()), '123');
      cancellation.cancel(gone);
      rest.open();
      assert.equal(String(await response.body!.read()), '4567890');
    });

    it('whose body the reader cancels closes the connection', async () => {
      const closed = gate();
      await start((socket) => {
        socket.once('close', () => closed.open());
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123');
      });
      const response = await upstream.forward(get(origin.target()), never);
      response.body!.cancel();
      response.body!.cancel();
      await closed.promise;
    });
  });

  it('a reader that stops holds the origin back', async () => {
    let written = (): number => 0;
    const size = 64_000_000;
    await start((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      ({ written } = pour(socket, size));
    });
    const response = await upstream.forward(get(origin.target()), never);
    const taken = await settled(() => written());
    assert.ok(taken < 20_000_000, `${taken} bytes were taken`);
    assert.equal((await textOf(response)).length, size);
  });

  it('an origin server that refuses the connection, and one that the guard refuses', async () => {
    await answering(ok);
    const { port } = origin;
    await origin.close();
    const target = { scheme: 'http', host: '127.0.0.1', port, authority: `127.0.0.1:${port}`, path: '/' } as const;
    await assert.rejects(upstream.forward(get(target), never), failsWith('connect-refused'));
    await start((socket) => void socket.write(ok), { guard: new DialGuard({ allow: [], deny: ['private'] }) });
    await assert.rejects(upstream.forward(get(origin.target()), never), failsWith('destination-refused'));
    assert.equal(origin.connections.length, 0);
  });
});
