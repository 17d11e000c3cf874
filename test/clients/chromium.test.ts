import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { makeCertificates, writePem } from '../support/certificates.js';
import { launchChromium, type Browser } from '../support/chromium.js';
import { TempDir } from '../support/temp-dir.js';
import { writeTree } from './document-tree.js';
import { startNginx, type NginxOrigin } from './nginx-origin.js';
import { startNode, type NodeForClients } from './node-for-clients.js';
import { needPrograms } from './programs.js';

describe('Chromium through the node', function () {
  this.timeout(60_000);
  let directory: TempDir;
  let origin: NginxOrigin;
  let node: NodeForClients;
  before(async function () {
    needPrograms(this, 'nginx', 'openssl');
    directory = await TempDir.create();
    origin = await startNginx(await writeTree(directory));
    const { leaf } = await makeCertificates();
    const tls = await writePem(directory, leaf);
    node = await startNode({
      listen: { proxy: '127.0.0.1:0', site: { address: '127.0.0.1:0', tls }, admin: null },
      sites: [{ host: '*', origin: origin.url() }],
    });
  });
  after(async () => {
    await (node as NodeForClients | undefined)?.stop();
    await (origin as NginxOrigin | undefined)?.close();
    await (directory as TempDir | undefined)?.remove();
  });

  /** Follows a link and comes to a page with its style and its image. */
  const browse = async (page: Page, start: string): Promise<void> => {
    await page.goto(start);
    await page.click('a[href="chapter-3/index.html"]');
    await page.waitForURL('**/chapter-3/index.html');
    assert.equal(await page.title(), 'Chapter 3');
    assert.equal(await page.evaluate<string>("getComputedStyle(document.querySelector('h1')).color"), 'rgb(0, 100, 0)');
    assert.equal(await page.evaluate<number>("document.querySelector('img').naturalWidth"), 1);
  };

  /** With a new profile each time, so that what comes from a cache comes from the node. */
  const withBrowser = async (
    test: Mocha.Context,
    options: Parameters<typeof launchChromium>[1],
    use: (browser: Browser) => Promise<void>,
  ): Promise<void> => {
    const browser = await launchChromium(test, options);
    try {
      await use(browser);
    } finally {
      await browser.close();
    }
  };

  const pages = async (): Promise<number> =>
    (await origin.requests()).filter((line) => !line.includes('favicon')).length;

  it('browses by the forward proxy, a second browser from the cache', async function () {
    const visit = async (browser: Browser): Promise<void> => browse(await browser.newPage(), origin.url('/index.html'));
    await withBrowser(this, { proxy: node.proxy }, visit);
    const asked = await pages();
    await withBrowser(this, { proxy: node.proxy }, visit);
    assert.equal(await pages(), asked);
  });

  it('browses the public side over TLS, a second browser from the cache', async function () {
    const options = { acceptAnyCertificate: true };
    const visit = async (browser: Browser): Promise<void> => browse(await browser.newPage(), `${node.site}/index.html`);
    await withBrowser(this, options, visit);
    const asked = await pages();
    await withBrowser(this, options, visit);
    assert.equal(await pages(), asked);
  });

  it('shows the help page and the error pages whole, wide and narrow, light and dark', async function () {
    const direct: [string, RegExp][] = [[`${node.proxy}/`, /^Willis is running$/]];
    const proxied: [string, RegExp][] = [
      ['http://127.0.0.1:81/', /refused/],
      ['http://10.0.0.1/', /may not connect there/],
      [`http://${'long-'.repeat(12)}name.invalid/`, /could not be resolved/],
    ];
    await withBrowser(this, {}, (browser) => lookAt(browser, direct));
    await withBrowser(this, { proxy: node.proxy }, (browser) => lookAt(browser, proxied));
  });
});

/** Asserts the heading of each page, and that nothing of it lies beyond the edge of the window. */
async function lookAt(browser: Browser, addresses: readonly [string, RegExp][]): Promise<void> {
  const page = await browser.newPage();
  for (const [address, heading] of addresses) {
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [360, 1000]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 700 });
        await page.goto(address);
        assert.match((await page.textContent('h1')) ?? '', heading);
        const beyond = await page.evaluate<string[]>(tagsBeyondTheEdge);
        assert.deepEqual(beyond, [], `${address} at ${width} pixels`);
      }
    }
  }
}

/** Run in the page. */
const tagsBeyondTheEdge = `[...document.querySelectorAll('*')]
  .filter((one) => one.clientWidth > 0 && one.scrollWidth > one.clientWidth)
  .map((one) => one.tagName)`;
