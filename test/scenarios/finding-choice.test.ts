import assert from 'node:assert/strict';
import type { ExplainedRequest } from '../../proxy/admin/operator-explain.js';
import { Constellation } from '../support/constellation.js';
import { RawClient } from '../support/raw-client.js';
import type { SiteNode } from '../support/site-node.js';
import { until } from '../support/waiting.js';
import type { Willis } from '../support/willis.js';

describe('the choice among those who hold a namespace, at a node', () => {
  let all: Constellation;

  beforeEach(async () => {
    all = await Constellation.start({ files: { 'a.txt': 'A', 'b.txt': 'B' } });
    await all.learned('a.txt');
  });

  afterEach(() => all.close());

  async function explained(url: string): Promise<ExplainedRequest> {
    const port = all.client.running.port('admin');
    const client = await RawClient.connect(port);
    const content = JSON.stringify({ url });
    const length = String(content.length);
    const fields = { Host: `127.0.0.1:${port}`, 'Content-Type': 'application/json', 'Content-Length': length };
    client.request('POST', '/api/explain', fields, content);
    const response = await client.receive('POST');
    client.close();
    assert.equal(response.status, 200, response.body.toString());
    return JSON.parse(response.body.toString()) as ExplainedRequest;
  }

  const reload = (clientSide: Readonly<Record<string, unknown>>) =>
    (all.client.running as Willis).reload({ clientSide });

  /** Of a document of the namespace; null while that is not known. */
  const said = async () => (await explained(`${all.site.namespace}a.txt`)).choice;

  const choice = async () => {
    const found = await said();
    assert.ok(found !== null, 'the namespace is known');
    return found;
  };

  const candidate = async ({ front }: SiteNode) => {
    const found = (await choice()).candidates.find(({ url }) => url === front.url);
    assert.ok(found !== undefined, 'it is a candidate');
    return found;
  };

  it('is explained live: who would be asked, in which order, and what is known of each', async () => {
    const { namespace, policy, rule, candidates, skipped } = await choice();
    assert.deepEqual([namespace, policy, rule, skipped], [all.site.namespace, 'nearest', null, []]);
    const urls = [all.primary, ...all.replicas].map(({ front }) => front.url);
    assert.deepEqual(candidates.map(({ url }) => url).sort(), urls.sort());
    assert.deepEqual(
      candidates.filter(({ role }) => role === 'primary').map(({ url }) => url),
      [all.primary.front.url],
    );
    const measured = candidates.filter(({ latency }) => latency !== null);
    assert.ok(measured.length > 0, 'at least one has been asked');
    assert.ok(
      measured.every(({ latency, measuredBefore }) => (latency ?? 0) > 0 && measuredBefore !== null),
      JSON.stringify(measured),
    );
  });

  it('is not explained for what belongs to no namespace that is known', async () => {
    assert.equal((await explained('http://127.0.0.1:1/a.txt')).choice, null);
  });

  it('is explained for a site that stands for the namespace, and for no other site', async () => {
    const { namespace } = all.site;
    const sites = [
      { host: 'gateway.test', prefix: '/docs/', namespace },
      { host: 'gateway.test', origin: namespace },
    ];
    await (all.client.running as Willis).reload({ sites });
    const found = (await explained('http://gateway.test/docs/a.txt')).choice;
    assert.equal(found?.namespace, namespace);
    assert.equal(found.candidates.length, 3);
    assert.equal((await explained('http://gateway.test/a.txt')).choice, null);
  });

  it('leaves a node that is away, says why, and finds out by itself that it is back', async () => {
    const [node] = all.replicas as [SiteNode];
    node.front.mode = 'reset';
    const rules = [{ match: `${all.site.namespace}**`, from: node.front.url }];
    await reload({ rules });
    assert.equal((await all.get('a.txt')).status, 502, 'that node alone is asked');
    await reload({ rules: [] });
    assert.equal((await all.get('a.txt')).body.toString(), 'A');
    const { lateBecause, failure } = await candidate(node);
    assert.match(lateBecause ?? '', /^(?:breaker open|in trial): (?:unreachable|broken)/);
    assert.notEqual(failure, null);
    assert.equal((await choice()).candidates.at(-1)?.url, node.front.url);
    node.front.mode = 'pass';
    // nobody asks for anything meanwhile
    await until(async () => (await candidate(node)).breaker === 'closed');
    assert.equal((await candidate(node)).failure, null);
  });

  it('remembers over a restart what it has seen', async () => {
    const before = await candidate(all.primary);
    await all.client.stop();
    await all.client.start();
    await until(async () => (await said()) !== null);
    const after = (await choice()).candidates.filter(({ latency }) => latency !== null);
    assert.ok(after.length > 0, 'somebody is known');
    assert.ok(
      after.every(({ measuredBefore }) => measuredBefore === null),
      'by what was seen before',
    );
    assert.equal(before.breaker, 'closed');
  });

  it('is counted in the metrics', () => {
    const metrics = (): string => (all.client.running as Willis).node.metrics.text();
    assert.match(metrics(), /^willis_nodes [1-9]/m);
    assert.match(metrics(), /^willis_node_latency_seconds\{url="http:\/\/127\.0\.0\.1:\d+"\} 0\.\d+/m);
    assert.match(metrics(), /^willis_node_down\{url="http:\/\/127\.0\.0\.1:\d+"\} 0$/m);
  });
});
