import assert from 'node:assert/strict';
import { createGzip, gunzipSync } from 'node:zlib';
import { bytes } from '../../../../config/units.js';
import { MemoryStore } from '../../../../proxy/cache/memory-store.js';
import type { Body } from '../../../../proxy/http/body.js';
import { Fields } from '../../../../proxy/http/fields.js';
import { navigation, page, ViewFixture } from './view-fixture.js';

const length = 50_000_000;
const chunk = Buffer.alloc(65_536, '<p>Many words, and <a href="more.html">a link</a>.</p>\n');

/** A page of 50 MB, of which nothing is there before it is read. */
class LongPage implements Body {
  readonly length = null;
  readonly trailers = Fields.none;
  given = 0;

  read(): Buffer | null | Promise<Buffer | null> {
    if (this.given >= length) return null;
    const next = this.given === 0 ? Buffer.from(page.padEnd(65_536)) : chunk;
    this.given += next.length;
    return this.given % 10 === 0 ? next : Promise.resolve(next);
  }

  cancel(): void {
    this.given = length;
  }
}

/** The same coded by somebody who sends it as it is asked for. */
class CodedPage implements Body {
  readonly length = null;
  readonly trailers = Fields.none;
  readonly plain = new LongPage();
  readonly #gzip = createGzip({ level: 1 });
  readonly #coded = this.#gzip[Symbol.asyncIterator]() as AsyncIterator<Buffer>;

  constructor() {
    void this.#feed();
  }

  async read(): Promise<Buffer | null> {
    const next = await this.#coded.next();
    return next.done === true ? null : next.value;
  }

  cancel(): void {
    this.#gzip.destroy();
  }

  async #feed(): Promise<void> {
    for (let next = await this.plain.read(); next !== null; next = await this.plain.read()) {
      const last = next;
      await new Promise<void>((resolve) => this.#gzip.write(last, () => resolve()));
    }
    this.#gzip.end();
  }
}

const tooLittle = () => new MemoryStore({ limit: bytes(20_000_000), maxDocument: bytes(4_000_000), variants: 4 });

describe('pages of 50 MB', function () {
  this.timeout(60_000);

  for (const control of ['no-store', 'max-age=60']) {
    it(`become views as they are read, none of which is kept longer than that (${control})`, async () => {
      const site = new ViewFixture({ store: tooLittle() });
      const long = new LongPage();
      site.origin = () => ({ fields: { 'Cache-Control': control }, body: long });
      const { body } = await site.answer();
      let [taken, ahead] = [0, 0];
      for (let piece = await body?.read(); piece != null; piece = await body?.read()) {
        taken += piece.length;
        ahead = Math.max(ahead, long.given - taken);
      }
      assert.ok(taken > length, `${taken} bytes`);
      assert.ok(ahead < 2_000_000, `${ahead} bytes were held at once`);
      assert.deepEqual(await site.stored(), []);
      assert.equal(site.views.underWay, 0);
    });
  }

  it('in a coding are neither uncoded nor coded ahead of the one who reads', async () => {
    const site = new ViewFixture({ store: tooLittle() });
    const long = new CodedPage();
    site.origin = () => ({ fields: { 'Cache-Control': 'no-store', 'Content-Encoding': 'gzip' }, body: long });
    const { body } = await site.answer({ ...navigation });
    const pieces: Buffer[] = [];
    const first = await body?.read();
    assert.ok(first instanceof Buffer, 'it begins');
    const before = long.plain.given;
    assert.ok(before < length, 'before it is all there');
    pieces.push(first);
    for (let piece = await body?.read(); piece != null; piece = await body?.read()) pieces.push(piece);
    const content = gunzipSync(Buffer.concat(pieces));
    assert.ok(content.length > length && content.subarray(0, 1000).includes('<willis-bar>'), 'a view of all of it');
  });
});
