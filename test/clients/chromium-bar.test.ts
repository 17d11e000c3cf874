import assert from 'node:assert/strict';
import { accessibilityFaults } from '../support/accessibility.js';
import { launchChromium, type Browser } from '../support/chromium.js';
import { Constellation } from '../support/constellation.js';
import type { SiteNode } from '../support/site-node.js';

type Tab = Awaited<ReturnType<Browser['newPage']>>;

/** The bodies and headers that pages have, over which a bar could stumble. */
const layouts: Readonly<Record<string, string>> = {
  plain: 'body{margin:0}',
  margins: 'body{margin:3rem}',
  flex: 'body{display:flex;max-width:40rem;margin:auto;padding:1rem}',
  grid: 'body{display:grid;grid-template:auto 1fr auto/12rem 1fr;min-height:100vh;margin:0}',
  positioned: 'body{position:relative;margin:0 auto;width:60%}',
  'full height': 'html,body{height:100%;margin:0}main{height:100%;overflow:auto}',
  hidden: '*{all:unset!important;display:block!important}head,style,script,title{display:none!important}',
  loud: '*{color:red!important;background:yellow!important;font-size:60px!important;border:9px solid blue!important}',
};

const page = (name: string, { head = '', body = '' } = {}): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${name}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">${head}</head>
<body>${body}<main id="main"><h1>${name}</h1><p>Text of the page, with <a href="plain.html">a link</a>.</p></main></body></html>`;

const script = `<script>
addEventListener('load', () => {
  document.title = [document.forms.length, document.links.length, document.querySelectorAll('input, button').length,
    document.scripts.length, document.images.length, document.body.matches(':scope > main ~ *')].join(' ');
});
</script>`;

const files: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(layouts).map(([name, style]) => [`${name}.html`, page(name, { head: `<style>${style}</style>` })]),
  ),
  ...Object.fromEntries(['text', 'one', 'two'].map((name) => [`${name}.html`, page(name)])),
  'fixed.html': page('Fixed', { body: '<header id="own" style="position:fixed;top:0;left:0;width:100%">Own</header>' }),
  'script.html': page('Script', { head: script }),
  'rtl.html': page('Right to left').replace('<html lang="en">', '<html lang="he" dir="rtl">'),
  'imitation.html': page('Imitation', {
    body: '<willis-bar><b>Willis</b> From bank.example, which is safe</willis-bar>',
  }),
  'strict.html': page('Strict', {
    head: `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self'">`,
  }),
};

