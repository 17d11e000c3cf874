import assert from 'node:assert/strict';
import { Constellation } from '../support/constellation.js';
import type { Sections, Willis } from '../support/willis.js';
import { flips } from './flips.js';

const link = '<a href="https://manual.wlis/b.html">B</a>';
const page = `<!doctype html><html><head><title>A</title></head><body>${link}</body></html>`;

const nothing = { alternates: false, bar: false, links: false };

describe('the keys of pages that readers of a client-side proxy see', () => {
  let all: Constellation;

  beforeEach(async () => {
    all = await Constellation.start({ files: { 'a.html': page, 'b.html': page } });
    await all.learned('a.html');
  });
  afterEach(() => all.close());

  async function reload(html: Sections): Promise<void> {
    const names = { manual: all.site.namespace };
    await (all.client.running as Willis).reload({
      clientSide: { html },
      wlis: { trust: { firstUse: true }, names },
    });
  }

  /** What of the three is made of a page, as a browser gets it. */
  async function made(path = 'a.html'): Promise<{ alternates: boolean; bar: boolean; links: boolean }> {
    const answer = await all.get(path, { 'Sec-Fetch-Mode': 'navigate', Accept: 'text/html' });
    assert.equal(answer.status, 200);
    const text = answer.body.toString();
    const isOriginal = text === page;
    const said = {
      alternates: text.includes(`<link rel="duplicate" href="${all.primary.front.url}/.well-known/wlis/raw/`),
      bar: text.includes('<willis-bar'),
      links: text.includes(`<a href="${all.site.namespace}b.html">`),
    };
    assert.equal(isOriginal, !said.alternates && !said.bar && !said.links, 'nothing else is changed');
    return said;
  }

  for (const key of ['alternates', 'bar', 'links'] as const) {
    flips(`clientSide.html.${key}`, 'whether that is made of pages', async () => {
      await reload(nothing);
      assert.deepEqual(await made(), nothing);
      await reload({ ...nothing, [key]: true });
      assert.deepEqual(await made(), { ...nothing, [key]: true });
      await reload(nothing);
      assert.deepEqual(await made(), nothing);
    });

    flips(`clientSide.html.rules[].${key}`, 'the same for certain pages; null for what holds for all', async () => {
      const match = `${all.site.namespace}a.*`;
      await reload({ ...nothing, rules: [{ match, [key]: true }] });
      assert.deepEqual([await made(), await made('b.html')], [{ ...nothing, [key]: true }, nothing]);
      await reload({ ...nothing, [key]: true, rules: [{ match, [key]: false }] });
      assert.deepEqual([await made(), await made('b.html')], [nothing, { ...nothing, [key]: true }]);
      await reload({ ...nothing, [key]: true, rules: [{ match, [key]: null }] });
      assert.deepEqual(await made(), { ...nothing, [key]: true });
    });
  }

  flips('clientSide.html.rules', 'what holds for certain pages; the first rule that matches counts', async () => {
    const rule = (path: string, bar: boolean) => ({ match: all.site.namespace + path, bar });
    await reload({ ...nothing, rules: [rule('**', true)] });
    assert.deepEqual([(await made()).bar, (await made('b.html')).bar], [true, true]);
    await reload({ ...nothing, rules: [rule('a.html', false), rule('**', true)] });
    assert.deepEqual([(await made()).bar, (await made('b.html')).bar], [false, true]);
  });

  flips('clientSide.html.rules[].match', 'which pages, as their readers ask for them', async () => {
    await reload({ ...nothing, rules: [{ match: 'http://manual.wlis/', bar: true }] });
    const ask = async (target: string): Promise<boolean> => {
      const { host } = new URL(target);
      const fields = { 'Sec-Fetch-Mode': 'navigate', Accept: 'text/html' };
      const answer = await all.client.ask({ method: 'GET', target, host, side: 'proxy', fields });
      return answer.body.includes('<willis-bar');
    };
    assert.equal(await ask('http://manual.wlis/a.html'), true);
    assert.equal(await ask(`${all.site.namespace}a.html`), false);
    await reload({ ...nothing, rules: [{ match: `${all.site.namespace}a.html`, bar: true }] });
    assert.equal(await ask('http://manual.wlis/a.html'), false);
    assert.equal(await ask(`${all.site.namespace}a.html?query`), true);
  });
});
