import assert from 'node:assert/strict';
import { launchChromium } from './chromium.js';
import { answer } from './origin-scripts.js';
import { startOrigin } from './scripted-origin.js';

describe('the browser of the tests', () => {
  it('shows a page of a loopback origin under another name', async function () {
    const origin = await startOrigin(answer(200, { 'Content-Type': 'text/html' }, '<title>Here</title>'));
    try {
      const browser = await launchChromium(this, { loopbackNames: ['*.example'] });
      try {
        const page = await browser.newPage();
        await page.goto(`http://page.example:${origin.port}/`);
        assert.equal(await page.title(), 'Here');
      } finally {
        await browser.close();
      }
    } finally {
      await origin.close();
    }
  });

  it('sends requests for loopback names to its proxy as well, in absolute form (RFC 9112 §3.2.2)', async function () {
    const proxy = await startOrigin(answer(200, { 'Content-Type': 'text/html' }, '<title>By proxy</title>'));
    try {
      const browser = await launchChromium(this, { proxy: proxy.url() });
      try {
        const page = await browser.newPage();
        await page.goto('http://127.0.0.1:8999/page');
        assert.equal(await page.title(), 'By proxy');
        assert.equal(proxy.count('http://127.0.0.1:8999/page'), 1);
      } finally {
        await browser.close();
      }
    } finally {
      await proxy.close();
    }
  });
});
