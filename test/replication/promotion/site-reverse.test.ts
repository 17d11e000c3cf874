import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { bytes, epochMs } from '../../../config/units.js';
import { differenceOf, type SiteDifference } from '../../../replication/promotion/site-difference.js';
import { nameSite } from '../../../replication/promotion/site-names.js';
import { findRules } from '../../../replication/promotion/site-rules.js';
import type { PublishedDocument } from '../../../replication/source/published-document.js';
import { indexPageOf, layOut } from '../../../replication/source/site-layout.js';
import type { SourceFile } from '../../../replication/source/source-file.js';
import { compileRules, usualRules, type SourceRules } from '../../../replication/source/source-rules.js';
import { digestFrom } from '../../../wlis/trust/digest.js';

type Files = Readonly<Record<string, string>>;

/** What a primary publishes of files, which are text; `x.gz` is the compressed form of `x` if it begins with its content. */
function published(files: Files, rules: Partial<SourceRules> = {}): readonly PublishedDocument[] {
  const compiled = compileRules({ ...usualRules, ...rules }, true);
  const directories = new Map<string, Map<string, SourceFile>>([['', new Map()]]);
  for (const [name, content] of Object.entries(files)) {
    if (compiled.judgeFile(name) !== null) continue;
    const at = name.lastIndexOf('/') + 1;
    const directory = directories.get(name.slice(0, at)) ?? new Map<string, SourceFile>();
    directory.set(name.slice(at), fileOf(name, content, files));
    directories.set(name.slice(0, at), directory);
  }
  const documents = new Map<string, PublishedDocument>();
  for (const path of new Set([...directories.keys(), ...compiled.redirects.keys()])) {
    const indexed = [...directories]
      .filter(
        ([below, inside]) =>
          /^[^/]+\/$/.test(below.slice(path.length)) && below.startsWith(path) && indexPageOf(inside, compiled),
      )
      .map(([below]) => below.slice(path.length, -1));
    for (const [at, document] of layOut({ path, files: directories.get(path) ?? new Map(), indexed }, compiled)) {
      documents.set(at, document);
    }
  }
  return [...documents.values()];
}

function fileOf(name: string, content: string, files: Files): SourceFile {
  const digest = digestOf(content);
  const plain = files[name.replace(/\.(?:gz|br)$/, '')];
  const isForm =
    /\.(?:gz|br)$/.test(name) && plain !== undefined && content.length < plain.length && plain.startsWith(content);
  const times = { mtime: epochMs(1000), ctime: epochMs(1000), lastModified: epochMs(1000), inode: 1 };
  return {
    ...{ ...times, digest, blocks: digest, isText: true, size: bytes(content.length), place: '' },
    ...(isForm && { formOf: { digest: digestOf(plain), is: true } }),
  };
}

const digestOf = (content: string) => digestFrom(createHash('sha256').update(content).digest());

interface Reversed {
  readonly files: readonly string[];
  readonly rules: SourceRules;
  readonly difference: SiteDifference;
}

function reversed(documents: readonly PublishedDocument[]): Reversed {
  const site = nameSite(documents);
  const rules = findRules(documents, site, () => true);
  const difference = differenceOf(documents, site.files, compileRules(rules, true), () => true);
  return { files: [...site.files.keys()].sort(), rules, difference };
}

const nothing: SiteDifference = { lost: [], added: [] };

