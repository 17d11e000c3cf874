import assert from 'node:assert/strict';
import { freePorts } from '../../examples/demo/free-ports.js';
import { launchChromium, type Browser } from '../support/chromium.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { startProcess, type WillisProcess } from '../support/willis-process.js';
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
});
