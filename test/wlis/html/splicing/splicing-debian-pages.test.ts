import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib';
import type { Bytes } from '../../../../config/units.js';
import type { Body } from '../../../../proxy/http/body.js';
import { Fields } from '../../../../proxy/http/fields.js';
import { inCoding, withoutCoding } from '../../../../wlis/html/views/content-codings.js';
import { SplicedBody } from '../../../../wlis/html/views/spliced-body.js';
import type { ViewCoding } from '../../../../wlis/html/views/viewable.js';
import { skipWithout } from '../../../support/skip-without.js';
import { pagePackages, pagesBelow } from './debian-pages.js';
import { domOf, firstDifference } from './page-dom.js';
import { bar, charsetOf, link, mark, recipe, splicedBytes, splicerOf, undone, unspliced } from './splicing.js';

const isAbsolute = (url: string): boolean => /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(url);

/** Everything that is not absolute gets a mark. */
const marked = recipe({ urls: { key: 'all', rewritten: (url) => (isAbsolute(url) ? null : `${mark}/${url}`) } });

/** Which links and images of a view have none, though they should. */
const unmarked = (element: string, attribute: string, value: string): boolean => {
  const leads = (element === 'a' && attribute === 'href') || (element === 'img' && attribute === 'src');
  return leads && value !== '' && !value.startsWith('#') && !isAbsolute(value) && !value.startsWith(`${mark}/`);
};

const codings = ['identity', 'gzip', 'br'] as const;

const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

const coded: Record<(typeof codings)[number], (content: Buffer) => Buffer> = {
  identity: (content) => content,
  gzip: (content) => gzipSync(content, { level: 1 }),
  br: (content) => brotliCompressSync(content, brotli),
};

const decoded: typeof coded = {
  identity: (content) => content,
  gzip: (content) => gunzipSync(content),
  br: (content) => brotliDecompressSync(content),
};

/** So many bytes at a time at first, where most is put in; then more of them. */
class PiecesBody implements Body {
  readonly trailers = Fields.none;
  readonly length: Bytes | null = null;
  #at = 0;

  constructor(
    private readonly content: Buffer,
    private readonly size: number,
    private readonly small: number,
  ) {}

