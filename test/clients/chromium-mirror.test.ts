import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { namespaceLabel, parseNamespace } from '../../wlis/namespace.js';
import { launchChromium, type Browser } from '../support/chromium.js';
import { Replicating } from '../support/replicating.js';
import { until } from '../support/waiting.js';
import type { Willis } from '../support/willis.js';

/** A site that takes it for granted where its root is, with the namespace that it is in. */
const pages = (at: string): Readonly<Record<string, string | Buffer>> => ({
  'index.html': `<!doctype html><html><head><meta charset="utf-8"><title>Home of ${at}</title>
<link rel="stylesheet" href="/${at}/site.css"><script src="/${at}/site.js" defer></script>
<script type="module" src="/${at}/module.js"></script></head>
<body><h1>Home of ${at}</h1><img id="dot" src="/${at}/dot.png" srcset="/${at}/dot.png 1x" alt="">
<iframe src="/${at}/frame.html" title="A frame"></iframe>
<p><a id="next" href="/${at}/deep/next.html?a=b#c">Next</a> <a id="old" href="/${at}/old">Old</a>
<a id="file" href="/${at}/file.tar.gz">File</a> <a id="tab" target="_blank" href="/${at}/deep/next.html">In another tab</a></p></body></html>`,
  'deep/next.html':
    '<!doctype html><html><head><title>Next page</title></head><body><a id="up" href="../">Up</a></body></html>',
  'frame.html': '<!doctype html><html><head><title>Frame</title></head><body><p>In the frame</p></body></html>',
  'site.css': "@font-face { font-family: Own; src: url('font.woff2') } h1 { color: rgb(0, 100, 0) }\n",
  'site.js': `document.body.dataset.script = 'ran';\nfetch('data.json').then((r) => r.json()).then((d) => (document.body.dataset.data = d.text));\n`,
  'module.js': "import { text } from './imported.js'; document.body.dataset.module = text;\n",
  'imported.js': "export const text = 'imported';\n",
  'data.json': '{"text":"fetched"}\n',
  'file.tar.gz': 'a file',
  'worker.js': 'self.addEventListener("fetch", () => undefined);\n',
  'dot.png': Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
});

const headers = [
  { match: '**', set: { 'X-Frame-Options': 'SAMEORIGIN', 'Cross-Origin-Opener-Policy': 'same-origin' } },
  { match: 'site.js', set: { 'Cross-Origin-Resource-Policy': 'same-origin' } },
];

const spaces = ['/mirror/', 'm.example', 'localhost'] as const;

