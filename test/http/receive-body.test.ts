import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../config/units.js';
import { WillisError } from '../../proxy/base/errors.js';
import { readAll } from '../../proxy/http/body.js';
import type { Framing } from '../../proxy/http/framing.js';
import { InputBuffer } from '../../proxy/http/input-buffer.js';
import { bodyDecoder, ReceivedBody } from '../../proxy/http/receive-body.js';
import { hostileBodies } from './hostile-requests.js';

const limits = { headerBytes: bytes(4096), headers: 32, uri: bytes(1024) };
const chunked: Framing = { kind: 'chunked' };
const noop = (): void => undefined;

function bodyOf(framing: Framing): { input: InputBuffer; body: ReceivedBody; feed: (text: string | Buffer) => void } {
  const input = new InputBuffer();
  const decoder = bodyDecoder(framing, limits);
  assert.ok(decoder, 'no decoder');
  const body = new ReceivedBody(decoder, input, noop);
  const feed = (text: string | Buffer): void => {
    input.append(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
    body.onInput();
  };
  return { input, body, feed };
}

/** Feeds a text in pieces of the given sizes, over and over. */
function feedSplit(feed: (piece: Buffer) => void, data: Buffer, sizes: readonly number[]): void {
  for (let at = 0, i = 0; at < data.length; i++) {
    const size = sizes[i % sizes.length] ?? data.length;
    feed(data.subarray(at, at + size));
    at += size;
  }
}

describe('receiving content', () => {
  it('content at hand is given at once, and no more than Content-Length of it (RFC 9112 §6.2)', () => {
    const { body, feed, input } = bodyOf({ kind: 'length', length: bytes(5) });
    feed('abc');
    assert.equal(String(body.read() as Buffer), 'abc');
    feed('deGET');
    assert.equal(String(body.read() as Buffer), 'de');
    assert.equal(body.read(), null);
    assert.equal(body.ended, true);
    assert.equal(input.text(input.length), 'GET');
  });

  it('a reader that is ahead of the client gets the content when it arrives', async () => {
    const { body, feed } = bodyOf({ kind: 'length', length: bytes(2) });
    const chunk = body.read();
    assert.ok(chunk instanceof Promise, 'not a Promise');
    assert.equal(body.waiting, true);
    feed('ab');
    assert.equal(String(await chunk), 'ab');
    assert.equal(body.read(), null);
  });

  it('content that breaks off makes the read fail, after what is at hand (RFC 9112 §8)', async () => {
    const { body, feed } = bodyOf({ kind: 'length', length: bytes(5) });
    feed('ab');
    body.fail(new WillisError('bad-request', 'broke off'));
    assert.equal(String(body.read() as Buffer), 'ab');
    await assert.rejects(async () => body.read(), { code: 'bad-request' });
    assert.equal(body.failed, true);
  });

  it('chunks, extensions and trailers are taken apart (RFC 9112 §7.1)', async () => {
    const { body, feed, input } = bodyOf(chunked);
    feed('3;a;b=c;d="e\\"\xe4;f"\r\nabc\r\n0A \t; g = h\r\n0123456789\r\n000;x\r\nX-Sum: 1\r\nx-sum:2\r\n\r\nGET');
    assert.equal(String(await readAll(body, bytes(100))), 'abc0123456789');
    assert.deepEqual(body.trailers.lines, ['X-Sum', '1', 'x-sum', '2']);
    assert.equal(input.text(input.length), 'GET');
  });

  it('trailers that are for framing, routing, authentication or control are dropped (RFC 9110 §6.5.1)', async () => {
    const { body, feed } = bodyOf(chunked);
    const dropped = [
      'Content-Length: 1',
      'Transfer-Encoding: chunked',
      'Host: b',
      'Authorization: c',
      'Cache-Control: d',
    ];
    feed(`0\r\n${[...dropped, 'Set-Cookie: e', 'Content-Type: f', 'Digest: g', ''].join('\r\n')}\r\n`);
    assert.equal(String(await readAll(body, bytes(10))), '');
    assert.deepEqual(body.trailers.lines, ['Digest', 'g']);
  });

  it('small chunks at hand are given as one piece, up to what is broken behind them', async () => {
    const { body, feed } = bodyOf(chunked);
    feed('1\r\nx\r\n'.repeat(5000));
    const piece = body.read() as Buffer;
    assert.equal(String(piece), 'x'.repeat(5000));
    feed(`1\r\ny\r\n2\r\nzz\r\nno chunk\r\n`);
    assert.equal(String(body.read() as Buffer), 'yzz');
    await assert.rejects(async () => body.read(), { code: 'bad-request' });
    assert.equal(body.failed, true);
  });

  it('what is discarded is counted, and ends where the content ends', () => {
    const { body, feed, input } = bodyOf(chunked);
    feed('3\r\nabc\r\n');
    assert.deepEqual(body.discard(), { dropped: 3, ended: false });
    feed('1\r\na\r\n0\r\n\r\nGET');
    assert.deepEqual(body.discard(), { dropped: 1, ended: true });
    assert.equal(input.text(input.length), 'GET');
  });

  it('what chunking makes of any data, in any pieces, gives the data again (RFC 9112 §7.1)', async () => {
    const data = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 8 });
    const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 });
    const extension = fc.constantFrom('', ';a', ' ; a="b;\\"c"', ';a=b;c');
    await fc.assert(
      fc.asyncProperty(data, sizes, extension, async (pieces, splits, ext) => {
        const sent: Buffer[] = [];
        for (const piece of pieces) {
          sent.push(Buffer.from(`${piece.length.toString(16)}${ext}\r\n`), Buffer.from(piece), Buffer.from('\r\n'));
        }
        sent.push(Buffer.from(`0${ext}\r\nx-a: b\r\n\r\nrest`));
        const { body, feed, input } = bodyOf(chunked);
        const received = readAll(body, bytes(10_000));
        for (const piece of splitUp(Buffer.concat(sent), splits)) {
          feed(piece);
          await Promise.resolve();
        }
        assert.deepEqual(await received, Buffer.concat(pieces));
        assert.equal(body.trailers.first('x-a'), 'b');
        assert.equal(input.text(input.length), 'rest');
      }),
    );
  });

  for (const { why, bytes: request, status } of hostileBodies) {
    it(`is refused with ${status}: ${why}`, async () => {
      const content = Buffer.from(request.slice(request.indexOf('\r\n\r\n') + 4), 'latin1');
      for (const size of [content.length, 1]) {
        const { body, feed } = bodyOf(chunked);
        const reading = readAll(body, bytes(1_000_000));
        feedSplit(feed, content, [size]);
        await assert.rejects(reading, (error) => error instanceof WillisError && error.kind.status === status);
        assert.equal(body.failed, true);
      }
    });
  }

  it('bytes handed out stay as they are while more arrive', () => {
    const { body, feed, input } = bodyOf({ kind: 'length', length: bytes(1000) });
    const held: Buffer[] = [];
    for (let i = 0; i < 100; i++) {
      feed('ab');
      feed('cde');
      held.push(body.read() as Buffer);
      feed('fghij');
      held.push(body.read() as Buffer);
    }
    assert.equal(Buffer.concat(held).toString(), 'abcdefghij'.repeat(100));
    assert.equal(input.length, 0);
  });
});

function splitUp(data: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  feedSplit((piece) => void pieces.push(piece), data, sizes);
  return pieces;
}
