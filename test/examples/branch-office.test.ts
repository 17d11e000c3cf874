import assert from 'node:assert/strict';
import { makeCertificates, type Certificates } from '../support/certificates.js';
import { answer } from '../support/origin-scripts.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { startParent, type ScriptedParent } from '../support/scripted-parent.js';
import { TempDir } from '../support/temp-dir.js';
import { outcomeOf } from '../support/willis.js';
import { startExample, type ExampleNode } from './example-node.js';

const password = 'correct horse';
const credentials = `Basic ${Buffer.from(`berlin:${password}`).toString('base64')}`;

describe('the example branch-office', () => {
  let certificates: Certificates;
  let directory: TempDir;
  let origin: ScriptedOrigin;
  let secureOrigin: ScriptedOrigin;
  let parent: ScriptedParent;
  let node: ExampleNode;

  before(async () => {
    certificates = await makeCertificates();
    directory = await TempDir.create();
    await directory.write('parent-proxy.password', `${password}\n`);
  });

  after(() => directory.remove());

  beforeEach(async () => {
    origin = await startOrigin(answer(200, { 'Cache-Control': 'max-age=60' }, 'far away'));
    secureOrigin = await startOrigin(answer(200, {}, 'confidential'), { tls: certificates.leaf });
    parent = await startParent({ authorization: credentials });
    const replace: Parameters<typeof startExample>[1] = ({ access, upstream }) => {
      if (access?.destinations === undefined || upstream?.proxy === undefined) throw new Error('not the example');
      upstream.proxy.url = `${parent.url}/`;
      // The branch's own network, for which loopback stands here.
      for (const list of [access.destinations.allow, upstream.noProxy ?? []]) {
        list.splice(list.indexOf('10.20.0.0/16'), 1, '127.0.0.1');
      }
      access.connectPorts = [secureOrigin.port];
    };
    node = await startExample('branch-office.yaml', replace, { directory: directory.path });
  });

  afterEach(async () => {
    await node.stop();
    await parent.close();
    await origin.close();
    await secureOrigin.close();
  });

  const elsewhere = (path: string): string => `http://www.example.org:${origin.port}${path}`;

  it('fetches by the parent proxy, in absolute form and with its credentials, and over the line once', async () => {
    for (const outcome of ['uri-miss', 'hit']) {
      const response = await node.ask('proxy', 'GET', elsewhere('/page'));
      assert.equal(response.body.toString(), 'far away');
      assert.equal(outcomeOf(response), outcome);
    }
    assert.deepEqual(
      parent.requests.map(({ method, url }) => [method, url]),
      [['GET', elsewhere('/page')]],
    );
    assert.equal(parent.requests[0]?.headers['proxy-authorization'], credentials);
    assert.equal(origin.last.headers['proxy-authorization'], undefined);
  });

  it('opens tunnels by a CONNECT to the parent proxy with its credentials', async () => {
    const authority = `www.example.org:${secureOrigin.port}`;
    const client = await node.connect('proxy');
    client.request('CONNECT', authority, { Host: authority });
    assert.equal((await client.receive('CONNECT')).status, 200);
    const secure = await client.secure({ ca: certificates.ca, servername: 'localhost' });
    secure.request('GET', '/', { Host: authority });
    assert.equal((await secure.receive()).body.toString(), 'confidential');
    secure.close();
    assert.deepEqual(
      parent.requests.map(({ method, url, headers }) => [method, url, headers['proxy-authorization']]),
      [['CONNECT', authority, credentials]],
    );
  });

  it('reaches nothing without the parent proxy', async () => {
    await parent.close();
    assert.equal((await node.ask('proxy', 'GET', elsewhere('/page'))).status, 502);
    assert.equal(origin.connections, 0);
  });

  it("reaches the branch's own servers directly", async () => {
    const response = await node.ask('proxy', 'GET', origin.url('/near'));
    assert.equal(response.body.toString(), 'far away');
    assert.equal(parent.connections, 0);
  });
});
