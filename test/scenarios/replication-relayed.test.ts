import assert from 'node:assert/strict';
import { ReplicatedSite } from '../support/replicated-site.js';
import type { SiteNode } from '../support/site-node.js';
import { until } from '../support/waiting.js';

describe('What only the primary can answer is passed on to it by replicas', () => {
  let site: ReplicatedSite;
  let replica: SiteNode;

  beforeEach(async () => {
    site = await ReplicatedSite.make();
    await site.put('index.html', 'top');
    await site.put('long.txt', 'long '.repeat(50_000));
    await site.primary.start();
    await site.published();
    replica = await site.addReplica();
  });

  afterEach(() => site.close());

  it('rule 6: an unsafe method with its fields and its content, unmodified, from either side', async () => {
    await replica.start();
    await site.inStep();
    for (const [method, side] of [
      ['POST', 'site'],
      ['PUT', 'site'],
      ['DELETE', 'proxy'],
      ['PATCH', 'proxy'],
    ] as const) {
      const sent = forthOf(site);
      const target = side === 'proxy' ? `${site.namespace}form?a=b` : '/form?a=b';
      const fields = {
        'Content-Type': 'application/x-www-form-urlencoded',
        Authorization: 'Basic YTpi',
        Cookie: 'c=d',
      };
      const request = site.visit('form', { method, target, side, fields, body: 'name=value%20and%20more' });
      const [own, passed] = [await site.primary.ask({ ...request, side: 'site' }), await replica.ask(request)];
      assert.equal(passed.status, 405);
      assert.equal(passed.get('allow'), own.get('allow'));
      const text = sent();
      assert.match(text, new RegExp(`^${method} /form\\?a=b HTTP/1\\.1\\r\\n`, 'm'));
      assert.match(text, new RegExp(`^host: ${site.host}\\r$`, 'im'));
      assert.match(text, /^content-type: application\/x-www-form-urlencoded\r$/im);
      assert.match(text, /^authorization: Basic YTpi\r$/im);
      assert.match(text, /^cookie: c=d\r$/im);
      assert.match(text, /\r\n\r\nname=value%20and%20more$/);
    }
  });

  it('rule 3: everything, while a replica has not taken over yet, with the answers of the primary', async () => {
    site.primary.front.loses = (request) => request.startsWith('GET /.well-known/wlis/changes?');
    await replica.start();
    // until the group says who the primary is
    await until(async () => (await site.get(replica, '')).status !== 503);
    assert.equal((await replica.report()).state, 'joining');
    for (const path of ['', 'long.txt', 'none']) {
      const [own, relayed] = [await site.get(site.primary, path), await site.get(replica, path)];
      assert.equal(relayed.status, own.status);
      assert.ok(relayed.body.equals(own.body), 'the bytes');
      assert.equal(relayed.get('etag'), own.get('etag'));
      assert.match(relayed.get('via') ?? '', /replica1/);
      assert.match(relayed.get('wlis-namespace') ?? '', /^"[^"]*";role=replica$/);
      assert.equal(relayed.fields.filter(([name]) => name.toLowerCase() === 'wlis-group').length <= 1, true);
    }
    const part = await site.get(replica, 'long.txt', { Range: 'bytes=5-8' });
    assert.deepEqual([part.status, part.body.toString()], [206, 'long']);
    site.primary.front.loses = () => false;
    await site.inStep();
    assert.match((await site.get(replica, '')).get('wlis-namespace') ?? '', /role=replica/);
  });

  it('to nobody as long as the group does not say who the primary is: not by an answer of its own either', async () => {
    site.primary.front.mode = 'reset';
    await replica.start();
    const answer = await site.get(replica, '');
    assert.deepEqual([answer.status, answer.get('retry-after')], [503, '5']);
    site.primary.front.mode = 'pass';
    await site.inStep();
    assert.equal(await site.text(replica, ''), 'top');
  });
});

/** What has gone to the primary since. */
function forthOf(site: ReplicatedSite): () => string {
  const chunks: Buffer[] = [];
  site.primary.front.onForth = (chunk) => void chunks.push(chunk);
  return () => Buffer.concat(chunks).toString('latin1');
}
