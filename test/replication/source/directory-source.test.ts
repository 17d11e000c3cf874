import assert from 'node:assert/strict';
import { appendFile, chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { SourceFixture } from './source-fixture.js';
import { asNobody } from '../../support/as-nobody.js';

describe('a directory that is published', () => {
  let fixture: SourceFixture;

  beforeEach(async () => {
    fixture = await SourceFixture.create();
  });

  afterEach(() => fixture.remove());

  it('has a document for each file, the directory itself for an index page, and a redirect to it', async () => {
    await fixture.write('index.html', 'top');
    await fixture.write('a b/index.html', 'inner');
    await fixture.write('a b/100%.txt', 'x');
    await fixture.write('bare/file.css', 'y');
    await fixture.scan();
    assert.deepEqual(fixture.paths(), [
      '',
      'a%20b',
      'a%20b/',
      'a%20b/100%25.txt',
      'a%20b/index.html',
      'bare/file.css',
      'index.html',
    ]);
    assert.equal(await fixture.text(''), 'top');
    assert.equal(await fixture.text('a%20b/'), 'inner');
    const redirect = fixture.document('a%20b');
    assert.deepEqual([redirect?.status, redirect?.fields, redirect?.variants], [301, [['location', 'a%20b/']], []]);
    assert.equal(fixture.document('bare/file.css')?.variants[0]?.type, 'text/css; charset=utf-8');
  });

  it('answers with its own page for what is not there', async () => {
    await fixture.write('404.html', 'nothing');
    await fixture.write('d/404.html', 'another');
    await fixture.scan();
    assert.deepEqual(fixture.paths(), ['#404', 'd/404.html']);
    assert.equal(fixture.document('#404')?.status, 404);
    assert.equal(await fixture.text('#404'), 'nothing');
  });

  it('records a change once, and nothing for a file that was only touched or replaced by its equal', async () => {
    await fixture.write('a.txt', 'one');
    await fixture.write('b.txt', 'two');
    await fixture.scan();
    assert.equal(fixture.publication.list.last, 2);
    const modified = fixture.document('a.txt')?.variants[0]?.lastModified;
    await fixture.touch('a.txt');
    await rm(join(fixture.site, 'b.txt'));
    await fixture.write('b.txt', 'two');
    fixture.pass(120_000);
    await fixture.scan();
    assert.equal(fixture.publication.list.last, 2);
    assert.equal(fixture.document('a.txt')?.variants[0]?.lastModified, modified);
    await fixture.write('b.txt', 'three');
    fixture.pass(120_000);
    await fixture.scan();
    assert.equal(fixture.publication.list.last, 3);
    assert.equal(await fixture.text('b.txt'), 'three');
  });

  it('never publishes dotfiles, temporaries, what is excluded, and what is neither a file nor a directory', async () => {
    const names = [
      '.env',
      '.git/config',
      'a.html~',
      '.a.html.swp',
      '#a.html#',
      '.a.html.k3XyZq',
      '.~tmp~/a',
      'b.part',
      'drafts/x',
    ];
    for (const name of names) await fixture.write(name, 'secret');
    await fixture.write('a.html', 'public');
    fixture.rules = { exclude: ['drafts/**'] };
    await fixture.reopen();
    await fixture.scan();
    assert.deepEqual(fixture.paths(), ['a.html']);
    assert.deepEqual(fixture.source.status.refused, [['drafts', 'excluded']]);
  });

  it('publishes dotfiles that are listed, but never /.well-known/ of the authority', async () => {
    await fixture.write('.nojekyll', '');
    await fixture.write('.well-known/acme-challenge/x', 'token');
    await fixture.write('d/.well-known/x', 'y');
    fixture.rules = { dotfiles: ['.nojekyll', '**/.well-known/**', '.well-known/**'] };
    await fixture.reopen();
    await fixture.scan();
    assert.deepEqual(fixture.paths(), ['.nojekyll', 'd/.well-known/x']);
  });

  it('follows links that stay inside, and none that leave, dangle or go round', async () => {
    await fixture.temporary.write('outside/secret.txt', 'secret');
    await fixture.write('real/a.txt', 'a');
    await fixture.link('inside.txt', 'real/a.txt');
    await fixture.link('again', 'real');
    await fixture.link('secret.txt', '../outside/secret.txt');
    await fixture.link('out', '../outside');
    await fixture.link('nowhere', 'nothing');
    await fixture.link('real/round', '..');
    await fixture.scan();
    assert.deepEqual(fixture.paths(), ['again/a.txt', 'inside.txt', 'real/a.txt']);
    assert.deepEqual(
      new Map(fixture.source.status.refused),
      new Map([
        ['secret.txt', 'outside'],
        ['out', 'outside'],
        ['nowhere', 'dangling'],
        ['real/round', 'loop'],
        ['again/round', 'loop'],
      ]),
    );
  });

  it('says which names no URI can have', async () => {
    await fixture.write('back\\slash', 'x');
    await writeFile(Buffer.concat([Buffer.from(`${fixture.site}/caf`), Buffer.from([0xe9])]), 'latin-1');
    await fixture.scan();
    assert.deepEqual(fixture.paths(), []);
    assert.deepEqual(
      fixture.source.status.refused.map(([, reason]) => reason),
      ['unspeakable', 'unspeakable'],
    );
  });

  it('takes compressed siblings as variants if they are just the same bytes, and as documents of their own', async () => {
    const page = 'a page '.repeat(1000);
    await fixture.write('a.html', page);
    await fixture.write('a.html.gz', gzipSync(page));
    await fixture.write('a.html.br', brotliCompressSync(page));
    await fixture.write('stale.html', page);
    await fixture.write('stale.html.gz', gzipSync(`${page} of yesterday`));
    await fixture.write('bomb.html', page);
    await fixture.write('bomb.html.gz', gzipSync(Buffer.alloc(20_000_000)));
    await fixture.write('no.html', page);
    await fixture.write('no.html.gz', 'not compressed at all');
    await fixture.scan();
    const codings = (path: string): unknown => fixture.document(path)?.variants.map(({ coding }) => coding);
    assert.deepEqual(codings('a.html'), ['br', 'gzip', null]);
    assert.deepEqual(fixture.document('a.html')?.fields, [['vary', 'Accept-Encoding']]);
    assert.deepEqual(await fixture.content('a.html', 'gzip'), gzipSync(page));
    for (const path of ['stale.html', 'bomb.html', 'no.html']) assert.deepEqual(codings(path), [null], path);
    assert.equal(fixture.document('a.html.gz')?.variants[0]?.type, 'application/gzip');
    // the page changes: its compressed forms are stale
    await fixture.write('a.html', `${page}!`);
    fixture.pass(120_000);
    await fixture.scan();
    assert.deepEqual(codings('a.html'), [null]);
  });

  it('does not take a file that was written a moment ago, until it has been left alone for a second', async () => {
    await fixture.write('old.txt');
    await fixture.scan();
    fixture.setToNow();
    await fixture.write('new.txt', 'half');
    await fixture.source.scan();
    assert.equal(fixture.document('new.txt'), null);
    fixture.pass(500);
    await appendFile(join(fixture.site, 'new.txt'), ' and half');
    await fixture.source.scan();
    assert.deepEqual(fixture.source.status.unsettled, ['new.txt']);
    // it was seen to grow: three seconds
    fixture.pass(2999);
    await fixture.source.lookAtNews();
    assert.equal(fixture.document('new.txt'), null);
    fixture.pass(1);
    await fixture.source.lookAtNews();
    assert.equal(await fixture.text('new.txt'), 'half and half');
  });

  it('takes a file that was moved to its name after a moment', async () => {
    await fixture.write('a.txt', 'one');
    await fixture.scan();
    fixture.setToNow();
    await fixture.write('a.txt.tmp', 'two');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await rename(join(fixture.site, 'a.txt.tmp'), join(fixture.site, 'a.txt'));
    await fixture.source.scan();
    assert.equal(await fixture.text('a.txt'), 'one');
    fixture.pass(25);
    await fixture.source.lookAtNews();
    assert.equal(await fixture.text('a.txt'), 'two');
  });

  it('goes on publishing the old bytes while a file is written in place', async () => {
    await fixture.write('a.txt', 'one');
    await fixture.scan();
    fixture.setToNow();
    for (const text of ['t', 'tw', 'two']) {
      await fixture.write('a.txt', text);
      await fixture.source.scan();
      fixture.pass(900);
      assert.equal(await fixture.text('a.txt'), 'one');
    }
    fixture.pass(3000);
    await fixture.source.scan();
    assert.equal(await fixture.text('a.txt'), 'two');
  });

  it('removes a document when its file has been missing for a second, and not when it came back', async () => {
    await fixture.write('a.txt', 'a');
    await fixture.write('b.txt', 'b');
    await fixture.scan();
    await fixture.delete('a.txt');
    await fixture.delete('b.txt');
    await fixture.write('index.html');
    await fixture.source.scan();
    fixture.pass(900);
    await fixture.write('b.txt', 'b');
    fixture.pass(120_000);
    await fixture.source.scan();
    assert.deepEqual(fixture.paths(), ['', 'b.txt', 'index.html']);
  });

  it('is not read again at the next start, and not published again', async () => {
    for (let i = 0; i < 30; i++) await fixture.write(`d${i % 3}/${i}.txt`);
    await fixture.scan();
    const { last } = fixture.publication.list;
    const epoch = fixture.publication.epoch;
    await fixture.reopen();
    // whatever is read now could not be stored
    Object.assign(fixture.blobs, { putFile: () => assert.fail('a file was read again') });
    await fixture.scan();
    assert.deepEqual([fixture.publication.list.last, fixture.publication.epoch], [last, epoch]);
    assert.deepEqual(fixture.source.status.problem, null);
  });

  it('is published the same when what was known of its files is lost', async () => {
    await fixture.write('a.txt');
    await fixture.write('a.txt.gz', gzipSync('content of a.txt'.repeat(1)));
    await fixture.scan();
    const { last } = fixture.publication.list;
    await fixture.close();
    await rm(join(fixture.data, 'facts'));
    await fixture.open();
    await fixture.touch('a.txt');
    fixture.pass(120_000);
    await fixture.scan();
    assert.equal(fixture.publication.list.last, last);
    assert.equal(fixture.events.includes('source-facts-lost'), true);
  });

  it('begins a new epoch when its journal is lost or damaged, with all documents in it', async () => {
    await fixture.write('a.txt', 'a');
    await fixture.write('b.txt', 'b');
    await fixture.scan();
    const { epoch } = fixture.publication;
    await fixture.close();
    await writeFile(join(fixture.data, 'journal'), 'damaged');
    await fixture.open();
    await fixture.scan();
    assert.notEqual(fixture.publication.epoch, epoch);
    assert.deepEqual(fixture.paths(), ['a.txt', 'b.txt']);
    assert.equal(fixture.events.includes('journal-lost'), true);
  });

  it('is removed from only by the operator when more than a fifth and more than a hundred are gone', async () => {
    for (let i = 0; i < 300; i++) await fixture.write(`d${i % 2}/${i}.txt`);
    await fixture.scan();
    await fixture.delete('d0');
    await fixture.write('new.txt', 'new');
    fixture.pass(120_000);
    await fixture.scan();
    await fixture.scan();
    assert.equal(fixture.paths().length, 301);
    assert.equal(await fixture.text('new.txt'), 'new');
    assert.equal(fixture.source.status.heldRemovals, 150);
    assert.equal(fixture.source.status.problem?.code, 'source-held');
    await fixture.source.allowRemovals();
    assert.equal(fixture.paths().length, 151);
    assert.equal(fixture.source.status.problem, null);
    assert.equal(fixture.events.includes('source-held-over'), true);
  });

  it('is protected against removal bit by bit too', async () => {
    for (let i = 0; i < 300; i++) await fixture.write(`d${i % 30}/${i}.txt`);
    await fixture.scan();
    for (let d = 0; d < 30; d++) {
      await fixture.delete(`d${d}`);
      await fixture.scan();
    }
    assert.ok(fixture.paths().length >= 200, String(fixture.paths().length));
    assert.notEqual(fixture.source.status.heldRemovals, 0);
  });

  it('stays as it is when its directory is gone, empty or no directory, until it is back', async () => {
    await fixture.write('a.txt', 'a');
    await fixture.scan();
    await rename(fixture.site, `${fixture.site}.away`);
    await fixture.scan();
    assert.equal(fixture.source.status.problem?.code, 'source-gone');
    await mkdir(fixture.site);
    await fixture.scan();
    assert.match(fixture.problem(), /is empty/);
    await rm(fixture.site, { recursive: true });
    await writeFile(fixture.site, '');
    await fixture.scan();
    assert.match(fixture.problem(), /is no directory/);
    assert.deepEqual(fixture.paths(), ['a.txt']);
    await rm(fixture.site);
    await rename(`${fixture.site}.away`, fixture.site);
    await fixture.write('b.txt', 'b');
    fixture.pass(120_000);
    await fixture.scan();
    assert.deepEqual(fixture.paths(), ['a.txt', 'b.txt']);
    assert.equal(fixture.source.status.problem, null);
  });

  it('swapped for another release by a link changes as one set, however long that takes', async () => {
    await rm(fixture.site, { recursive: true });
    const release = (name: string): string => join(fixture.temporary.path, 'releases', name);
    for (const version of ['1', '2']) {
      for (const page of ['a', 'd/b', 'd/c'])
        await fixture.temporary.write(`releases/${version}/${page}.txt`, `${page} of ${version}`);
    }
    await fixture.temporary.write('releases/1/only-1.txt', 'x');
    await fixture.temporary.write('releases/2/only-2.txt', 'x');
    await symlink(release('1'), fixture.site);
    await fixture.scan();
    const { last } = fixture.publication.list;
    fixture.published.length = 0;
    fixture.setToNow();
    // a file of the new release is not finished
    await writeFile(join(release('2'), 'd/b.txt'), 'd/b of 2!');
    await symlink(release('2'), `${fixture.site}.new`);
    await rename(`${fixture.site}.new`, fixture.site);
    await fixture.source.scan();
    assert.equal(fixture.publication.list.last, last);
    fixture.pass(120_000);
    await fixture.source.lookAtNews();
    assert.equal(fixture.published.length, 1);
    const [set = []] = fixture.published;
    assert.deepEqual(new Set(set.map(({ together }) => together)), new Set([last + 5]));
    assert.deepEqual(fixture.paths(), ['a.txt', 'd/b.txt', 'd/c.txt', 'only-2.txt']);
    assert.equal(await fixture.text('d/b.txt'), 'd/b of 2!');
  });

  it('in which a directory is swapped by a link changes there as one set, and elsewhere as ever', async () => {
    await fixture.write('releases/1/a.css', 'a1');
    await fixture.write('releases/1/b.css', 'b1');
    await fixture.write('releases/2/a.css', 'a2');
    await fixture.write('releases/2/b.css', 'b2');
    await fixture.write('page.html', 'page');
    await fixture.link('assets', 'releases/1');
    fixture.rules = { exclude: ['releases/**'] };
    await fixture.reopen();
    await fixture.scan();
    assert.deepEqual(fixture.paths(), ['assets/a.css', 'assets/b.css', 'page.html']);
    fixture.published.length = 0;
    await fixture.write('page.html', 'page 2');
    await fixture.link('assets', 'releases/2');
    fixture.pass(120_000);
    await fixture.source.scan();
    const sets = fixture.published.map((changes) => changes.map(({ path, together }) => [path, together]));
    assert.deepEqual(sets, [
      [
        ['assets/a.css', 5],
        ['assets/b.css', 5],
      ],
      [['page.html', 6]],
    ]);
  });

  it('of files that are links through one that is swapped changes as one set', async () => {
    await fixture.write('..1/a.txt', 'a1');
    await fixture.write('..1/b.txt', 'b1');
    await fixture.write('..2/a.txt', 'a2');
    await fixture.write('..2/b.txt', 'b2');
    await fixture.link('..data', '..1');
    await fixture.link('a.txt', '..data/a.txt');
    await fixture.link('b.txt', '..data/b.txt');
    await fixture.scan();
    assert.equal(await fixture.text('a.txt'), 'a1');
    fixture.published.length = 0;
    await fixture.link('..data', '..2');
    fixture.pass(120_000);
    await fixture.source.scan();
    assert.deepEqual(
      fixture.published.map((set) => set.map(({ path, together }) => [path, together])),
      [
        [
          ['a.txt', 4],
          ['b.txt', 4],
        ],
      ],
    );
  });

  it('with a marker in a directory changes there only when the marker is touched, and as one set', async () => {
    await fixture.write('set/.willis-set', '');
    await fixture.write('set/a.txt', 'a1');
    await fixture.write('set/deep/b.txt', 'b1');
    await fixture.write('free.txt', 'f1');
    await fixture.scan();
    fixture.published.length = 0;
    await fixture.write('set/a.txt', 'a2');
    await fixture.write('set/deep/b.txt', 'b2');
    await fixture.write('free.txt', 'f2');
    fixture.pass(120_000);
    await fixture.scan();
    assert.deepEqual(
      fixture.published.flat().map(({ path }) => path),
      ['free.txt'],
    );
    await fixture.reopen();
    await fixture.scan();
    assert.equal(await fixture.text('set/a.txt'), 'a1');
    fixture.published.length = 0;
    await fixture.delete('set/deep/b.txt');
    await fixture.touch('set/.willis-set');
    fixture.pass(120_000);
    await fixture.source.scan();
    const [set = [], ...more] = fixture.published;
    assert.deepEqual(more, []);
    assert.deepEqual(
      set.map(({ path, document }) => [path, document !== null]),
      [
        ['set/a.txt', true],
        ['set/deep/b.txt', false],
      ],
    );
    assert.equal(new Set(set.map(({ together }) => together)).size, 1);
    await fixture.delete('set/.willis-set');
    await fixture.write('set/a.txt', 'a3');
    fixture.pass(120_000);
    await fixture.scan();
    assert.equal(await fixture.text('set/a.txt'), 'a3');
  });

  it('keeps what cannot be read as it was', async () => {
    await fixture.write('d/a.txt', 'a');
    await fixture.write('b.txt', 'b');
    await fixture.scan();
    await chmod(join(fixture.site, 'd'), 0);
    await fixture.write('b.txt', 'b2');
    await chmod(join(fixture.site, 'b.txt'), 0);
    fixture.pass(120_000);
    await asNobody(fixture.temporary.path, () => fixture.scan());
    assert.deepEqual(fixture.paths(), ['b.txt', 'd/a.txt']);
    assert.equal(await fixture.text('b.txt'), 'b');
    assert.deepEqual(new Set(fixture.source.status.unreadable), new Set(['d/', 'b.txt']));
    await chmod(join(fixture.site, 'd'), 0o700);
    await chmod(join(fixture.site, 'b.txt'), 0o600);
  });

  it('publishes what fits into the store, says what does not, and tries again', async () => {
    await fixture.close();
    fixture.limit = 60_000;
    await fixture.open();
    await fixture.write('a.txt', 'a'.repeat(50_000));
    await fixture.scan();
    await fixture.write('b.txt', 'b'.repeat(50_000));
    fixture.pass(120_000);
    await fixture.scan();
    assert.deepEqual(fixture.paths(), ['a.txt']);
    assert.match(fixture.problem(), /50000 bytes more do not fit/);
    await fixture.close();
    fixture.limit = 200_000;
    await fixture.open();
    await fixture.scan();
    assert.deepEqual(fixture.paths(), ['a.txt', 'b.txt']);
    assert.equal(fixture.source.status.problem, null);
  });

  it('has its superseded bytes kept for ten minutes, and those of what is published for ever', async () => {
    await fixture.write('a.txt', 'one');
    await fixture.write('same.txt', 'one');
    await fixture.write('b.txt', 'first');
    await fixture.scan();
    const old = fixture.document('b.txt')?.variants[0];
    assert.ok(old, 'it is not published');
    await fixture.write('a.txt', 'two');
    await fixture.write('b.txt', 'second');
    fixture.pass(120_000);
    await fixture.scan();
    await fixture.blobs.collect();
    assert.equal(fixture.blobs.has(old.digest), true);
    fixture.pass(600_000);
    await fixture.blobs.collect();
    assert.equal(fixture.blobs.has(old.digest), false);
    assert.deepEqual([await fixture.text('same.txt'), await fixture.text('a.txt')], ['one', 'two']);
    await fixture.reopen();
    fixture.pass(600_001);
    await fixture.blobs.collect();
    assert.deepEqual([await fixture.text('same.txt'), await fixture.text('b.txt')], ['one', 'second']);
  });

  it('reads anew what the store has lost, and publishes nothing for it', async () => {
    await fixture.write('a.txt', 'x'.repeat(50_000));
    await fixture.scan();
    const { last } = fixture.publication.list;
    await fixture.close();
    await rm(join(fixture.data, 'blobs'), { recursive: true });
    await fixture.open();
    await fixture.scan();
    assert.equal(await fixture.text('a.txt'), 'x'.repeat(50_000));
    assert.equal(fixture.publication.list.last, last);
    fixture.pass(600_001);
    await fixture.write('b.txt', 'b');
    fixture.pass(120_000);
    await fixture.scan();
    fixture.pass(600_001);
    await fixture.blobs.collect();
    assert.equal((await fixture.text('a.txt'))?.length, 50_000);
  });
});
