import assert from 'node:assert/strict';
import { makeCertificates, type Certificates } from '../support/certificates.js';
import { answer, byPath } from '../support/origin-scripts.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { outcomeOf } from '../support/willis.js';
import { startExample, type ExampleNode } from './example-node.js';

const fresh = { 'Cache-Control': 'max-age=60', 'Content-Type': 'text/html' };

describe('the example personal-proxy', () => {
  let certificates: Certificates;
  let origin: ScriptedOrigin;
  let secureOrigin: ScriptedOrigin;
  let node: ExampleNode | null = null;

  before(async () => {
    certificates = await makeCertificates();
  });

  beforeEach(async () => {
    origin = await startOrigin(
      byPath({ '/page': answer(200, fresh, '<img src=dot>'), '/dot': answer(200, fresh, 'dot') }),
    );
    secureOrigin = await startOrigin(answer(200, {}, 'confidential'), { tls: certificates.leaf });
  });

  afterEach(async () => {
    await node?.stop();
    await origin.close();
    await secureOrigin.close();
  });

  /** Where the test's origin servers are is private, and where the secure one listens no port of tunnels. */
  const start = async (): Promise<ExampleNode> => {
    node = await startExample('personal-proxy.yaml', (sections) => {
      sections.access = { destinations: { allow: ['127.0.0.1'] }, connectPorts: [secureOrigin.port] };
    });
    return node;
  };

  it('brings a page and its image, and brings them from memory the second time', async () => {
    const running = await start();
    for (const outcome of ['uri-miss', 'hit']) {
      for (const [path, content] of [
        ['/page', '<img src=dot>'],
        ['/dot', 'dot'],
      ] as const) {
        const response = await running.ask('proxy', 'GET', origin.url(path));
        assert.equal(response.status, 200);
        assert.equal(response.body.toString(), content);
        assert.equal(outcomeOf(response), outcome);
      }
    }
    assert.equal(origin.count(), 2);
  });

  it('opens a tunnel for what nobody is to read on the way', async () => {
    const running = await start();
    const client = await running.connect('proxy');
    client.request('CONNECT', secureOrigin.authority, { Host: secureOrigin.authority });
    assert.equal((await client.receive('CONNECT')).status, 200);
    const secure = await client.secure({ ca: certificates.ca, servername: 'localhost' });
    secure.request('GET', '/', { Host: secureOrigin.authority });
    assert.equal((await secure.receive()).body.toString(), 'confidential');
    secure.close();
  });

  it('lets nobody reach other servers of this machine', async () => {
    node = await startExample('personal-proxy.yaml');
    assert.equal((await node.ask('proxy', 'GET', origin.url('/page'))).status, 403);
    assert.equal(origin.connections, 0);
  });

  it('has no public side', async () => {
    const running = await start();
    assert.throws(() => running.port('site'), /does not open site/);
  });
});
