import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { bytes } from '../../../../config/units.js';
import { BufferedBody, readAll, type Body } from '../../../../proxy/http/body.js';
import { inCoding, withoutCoding } from '../../../../wlis/html/views/content-codings.js';
import type { ViewCoding } from '../../../../wlis/html/views/viewable.js';
import { gate } from '../../../support/gate.js';
import { ChunkedBody } from './view-fixture.js';

const most = bytes(100_000_000);
const text = Buffer.from(Array.from({ length: 30_000 }, (_none, i) => `line ${i} of a page\n`).join(''));

function* inChunks(content: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

const undone = async (content: Body, coding: ViewCoding): Promise<Buffer> =>
  readAll(await withoutCoding(content, coding), most);

const fast = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

describe('content codings of pages', () => {
  it('are undone byte by byte', async () => {
    const short = text.subarray(0, 2000);
    const coded = { gzip: gzipSync(short), br: brotliCompressSync(short), deflate: deflateRawSync(short) };
    for (const [coding, content] of Object.entries(coded) as [ViewCoding, Buffer][])
      assert.deepEqual(await undone(new ChunkedBody(inChunks(content, 1)), coding), short, coding);
  });

  it('are undone and redone, whatever the chunks', async () => {
    const coded = { gzip: gzipSync(text), br: brotliCompressSync(text), deflate: deflateSync(text), identity: text };
    for (const [coding, content] of Object.entries(coded) as [ViewCoding, Buffer][]) {
      for (const size of [100, 1000, 1_000_000]) {
        assert.deepEqual(await undone(new ChunkedBody(inChunks(content, size)), coding), text, `${coding} by ${size}`);
      }
      const redone = await readAll(inCoding(new ChunkedBody(inChunks(text, 65_536)), coding), most);
      assert.deepEqual(await undone(BufferedBody.from(redone), coding), text, coding);
    }
  });

  it('are undone as browsers do: deflate without its envelope, gzip with a name, without what comes behind it', async () => {
    assert.deepEqual(await undone(BufferedBody.from(deflateRawSync(text)), 'deflate'), text);
    const header = Buffer.from([
      0x1f,
      0x8b,
      8,
      2 + 4 + 8 + 16,
      0,
      0,
      0,
      0,
      0,
      3,
      3,
      0,
      1,
      0,
      2,
      0x61,
      0,
      0x62,
      0x63,
      0,
      9,
      9,
    ]);
    const named = Buffer.concat([header, deflateRawSync(text)]);
    for (const size of [1, 5, 1_000_000])
      assert.deepEqual(await undone(new ChunkedBody(inChunks(named, size)), 'gzip'), text, `a header by ${size}`);
    const coded = { gzip: gzipSync(text), br: brotliCompressSync(text), deflate: deflateSync(text) };
    for (const [coding, content] of Object.entries(coded) as [ViewCoding, Buffer][]) {
      const more = Buffer.concat([content, Buffer.from('something else')]);
      for (const size of [100, 1_000_000]) {
        const source = new ChunkedBody(inChunks(more, size));
        assert.deepEqual(await undone(source, coding), text, `${coding} by ${size}`);
        assert.equal(source.wasCancelled, false, 'others may want all of it');
      }
      const endless = new ChunkedBody([content, ...inChunks(randomBytes(1_000_000), 10_000)]);
      assert.deepEqual(await undone(endless, coding), text, coding);
      assert.ok(endless.wasCancelled, `${coding}: not all of what is long is read`);
    }
  });

  it('are undone as browsers do where checksums are wrong, or the end is missing', async () => {
    const words = Buffer.from(randomBytes(60_000).toString('hex'));
    for (const [coding, content] of [
      ['gzip', gzipSync(words)],
      ['br', brotliCompressSync(words)],
      ['deflate', deflateSync(words)],
    ] as const) {
      for (const missing of [1, 4, 8, 1000]) {
        const seen = await undone(BufferedBody.from(content.subarray(0, -missing)), coding);
        assert.ok(words.subarray(0, seen.length).equals(seen), `${coding} without ${missing}`);
        assert.ok(seen.length > words.length - 20_000, `${coding} without ${missing}: ${seen.length}`);
        if (missing === 4 && coding !== 'br') assert.equal(seen.length, words.length);
      }
      if (coding === 'br') continue;
      const wrong = Buffer.from(content);
      wrong.writeUInt32BE(0, wrong.length - (coding === 'gzip' ? 8 : 4));
      assert.ok((await undone(BufferedBody.from(wrong), coding)).equals(words), `${coding}: checksum`);
    }
  });

  it('that are broken break visibly, and let go of the source', async () => {
    const begun = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH });
    // there is no block of the third type
    const broken = Buffer.concat([begun, Buffer.alloc(100_000, 0xff)]);
    for (const [coding, content] of [
      ['gzip', Buffer.concat([gzipSync('').subarray(0, 10), broken])],
      ['deflate', broken],
      ['br', Buffer.concat([brotliCompressSync(text).subarray(0, 50), randomBytes(100_000)])],
    ] as const) {
      const source = new ChunkedBody(inChunks(content, 1000));
      await assert.rejects(undone(source, coding), { code: 'upstream-malformed' });
      assert.ok(source.wasCancelled, coding);
    }
    await assert.rejects(undone(BufferedBody.from('<!doctype html>'), 'gzip'), { code: 'upstream-malformed' });
  });

  it('that stand for more than 128 MiB break there', async () => {
    for (const [size, isWhole] of [
      [128, true],
      [129, false],
    ] as const) {
      const body = await withoutCoding(BufferedBody.from(brotliCompressSync(Buffer.alloc(size << 20), fast)), 'br');
      let total = 0;
      const read = async (): Promise<void> => {
        for (let chunk = await body.read(); chunk !== null; chunk = await body.read()) total += chunk.length;
      };
      if (isWhole) await read();
      else await assert.rejects(read(), { code: 'upstream-malformed' });
      assert.ok(total > (size - 2) << 20 && total <= 128 << 20, String(total));
    }
  });

  it('break as their source breaks', async () => {
    const source: Body = {
      length: null,
      trailers: BufferedBody.from('').trailers,
      cancel: () => undefined,
      read: () => Promise.reject(new Error('broken')),
    };
    await assert.rejects(undone(source, 'gzip'), /broken/);
    await assert.rejects(readAll(inCoding(source, 'br'), most), /broken/);
  });

  it('take no more than is read', async () => {
    const source = new ChunkedBody(inChunks(gzipSync(randomBytes(4_000_000), { level: 0 }), 16_384));
    const content = await withoutCoding(source, 'gzip');
    await content.read();
    await content.read();
    assert.ok(source.reads < 8, `${source.reads} reads`);
    content.cancel();
    assert.ok(source.wasCancelled, 'cancelled with it');
  });

  it('give what they have taken in when nothing more comes for a while', async () => {
    const silence = gate();
    let reads = 0;
    const source: Body = {
      ...{ length: null, trailers: BufferedBody.from('').trailers, cancel: () => undefined },
      read: () => (reads++ === 0 ? Buffer.from('<title>early</title>') : silence.promise.then(() => null)),
    };
    const coded = inCoding(source, 'gzip');
    const pieces: Buffer[] = [];
    let seen = '';
    while (!seen.includes('early')) {
      const piece = await coded.read();
      assert.ok(piece !== null, 'the end has not come');
      pieces.push(piece);
      // Z_SYNC_FLUSH: without an end
      seen = gunzipSync(Buffer.concat(pieces), { finishFlush: 2 }).toString();
    }
    silence.open();
    for (let piece = await coded.read(); piece !== null; piece = await coded.read()) pieces.push(piece);
    assert.equal(gunzipSync(Buffer.concat(pieces)).toString(), '<title>early</title>');
  });
});
