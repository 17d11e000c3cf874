import assert from 'node:assert/strict';
import { bytes } from '../../../config/units.js';
import { readAll } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import { CallProblem } from '../../../wlis/calls/call-problem.js';
import { parseCallTarget } from '../../../wlis/calls/call-target.js';
import type { ReceivedCall } from '../../../wlis/calls/received-call.js';
import { parseNamespace, type Namespace } from '../../../wlis/namespace.js';
import type { FoundPage } from '../../../wlis/search/page-index.js';
import type { SearchControl } from '../../../wlis/search/search-control.js';
import { IndexLost, SearchBusy } from '../../../wlis/search/search-engine.js';
import type { SearchQuery } from '../../../wlis/search/search-query.js';
import { SearchResource, type SearchResourceOptions } from '../../../wlis/search/search-resource.js';
import type { SearchJson } from '../../../wlis/search/search-text.js';

const [open, secret, other] = ['http://docs.example/', 'https://bank.example/', 'http://other.example/"<b>/'].map(
  (one) => parseNamespace(one),
) as [Namespace, Namespace, Namespace];

const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

describe('the call for a search', () => {
  let asked: { query: SearchQuery; namespaces: readonly Namespace[] }[];
  let failure: Error | null;
  let all: readonly Namespace[];
  let pages: readonly FoundPage[];

  beforeEach(() => {
    [asked, failure, all, pages] = [[], null, [open, secret], []];
  });

  const standing = (namespace: Namespace) => ({ namespace, pages: 3, indexed: 2, isComplete: false });
  const control: SearchControl = {
    isOn: true,
    get namespaces() {
      return all.map(standing);
    },
    mirrorOf: ({ namespace, path }) => (namespace === open ? `http://m1.example/mirror/x/${path}` : null),
    search: (query, namespaces) => {
      asked.push({ query, namespaces });
      if (failure !== null) return Promise.reject(failure);
      return Promise.resolve({ match: 'all', total: pages.length, pages, namespaces: namespaces.map(standing) });
    },
  };

  const ask = async (path: string, accept = '*/*', options: Partial<SearchResourceOptions> = {}) => {
    const resource = new SearchResource({
      ...{ control, name: () => 'node "<1>"', originOf: () => 'http://m1.example', isSecure: () => false },
      ...options,
    });
    const target = { path: `/.well-known/wlis/search${path}` };
    const request = { target, fields: Fields.of({ Accept: accept }) };
    const call = { request, ...parseCallTarget(target.path), content: null } as unknown as ReceivedCall;
    const { status, fields, body } = await resource.answer(call);
    return { status, get: (name: string) => fields.get(name), text: (await readAll(body!, bytes(1 << 20))).toString() };
  };
  const problem = (status: number, type: string) => (error: unknown) =>
    error instanceof CallProblem && error.status === status && error.type === type;

  it('is answered by JSON, and for browsers by a page; nothing of it is stored anywhere', async () => {
    const [json, page] = [await ask('?q=x'), await ask('?q=x', browser)];
    assert.deepEqual(
      [json.get('content-type'), page.get('content-type')],
      ['application/json', 'text/html; charset=utf-8'],
    );
    for (const one of [json, page]) {
      assert.deepEqual([one.status, one.get('cache-control'), one.get('vary')], [200, 'no-store', 'Accept']);
    }
    assert.match(
      page.get('content-security-policy') ?? '',
      /^default-src 'none'; style-src 'unsafe-inline'; form-action 'self'/,
    );
    assert.equal(page.get('referrer-policy'), 'no-referrer');
    assert.equal((JSON.parse(json.text) as SearchJson).complete, false);
    assert.match(page.text, /finds 2 of the 3 pages/);
  });

  it('looks in namespaces of https only for clients that speak TLS', async () => {
    await ask('?q=x');
    await ask('?q=x', '*/*', { isSecure: () => true });
    assert.deepEqual(
      asked.map(({ namespaces }) => namespaces),
      [[open], [open, secret]],
    );
    await assert.rejects(ask(`?q=x&namespace=${encodeURIComponent(secret)}`), problem(404, 'not-searched'));
    assert.ok(!(await ask('', browser)).text.includes('bank'), 'nor does it say that they are there');
  });

  it('takes a plus for a space, as browsers write forms, and no more than is sensible', async () => {
    await ask('?q=a+b%2Bc&limit=50&offset=1000&what=ever');
    assert.deepEqual(asked[0]?.query, { terms: ['a', 'b', 'c'], offset: 1000, limit: 50 });
    for (const wrong of ['', '?q=', '?q=+', '?q=x&limit=51', '?q=x&limit=', '?q=x&offset=1001', '?q=x&limit=0x1']) {
      await assert.rejects(ask(wrong), problem(400, 'malformed-call'), wrong);
    }
  });

  it('lets people choose a namespace, and keeps what they chose', async () => {
    all = [open, other];
    pages = Array.from({ length: 30 }, (_, at) => ({
      namespace: other,
      path: `p${at}`,
      title: 't',
      score: 1,
      snippet: [],
    }));
    const { text } = await ask(`?q=x+y&namespace=${encodeURIComponent(other)}&limit=20`, browser);
    assert.deepEqual(asked[0]?.namespaces, [other]);
    assert.ok(text.includes('<option value="http://other.example/%22%3Cb%3E/" selected>'), text);
    const next = '?q=x+y&#38;namespace=http%3A%2F%2Fother.example%2F%2522%253Cb%253E%2F&#38;limit=20&#38;offset=20';
    assert.ok(text.includes(`href="/.well-known/wlis/search${next}"`), text);
  });

  it('shows whatever a page says, and whatever was typed, as text', async () => {
    const evil = '"><script>alert(1)</script>';
    pages = [{ namespace: open, path: 'a', title: evil, score: 1, snippet: [{ text: evil, isFound: true }] }];
    const { text } = await ask(`?q=${encodeURIComponent(evil)}`, browser);
    assert.ok(!text.includes('<script'), text);
    assert.ok(!text.includes('"">'), text);
    assert.equal(
      text.split('alert(1)').length - 1,
      5,
      'title and field of the page, name, label and snippet of the result',
    );
  });

  it('says with 503 when there is too much to do, or the index is being made anew', async () => {
    for (const one of [new SearchBusy('busy'), new IndexLost('lost')]) {
      failure = one;
      await assert.rejects(ask('?q=x'), problem(503, 'busy'));
      const page = await ask('?q=x', browser);
      assert.deepEqual([page.status, page.get('retry-after')], [503, '2']);
      assert.match(page.text, /role="alert"/);
    }
    failure = new TypeError('a bug');
    await assert.rejects(ask('?q=x', browser), TypeError);
  });

  it('describes itself to browsers where it knows what it is called', async () => {
    const { text, get } = await ask('/opensearch.xml');
    assert.equal(get('content-type'), 'application/opensearchdescription+xml');
    assert.match(text, /<ShortName>node &#34;&#60;1&#62;&#34;<\/ShortName>/);
    assert.match(text, /template="http:\/\/m1\.example\/\.well-known\/wlis\/search\?q=\{searchTerms\}"/);
    await assert.rejects(ask('/opensearch.xml', '*/*', { originOf: () => null }), problem(404, 'no-search'));
    assert.ok(!(await ask('', browser, { originOf: () => null })).text.includes('opensearch'), 'no link to it');
    assert.ok((await ask('', browser)).text.includes('opensearch.xml'), 'a link to it');
  });

  it('is none at a node that keeps no index', async () => {
    await assert.rejects(ask('?q=x', '*/*', { control: { ...control, isOn: false } }), problem(404, 'no-search'));
  });
});
