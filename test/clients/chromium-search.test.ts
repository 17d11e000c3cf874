import assert from 'node:assert/strict';
import type { SearchJson } from '../../wlis/search/search-text.js';
import { assertAccessible } from '../support/accessibility.js';
import { launchChromium, type Browser } from '../support/chromium.js';
import { ReplicatedSite } from '../support/replicated-site.js';
import type { SiteNode } from '../support/site-node.js';
import { until } from '../support/waiting.js';

type Tab = Awaited<ReturnType<Browser['newPage']>>;

const directory = { roles: ['clientSide', 'wlis'] };

describe('the search page of a replica, in Chromium', function () {
  this.timeout(60_000);
  let site: ReplicatedSite;
  let replica: SiteNode;
  let browser: Browser | null = null;
  let tab: Tab;
  const violations: string[] = [];

  before(async function () {
    site = await ReplicatedSite.make({ keys: { search: true } });
    await site.put('emperor.html', '<!doctype html><title>Emperor penguins</title><h1>Emperors</h1><p>They walk far.');
    const evil = '&lt;img src=x onerror=alert(1)&gt;';
    await site.put(
      'evil.html',
      `<title>${evil}</title><p>penguins ${evil} &lt;/mark&gt;&lt;script&gt;alert(2)&lt;/script&gt;`,
    );
    for (let at = 0; at < 12; at++)
      await site.put(`p${at}.html`, `<title>Page ${at}</title><p>About penguins number ${at}.`);
    await site.primary.start();
    replica = await site.addReplica();
    await replica.start(directory);
    await site.inStep();
    await until(async () => {
      const found = (await (await fetch(`${replica.front.url}/.well-known/wlis/search?q=x`)).json()) as SearchJson;
      return found.complete && found.namespaces.length > 0;
    });
    browser = await launchChromium(this);
    tab = await browser.newPage();
    tab.on('console', (message) => void violations.push(message.text()));
    tab.on('dialog', (dialog) => {
      violations.push(dialog.message());
      void dialog.dismiss();
    });
    await site.primary.stop();
  });
  after(async () => {
    await browser?.close();
    await site.close();
  });

  it('is searched by the keyboard alone, and shows what was found with its words marked', async () => {
    await tab.goto(`${replica.front.url}/.well-known/wlis/search`);
    await assertAccessible(tab);
    await tab.keyboard.type('penguins');
    await tab.keyboard.press('Enter');
    await tab.waitForURL(/\?q=penguins$/);
    assert.equal(await tab.getByRole('status').innerText(), '14 pages found, 1 to 10 shown.');
    assert.equal(await tab.locator('ol > li').count(), 10);
    assert.equal(await tab.getByLabel('Words').inputValue(), 'penguins');
    await assertAccessible(tab);
    await tab.getByRole('link', { name: 'Those after' }).click();
    assert.equal(await tab.locator('ol > li').count(), 4);
    await tab.getByRole('link', { name: 'Those before' }).click();
    assert.equal(await tab.locator('ol > li').count(), 10);
  });

  it('leads to the copy that is held there, also while the primary is gone, and to the original', async () => {
    await tab.goto(`${replica.front.url}/.well-known/wlis/search?q=emperor`);
    const original = tab.getByRole('link', { name: 'Emperor penguins', exact: true });
    assert.equal(await original.getAttribute('href'), `${site.namespace}emperor.html`);
    await tab.getByRole('link', { name: 'Copy held here: Emperor penguins' }).click();
    assert.equal(await tab.innerText('h1'), 'Emperors');
  });

  it('shows markup in titles and texts as text', async () => {
    await tab.goto(`${replica.front.url}/.well-known/wlis/search?q=onerror+penguins`);
    const item = tab.locator('ol > li').first();
    assert.equal(await item.locator('h2').innerText(), '<img src=x onerror=alert(1)>');
    assert.match(
      await item.innerText(),
      /penguins <img src=x onerror=alert\(1\)> <\/mark><script>alert\(2\)<\/script>/,
    );
    assert.equal(await tab.locator('img, script').count(), 0);
    assert.deepEqual(violations, []);
  });

  it('says what is wrong with a question, and what is not found', async () => {
    await tab.goto(`${replica.front.url}/.well-known/wlis/search?q=${'x'.repeat(300)}`);
    assert.equal(await tab.getByRole('alert').innerText(), "'q' has more than 256 characters");
    await assertAccessible(tab);
    await tab.goto(`${replica.front.url}/.well-known/wlis/search?q=%22%3E%3Cb%3Eqqqq`);
    assert.equal(await tab.getByRole('status').innerText(), 'No page has any of the words “"><b>qqqq”.');
    assert.equal(await tab.getByLabel('Words').inputValue(), '"><b>qqqq');
  });
});
