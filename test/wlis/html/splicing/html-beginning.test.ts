import assert from 'node:assert/strict';
import { htmlBeginning, type HtmlBeginning } from '../../../../wlis/html/splicing/html-beginning.js';

const beginning = (page: string | Buffer, contentType = 'text/html', isWhole = true): HtmlBeginning =>
  htmlBeginning(typeof page === 'string' ? Buffer.from(page, 'latin1') : page, contentType, isWhole);

function kinds(pages: readonly string[]): string[] {
  return pages.map((page) => {
    const found = beginning(page);
    return found.kind === 'other' ? found.because : found.kind;
  });
}

const all = (pages: readonly string[], kind: string): void =>
  assert.deepEqual(
    kinds(pages),
    pages.map(() => kind),
  );

/** The charset and the end of the meta that says it. */
function charset(page: string | Buffer, contentType?: string): readonly [string | null, number] | null {
  const found = beginning(page, contentType);
  return found.kind === 'document' ? [found.charset, found.metaEnd] : null;
}

describe('what begins as a page', () => {
  it('is what has the document type of HTML, or a tag that only documents have', () => {
    all(['<!doctype html>', '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2//EN">', '<!doctype\nhtml >'], 'document');
    all(
      ['<html>', '<HTML lang=en>', '<head >', '<title>x', '<meta/>', '<body\n>', '<frameset>', '<base href=x>'],
      'document',
    );
    all(
      ['\xef\xbb\xbf<html>', ' \n<!-- c --><html>', '<!--><html>', '<?xml version="1.0"?>\n<!doctype html>'],
      'document',
    );
    all(['<!-- a --!><html>', '<!x><html>', '<script>x</script><html>', '<link rel=x><title>y'], 'document');
  });

  it('costs about as much as it has bytes, also where there is nothing but comments', () => {
    const comments = ['<!-->', '<!---->', '<!---!>', '<!--x--!>', '<!--!>', '<!-'];
    for (let i = 0; i < 20; i++) for (const one of comments) all([one.repeat(13_000)], 'not HTML');
    all(['<!--!>--><html>', '<!---!>--><html>', '<!----!><html>', '<!--!> --!><html>'], 'document');
  });

  it('is no piece of a page', () => {
    all(['<div>', '<p>x', '<li>', '<table>', '<htmlx>', '<script>x</script>', '<style></style><div>'], 'fragment');
  });

  it('is no other kind of text, whatever its type says', () => {
    all(['', ' ', 'Hello <html>', '{"a":1}', 'x', '<', '< html>', '</html>', '\0<html>', '%PDF-1.4'], 'not HTML');
    all(
      ['<!doctype svg>', '<svg>', '<rss>', '<?xml version="1.0"?><feed>', '<!--', '<!-- x -- >', '<x:y>'],
      'not HTML',
    );
  });

  it('is told once enough has come', () => {
    const comment = (size: number): string => `<!--${' '.repeat(size)}`;
    assert.equal(beginning('<html>', 'text/html', false).kind, 'more');
    assert.equal(beginning('<html>'.padEnd(1024), 'text/html', false).kind, 'document');
    assert.equal(beginning(comment(2000), 'text/html', false).kind, 'more');
    assert.equal(beginning(`${comment(2000)}--><html>`, 'text/html', false).kind, 'document');
    assert.equal(beginning(comment(70_000), 'text/html', false).kind, 'other');
    assert.equal(beginning(' '.repeat(2000), 'text/html', false).kind, 'more');
    assert.equal(beginning(`${comment(2000)}--><htm`, 'text/html', false).kind, 'more');
  });
});

describe('the encoding of a page', () => {
  it('is what a byte order mark says, before its type, before a meta', () => {
    const meta = '<html><meta charset=koi8-r>';
    assert.deepEqual(charset(meta), ['koi8-r', 27]);
    assert.deepEqual(charset(meta, 'text/html; charset=Shift_JIS'), ['shift_jis', 27]);
    assert.deepEqual(charset(meta, 'text/html;x=y; Charset="latin1"'), ['windows-1252', 27]);
    assert.deepEqual(charset(`\xef\xbb\xbf${meta}`, 'text/html; charset=Shift_JIS'), ['utf-8', 30]);
    assert.deepEqual(charset('<html>'), [null, 0]);
    assert.deepEqual(charset('<?xml version="1.0" encoding="EUC-JP"?><html>'), ['euc-jp', 0]);
  });

  it('is not what nobody knows', () => {
    assert.deepEqual(charset('<html><meta charset=koi8-r>', 'text/html; charset=none'), ['koi8-r', 27]);
    assert.deepEqual(charset('<html><meta charset=none><meta charset=koi8-r>'), ['koi8-r', 46]);
  });

  it('is found in a meta as browsers find it', () => {
    const found = (meta: string): string | null => charset(`<html>${meta}`)?.[0] ?? null;
    assert.equal(found('<meta http-equiv=content-type content="text/html; charset=gb2312">'), 'gbk');
    assert.equal(found('<META CONTENT="a; CHARSET = \'big5\' " HTTP-EQUIV="Content-Type">'), 'big5');
    assert.equal(found('<meta content="text/html; charset=big5">'), null);
    assert.equal(found('<meta http-equiv=refresh content="0;charset=big5">'), null);
    assert.equal(found('<meta/charset="big5"/>'), 'big5');
    assert.equal(found('<meta charset=big5 charset=gbk>'), 'big5');
    assert.equal(found('<!-- <meta charset=big5> --><meta charset=gbk>'), 'gbk');
    assert.equal(found('<!--><meta charset=big5>'), 'big5');
    assert.equal(found('<p a="<meta charset=big5>"><meta charset=gbk>'), 'gbk');
    assert.equal(found("<p a='x><meta charset=big5>"), null);
    assert.equal(found('<script>"<meta charset=big5>"</script>'), 'big5');
    assert.equal(found('<? <meta charset=big5>'), null);
    assert.equal(found('<metax charset=big5>'), null);
    assert.equal(found('<meta charset="big5'), null);
    assert.equal(found('<meta charset=utf-16>'), 'utf-8');
    assert.equal(found('<meta charset=x-user-defined>'), 'windows-1252');
    assert.equal(found(`${' '.repeat(1000)}<meta charset=big5>`), null);
  });

  it('is none in which bytes of ASCII may be something else', () => {
    const isLeft = (page: string | Buffer, contentType?: string): void =>
      assert.deepEqual(beginning(page, contentType), { kind: 'other', because: 'charset' });
    isLeft(Buffer.from('\ufeff<html>', 'utf16le'));
    isLeft(Buffer.from([0xfe, 0xff, 0, 0x3c]));
    for (const name of [
      'utf-16',
      'UTF-16LE',
      'utf-16be',
      'unicode',
      'utf-7',
      'utf-32',
      'x-user-defined',
      'replacement',
    ]) {
      isLeft('<html>', `text/html; charset=${name}`);
    }
    for (const name of ['iso-2022-jp', 'csiso2022jp', 'iso-2022-kr', 'iso-2022-cn', 'hz-gb-2312', 'ISO-2022-CN-EXT']) {
      isLeft('<html>', `text/html; charset=${name}`);
      isLeft(`<html><meta charset=${name}>`);
    }
    isLeft('<html>\x1b$B');
    assert.equal(beginning(Buffer.from('<html>', 'utf16le')).kind, 'other');
    assert.deepEqual(charset('<html>\x1b$B', 'text/html; charset=utf-8'), ['utf-8', 0]);
  });
});
