import assert from 'node:assert/strict';
import { freePorts } from '../../examples/demo/free-ports.js';
import { launchChromium, type Browser } from '../support/chromium.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { KeyDirectory } from '../../replication/keys/key-directory.js';
import { keyIdOf } from '../../wlis/trust/public-key.js';
import { Replicating, urlOf } from '../support/replicating.js';
import { RunningClock } from '../support/running-clock.js';
import { until } from '../support/waiting.js';
import { startProcess, type WillisProcess } from '../support/willis-process.js';
import { startWillis, type Willis } from '../support/willis.js';
import { startNode, type NodeForClients } from './node-for-clients.js';

describe('Chromium that is configured by /proxy.pac', function () {
  this.timeout(60_000);
  let origin: ScriptedOrigin;
  let first: WillisProcess | null = null;
  let second: NodeForClients | null = null;
  let browser: Browser | null = null;

  beforeEach(async () => {
    origin = await startOrigin(({ url }, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html', 'Cache-Control': 'no-store' });
      response.end(`<title>${url}</title><a href="${Number(url.slice(1)) + 1}">next</a>`);
    });
  });
  afterEach(async () => {
    await browser?.close();
    await first?.stop();
    await second?.stop();
    await origin.close();
    [first, second, browser] = [null, null, null];
  });

  const keys = () => ({
    access: { destinations: { allow: ['127.0.0.1'] } },
    wlis: { names: { pages: origin.url('/') } },
  });

  it('goes by the first proxy, and by the second when that one has died, in the midst of it', async function () {
    const [one = 0, two = 0] = await freePorts(2);
    second = await startNode({ ...keys(), listen: { proxy: `127.0.0.1:${two}`, site: null, admin: null } });
    first = await startProcess({
      ...keys(),
      node: { name: 'first' },
      listen: { proxy: `127.0.0.1:${one}`, site: null, admin: null },
      clientSide: { pac: { proxies: ['self', `127.0.0.1:${two}`], direct: 'never' } },
    });
    browser = await launchChromium(this, { pacUrl: `http://127.0.0.1:${one}/proxy.pac` });
    const page = await browser.newPage();
    const through: string[] = [];
    page.on('response', (response) => {
      if (!response.url().endsWith('/favicon.ico')) through.push(response.headers()['via'] ?? '');
    });
    await page.goto('http://pages.wlis/1');
    for (let next = 2; next <= 6; next++) {
      if (next === 4) await first.kill();
      await page.click('a');
      await page.waitForURL(`**/${next}`);
      assert.equal(await page.title(), `/${next}`);
    }
    assert.deepEqual(
      through.map((via) => /.*1\.1 (\w+)/.exec(via)?.[1]),
      ['first', 'first', 'first', 'willis', 'willis', 'willis'],
    );
  });

  describe('by a directory, which names replicas as proxies', () => {
    let site: Replicating;
    let replicas: readonly Willis[];
    let directory: Willis;

    beforeEach(async () => {
      // no name server knows it
      const url = 'http://pages.invalid/';
      const link = (to: number): string => `<title>page ${to}</title><a href="${to + 1}.html">next</a>`;
      const files = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`${i + 1}.html`, link(i + 1)]));
      const privateAddresses = ['127.0.0.1'];
      site = await Replicating.start({ files, keys: { url }, config: { wlis: { privateAddresses } } });
      const ids = await Promise.all(['replica-1', 'replica-2'].map((name) => idOf(site, name)));
      await site.publish({ replicas: { accept: 'listed', listed: ids, delegates: ids } });
      const trust = { roots: [{ origin: new URL(url).origin, key: await rootOf(site) }] };
      const config = { wlis: { privateAddresses, trust } };
      replicas = [await site.replica({ url }, config), await site.replica({ url }, config)];
      directory = await startWillis({
        clock: new RunningClock(120_000),
        config: {
          ...{ node: { name: 'directory', data: site.path('directory') }, roles: ['wlis'], sites: [] },
          listen: { proxy: null, site: '127.0.0.1:0', admin: null },
          wlis: { privateAddresses, trust, peers: [site.origin], exchangeEvery: '50ms' },
          clientSide: { pac: { namespaces: 'viaReplicas' } },
        },
      });
      await directory.reload({ node: { url: urlOf(directory) } });
    });
    afterEach(async () => {
      await directory.stop();
      await site.stop();
    });

    const pac = async (): Promise<string> =>
      (await directory.get('/proxy.pac', { Host: new URL(urlOf(directory)).host })).body.toString();

    it('reads on when the primary is gone and one replica after it, with no proxy of its own', async function () {
      await until(async () => {
        const text = await pac();
        return replicas.every((replica) => text.includes(`PROXY ${new URL(urlOf(replica)).host}`));
      });
      browser = await launchChromium(this, { pacUrl: `${urlOf(directory)}/proxy.pac` });
      const page = await browser.newPage();
      const roles: string[] = [];
      page.on('response', (response) => {
        const said = response.headers()['wlis-namespace'] ?? '';
        if (response.url().endsWith('.html')) roles.push(/role=(\w+)/.exec(said)?.[1] ?? '');
      });
      await page.goto('http://pages.invalid/1.html');
      for (let next = 2; next <= 7; next++) {
        if (next === 3) await site.primary.stop();
        if (next === 5) await replicas[0]?.stop();
        await page.click('a');
        await page.waitForURL(`**/${next}.html`);
        assert.equal(await page.title(), `page ${next}`);
      }
      assert.deepEqual(roles, Array<string>(7).fill('replica'));
    });
  });
});

const idOf = async (site: Replicating, name: string): Promise<string> =>
  (await new KeyDirectory(site.path(name)).nodeKey()).id;

async function rootOf(site: Replicating): Promise<string> {
  const statement = async () => (await new KeyDirectory(site.path('primary')).chains())[0]?.at(-1)?.statement;
  await until(async () => (await statement()) !== undefined);
  const found = await statement();
  assert.ok(found, 'the primary has founded its namespace');
  return keyIdOf(found.rootKey);
}
