import assert from 'node:assert/strict';
import { assertAccessible } from '../support/accessibility.js';
import { launchChromium, type Browser } from '../support/chromium.js';
import { Constellation } from '../support/constellation.js';
import { until } from '../support/waiting.js';

type Tab = Awaited<ReturnType<Browser['newPage']>>;

const files = {
  'index.html': '<!doctype html><html lang="en"><title>Here</title><h1>Here</h1>\n',
  'other.html': '<!doctype html><title>Other</title>\n',
};

describe('the error page of a client-side proxy, in Chromium', function () {
  this.timeout(60_000);
  let all: Constellation;
  let browser: Browser | null = null;
  let tab: Tab;
  let index: string;

  before(async function () {
    all = await Constellation.start({
      files,
      replicas: 3,
      keys: { headers: [{ match: '**/*.html', set: { 'Cache-Control': 'max-age=3600' } }] },
      client: {
        clientSide: { patience: '1s', attempts: 2, html: { bar: true, alternates: true } },
        cache: { memory: '16MiB' },
      },
    });
    const asked = all.rawRequests();
    await until(async () => {
      await all.get('other.html', { 'Cache-Control': 'no-cache' });
      return all.rawRequests() > asked;
    });
    index = `${all.site.namespace}index.html`;
    browser = await launchChromium(this, { proxy: `http://127.0.0.1:${all.client.running.port('proxy')}` });
    tab = await browser.newPage();
    assert.equal((await tab.goto(index))?.status(), 200);
    for (const { front } of all.site.nodes) {
      front.breakAll();
      front.mode = 'reset';
    }
    assert.equal((await tab.reload())?.status(), 502);
  });
  after(async () => {
    await browser?.close();
    await all.close();
  });

  it('names the servers, fits 320 pixels, and has nothing that axe-core finds fault with, light or dark', async () => {
    const text = await tab.innerText('main');
    for (const { front } of all.site.nodes) assert.ok(text.includes(front.url), front.url);
    await assertAccessible(tab);
  });

  it('leads by the keyboard to the page where one chooses', async () => {
    await tab.getByRole('link', { name: 'choose a server yourself' }).focus();
    await tab.keyboard.press('Enter');
    await tab.waitForURL((url) => url.host === 'proxy.wlis');
    assert.equal(new URL(tab.url()).searchParams.get('of'), index);
    await tab.goBack();
  });

  it('shows the copy that a forced reload did not get', async () => {
    await tab.goto(index);
    assert.equal((await tab.reload())?.status(), 502);
    const answer = tab.waitForResponse(index);
    await tab.getByRole('link', { name: 'Show the copy' }).click();
    assert.equal((await answer).status(), 200);
    assert.equal(await tab.innerText('h1'), 'Here');
    assert.equal(await tab.locator('willis-bar').count(), 1);
  });
});