  read(): Buffer | null {
    const from = this.#at;
    this.#at += from < this.small ? this.size : 4099;
    return from < this.content.length ? this.content.subarray(from, this.#at) : null;
  }

  cancel(): void {
    this.#at = this.content.length;
  }
}

interface Way {
  readonly coding: ViewCoding & (typeof codings)[number];
  readonly size: number;
  /** How many bytes come in pieces of that size. */
  readonly small: number;
  readonly contentType?: string;
}

/** A page undone, spliced and done again, without its coding. */
async function throughCoding(page: Buffer, { coding, size, small, contentType = 'text/html' }: Way): Promise<Buffer> {
  const content = await withoutCoding(new PiecesBody(coded[coding](page), size, small), coding);
  const splicer = splicerOf({ recipe: marked }, charsetOf(page, contentType));
  const view = inCoding(new SplicedBody(content, splicer), coding);
  const pieces: Buffer[] = [];
  for (let piece = await view.read(); piece !== null; piece = await view.read()) pieces.push(piece);
  return decoded[coding](Buffer.concat(pieces));
}

/** White space in URLs is written in one of several ways. */
const asUrl = (element: string, attribute: string, value: string): string =>
  undone.value(element, attribute, attribute === '#text' ? value : value.trim().replaceAll('%20', ' '));

/** The document is the same but for what was put in, and the bytes are. */
function isSame(page: Buffer, name: string, scripting: boolean, contentType?: string): Buffer {
  const type = contentType === undefined ? {} : { contentType };
  const text = page.toString('latin1');
  const plain = splicedBytes(page, type).toString('latin1');
  assert.equal(plain.replace(bar.markup, '').replace(link, '') === text, true, `${name}: other bytes differ`);
  assert.equal(plain.length, text.length + bar.markup.length + link.length, `${name}: not all was put in`);
  const view = splicedBytes(page, { ...type, recipe: marked });
  const { charset } = charsetOf(page, contentType ?? 'text/html');
  const decoder = new TextDecoder(charset ?? 'windows-1252');
  const before = domOf(decoder.decode(page), scripting, { ...unspliced, value: asUrl });
  const left: string[] = [];
  const value = (element: string, attribute: string, now: string): string => {
    if (unmarked(element, attribute, now)) left.push(now);
    return asUrl(element, attribute, attribute === '#text' ? now : now.replaceAll(`${mark}/`, ''));
  };
  const after = domOf(decoder.decode(view), scripting, { ...undone, value });
  assert.equal(firstDifference(before, after), null, name);
  assert.deepEqual(left, [], `${name}: not all URLs are rewritten`);
  return view;
}

describe('views of the pages of Debian packages', () => {
  for (const { name, directory } of pagePackages) {
    it(`all of ${name}: the same documents but for what was put in, in all codings and chunks`, async function () {
      this.timeout(120_000);
      const pages = pagesBelow(directory);
      if (pages.length === 0) skipWithout(this, name);
      for (const [place, path] of pages.entries()) {
        const page = readFileSync(path);
        const view = isSame(page, path, place % 2 === 0);
        // what is coded takes much longer, so that it has its turn at every fourth page
        const coding = place % 4 === 0 ? (codings[(place / 4) % 3] ?? 'gzip') : 'identity';
        const way = { coding, size: 1 + (place % 7), small: coding === 'identity' ? 6000 : 1000 };
        assert.equal((await throughCoding(page, way)).equals(view), true, `${path} in ${coding} by ${way.size}`);
      }
    });
  }

  const samples = [
    ...[
      ['en/bind', 'utf-8', 'text/html; charset=utf-8'],
      ['ja/bind', 'utf-8 with a mark', 'text/html; charset=iso-8859-1'],
      ['ko/bind', 'euc-kr', 'text/html'],
      ['es/howto/auth', 'iso-8859-1', 'text/html'],
    ],
    ...[
      ['fr/bind', 'iso-8859-1', 'text/html; charset=iso-8859-1'],
      ['fr/bind', 'windows-1252', 'text/html; charset=windows-1252'],
      ['ja/bind', 'shift_jis', 'text/html; charset=shift_jis'],
      ['ja/bind', 'euc-jp', 'text/html; charset=euc-jp'],
      ['zh-cn/handler', 'gb18030', 'text/html; charset=gb18030'],
    ],
  ] as const;

  for (const [path = '', charset = '', contentType = ''] of samples) {
    it(`a page in ${charset} (${path}): the same in every coding and chunks of 1 to 7 bytes`, async function () {
      this.timeout(60_000);
      const file = `${pagePackages[0].directory}/${path}.html`;
      if (!pagesBelow(pagePackages[0].directory).includes(file)) skipWithout(this, file);
      const page = inCharset(readFileSync(file), charset);
      if (page === null) return skipWithout(this, 'iconv');
      const view = isSame(page, file, true, contentType);
      for (const coding of codings) {
        for (let size = 1; size <= 7; size++) {
          const got = await throughCoding(page, { coding, size, small: 3000, contentType });
          assert.equal(got.equals(view), true, `in ${coding} by ${size}`);
        }
      }
    });
  }
});

/** @param charset as it is in the file already, or as it is to be. @returns null if nothing can change it here */
function inCharset(page: Buffer, charset: string): Buffer | null {
  if (charset === 'utf-8 with a mark') return Buffer.concat([Buffer.from('\ufeff'), page]);
  const isThere = page.subarray(0, 1024).toString('latin1').toLowerCase().includes(`charset=${charset}`);
  if (isThere) return page;
  const { stdout, error } = spawnSync('iconv', ['-c', '-f', 'utf-8', '-t', charset], { input: page, maxBuffer: 1e7 });
  return error === undefined ? stdout : null;
}
