import assert from 'node:assert/strict';
import { namespaceLabel, parseNamespace } from '../../wlis/namespace.js';
import type { RawResponse } from '../support/raw-client.js';
import { Replicating, urlOf } from '../support/replicating.js';
import type { Sections, Willis } from '../support/willis.js';
import { flips } from './flips.js';

const page = '<!doctype html><html><head><title>Page</title></head><body><a href="/page.html">Page</a></body></html>';

describe('the keys of pages that browsers see at a replica', () => {
  let site: Replicating;
  let replica: Willis;

  beforeEach(async () => {
    site = await Replicating.start({ files: { 'page.html': page } });
    replica = await site.replica();
    await site.inStep(replica);
  });

  afterEach(() => site.stop());

  const label = (): string => namespaceLabel(parseNamespace(`${site.origin}/`));

  const navigation = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };

  const get = (path: string, host: string): Promise<RawResponse> => replica.get(path, { Host: host, ...navigation });

  /** The page below `/mirror/`, as a browser gets it. */
  async function shown(html: Sections): Promise<string> {
    await site.replicate(replica, { html });
    const answer = await get(`/mirror/${label()}/page.html`, new URL(urlOf(replica)).host);
    assert.equal(answer.status, 200);
    return answer.body.toString();
  }

  const nothing = { alternates: false, bar: false, links: false };

  flips('node.mirrorDomain', 'below which domain each namespace has a name for browsers', async () => {
    const host = `${label()}.m.example`;
    assert.equal((await get('/page.html', host)).status, 421);
    await replica.reload({ node: { mirrorDomain: 'm.example' } });
    const answer = await get('/page.html', host);
    assert.equal(answer.status, 200);
    assert.match(answer.body.toString(), /<title>Page/);
    await replica.reload({ node: { mirrorDomain: 'n.example' } });
    assert.equal((await get('/page.html', host)).status, 421);
  });

  flips('replicated.namespaces[].html.alternates', 'whether pages name where the same bytes are', async () => {
    assert.equal(await shown(nothing), page);
    assert.equal(
      await shown({ ...nothing, alternates: true }),
      page.replace(
        '<head>',
        `<head><link rel="duplicate" href="${site.origin}/.well-known/wlis/raw/${label()}/page.html">`,
      ),
    );
  });

  flips('replicated.namespaces[].html.bar', 'whether they tell where they come from', async () => {
    assert.ok((await shown({ ...nothing, bar: true })).includes('<willis-bar'), 'a bar');
    assert.equal(await shown(nothing), page);
  });

  flips('replicated.namespaces[].html.links', 'whether links from the root lead into the mirror', async () => {
    assert.equal(await shown(nothing), page);
    assert.equal(
      await shown({ ...nothing, links: true }),
      page.replace('"/page.html"', `"/mirror/${label()}/page.html"`),
    );
  });

  it('no namespace is opened anew because of one of these', async () => {
    const opened = (): number => replica.events.filter(({ code }) => code === 'membership').length;
    const before = opened();
    await shown(nothing);
    await shown({ ...nothing, bar: true });
    assert.equal(opened(), before);
  });
});
