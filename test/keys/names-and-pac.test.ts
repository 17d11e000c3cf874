import assert from 'node:assert/strict';
import { epochMs, milliseconds } from '../../config/units.js';
import { KeyDirectory } from '../../replication/keys/key-directory.js';
import { giveName, namingKey } from '../../replication/keys/naming.js';
import { parseNamespace } from '../../wlis/namespace.js';
import { makeCertificates } from '../support/certificates.js';
import { answer } from '../support/origin-scripts.js';
import { RawClient, type RawResponse } from '../support/raw-client.js';
import { Replicating, urlOf } from '../support/replicating.js';
import { RunningClock } from '../support/running-clock.js';
import { startOrigin } from '../support/scripted-origin.js';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import { startWillis, type Sections, type Willis } from '../support/willis.js';
import { evaluatePac } from '../wlis/pac/pac-evaluator.js';
import { flips } from './flips.js';

/** Asks the forward proxy of a node. */
async function ask(node: Willis, target: string): Promise<RawResponse> {
  const client = await RawClient.connect(node.proxyPort);
  client.request('GET', target, { Host: 'proxy.test:3128' });
  const response = await client.receive('GET');
  client.close();
  return response;
}

describe('the keys of names and of the configuration of browsers', () => {
  let willis: Willis;
  let dir: TempDir;

  beforeEach(async () => {
    dir = await TempDir.create();
    willis = await startWillis({ config: { node: { data: dir.path } } });
    willis.serve(answer(200, {}, 'content'));
  });
  afterEach(async () => {
    await willis.stop();
    await dir.remove();
  });

  const statusOf = async (url: string): Promise<number> => (await ask(willis, url)).status;

  flips('wlis.names', 'which names stand for what', async () => {
    assert.equal(await statusOf('http://manual.wlis/x'), 502);
    await willis.reload({ wlis: { names: { manual: willis.origin.url('/m/') } } });
    assert.equal(await statusOf('http://manual.wlis/x'), 200);
    assert.equal(willis.origin.requests.find(({ url }) => !url.startsWith('/.well'))?.url, '/m/x');
    await willis.reload({ wlis: { names: { 'manual.new': willis.origin.url('/m/') } } });
    assert.equal(await statusOf('http://manual.new.wlis/x'), 200);
  });

  flips('wlis.trust.names', 'by whose word', async () => {
    const key = await namingKey(new KeyDirectory(dir.path), null);
    const namespace = parseNamespace(willis.origin.url('/m/'));
    const now = epochMs(willis.clock.now());
    await giveName(dir.path, key, { name: 'manual', namespace, now, lifetime: milliseconds(60_000) });
    for (const [names, status] of [
      [[], 502],
      [[key.id], 200],
      [['A'.repeat(43)], 502],
      [['A'.repeat(43), key.id], 200],
    ] as const) {
      await willis.reload({ wlis: { trust: { names } } });
      await until(async () => (await statusOf('http://manual.wlis/x')) === status);
    }
  });

  flips('clientSide.httpsAsHttp', 'who may read namespaces of https by http', async () => {
    const { ca, leaf } = await makeCertificates();
    const secure = await startOrigin(answer(200, {}, 'by TLS'), { tls: leaf });
    await willis.reload({
      access: { destinations: { allow: ['localhost'] } },
      upstream: { ca: [await dir.write('ca.pem', ca)] },
      wlis: { names: { manual: `https://localhost:${secure.port}/` } },
    });
    for (const [httpsAsHttp, status] of [
      ['loopback', 200],
      ['never', 307],
      ['always', 200],
    ] as const) {
      await willis.reload({ clientSide: { httpsAsHttp } });
      assert.equal(await statusOf('http://manual.wlis/x'), status, httpsAsHttp);
    }
    await willis.stop();
    await secure.close();
  });

  const wayTo = async (url: string, node = willis): Promise<string> => {
    const page = await ask(node, '/proxy.pac');
    return (await evaluatePac(page.body.toString()))(url);
  };
  const withPac = async (pac: Sections): Promise<unknown> => willis.reload({ clientSide: { pac } });

  flips('clientSide.pac.proxies', 'by which proxies browsers go', async () => {
    assert.equal(await wayTo('http://www.example/'), 'PROXY proxy.test:3128; DIRECT');
    await withPac({ proxies: ['one.example:3128', 'self'] });
    assert.equal(await wayTo('http://www.example/'), 'PROXY one.example:3128; PROXY proxy.test:3128; DIRECT');
  });

  flips('clientSide.pac.direct', 'whether they may do without', async () => {
    assert.equal(await wayTo('http://www.example/'), 'PROXY proxy.test:3128; DIRECT');
    await withPac({ direct: 'never' });
    assert.equal(await wayTo('http://www.example/'), 'PROXY proxy.test:3128');
    await withPac({ direct: 'always' });
    assert.equal(await wayTo('http://www.example/'), 'DIRECT');
  });

  flips('clientSide.pac.exceptions', 'for which hosts they do without', async () => {
    await withPac({ exceptions: ['*.corp.example'] });
    assert.equal(await wayTo('http://a.corp.example/'), 'DIRECT');
    await withPac({ exceptions: ['192.0.2.0/24'] });
    assert.equal(await wayTo('http://a.corp.example/'), 'PROXY proxy.test:3128; DIRECT');
    assert.equal(await wayTo('http://192.0.2.7/'), 'DIRECT');
  });

  flips('clientSide.pac.namespaces', 'whether namespaces are got from their replicas as proxies', async () => {
    const site = await Replicating.start({ files: { 'a.txt': 'A' } });
    const reader = await startWillis({
      clock: new RunningClock(120_000),
      config: { node: { data: site.path('reader') } },
    });
    try {
      const replica = await site.replica();
      await site.inStep(replica);
      const { id } = await new KeyDirectory(site.path('replica-1')).nodeKey();
      await site.publish({ replicas: { accept: 'open', listed: [id], delegates: [id] } });
      await reader.reload({ wlis: { peers: [site.origin], exchangeEvery: '50ms', trust: { firstUse: true } } });
      await reader.reload({ clientSide: { pac: { namespaces: 'viaReplicas' } } });
      const way = `PROXY ${new URL(urlOf(replica)).host}; PROXY proxy.test:3128; DIRECT`;
      await until(async () => (await wayTo(`${site.origin}/a.txt`, reader)) === way);
      assert.equal(await wayTo('http://www.example/', reader), 'PROXY proxy.test:3128; DIRECT');
      await reader.reload({ clientSide: { pac: { namespaces: 'viaProxy' } } });
      assert.equal(await wayTo(`${site.origin}/a.txt`, reader), 'PROXY proxy.test:3128; DIRECT');
    } finally {
      await reader.stop();
      await site.stop();
    }
  });
});
