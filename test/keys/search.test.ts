import assert from 'node:assert/strict';
import type { SearchJson } from '../../wlis/search/search-text.js';
import { Replicating } from '../support/replicating.js';
import { aWhile, until } from '../support/waiting.js';
import type { Willis } from '../support/willis.js';
import { flips } from './flips.js';

const directory = { roles: ['clientSide', 'wlis'] };

describe('the keys of search', () => {
  let site: Replicating;

  afterEach(() => site.stop());

  const search = async (words: string, node: Willis = site.primary): Promise<SearchJson | number> => {
    const host = `127.0.0.1:${node.sitePort}`;
    const path = `/.well-known/wlis/search?q=${encodeURIComponent(words)}`;
    const { status, body } = await node.get(path, { Host: host });
    return status === 200 ? (JSON.parse(body.toString()) as SearchJson) : status;
  };
  const found = async (words: string, node?: Willis): Promise<string | number> => {
    const answer = await search(words, node);
    return typeof answer === 'number'
      ? answer
      : answer.documents.map(({ uri }) => uri.slice(site.origin.length)).join(' ');
  };

  flips('primary.namespaces[].search', 'whether those who hold it let others search it', async () => {
    site = await Replicating.start({ files: { 'a.html': '<title>A</title>penguins' }, config: directory });
    const replica = await site.replica({}, { ...directory, wlis: { trust: { firstUse: true } } });
    await site.inStep(replica);
    await aWhile();
    assert.equal(await found('penguins'), '');
    assert.equal(await found('penguins', replica), '');
    await site.publish({ search: true });
    await until(async () => (await found('penguins')) === '/a.html');
    // it hears of that when it is in touch with the primary again
    await site.replicate(replica, { pollEvery: '29s' });
    await until(async () => (await found('penguins', replica)) === '/a.html');
    await site.publish({ search: false });
    assert.equal(await found('penguins'), '');
    await site.replicate(replica, { pollEvery: '28s' });
    await until(async () => (await found('penguins', replica)) === '');
  });

  flips('wlis.search.memory', 'how much there is for an index', async () => {
    // words that no other page has take most
    const words = (name: string): string => Array.from({ length: 3000 }, (_, at) => `${name}${at}`).join(' ');
    site = await Replicating.start({
      files: { 'high.html': words('high'), 'a/deep.html': words('deep'), 'a/b/deepest.html': words('deepest') },
      keys: { search: true },
      config: directory,
    });
    const isThere = async (name: string): Promise<boolean> => (await found(`${name}2999`)) !== '';
    const there = (): Promise<boolean[]> => Promise.all(['high', 'deep', 'deepest'].map(isThere));
    await until(async () => (await there()).join() === 'true,true,true');
    await site.primary.reload({ wlis: { search: { memory: '2MiB' } } });
    await until(async () => (await there()).join() === 'true,false,false');
    assert.equal(((await search('high2999')) as SearchJson).complete, false);
    await site.primary.reload({ wlis: { search: { memory: '64MiB' } } });
    await until(async () => (await there()).join() === 'true,true,true');
    await site.primary.reload({ wlis: { search: { memory: 0 } } });
    assert.equal(await found('high2999'), 404);
  });
});