describe('the files of a namespace that a replica holds', () => {
  it('are those that the primary had, with its index pages, compressed forms and page for what is not there', () => {
    const files = {
      'index.html': 'top',
      '404.html': 'none',
      'a/index.html': 'a',
      'a/b c.js': 'script',
      'a/b c.js.gz': 'scr',
      'x.bin.br': 'alone',
    };
    const again = reversed(published(files));
    assert.deepEqual(again, { files: Object.keys(files).sort(), rules: usualRules, difference: nothing });
  });

  it('come with the rules by which the same documents are made of them', () => {
    const rules = {
      indexPages: ['home.htm'],
      types: { foo: 'text/x-foo', png: 'image/x-own' },
      headers: [
        { match: '**', set: { 'cache-control': 'max-age=60' } },
        { match: 'assets/**', set: { 'x-asset': 'yes' } },
        { match: '**/*.js', set: { vary: 'Origin' } },
        { match: 'single.txt', set: { 'x-single': '1' } },
      ],
      redirects: [{ from: 'old', to: 'https://elsewhere.example/', status: 302 as const }],
      dotfiles: ['.known/**', '.one'],
    };
    const files = {
      ...{ 'home.htm': 'top', 'assets/a.js': 'aaaa', 'assets/a.js.gz': 'aa', 'assets/b/c.foo': 'foo' },
      ...{ 'z.js': 'z', 'single.txt': '1', 'other.txt': '2', 'pic.png': 'p', '.known/x': 'x', '.one': 'one' },
    };
    const again = reversed(published(files, rules));
    assert.deepEqual(again.difference, nothing);
    assert.deepEqual(again.rules.indexPages, ['home.htm']);
    assert.deepEqual(again.rules.types, rules.types);
    assert.deepEqual(again.rules.redirects, rules.redirects);
    assert.deepEqual(again.rules.dotfiles, rules.dotfiles);
  });

  it('have their names with an extension where the primary has clean URLs', () => {
    const files = { 'index.html': 'top', 'about.html': 'about', 'a/index.html': 'a', 'a/b.html': 'b', 'b.txt': 'x' };
    const again = reversed(published(files, { cleanUrls: true }));
    assert.deepEqual(again.files, Object.keys(files).sort());
    assert.deepEqual([again.rules.cleanUrls, again.rules.redirects, again.difference], [true, [], nothing]);
  });

  it('leave out what no file can be, which is told', () => {
    const [page] = published({ page: 'page' });
    assert.ok(page !== undefined, 'no document');
    const strange: PublishedDocument[] = [
      { ...page, path: 'a' },
      { ...page, path: 'a/b' },
      { ...page, path: 'query?x=1' },
      { ...page, path: '../up' },
      { ...page, path: 'gone', status: 410, variants: [] },
      { ...page, path: 'german', variants: page.variants.map((variant) => ({ ...variant, language: 'de' })) },
    ];
    const again = reversed(strange);
    assert.deepEqual(again.files, ['a/b']);
    assert.deepEqual(again.difference.lost, ['a', 'query?x=1', '../up', 'gone', 'german']);
  });

  it('and rules lead back to the same documents, or it is told of which not', () => {
    const segment = fc.constantFrom(
      'a',
      'b',
      'c d',
      'e.html',
      'index.html',
      'x.js',
      'x.js.gz',
      'y.own',
      '.dot',
      '404.html',
    );
    const name = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join('/'));
    const content = fc.constantFrom('one', 'on', 'o', 'two', 'three');
    const trees = fc.dictionary(name, content, { maxKeys: 12 }).map((files) =>
      // no file is a directory as well
      Object.fromEntries(
        Object.entries(files).filter(([one]) => !Object.keys(files).some((other) => other.startsWith(`${one}/`))),
      ),
    );
    const match = fc.constantFrom('**', 'a/**', '**/*.html', 'b', 'a/b/**', '**/*.js');
    const rules = fc.record({
      cleanUrls: fc.boolean(),
      dotfiles: fc.constantFrom([], ['**']),
      headers: fc.array(fc.record({ match, set: fc.constantFrom({ 'x-a': '1' }, { 'x-a': '2' }, { 'x-b': '1' }) }), {
        maxLength: 3,
      }),
      redirects: fc.constantFrom([], [{ from: 'old', to: '/a', status: 307 as const }]),
    });
    let whole = 0;
    fc.assert(
      fc.property(trees, rules, (files, given) => {
        const documents = published(files, given);
        const { difference } = reversed(documents);
        if (difference.lost.length === 0 && difference.added.length === 0) whole++;
        // only fields of single directories cannot be told of them alone, and clean pages may have no trace of being that
        const fields = new Set(
          documents.filter(({ path }) => path === '' || path.endsWith('/')).map(({ path }) => path),
        );
        if (!given.cleanUrls)
          assert.deepEqual(
            difference.lost.filter((path) => !fields.has(path)),
            [],
          );
      }),
      { numRuns: 300 },
    );
    assert.ok(whole > 200, `only ${whole} of 300 came back as they were`);
  });
});
