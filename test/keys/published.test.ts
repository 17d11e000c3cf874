import assert from 'node:assert/strict';
import { link, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Replicating } from '../support/replicating.js';
import { aWhile, until } from '../support/waiting.js';
import { flips } from './flips.js';

describe('the keys of what is published', () => {
  let site: Replicating;

  afterEach(() => site.stop());

  const contents = (...paths: string[]): Promise<string[]> => Promise.all(paths.map((path) => site.content(path)));

  const field = async (path: string, name: string): Promise<string | undefined> =>
    (await site.visit(path)).get(name) ?? undefined;

  /** Waits until it is so: what is no longer published is missed for a second first. */
  const become = (expected: readonly string[], ...paths: string[]): Promise<void> =>
    until(async () => (await contents(...paths)).join() === expected.join());

  flips('primary.namespaces', 'what is published', async () => {
    site = await Replicating.start({ files: { 'a.txt': 'A' } });
    await become(['A'], '/a.txt');
    await site.primary.reload({ primary: { namespaces: [] } });
    await become(['421'], '/a.txt');
    await site.publish();
    await become(['A'], '/a.txt');
  });

  flips('primary.namespaces[].url', 'what visitors ask for', async () => {
    site = await Replicating.start({ files: { 'a.txt': 'A' } });
    await become(['A', '404'], '/a.txt', '/manual/a.txt');
    await site.publish({ url: `${site.origin}/manual/` });
    await become(['421', 'A'], '/a.txt', '/manual/a.txt');
  });

  flips('primary.namespaces[].directory', 'where the files are', async () => {
    site = await Replicating.start({ files: { 'a.txt': 'A' } });
    await become(['A'], '/a.txt');
    const other = site.path('other');
    await site.write('a.txt', 'another', other);
    await site.write('b.txt', 'B', other);
    await site.publish({ directory: other });
    await become(['another', 'B'], '/a.txt', '/b.txt');
  });

  flips('primary.namespaces[].include', 'what of the files is published', async () => {
    site = await Replicating.start({ files: { 'a.txt': 'A', 'b.md': 'B' }, keys: { include: ['*.txt'] } });
    await become(['A', '404'], '/a.txt', '/b.md');
    await site.publish({ include: ['*.md'] });
    await become(['404', 'B'], '/a.txt', '/b.md');
  });

  flips('primary.namespaces[].exclude', 'what of them is not', async () => {
    site = await Replicating.start({ files: { 'a.txt': 'A', 'drafts/b.txt': 'B' }, keys: { exclude: ['drafts/**'] } });
    await become(['A', '404'], '/a.txt', '/drafts/b.txt');
    await site.publish({ exclude: ['a.txt'] });
    await become(['404', 'B'], '/a.txt', '/drafts/b.txt');
  });

  flips('primary.namespaces[].dotfiles', 'where names may begin with a dot', async () => {
    site = await Replicating.start({ files: { '.env': 'secret', '.well/a.txt': 'A', 'b.txt': 'B' } });
    await become(['B'], '/b.txt');
    assert.deepEqual(await contents('/.env', '/.well/a.txt'), ['404', '404']);
    await site.publish({ dotfiles: ['.well/'] });
    await become(['A'], '/.well/a.txt');
    assert.deepEqual(await contents('/.env'), ['404']);
  });

  flips('primary.namespaces[].indexPages', 'the files that stand for their directory', async () => {
    const files = { 'index.html': 'index', 'home.html': 'home' };
    site = await Replicating.start({ files });
    await become(['index', 'home'], '/', '/home.html');
    await site.publish({ indexPages: ['home.html'] });
    await become(['home', 'index'], '/', '/index.html');
  });

  flips('primary.namespaces[].cleanUrls', 'pages without their extension', async () => {
    site = await Replicating.start({ files: { 'about.html': 'about' } });
    await become(['about', '404'], '/about.html', '/about');
    await site.publish({ cleanUrls: true });
    await become(['about'], '/about');
  });

  flips('primary.namespaces[].types', 'media types by extension', async () => {
    site = await Replicating.start({ files: { 'a.map': '{}' }, keys: { types: { map: 'application/x-one' } } });
    await become(['{}'], '/a.map');
    assert.equal(await field('/a.map', 'content-type'), 'application/x-one');
    await site.publish({ types: { map: 'application/x-two' } });
    await until(async () => (await field('/a.map', 'content-type')) === 'application/x-two');
  });

  const rule = (match: string, value: string) => ({ headers: [{ match, set: { 'X-Rule': value } }] });

  const ruled = async (expected: readonly (string | undefined)[]): Promise<void> => {
    const fields = async () => [await field('/a.txt', 'x-rule'), await field('/b.txt', 'x-rule')];
    await until(async () => JSON.stringify(await fields()) === JSON.stringify(expected));
  };

  const twoFiles = { 'a.txt': 'A', 'b.txt': 'B' };

  flips('primary.namespaces[].headers', 'fields that documents have', async () => {
    site = await Replicating.start({ files: twoFiles });
    await become(['A', 'B'], '/a.txt', '/b.txt');
    await ruled([undefined, undefined]);
    await site.publish(rule('**', 'one'));
    await ruled(['one', 'one']);
  });

  flips('primary.namespaces[].headers[].match', 'which documents have them', async () => {
    site = await Replicating.start({ files: twoFiles, keys: rule('a.*', 'one') });
    await ruled(['one', undefined]);
    await site.publish(rule('b.*', 'one'));
    await ruled([undefined, 'one']);
  });

  flips('primary.namespaces[].headers[].set', 'what they say', async () => {
    site = await Replicating.start({ files: twoFiles, keys: rule('**', 'one') });
    await ruled(['one', 'one']);
    await site.publish(rule('**', 'two'));
    await ruled(['two', 'two']);
  });

  const redirect = (from: string, to: string, status = 301) => ({ redirects: [{ from, to, status }] });

  const leads = (path: string, expected: string | undefined): Promise<void> =>
    until(async () => {
      const answer = await site.visit(path);
      const said = answer.get('location') === undefined ? undefined : `${answer.status} ${answer.get('location')}`;
      return said === expected;
    });

  flips('primary.namespaces[].redirects', 'documents that lead elsewhere', async () => {
    site = await Replicating.start({ files: { 'new.txt': 'new' } });
    await become(['new', '404'], '/new.txt', '/old.txt');
    await site.publish(redirect('old.txt', 'new.txt'));
    await leads('/old.txt', '301 new.txt');
  });

  flips('primary.namespaces[].redirects[].from', 'which documents those are', async () => {
    site = await Replicating.start({ files: { 'new.txt': 'new' }, keys: redirect('old.txt', 'new.txt') });
    await leads('/old.txt', '301 new.txt');
    await site.publish(redirect('older.txt', 'new.txt'));
    await leads('/older.txt', '301 new.txt');
    await become(['404'], '/old.txt');
  });

  flips('primary.namespaces[].redirects[].to', 'where they lead', async () => {
    site = await Replicating.start({ files: { 'new.txt': 'new' }, keys: redirect('old.txt', 'new.txt') });
    await leads('/old.txt', '301 new.txt');
    await site.publish(redirect('old.txt', 'https://elsewhere.example/'));
    await leads('/old.txt', '301 https://elsewhere.example/');
  });

  flips('primary.namespaces[].redirects[].status', 'how for good that is', async () => {
    site = await Replicating.start({ files: { 'new.txt': 'new' }, keys: redirect('old.txt', 'new.txt') });
    await leads('/old.txt', '301 new.txt');
    await site.publish(redirect('old.txt', 'new.txt', 307));
    await leads('/old.txt', '307 new.txt');
  });

  flips('primary.namespaces[].query', 'whether a query that no document has is dropped', async () => {
    site = await Replicating.start({ files: { 'a.txt': 'A' } });
    await become(['A', 'A'], '/a.txt', '/a.txt?b=c');
    await site.publish({ query: 'exact' });
    await become(['A', '404'], '/a.txt', '/a.txt?b=c');
  });

  flips('primary.namespaces[].scanEvery', 'when changes are found that the system does not tell of', async () => {
    site = await Replicating.start({ files: { 'b.txt': 'B' }, keys: { scanEvery: '20ms' } });
    const outside = site.path('outside.txt');
    await writeFile(outside, 'first');
    await link(outside, join(site.directory, 'a.txt'));
    await become(['first'], '/a.txt');
    // by a name that is not watched
    await writeFile(outside, 'second');
    await become(['second'], '/a.txt');
    await site.publish({ scanEvery: '1h' });
    await site.write('c.txt', 'C');
    // with it the look at the beginning is over
    await become(['C'], '/c.txt');
    await writeFile(outside, 'third');
    await aWhile();
    assert.deepEqual(await contents('/a.txt'), ['second']);
  });

  flips('documents.disk', 'how much room there is for contents', async () => {
    const config = { documents: { disk: '1MiB' } };
    site = await Replicating.start({ files: { 'a.txt': 'A' }, config });
    await site.write('large.bin', Buffer.alloc(2_000_000, 'l'));
    await become(['A', '404'], '/a.txt', '/large.bin');
    await aWhile();
    assert.equal((await site.visit('/large.bin')).status, 404);
    // it has been the same for long enough
    site.primary.clock.advance(3000);
    await site.primary.reload({ documents: { disk: '64MiB' } });
    await until(async () => (await site.visit('/large.bin')).body.length === 2_000_000);
  });
});
