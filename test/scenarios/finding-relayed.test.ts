import assert from 'node:assert/strict';
import { bytes, milliseconds } from '../../config/units.js';
import { parseProxyUri, type ProxyUri } from '../../config/origin-uri.js';
import { WillisError } from '../../proxy/base/errors.js';
import type { HttpUpstream } from '../../proxy/forward/http-upstream.js';
import { ParentProxy } from '../../proxy/forward/parent-proxy.js';
import type { OutgoingRequest } from '../../proxy/forward/upstream.js';
import { BufferedBody, readAll } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import { PrimaryRelay } from '../../wlis/failover/primary-relay.js';
import { parseNamespace } from '../../wlis/namespace.js';
import { createUpstream, never } from '../forward/upstream-fixture.js';
import { targetOf } from '../replication/serving/held-example.js';
import { makeCertificates, type Certificates } from '../support/certificates.js';
import { FakeClock } from '../support/fake-clock.js';
import { answer } from '../support/origin-scripts.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { TempDir } from '../support/temp-dir.js';
import { startWillis, type Willis } from '../support/willis.js';
import { knownWith } from '../wlis/choice/known-example.js';

describe('Rule 7: a primary that cannot be reached directly is reached through a replica', () => {
  let certificates: Certificates;
  let directory: TempDir;
  let primary: ScriptedOrigin;
  let replica: Willis;
  const upstreams: HttpUpstream[] = [];

  before(async () => {
    certificates = await makeCertificates();
  });
  beforeEach(async () => {
    directory = await TempDir.create();
    primary = await startOrigin(answer(200, {}, 'from the primary'), {
      tls: certificates.leaf,
      clock: new FakeClock(),
    });
    const namespaces = [{ url: primary.url('/'), from: primary.url('/').replace(/\/$/, '') }];
    const node = { name: 'replica', data: directory.path };
    replica = await startWillis({ config: { node, sites: [], replicated: { namespaces } } });
  });
  afterEach(async () => {
    await Promise.all(upstreams.splice(0).map((upstream) => upstream.close()));
    await replica.stop();
    await primary.close();
    await directory.remove();
  });

  const through = (member: string): HttpUpstream => {
    const parent = new ParentProxy(parseProxyUri(member) as ProxyUri, null);
    const upstream = createUpstream({ parent, ca: [certificates.ca], connectTimeout: milliseconds(5000) });
    upstreams.push(upstream);
    return upstream;
  };

  const relayThrough = async (members: readonly string[], namespace: string) => {
    const known = await knownWith(
      members.map((url) => ({ urls: [url] })),
      { namespace: parseNamespace(namespace) },
    );
    const ranked = members.map((url, score) => {
      const health = { breaker: 'closed' } as never;
      return { candidate: { url, key: null, role: 'replica' as const, place: null, capacity: 1, health }, score };
    });
    const relay = new PrimaryRelay({
      ...{ clock: new FakeClock(), chooser: { choose: () => ({ ranked, skipped: [] }) }, attempts: () => 3 },
      through: (_, member) => through(member),
    });
    return (request: Partial<OutgoingRequest>) => {
      const target = targetOf(`${namespace}x`);
      const fields = Fields.of({ Host: target.authority, Cookie: 'secret=1' });
      return relay.forward(known, { method: 'GET', target, fields, body: null, ...request }, never);
    };
  };

  it('by a tunnel with TLS inside, writes and credentials too; who opens none is passed over', async () => {
    const nobody = `http://127.0.0.1:${replica.proxyPort}`;
    const site = `http://127.0.0.1:${replica.sitePort}`;
    const forward = await relayThrough(['http://127.0.0.1:1', site, nobody], primary.url('/'));
    const response = await forward({ method: 'POST', body: BufferedBody.from('written') });
    assert.equal((await readAll(response?.body as BufferedBody, bytes(1000))).toString(), 'from the primary');
    const { method, headers } = primary.last;
    assert.deepEqual([method, headers.cookie], ['POST', 'secret=1']);
  });

  it('but not without TLS, since a member could then answer what it likes (decision 4)', async () => {
    const forward = await relayThrough([`http://127.0.0.1:${replica.sitePort}`], 'http://docs.example.org/');
    assert.equal(await forward({}), null);
  });

  it('and what was sent once is not sent again through another one', async () => {
    primary.handle((_, response) => void response.socket?.destroy());
    const site = `http://127.0.0.1:${replica.sitePort}`;
    const forward = await relayThrough([site, site], primary.url('/'));
    const before = primary.count();
    await assert.rejects(forward({ method: 'POST', body: BufferedBody.from('once') }), WillisError);
    assert.equal(primary.count(), before + 1);
  });

  it('a replica opens tunnels to the authorities of its namespaces of https, and to nothing else', async () => {
    const connect = async (authority: string): Promise<number> => {
      const client = await replica.connect(replica.sitePort);
      client.request('CONNECT', authority, { Host: authority });
      const { status } = await client.receive('CONNECT');
      client.close();
      return status;
    };
    const port = Number(new URL(primary.url('/')).port);
    assert.equal(await connect(`127.0.0.1:${port}`), 200);
    assert.equal(await connect(`127.0.0.1:${replica.sitePort}`), 405);
    assert.equal(await connect('docs.example.org:443'), 405);
  });
});
