import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../config/units.js';
import { BufferedBody, readAll, type Body } from '../../proxy/http/body.js';
import { multipartByteranges, type RangePart } from '../../proxy/http/multipart-byteranges.js';
import { parseContentRange, type ByteRange } from '../../proxy/http/range.js';

const limit = bytes(1e6);

function partsOf(content: Buffer, ranges: readonly ByteRange[]): RangePart[] {
  return ranges.map((range) => ({
    range,
    open: () => BufferedBody.from(content.subarray(range.from, range.to)),
  }));
}

/** The parts of a multipart body, by RFC 2046 §5.1.1. */
function parse(content: Buffer, contentType: string): { head: string; content: Buffer }[] {
  const boundary = /^multipart\/byteranges; boundary=([\w-]{1,70})$/.exec(contentType)?.[1] ?? '';
  const text = `\r\n${content.toString('latin1')}`;
  const pieces = text.split(`\r\n--${boundary}`);
  assert.equal(pieces.shift(), '');
  assert.equal(pieces.pop(), '--\r\n');
  return pieces.map((piece) => {
    const end = piece.indexOf('\r\n\r\n');
    return { head: piece.slice(2, end), content: Buffer.from(piece.slice(end + 4), 'latin1') };
  });
}

describe('multipart/byteranges (RFC 9110 §14.6)', () => {
  it('each part has the Content-Type and a Content-Range of its own (RFC 9110 §15.3.7.2)', async () => {
    const content = Buffer.from('0123456789');
    const parts = partsOf(content, [
      { from: bytes(7), to: bytes(9) },
      { from: bytes(0), to: bytes(1) },
    ]);
    const multipart = multipartByteranges(parts, bytes(10), 'text/plain; charset=utf-8', 'b-1');
    assert.equal(multipart.contentType, 'multipart/byteranges; boundary=b-1');
    assert.equal(
      (await readAll(multipart.body, limit)).toString(),
      '--b-1\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 7-8/10\r\n\r\n78\r\n' +
        '--b-1\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-0/10\r\n\r\n0\r\n--b-1--\r\n',
    );
  });

  it('without a Content-Type of the representation the parts have none (RFC 9110 §15.3.7.2)', async () => {
    const parts = partsOf(Buffer.from('0123456789'), [{ from: bytes(7), to: bytes(9) }]);
    const { body } = multipartByteranges(parts, bytes(10), null, 'b');
    assert.equal((await readAll(body, limit)).toString(), '--b\r\nContent-Range: bytes 7-8/10\r\n\r\n78\r\n--b--\r\n');
  });

  it('any parts can be read back, and the length is exact (RFC 9110 §14.6)', async () => {
    const anyRanges = fc.array(fc.tuple(fc.nat(199), fc.integer({ min: 1, max: 200 })), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 200, maxLength: 200 }), anyRanges, async (octets, pairs) => {
        const content = Buffer.from(octets);
        const ranges = pairs.map(([from, size]) => ({ from: bytes(from), to: bytes(Math.min(200, from + size)) }));
        const multipart = multipartByteranges(partsOf(content, ranges), bytes(200), 'x/y', 'wLp-3kz1-unguessable');
        const sent = await readAll(multipart.body, limit);
        assert.equal(sent.length, multipart.length);
        const parts = parse(sent, multipart.contentType);
        assert.equal(parts.length, ranges.length);
        for (const [i, part] of parts.entries()) {
          const range = ranges[i]!;
          const described = parseContentRange(/^Content-Range: (.*)$/m.exec(part.head)?.[1] ?? '');
          assert.deepEqual(described, { ...range, length: 200 });
          assert.ok(part.content.equals(content.subarray(range.from, range.to)), 'other bytes');
        }
      }),
    );
  });

  it('parts are streamed: nothing of a later one is read before the earlier ones are sent', async () => {
    const reads: string[] = [];
    const part = (name: string): Body => {
      const body = BufferedBody.from(name);
      return Object.assign(body, {
        read: () => {
          reads.push(name);
          return BufferedBody.prototype.read.call(body);
        },
      });
    };
    const range = { from: bytes(0), to: bytes(1) };
    const parts = ['a', 'b'].map((name) => ({ range, open: () => part(name) }));
    const { body } = multipartByteranges(parts, bytes(9), null, 'b');
    await body.read();
    await body.read();
    assert.deepEqual(reads, ['a']);
    body.cancel();
  });

  it('if a part cannot be opened, those before it are cancelled', () => {
    const cancelled: string[] = [];
    const range = { from: bytes(0), to: bytes(1) };
    const first = Object.assign(BufferedBody.from('a'), { cancel: () => cancelled.push('a') });
    const parts = [
      { range, open: () => first },
      {
        range,
        open: () => {
          throw new Error('gone');
        },
      },
    ];
    assert.throws(() => multipartByteranges(parts, bytes(9), null, 'b'), /gone/);
    assert.deepEqual(cancelled, ['a']);
  });
});
