import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes, epochMs } from '../../../config/units.js';
import { documentText, parseDocument, saysTheSame } from '../../../replication/source/published-document.js';
import { layOut } from '../../../replication/source/site-layout.js';
import type { SourceFile } from '../../../replication/source/source-file.js';
import { compileRules, usualRules, type SourceRules } from '../../../replication/source/source-rules.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import { digestOfText } from '../../../wlis/trust/digest.js';
import { parseEpoch } from '../../../wlis/trust/epoch.js';
import { recordText } from '../../../wlis/trust/record.js';
import { oneBlockList } from '../../../wlis/trust/variant.js';

function file(content: string, more: Partial<SourceFile> = {}): SourceFile {
  const digest = digestOfText(content);
  return {
    size: bytes(content.length),
    ...{ mtime: epochMs(0), ctime: epochMs(0), inode: 1, place: '/site', isText: true, lastModified: epochMs(5000) },
    digest,
    blocks: oneBlockList(bytes(content.length), digest),
    ...more,
  };
}

/** Documents by path: what each is, in a word. */
function laid(
  names: readonly string[],
  rules: Partial<SourceRules> = {},
  path = '',
  indexed: string[] = [],
): Record<string, string> {
  const files = new Map(names.map((name) => [name, file(name)]));
  const documents = layOut({ path, files, indexed }, compileRules({ ...usualRules, ...rules }, false));
  return Object.fromEntries(
    [...documents.values()].map(({ path: at, status, fields, variants }) => [
      at,
      variants.length > 0
        ? `${status} ${[...files].find(([, one]) => one.digest === variants[0]?.digest)?.[0] ?? ''}`
        : `${status} to ${fields.find(([name]) => name === 'location')?.[1] ?? ''}`,
    ]),
  );
}

describe('the layout of a directory', () => {
  it('has files, the index page as the directory, and redirects to subdirectories that have one', () => {
    assert.deepEqual(laid(['index.html', 'a.txt'], {}, 'd/', ['e f', 'x:y']), {
      'd/': '200 index.html',
      'd/index.html': '200 index.html',
      'd/a.txt': '200 a.txt',
      'd/e%20f': '301 to e%20f/',
      'd/x:y': '301 to ./x:y/',
    });
  });

  it('takes the first of the index pages that is there', () => {
    const indexPages = ['index.html', 'default.htm'];
    assert.equal(laid(['default.htm'], { indexPages })[''], '200 default.htm');
    assert.equal(laid(['default.htm', 'index.html'], { indexPages })[''], '200 index.html');
  });

  it('has, with clean URLs, pages without their extension and redirects to them', () => {
    assert.deepEqual(laid(['index.html', 'about.html', 'x y.html', 'a.css', '404.html'], { cleanUrls: true }), {
      '': '200 index.html',
      'index.html': '301 to ./',
      about: '200 about.html',
      'about.html': '301 to about',
      'x%20y': '200 x y.html',
      'x%20y.html': '301 to x%20y',
      'a.css': '200 a.css',
      '#404': '404 404.html',
    });
  });

  it('leaves a page its name where another file has the clean one, and prefers the page to a directory of that name', () => {
    assert.deepEqual(laid(['about', 'about.html'], { cleanUrls: true }), {
      about: '200 about',
      'about.html': '200 about.html',
    });
    assert.equal(laid(['about.html'], { cleanUrls: true }, '', ['about'])['about'], '200 about.html');
  });

  it('has redirects of the operator in place of whatever there is, in the directory they are in', () => {
    const redirects = [
      { from: 'old page', to: 'https://other.example/', status: 308 },
      { from: 'a.txt', to: 'b.txt', status: 302 },
      { from: 'd/x', to: '../', status: 301 },
    ] as const;
    assert.deepEqual(laid(['a.txt', 'b.txt'], { redirects }), {
      'old%20page': '308 to https://other.example/',
      'a.txt': '302 to b.txt',
      'b.txt': '200 b.txt',
    });
    assert.deepEqual(laid([], { redirects }, 'd/'), { 'd/x': '301 to ../' });
  });

  it('has variants for compressed forms of the same bytes that are shorter, each with an entity-tag of its own', () => {
    const page = file('a long page');
    const form = (content: string, of = page.digest): SourceFile => file(content, { formOf: { digest: of, is: true } });
    const files = new Map([
      ['p', page],
      ['p.gz', form('short')],
      ['p.br', form('shorter')],
      ['q', page],
      ['q.gz', form('longer than the page itself')],
      ['q.br', form('stale', digestOfText('another'))],
    ]);
    const documents = layOut({ path: '', files, indexed: [] }, compileRules(usualRules, false));
    const variants = documents.get('p')?.variants ?? [];
    assert.deepEqual(
      variants.map(({ coding }) => coding),
      ['br', 'gzip', null],
    );
    assert.equal(new Set(variants.map(({ etag }) => etag)).size, 3);
    assert.deepEqual(
      documents.get('q')?.variants.map(({ coding }) => coding),
      [null],
    );
    assert.deepEqual(documents.get('q')?.fields, []);
  });

  it('is made of documents that records take, and that are the same when they are read again', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z .:%é]{1,6}(\.html|\.gz|)$/), { maxLength: 8 });
    const at = { kind: 'document', namespace: parseNamespace('http://s.example/n/'), seq: 1 } as const;
    const epoch = parseEpoch('5-0123456789abcdef');
    fc.assert(
      fc.property(names, fc.boolean(), (all, cleanUrls) => {
        const files = new Map(all.filter((name) => !/^\.{0,2}$/.test(name)).map((name) => [name, file(name)]));
        const rules = compileRules({ ...usualRules, cleanUrls, indexPages: ['a.html', 'b'] }, false);
        for (const document of layOut({ path: 'é/', files, indexed: ['x'] }, rules).values()) {
          recordText({ ...at, epoch, ...document });
          assert.deepEqual(parseDocument(document.path, documentText(document)), document);
        }
      }),
    );
  });
});

describe('the text of a document', () => {
  it('says the same as another that differs only in when the bytes were modified', () => {
    const text = (content: string, lastModified: number): string => {
      const files = new Map([['a', file(content, { lastModified: epochMs(lastModified) })]]);
      const document = layOut({ path: '', files, indexed: [] }, compileRules(usualRules, false)).get('a');
      return document === undefined ? '' : documentText(document);
    };
    assert.equal(saysTheSame(text('x', 1000), text('x', 2000)), true);
    assert.notEqual(text('x', 1000), text('x', 2000));
    assert.equal(saysTheSame(text('x', 1000), text('y', 1000)), false);
  });
});