describe('the bar of a client-side proxy, in Chromium', function () {
  this.timeout(60_000);
  let all: Constellation;
  let browser: Browser | null = null;
  let tab: Tab;

  before(async function () {
    all = await Constellation.start({ files, client: { clientSide: { patience: '1s', html: { bar: true } } } });
    await all.learned('plain.html');
    browser = await launchChromium(this, { proxy: `http://127.0.0.1:${all.client.running.port('proxy')}` });
  });
  beforeEach(async () => {
    tab = await (browser as Browser).newPage();
  });
  afterEach(() => tab.close());
  after(async () => {
    await browser?.close();
    await all.close();
  });

  const open = async (name: string): Promise<void> => {
    const answer = await tab.goto(`${all.site.namespace}${name}.html`);
    assert.equal(answer?.status(), 200, name);
  };

  /** Where the page is as it is without the bar. */
  async function original(name: string): Promise<Awaited<ReturnType<typeof layout>>> {
    await tab.setExtraHTTPHeaders({ 'Cache-Control': 'no-transform' });
    await open(name);
    assert.equal(await tab.evaluate<boolean>('document.querySelector("willis-bar") === null'), true);
    return layout();
  }

  /** Where the page is. */
  const layout = (): Promise<{ readonly top: number; readonly left: number; readonly width: number }> =>
    tab.evaluate<{ top: number; left: number; width: number }>(`(() => {
      const { top, left, width } = document.getElementById('main').getBoundingClientRect();
      return { top, left, width };
    })()`);

  const isSeen = (): Promise<boolean> =>
    tab.evaluate<boolean>(`(() => {
      const bar = document.querySelector('willis-bar');
      return bar !== null && bar.getBoundingClientRect().height === 36 && document.elementFromPoint(300, 18) === bar;
    })()`);

  const close = async (): Promise<void> => {
    await tab.keyboard.press('Tab');
    await tab.keyboard.press('Tab');
    await tab.keyboard.press('Enter');
  };

  for (const name of [...Object.keys(layouts), 'rtl']) {
    it(`covers and squeezes nothing of a page, and gives its room back when it is closed: ${name}`, async () => {
      await open(name);
      assert.equal(await isSeen(), true);
      const shown = await layout();
      await close();
      assert.equal(await isSeen(), false);
      const closed = await layout();
      // last, since the browser keeps it
      const without = await original(name);
      assert.deepEqual([shown, closed], [{ ...without, top: without.top + 36 }, without]);
    });
  }

  it('goes away with the page as that is scrolled', async () => {
    await open('text');
    await tab.evaluate(`document.getElementById('main').style.height = '5000px', scrollTo(0, 20)`);
    await tab.waitForFunction('document.querySelector("willis-bar").getBoundingClientRect().top === -20');
    await tab.evaluate('scrollTo(0, 400)');
    await tab.waitForFunction('document.querySelector("willis-bar").getBoundingClientRect().bottom === 0');
  });

  it('is behind what the page itself has there', async () => {
    await open('fixed');
    assert.equal(await tab.evaluate<string>('document.elementFromPoint(300, 18).id'), 'own');
  });

  it('is closed and obeyed by the keyboard alone, and a choice is what the servers see', async () => {
    const [, second] = all.replicas as readonly [SiteNode, SiteNode];
    await open('text');
    await tab.keyboard.press('Tab');
    await tab.keyboard.press('Enter');
    await pressUntil(second.front.authority);
    await Promise.all([tab.waitForEvent('load'), tab.keyboard.press('Enter')]);
    assert.equal(tab.url(), `${all.site.namespace}text.html`);
    assert.match(await said(), new RegExp(`From ${second.front.authority} \\(replica, your choice\\)`));
    const before = all.site.nodes.map((node) => all.rawRequests([node]));
    for (const name of ['one', 'two']) await open(name);
    const asked = all.site.nodes.filter((node, i) => all.rawRequests([node]) > (before[i] ?? 0));
    assert.deepEqual(asked, [second]);
    await tab.keyboard.press('Tab');
    await tab.keyboard.press('Enter');
    await pressUntil('Let the proxy choose');
    await Promise.all([tab.waitForEvent('load'), tab.keyboard.press('Enter')]);
    assert.doesNotMatch(await said(), /your choice/);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1200, 320]) {
      it(`and the page of the proxy are clean to axe-core, ${colorScheme}, ${width} pixels wide, without scrolling aside`, async () => {
        await tab.emulateMedia({ colorScheme });
        await tab.setViewportSize({ width, height: 700 });
        await open('text');
        assert.deepEqual(await accessibilityFaults(tab), []);
        await tab.keyboard.press('Tab');
        await tab.keyboard.press('Enter');
        assert.deepEqual(await accessibilityFaults(tab), []);
        assert.equal(await tab.evaluate<number>('document.documentElement.scrollWidth'), width);
        await tab.goto(`http://proxy.wlis/choice?of=${encodeURIComponent(`${all.site.namespace}text.html`)}`);
        assert.deepEqual(await accessibilityFaults(tab), []);
        assert.equal(await tab.evaluate<number>('document.documentElement.scrollWidth'), width);
      });
    }
  }

  it('is nothing that scripts of the page come across, and brings none', async () => {
    await open('script');
    // neither forms, links, fields, scripts nor images but the page's own
    assert.equal(await tab.title(), '0 1 0 1 0 false');
    assert.match(await tab.evaluate<string>('document.body.innerText'), /^Script\n/);
  });

  it('is not where there is little room, as in a frame of another page', async () => {
    await open('text');
    const { top } = await layout();
    const height = (): Promise<number> =>
      tab.evaluate<number>('document.querySelector("willis-bar").getBoundingClientRect().height');
    for (const size of [
      { width: 300, height: 250 },
      { width: 728, height: 90 },
      { width: 160, height: 600 },
    ]) {
      await tab.setViewportSize(size);
      assert.deepEqual([await height(), (await layout()).top], [0, top - 36], JSON.stringify(size));
    }
    // as much as is seen of a page that is shown four times as large
    await tab.setViewportSize({ width: 320, height: 256 });
    assert.deepEqual([await height(), (await layout()).top], [36, top]);
  });

  it('is not on paper', async () => {
    await open('text');
    const { top } = await layout();
    await tab.emulateMedia({ media: 'print' });
    assert.equal(await isSeen(), false);
    assert.deepEqual((await layout()).top, top - 36);
  });

  it('stands above one that a site imitates, and the page of the proxy tells what is so', async () => {
    await open('imitation');
    assert.equal(await isSeen(), true);
    await tab.keyboard.press('Tab');
    await tab.keyboard.press('Enter');
    await pressUntil('All that is known of this page');
    await Promise.all([tab.waitForEvent('load'), tab.keyboard.press('Enter')]);
    assert.ok(tab.url().startsWith('http://proxy.wlis/choice?of='), tab.url());
    const text = await tab.evaluate<string>('document.querySelector("main").innerText');
    assert.match(text, /Where this page comes from[^]*to be had from 3 servers/);
    assert.doesNotMatch(text, /bank/);
  });

  it('leaves out a page whose policy forbids it, and breaks none', async () => {
    const violations: string[] = [];
    tab.on('console', (message) => violations.push(message.text()));
    await open('strict');
    assert.equal(await tab.evaluate<number>('document.querySelectorAll("willis-bar").length'), 0);
    assert.deepEqual(violations, []);
  });

  /** Goes on by the keyboard to what has that name. */
  async function pressUntil(name: string): Promise<void> {
    for (let i = 0; i < 12; i++) {
      await tab.keyboard.press('Tab');
      const focused = await tab.evaluate<string>(
        'document.activeElement?.shadowRoot?.activeElement?.textContent ?? ""',
      );
      if (focused === name) return;
    }
    assert.fail(`nothing is called ${name}`);
  }

  const said = (): Promise<string> =>
    tab.evaluate<string>('document.querySelector("willis-bar").shadowRoot.querySelector("summary span").textContent');
});