describe('Chromium that reads a replica under its own name', function () {
  this.timeout(60_000);
  let site: Replicating;
  let replica: Willis;
  let browser: Browser;
  let origin: string;

  before(async function () {
    browser = await launchChromium(this, { loopbackNames: ['*.m.example'] });
    site = await Replicating.start();
    origin = site.origin;
    const namespaces = ['one', 'two'].map((at) => {
      const redirects = [{ from: 'old', to: 'deep/next.html' }];
      return {
        url: `${site.origin}/${at}/`,
        directory: site.path(at),
        headers,
        redirects,
        replicas: { accept: 'open' },
      };
    });
    for (const at of ['one', 'two']) {
      await mkdir(site.path(at));
      for (const [name, content] of Object.entries(pages(at))) await site.write(name, content, site.path(at));
    }
    await site.primary.reload({ primary: { namespaces } });
    replica = await site.replica({ url: namespaces[0]?.url });
    await replica.reload({
      node: { mirrorDomain: 'm.example' },
      replicated: { namespaces: namespaces.map(({ url }) => ({ url, from: site.origin })) },
    });
    for (const at of ['one', 'two']) {
      // by itself: what it does not hold yet it would have from the primary
      const isHeld = async (name: string): Promise<boolean> =>
        (await site.visit(`/${at}/${name}`, replica)).get('cache-status')?.startsWith('replica-1; hit') === true;
      for (const name of Object.keys(pages(at))) await until(() => isHeld(name.replace(/index\.html$/, '')));
    }
    await site.primary.stop();
  });
  after(async () => {
    await browser.close();
    await site.stop();
  });

  function homeIn(space: (typeof spaces)[number], at: string): string {
    const label = namespaceLabel(parseNamespace(`${origin}/${at}/`));
    const port = replica.sitePort;
    return space === '/mirror/'
      ? `http://127.0.0.1:${port}/mirror/${label}/`
      : `http://${label}.${space}:${port}/${at}/`;
  }

  /** What a page says that nobody expected; icons and fonts that are not there, and what only TLS could give, are. */
  function complaintsOf(page: Page): string[] {
    const complaints: string[] = [];
    page.on('console', (message) => {
      const isExpected = /^(?:Failed to load resource|The Cross-Origin-Opener-Policy header has been ignored)/;
      if (message.type() === 'error' && !isExpected.test(message.text())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => void complaints.push(String(error)));
    return complaints;
  }

  for (const space of spaces) {
    it(`${space}: a site is read with all its parts while its primary is stopped`, async () => {
      const page = await browser.newPage();
      const complaints = complaintsOf(page);
      await page.goto(homeIn(space, 'one'));
      assert.equal(await page.title(), 'Home of one');
      await page.waitForFunction(
        'document.body.dataset.data !== undefined && document.body.dataset.module !== undefined',
      );
      const seen = await page.evaluate<unknown>(`({
        script: document.body.dataset.script, data: document.body.dataset.data, module: document.body.dataset.module,
        color: getComputedStyle(document.querySelector('h1')).color, width: document.querySelector('#dot').naturalWidth,
        bar: document.querySelector('willis-bar') !== null })`);
      const all = { script: 'ran', data: 'fetched', module: 'imported', color: 'rgb(0, 100, 0)', width: 1, bar: true };
      assert.deepEqual(seen, all);
      assert.equal(await page.frames()[1]?.textContent('p'), 'In the frame');
      assert.equal(await page.frames()[1]?.locator('willis-bar').count(), space === 'm.example' ? 1 : 0);
      await page.click('#next');
      await page.waitForURL(/deep\/next\.html\?a=b#c$/);
      assert.equal(await page.title(), 'Next page');
      await page.click('#up');
      await page.waitForURL(homeIn(space, 'one'));
      await page.click('#old');
      await page.waitForURL(/deep\/next\.html$/);
      assert.equal(new URL(page.url()).host, new URL(homeIn(space, 'one')).host);
      assert.deepEqual(complaints, []);
      await page.close();
    });

    it(`${space}: decision 6: two namespaces do not see what the other one stores, and register no worker`, async () => {
      const page = await browser.newPage();
      const stored = `(async () => {
        const tried = async (f) => { try { return String(await f()); } catch (e) { return e.name; } };
        return {
          storage: await tried(() => { const was = localStorage.getItem('k'); localStorage.setItem('k', location.pathname); return was; }),
          cookie: await tried(() => { const was = document.cookie; document.cookie = 'k=' + encodeURIComponent(location.pathname); return was; }),
          worker: await tried(() => navigator.serviceWorker === undefined ? 'none' : navigator.serviceWorker.register('worker.js')),
        };
      })()`;
      const seen: unknown[] = [];
      for (const at of ['one', 'two']) {
        await page.goto(homeIn(space, at));
        seen.push(await page.evaluate<unknown>(stored));
      }
      const sandboxed = { storage: 'SecurityError', cookie: 'SecurityError', worker: 'SecurityError' };
      // over plain http there are workers for localhost alone, and their scripts are not to be had
      const named = { storage: 'null', cookie: '', worker: space === 'localhost' ? 'TypeError' : 'none' };
      const expected = space === '/mirror/' ? sandboxed : named;
      assert.deepEqual(seen, [expected, expected]);
      await page.close();
    });
  }

  it('/mirror/: files can be saved, and what opens in another tab is no worse off for that', async () => {
    const page = await browser.newPage();
    await page.goto(homeIn('/mirror/', 'one'));
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#file')]);
    assert.equal(await readFile(await download.path(), 'utf8'), 'a file');
    const [tab] = await Promise.all([page.waitForEvent('popup'), page.click('#tab')]);
    await tab.waitForFunction('document.title === "Next page"');
    // another page than those of mirrors, opened from one
    await tab.goto(`http://127.0.0.1:${replica.sitePort}/mirror/`);
    assert.equal(await tab.evaluate<string>('origin'), `http://127.0.0.1:${replica.sitePort}`);
    await tab.close();
    await page.close();
  });

  it('/mirror/: what is held is listed there, and a listed namespace is read from there', async () => {
    const page = await browser.newPage();
    const complaints = complaintsOf(page);
    await page.goto(`http://127.0.0.1:${replica.sitePort}/mirror/`);
    assert.equal(await page.locator('li').count(), 2);
    await page.click('text=/two/');
    await page.waitForURL(homeIn('/mirror/', 'two'));
    assert.equal(await page.title(), 'Home of two');
    assert.deepEqual(complaints, []);
    await page.close();
  });
});
