import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { makeCertificates, writePem, type Certificates } from '../support/certificates.js';
import { NodeFront } from '../support/node-front.js';
import type { RawResponse } from '../support/raw-client.js';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import { startExample, type ExampleNode, type ExampleSections } from './example-node.js';

describe('the example replicated-site', () => {
  let certificates: Certificates;
  let directory: TempDir;
  let fronts: { readonly primary: NodeFront; readonly replica: NodeFront };
  let primary: ExampleNode;
  let replica: ExampleNode;
  const running: ExampleNode[] = [];

  before(async () => {
    certificates = await makeCertificates();
  });

  beforeEach(async () => {
    directory = await TempDir.create();
    await write('docs.token', `${'0123456789abcdef'.repeat(2)}\n`);
    await write('ca.pem', certificates.ca);
    for (const name of ['docs', 'm1', 'm2'])
      await writePem(directory, certificates.leaf, `replicated-site/tls/${name}.example.org`);
    await write('srv/index.html', '<h1>Hello</h1>');
    await write('srv/assets/app-1a2b.js', 'go();');
    fronts = { primary: await NodeFront.open(), replica: await NodeFront.open() };
    primary = await start('primary.yaml', fronts.primary);
    replica = await start('replica.yaml', fronts.replica);
  });

  afterEach(async () => {
    for (const node of running.splice(0).reverse()) await node.stop();
    for (const front of Object.values(fronts)) await front.close();
    await directory.remove();
  });

  /** A file beside the examples. */
  const write = (name: string, content: string): Promise<string> => directory.write(`replicated-site/${name}`, content);

  const secure = ({ authority }: NodeFront): string => `https://${authority}`;

  /** The example but for its names, which lead nowhere, and for the authority of its certificates, which is that of the test. */
  const start = async (name: string, front: NodeFront): Promise<ExampleNode> => {
    const replace = (sections: ExampleSections): void => {
      sections.node = { url: secure(front) };
      sections.upstream = { ca: ['ca.pem'] };
      for (const published of sections.primary?.namespaces ?? []) {
        published.url = `${secure(fronts.primary)}/`;
        published.directory = 'srv';
      }
      for (const held of sections.replicated?.namespaces ?? []) {
        held.url = `${secure(fronts.primary)}/`;
        held.from = secure(fronts.primary);
      }
    };
    const node = await startExample(`replicated-site/${name}`, replace, { directory: directory.path });
    running.push(node);
    front.leadTo(node.port('site'));
    return node;
  };

  /** By the name of the site, wherever it leads. */
  const visit = async (node: ExampleNode, path: string): Promise<RawResponse> => {
    const client = await (await node.connect('site')).secure({ ca: certificates.ca, servername: 'localhost' });
    client.request('GET', path, { Host: fronts.primary.authority });
    const response = await client.receive();
    client.close();
    return response;
  };

  const field = (response: RawResponse, name: string): string | null | undefined => response.get(name);

  const report = async (node: ExampleNode): Promise<{ readonly state: string; readonly documents: number }> => {
    const answer = await node.ask('admin', 'GET', '/api/namespaces');
    return (parse(answer.body.toString()) as { state: string; documents: number }[])[0] ?? { state: '', documents: 0 };
  };

  const inStep = (): Promise<void> =>
    until(async () => {
      const { state, documents } = await report(replica);
      return state === 'in-step' && documents > 1;
    });

  it('is the same at both nodes, over TLS, with the fields that the primary says', async () => {
    await inStep();
    for (const node of [primary, replica]) {
      const page = await visit(node, '/');
      assert.equal(page.body.toString(), '<h1>Hello</h1>');
      const asset = await visit(node, '/assets/app-1a2b.js');
      assert.equal(asset.body.toString(), 'go();');
      assert.equal(field(asset, 'cache-control'), 'public, max-age=31536000, immutable');
    }
  });

  it('is answered by the replica, with what was changed last, while the primary is away', async () => {
    await inStep();
    await write('srv/index.html', '<h1>Hello again</h1>');
    const changed = await primary.ask(
      'admin',
      'POST',
      '/api/changed',
      { 'Content-Type': 'application/json', Host: 'localhost' },
      '{}',
    );
    assert.match(changed.body.toString(), /"published":2/);
    await until(async () => (await visit(replica, '/')).body.toString() === '<h1>Hello again</h1>');
    await primary.stop();
    const page = await visit(replica, '/');
    assert.equal(page.body.toString(), '<h1>Hello again</h1>');
    assert.match(field(page, 'cache-status') ?? '', /hit/);
  });
});
