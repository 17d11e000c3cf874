import assert from 'node:assert/strict';
import { searchLines } from '../../proxy/cli/search-lines.js';
import { plainStyle } from '../../proxy/cli/text-style.js';
import type { SearchJson } from '../../wlis/search/search-text.js';
import { ReplicatedSite } from '../support/replicated-site.js';
import { until } from '../support/waiting.js';
import { runWillis } from '../support/willis-program.js';

const text = { style: { ...plainStyle, strong: (words: string) => `[${words}]` }, width: 80 };

const answer: SearchJson = {
  ...{ query: 'penguin', match: 'all', total: 1, offset: 0, complete: true },
  documents: [
    {
      ...{ uri: 'http://docs.example/a.html', namespace: 'http://docs.example/', title: 'A\u001b[31m', score: 1.5 },
      ...{ snippet: 'the emperor penguin swims', found: [[12, 19]] },
    },
  ],
  namespaces: [{ namespace: 'http://docs.example/', pages: 7, indexed: 7 }],
};

describe('willis search', () => {
  it('tells what was found and where, with the words marked, and nothing that a terminal would obey', () => {
    assert.equal(
      searchLines(answer, text),
      '[A\\x1b[31m]\n  http://docs.example/a.html\n  the emperor [penguin] swims\n\n1 page\n',
    );
  });

  it('says what was not found, and what could not be', () => {
    const none = { ...answer, documents: [], total: 0 };
    assert.equal(searchLines(none, text), 'No page has “penguin”.\n');
    const part = {
      ...none,
      complete: false,
      namespaces: [{ namespace: 'http://docs.example/', pages: 1836, indexed: 1720 }],
    };
    assert.equal(searchLines(part, text), 'No page has “penguin”.\nOnly 1,720 of 1,836 pages are in the index.\n');
    assert.match(searchLines({ ...none, namespaces: [] }, text), /This node holds nothing that may be searched\.\n$/);
    assert.match(
      searchLines({ ...answer, match: 'similar', total: 30 }, text),
      /30 pages, 1 shown; none has just these words\n$/,
    );
  });

  describe('at a node', () => {
    let site: ReplicatedSite;
    let config: string[];

    before(async () => {
      site = await ReplicatedSite.make({ keys: { search: true } });
      await site.put('a.html', '<title>Penguins</title>They swim.');
      await site.primary.start({ roles: ['clientSide', 'wlis'] });
      await site.published();
      config = ['--admin', `http://localhost:${site.primary.running.port('admin')}`];
    });
    after(() => site.close());

    const run = (...words: string[]) => runWillis(site.directory, ['search', ...words, ...config]);

    it('finds pages, and ends with 1 where there are none', async () => {
      await until(async () => (await run('penguins')).code === 0);
      const found = await run('they', 'swim');
      assert.deepEqual([found.code, found.stdout.split('\n')[0]], [0, 'Penguins']);
      const json = JSON.parse((await run('--json', 'swim')).stdout) as SearchJson;
      assert.equal(json.documents[0]?.uri, `${site.namespace}a.html`);
      assert.equal((await run('walrus')).code, 1);
      assert.equal((await run('--in', site.namespace, 'swim')).code, 0);
    }).timeout(60_000);

    it('says why it cannot', async () => {
      const elsewhere = await run('--in', 'http://other.example/', 'swim');
      assert.equal(elsewhere.code, 1);
      assert.match(elsewhere.stderr, /http:\/\/other\.example\/ cannot be searched at this node/);
      const none = await run('--limit', '51', 'swim');
      assert.equal(none.code, 1);
      assert.match(none.stderr, /'limit' is a number from 1 to 50/);
    }).timeout(60_000);
  });
});
