import assert from 'node:assert/strict';
import { Constellation } from '../support/constellation.js';
import type { RawResponse } from '../support/raw-client.js';
import { until } from '../support/waiting.js';

const hour = 3600;

interface Problem {
  readonly code: string;
  readonly tried?: readonly { readonly url: string; readonly because: string }[];
  readonly left?: readonly { readonly url: string; readonly because: string | null }[];
  readonly choose?: string;
  readonly copy?: { readonly asOf: string; readonly age: number };
}

describe('When every copy of a namespace is out of reach', () => {
  let all: Constellation;

  before(async () => {
    all = await Constellation.start({
      files: {
        'index.html': '<!doctype html><title>Here</title>\n',
        'other.html': '<p>other\n',
        'strict.html': '<p>strict\n',
      },
      keys: {
        headers: [
          { match: '**/index.html', set: { 'Cache-Control': `max-age=${hour}` } },
          { match: '**/strict.html', set: { 'Cache-Control': 'max-age=0, must-revalidate' } },
        ],
      },
      client: { clientSide: { patience: '1s', attempts: 1 }, cache: { memory: '16MiB' } },
    });
  });
  beforeEach(async () => {
    await all.forgetClient();
    const asked = all.rawRequests();
    await until(async () => {
      await all.get('other.html', { 'Cache-Control': 'no-cache' });
      return all.rawRequests() > asked;
    });
  });
  afterEach(() => all.mend());
  after(() => (all as Constellation | undefined)?.close());

  const breakAll = (): void => {
    for (const { front } of all.site.nodes) {
      front.breakAll();
      front.mode = 'reset';
    }
  };
  const problem = ({ body, status }: RawResponse): Problem => {
    assert.equal(status, 502, body.toString());
    return JSON.parse(body.toString()) as Problem;
  };
  const ask = (path: string, fields: Readonly<Record<string, string>> = {}): Promise<RawResponse> =>
    all.get(path, { Accept: 'application/json', ...fields });

  it('the answer names those who were asked in vain and those who were not, and where to choose', async () => {
    breakAll();
    const { code, tried = [], left = [], choose } = problem(await ask('index.html'));
    assert.equal(code, 'content-unreachable');
    // one replica, which `attempts` allows, and then the primary
    assert.deepEqual([tried.length, left.length], [2, 1]);
    const urls = [...tried, ...left].map(({ url }) => url).sort();
    assert.deepEqual(urls, all.site.nodes.map(({ front }) => front.url).sort());
    for (const { because } of tried) assert.match(because, /\w/);
    assert.equal(choose, `http://proxy.wlis/choice?of=${encodeURIComponent(`${all.site.namespace}index.html`)}`);
  });

  it('so does the page, in words', async () => {
    breakAll();
    const { body, fields } = await ask('index.html', { Accept: 'text/html' });
    const page = body.toString();
    for (const { front } of all.site.nodes) assert.ok(page.includes(`<li><code>${front.url}</code>`), front.url);
    assert.match(page, /<h2>Asked in vain<\/h2>[^]*<h2>Not asked<\/h2>/);
    assert.match(page, /<a href="http:\/\/proxy\.wlis\/choice\?of=http%3A/);
    assert.ok(
      fields.some(([name, value]) => name.toLowerCase() === 'cache-control' && value === 'no-store'),
      'it may be stored',
    );
  });

  it('a forced reload that fails is offered the copy that a plain request gets', async () => {
    const stored = await ask('index.html');
    assert.equal(stored.status, 200);
    breakAll();
    const { copy, tried = [] } = problem(await ask('index.html', { 'Cache-Control': 'no-cache' }));
    assert.ok(copy !== undefined && copy.age >= 0 && !Number.isNaN(Date.parse(copy.asOf)), JSON.stringify(copy));
    assert.ok(tried.length > 0, 'nobody was asked');
    assert.deepEqual((await ask('index.html')).body, stored.body);
  });

  it('nothing is offered that must not be used', async () => {
    assert.equal((await ask('strict.html')).status, 200);
    breakAll();
    assert.equal(problem(await ask('strict.html', { 'Cache-Control': 'no-cache' })).copy, undefined);
  });
});
