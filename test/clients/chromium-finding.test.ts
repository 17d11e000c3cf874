import assert from 'node:assert/strict';
import { contentOf } from '../faults/content.js';
import { launchChromium, type Browser } from '../support/chromium.js';
import { Constellation, credentialsSentTo } from '../support/constellation.js';
import type { RawClient } from '../support/raw-client.js';
import type { SiteNode } from '../support/site-node.js';

const pages = 30;
const large = contentOf('large', 1, 0, 8_388_608);

const page = (n: number): string =>
  `<!doctype html><title>Page ${n}</title><link rel="stylesheet" href="site.css"><h1>Page ${n}</h1><img src="dot${n % 3}.png" alt="">`;

const files: Readonly<Record<string, string | Buffer>> = {
  ...Object.fromEntries(Array.from({ length: pages }, (_, n) => [`page${n}.html`, page(n)])),
  'site.css': 'h1 { color: rgb(0, 100, 0); }\n',
  ...Object.fromEntries([0, 1, 2].map((n) => [`dot${n}.png`, dot()])),
  'large.bin': large,
};

describe('Chromium with a client-side proxy', function () {
  this.timeout(60_000);
  let all: Constellation | null = null;
  let browser: Browser | null = null;
  afterEach(async () => {
    await browser?.close();
    await all?.close();
  });

  it('rules 5 and 11: with a cookie, while the primary is stopped, one replica silent and one slow, all pages are there', async function () {
    all = await Constellation.start({
      files,
      replicas: 3,
      client: { clientSide: { patience: '1s', choice: 'random' } },
    });
    const credentials = all.replicas.map(credentialsSentTo);
    await all.learned('page0.html');
    browser = await launchChromium(this, { proxy: `http://127.0.0.1:${all.client.running.port('proxy')}` });
    await browser.context.addCookies([{ name: 'session', value: 'secret', url: all.site.namespace }]);

    const download = await beginDownload(all);
    const [silent, slow, well] = all.replicas as readonly [SiteNode, SiteNode, SiteNode];
    silent.front.mode = 'silent';
    slow.front.mode = { after: 0, then: 'trickle' };
    well.front.mode = 'pass';
    await all.primary.stop();

    await browseAll(await browser.newPage(), all.site.namespace);
    assert.ok((await download.take(large.length)).equals(large), 'the bytes of the download');
    const served = all.site.nodes.filter(({ front }) => front.requests.some(isForContent));
    assert.ok(served.length >= 2, `only ${served.length} nodes were asked for it`);
    assert.deepEqual(
      credentials.map((wereSent) => wereSent()),
      [false, false, false],
    );
  });

  /** A download that is under way: whoever serves it will not get far, since none sends more than 3 MB of an answer. */
  async function beginDownload({ site, client }: Constellation): Promise<RawClient> {
    for (const { front } of site.nodes) front.mode = { after: 3_000_000, then: 'stall' };
    const download = await client.connect('proxy');
    download.request('GET', `${site.namespace}large.bin`, { Host: site.host });
    const { status } = await download.receiveHead();
    assert.equal(status, 200);
    return download;
  }

  async function browseAll(tab: Awaited<ReturnType<Browser['newPage']>>, namespace: string): Promise<void> {
    for (let n = 0; n < pages; n++) {
      const response = await tab.goto(`${namespace}page${n}.html`);
      assert.equal(response?.status(), 200, `page ${n}`);
      assert.equal(await tab.title(), `Page ${n}`);
      assert.equal(
        await tab.evaluate<string>("getComputedStyle(document.querySelector('h1')).color"),
        'rgb(0, 100, 0)',
      );
      assert.equal(await tab.evaluate<number>("document.querySelector('img').naturalWidth"), 1);
    }
  }
});

const isForContent = (request: string): boolean => /\/wlis\/(?:blob\/|raw\/[^/]+\/large\.bin)/.test(request);

/** An image of one pixel. */
function dot(): Buffer {
  const base64 = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  return Buffer.from(base64, 'base64');
}
