import assert from 'node:assert/strict';
import fc from 'fast-check';
import { epochMs, milliseconds, monotonicMs, bytes } from '../../../config/units.js';
import { MassRemoval } from '../../../replication/source/mass-removal.js';
import { mediaTypeOf } from '../../../replication/source/media-types.js';
import { insidePatternFault } from '../../../config/uri-pattern.js';
import { pathPatterns } from '../../../wlis/path-patterns.js';
import { settle, type Look, type SettleTimes } from '../../../replication/source/settling.js';
import type { Fingerprint } from '../../../replication/source/source-file.js';
import { compileRules, usualRules, type SourceRules } from '../../../replication/source/source-rules.js';
import { isTemporaryName } from '../../../replication/source/temporary-names.js';
import { encodePath, referenceTo } from '../../../replication/source/uri-path.js';
import { parseNamespace, uriInside } from '../../../wlis/namespace.js';

const compiled = (rules: Partial<SourceRules>, atTop = false): ReturnType<typeof compileRules> =>
  compileRules({ ...usualRules, ...rules }, atTop);

describe('names of temporary files', () => {
  it('are those that editors, rsync, downloads and desktops give', () => {
    const names = [
      'a~',
      '.a.swp',
      '.a.swo',
      '#a#',
      '.#a',
      '.a.html.Xa3bcd',
      '.~tmp~',
      '.rsync-partial',
      'a.part',
      'a.TMP',
    ];
    const more = [
      'a.crdownload',
      'a.filepart',
      '.goutputstream-X1',
      '~$report.docx',
      '.~lock.a.odt#',
      'a___jb_tmp___',
      'sedA1b2c3',
    ];
    for (const name of [...names, ...more, '.nfs000000001', 'Thumbs.db', '.DS_Store'])
      assert.ok(isTemporaryName(name), name);
  });

  it('are no others', () => {
    const names = [
      'a.html',
      'temp',
      'part.html',
      'a.swp.html',
      '.htaccess',
      '.foo.config',
      'sedation',
      '#',
      'a#b',
      '4913',
      'a.bak',
    ];
    for (const name of names) assert.ok(!isTemporaryName(name), name);
  });
});

describe('patterns of paths', () => {
  it('match within and across directories, below a directory, and at the top with a leading **', () => {
    const matches = (pattern: string, path: string): boolean => pathPatterns([pattern]).matches(path);
    assert.deepEqual(
      ['*.html', '**', 'd/**', 'd/', '**/a', '**/a'].map((pattern, i) =>
        matches(pattern, ['a.html', 'x/y', 'd/e/f', 'd/e', 'a', 'x/y/a'][i] ?? ''),
      ),
      Array(6).fill(true),
    );
    assert.deepEqual(
      ['*.html', 'd/*', 'd'].map((pattern) => matches(pattern, 'd/e/f.html')),
      [false, false, false],
    );
  });

  it('cover a directory only if they match all that can be in it', () => {
    const covers = (pattern: string): boolean => pathPatterns([pattern]).coversAllBelow('d/e/');
    assert.deepEqual(['d/**', 'd/', 'd/e/**', '**', 'd/e/*', 'd/e/**.html', 'd/e'].map(covers), [
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('are refused with what they should be', () => {
    assert.equal(insidePatternFault('d/**'), null);
    for (const wrong of ['', '/a', '../a', 'a/./b', '*a'.repeat(9)])
      assert.notEqual(insidePatternFault(wrong), null, wrong);
  });
});

describe('the rules of a source', () => {
  it('say why a file is not published', () => {
    const rules = compiled(
      { include: ['docs/**', '*.html'], exclude: ['docs/drafts/**'], dotfiles: ['docs/.ok/**'] },
      true,
    );
    const reasons = [
      'docs/a',
      'x.html',
      'x.css',
      'docs/drafts/a',
      'docs/.no',
      'docs/.ok/a',
      'docs/a~',
      'docs/a\\b',
      '.well-known',
    ];
    assert.deepEqual(
      reasons.map((path) => rules.judgeFile(path)),
      [...[null, null, 'not-included', 'excluded', 'hidden', null, 'temporary', 'unspeakable', 'reserved']],
    );
    assert.equal(rules.judgeDirectory('docs/drafts/'), 'excluded');
    assert.equal(rules.judgeDirectory('docs/.ok/'), null);
    assert.equal(rules.judgeDirectory('docs/.no/'), 'hidden');
  });

  it('give fields by pattern, the later rule counting, and seal none that cannot be sealed', () => {
    const rules = compiled({
      headers: [
        { match: '**', set: { 'Cache-Control': 'max-age=60', 'X-One': '1', 'Set-Cookie': 'a=b' } },
        { match: '*.css', set: { 'cache-control': 'max-age=600', Vary: 'Origin' } },
      ],
    });
    assert.deepEqual(rules.fieldsFor('a.css', ['vary', 'Accept-Encoding']), [
      ['cache-control', 'max-age=600'],
      ['vary', 'Origin, Accept-Encoding'],
      ['x-one', '1'],
    ]);
  });
});

describe('the path of a file', () => {
  it('is canonical, and names that file and no other', () => {
    const space = parseNamespace('http://site.example/docs/');
    const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[/\0]/.test(text));
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 3 }), (names) => {
        const path = encodePath(names.join('/'));
        if (path === null) return;
        assert.equal(decodeURIComponent(path), names.join('/'));
        assert.equal(uriInside(space, path), space + path);
      }),
    );
  });

  it('is none for what no URI can name', () => {
    for (const wrong of ['a\\b', 'a\ufffd', '..', '../a', 'a/./b', 'a/..'])
      assert.equal(encodePath(wrong), null, wrong);
    assert.equal(encodePath('...'), '...');
  });

  it('is referred to so that no part of it is taken for a scheme', () => {
    const from = new URL('http://site.example/d/x');
    for (const segment of ['a', 'a:b', 'a:b/', 'javascript:x', '']) {
      assert.equal(new URL(referenceTo(segment), from).href, `http://site.example/d/${segment}`);
    }
  });
});

