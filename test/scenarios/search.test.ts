import assert from 'node:assert/strict';
import type { SearchJson } from '../../wlis/search/search-text.js';
import { parseMetrics } from '../support/metrics-parser.js';
import { ReplicatedSite } from '../support/replicated-site.js';
import type { RawResponse } from '../support/raw-client.js';
import type { SiteNode } from '../support/site-node.js';
import { aWhile, until } from '../support/waiting.js';

const directory = { roles: ['clientSide', 'wlis'] };

describe('search', () => {
  let site: ReplicatedSite;
  let replica: SiteNode;

  const start = async (search = true): Promise<void> => {
    site = await ReplicatedSite.make({ keys: { search } });
    await site.put('index.html', '<title>The manual</title><h1>Welcome</h1><p>Read about penguins.');
    await site.put('penguins.html', '<title>Penguins</title><p>Birds that <b>do not fly</b> but swim.');
    await site.put('notes/plain.txt', 'A text that has no title, about walruses.');
    await site.put('secret.html', '<title>Draft</title><meta name="robots" content="noindex">penguins');
    await site.put('picture.svg', '<svg xmlns="http://www.w3.org/2000/svg"><title>penguins</title></svg>');
    await site.primary.start(directory);
    replica = await site.addReplica();
    await replica.start(directory);
    await site.inStep();
  };

  afterEach(() => site.close());

  const ask = (node: SiteNode, query: string, accept = 'application/json'): Promise<RawResponse> =>
    node.ask({
      ...{ method: 'GET', target: `/.well-known/wlis/search${query}`, host: node.front.authority, side: 'site' },
      fields: { Accept: accept },
    });

  const search = async (node: SiteNode, words: string): Promise<SearchJson> => {
    const { status, body } = await ask(node, `?q=${encodeURIComponent(words)}`);
    assert.equal(status, 200, body.toString());
    return JSON.parse(body.toString()) as SearchJson;
  };
  const paths = ({ documents }: SearchJson): string[] =>
    documents.map(({ uri }) => uri.slice(site.namespace.length)).sort();
  const found = async (node: SiteNode, words: string): Promise<string[]> => paths(await search(node, words));
  const isComplete = async (node: SiteNode): Promise<boolean> => {
    const { complete, namespaces } = await search(node, 'x');
    return complete && namespaces.length > 0;
  };

  it('finds pages by their words at the primary and at a replica, each once, and only those that want it', async () => {
    await start();
    for (const node of site.nodes) {
      await until(() => isComplete(node));
      const answer = await search(node, 'penguins');
      assert.deepEqual(paths(answer), ['', 'penguins.html']);
      assert.equal(answer.documents[0]?.title, 'Penguins');
      assert.equal(answer.total, 2);
      const [page] = (await search(node, 'birds fly')).documents;
      const marked = page?.found.map(([from, to]) => page.snippet.slice(from, to));
      assert.deepEqual([page?.snippet, marked], ['Birds that do not fly but swim.', ['Birds', 'fly']]);
      const [text] = (await search(node, 'walruses')).documents;
      assert.deepEqual([text?.uri, text?.title], [`${site.namespace}notes/plain.txt`, 'plain.txt']);
    }
  });

  it('finds an edit when the change has arrived, and does not find what is gone', async () => {
    await start();
    await until(() => isComplete(replica));
    await site.put('penguins.html', '<title>Pinguine</title><p>Vögel, die schwimmen.');
    await site.put('new/page.html', '<title>Seals</title><p>Animals that swim.');
    await site.remove('notes/plain.txt');
    await site.inStep();
    await until(() => isComplete(replica));
    assert.deepEqual(await found(replica, 'vogel'), ['penguins.html']);
    assert.deepEqual(await found(replica, 'birds'), []);
    assert.deepEqual(await found(replica, 'seals'), ['new/page.html']);
    await until(async () => (await found(replica, 'walruses')).length === 0);
    await until(async () => (await found(site.primary, 'walruses')).length === 0);
  });

  it('never finds anything of a namespace whose primary has not said that it may be searched', async () => {
    await start(false);
    await aWhile();
    for (const node of site.nodes) {
      const { documents, namespaces, complete } = await search(node, 'penguins');
      assert.deepEqual({ documents, namespaces, complete }, { documents: [], namespaces: [], complete: true });
    }
  });

  it('goes on at a replica whose primary is gone, and after a restart', async () => {
    await start();
    await until(() => isComplete(replica));
    await site.primary.stop();
    assert.deepEqual(await found(replica, 'penguins'), ['', 'penguins.html']);
    await replica.stop();
    await replica.start(directory);
    await until(async () => (await found(replica, 'penguins')).length === 2);
  });

  it('of contents that are not here finds what has come', async () => {
    await start();
    const lazy = await site.addReplica({ keys: { onChange: 'markStale' } });
    await lazy.start(directory);
    await site.inStep([lazy]);
    const counts = async (): Promise<string> => {
      const [one] = (await search(lazy, 'x')).namespaces;
      return `${one?.indexed} of ${one?.pages}`;
    };
    await until(async () => (await counts()) === '0 of 5');
    assert.equal((await search(lazy, 'penguins')).complete, false);
    assert.equal((await site.get(lazy, 'penguins.html')).status, 200);
    // looked at again with the next change
    await site.put('seals.html', 'seals');
    await site.inStep([lazy]);
    await until(async () => (await found(lazy, 'penguins')).join() === 'penguins.html');
  });

  it('is told in the metrics as it is', async () => {
    await start();
    await until(() => isComplete(replica));
    await search(replica, 'penguins');
    await search(replica, 'nowhere to be found');
    const { body } = await replica.ask({ method: 'GET', target: '/metrics', host: 'localhost', side: 'admin' });
    const samples = parseMetrics(body.toString()).flatMap(({ name, samples }) =>
      samples.map(({ labels, value }) => [`${name} ${Object.values(labels).join()}`.trim(), value] as const),
    );
    const of = (name: string): unknown => new Map(samples).get(name);
    const states = ['indexed', 'pending', 'lacking', 'leftOut', 'refused'].map((one) =>
      of(`willis_search_pages ${one}`),
    );
    // the front page is published under two names
    assert.deepEqual(states, [4, 0, 0, 0, 1]);
    assert.equal(of('willis_search_namespaces'), 1);
    assert.equal(of('willis_search_limit_bytes'), 64 * 1024 * 1024);
    assert.ok(Number(of('willis_search_bytes')) > 5000, 'the index takes something');
    assert.equal(of('willis_search_index_lost_total'), 0);
    const [nothing, some] = [of('willis_search_questions_total nothing'), of('willis_search_questions_total found')];
    assert.equal(some, 1);
    assert.ok(Number(nothing) >= 2, 'until it was complete there was nothing to be found of x');
    assert.equal((of('willis_search_seconds') as { count: number }).count, Number(nothing) + 1);
  });

  it('is a page for people, with links to the originals and to the copies here, and for their browsers', async () => {
    await start();
    await until(() => isComplete(replica));
    const page = await ask(replica, '?q=birds+fly', 'text/html,application/xhtml+xml,*/*;q=0.8');
    assert.equal(page.get('content-type'), 'text/html; charset=utf-8');
    const html = page.body.toString();
    assert.match(html, /<mark>Birds<\/mark> that do not <mark>fly<\/mark> but swim\./);
    assert.ok(html.includes(`<a href="${site.namespace}penguins.html">Penguins</a>`), html);
    const [, mirror = ''] = /href="(http:[^"]*\/mirror\/[a-z2-7]{26}\/penguins\.html)"/.exec(html) ?? [];
    assert.ok(mirror.startsWith(`${replica.front.url}/mirror/`), html);
    const description = await ask(replica, '/opensearch.xml');
    assert.match(description.get('content-type') ?? '', /opensearchdescription\+xml/);
    const template = `template="${replica.front.url}/.well-known/wlis/search?q={searchTerms}"`;
    assert.ok(description.body.toString().includes(template), description.body.toString());
  });

  it('refuses questions that are too long, too far or about what is not here, without a stop', async () => {
    await start();
    await until(() => isComplete(replica));
    const wrong: readonly (readonly [string, number, string])[] = [
      ['', 400, 'malformed-call'],
      ['?q=', 400, 'malformed-call'],
      [`?q=${'x'.repeat(257)}`, 400, 'malformed-call'],
      ['?q=x&limit=51', 400, 'malformed-call'],
      ['?q=x&limit=0', 400, 'malformed-call'],
      ['?q=x&offset=-1', 400, 'malformed-call'],
      ['?q=x&offset=1e3', 400, 'malformed-call'],
      ['?q=%ff', 400, 'malformed-call'],
      ['?q=x&namespace=http%3A%2F%2Fother.example%2F', 404, 'not-searched'],
      ['/more?q=x', 404, 'no-such-call'],
    ];
    for (const [query, status, type] of wrong) {
      const answer = await ask(replica, query);
      assert.equal(answer.status, status, query);
      assert.ok(answer.body.toString().includes(`urn:willis:problem:${type}`), query);
    }
    const page = await ask(replica, `?q=${'x'.repeat(257)}`, 'text/html');
    assert.equal(page.status, 400);
    assert.match(page.body.toString(), /role="alert"/);
    assert.deepEqual(await found(replica, 'penguins'), ['', 'penguins.html']);
  });
});