describe('the media type of a file', () => {
  it('is that of its extension, in UTF-8 if the bytes are, and the operator has the last word', () => {
    assert.equal(mediaTypeOf('a.HTML', true, {}), 'text/html; charset=utf-8');
    assert.equal(mediaTypeOf('a.html', false, {}), 'text/html');
    assert.equal(mediaTypeOf('a.json', true, {}), 'application/json');
    assert.equal(mediaTypeOf('a.svg', true, {}), 'image/svg+xml');
    assert.equal(mediaTypeOf('a.ts', true, {}), 'text/plain; charset=utf-8');
    assert.equal(mediaTypeOf('a.ts', false, {}), 'video/mp2t');
    assert.equal(mediaTypeOf('a.html', true, { html: 'text/x-own' }), 'text/x-own; charset=utf-8');
  });

  it('is text or not by its bytes, where no table knows it', () => {
    assert.equal(mediaTypeOf('README', true, {}), 'text/plain; charset=utf-8');
    assert.equal(mediaTypeOf('a.constructor', false, {}), 'application/octet-stream');
    assert.equal(mediaTypeOf('.html', false, {}), 'application/octet-stream');
  });
});

describe('settling', () => {
  const times: SettleTimes = { written: milliseconds(1000), moved: milliseconds(25), missing: milliseconds(1000) };
  const print = (size: number, mtime: number, ctime = mtime, inode = 1): Fingerprint => ({
    size: bytes(size),
    mtime: epochMs(mtime),
    ctime: epochMs(ctime),
    inode,
  });

  /** When a file that looks so at these times is taken; the wall clock and the other are the same. */
  function takenAt(states: readonly (readonly [at: number, state: Fingerprint])[], known?: Fingerprint): number | null {
    let look: Look | undefined;
    for (const [index, [from, state]] of states.entries()) {
      const until = states[index + 1]?.[0] ?? Infinity;
      for (let at = from; at < until;) {
        const settling = settle(state, known, look, { wall: epochMs(at), monotonic: monotonicMs(at) }, times);
        if (settling.settled) return at;
        look = settling.look;
        at += settling.wait;
      }
    }
    return null;
  }

  it('is over at once for what was changed more than a minute ago', () => {
    assert.equal(takenAt([[100_000, print(1, 39_999)]]), 100_000);
    assert.equal(takenAt([[100_000, print(1, 40_000)]]), 101_000);
  });

  it('is not fooled by an old time of modification, nor by times in the future', () => {
    assert.equal(takenAt([[100_000, print(1, 0, 99_990)]], print(9, 0)), 101_000);
    assert.equal(takenAt([[100_000, print(1, 900_000)]]), 101_000);
  });

  it('takes a second, three if the file was seen to change, and a moment for one that was moved', () => {
    assert.equal(takenAt([[100_000, print(1, 100_000)]], print(9, 0)), 101_000);
    assert.equal(
      takenAt(
        [
          [100_000, print(1, 100_000)],
          [100_700, print(2, 100_700)],
        ],
        print(9, 0),
      ),
      103_700,
    );
    assert.equal(takenAt([[100_000, print(1, 99_000, 100_000, 2)]], print(9, 0)), 100_025);
    assert.equal(takenAt([[100_000, print(1, 99_000, 100_000, 1)]], print(9, 0)), 101_000);
  });
});

describe('mass removal', () => {
  const at = (ms: number): ReturnType<typeof monotonicMs> => monotonicMs(ms);

  it('is more than a fifth and more than a hundred within ten minutes', () => {
    const one = new MassRemoval();
    assert.equal(one.isSuspect(101, 504, at(0)), true);
    assert.equal(one.isSuspect(101, 505, at(0)), false);
    assert.equal(one.isSuspect(100, 100, at(0)), false);
    assert.equal(one.isSuspect(0, 0, at(0)), false);
    one.count(60, at(0));
    assert.equal(one.isSuspect(41, 144, at(599_999)), true);
    assert.equal(one.isSuspect(41, 144, at(600_000)), false);
  });

  it('is allowed by the operator until it is done', () => {
    const one = new MassRemoval();
    one.allow();
    assert.equal(one.isSuspect(500, 500, at(0)), false);
    one.count(500, at(0));
    one.done();
    assert.equal(one.isSuspect(500, 500, at(0)), true);
  });
});
