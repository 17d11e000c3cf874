import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { passwordLine } from '../access/known-users.js';
import { makeCertificates, writePem } from '../support/certificates.js';
import { launchChromium, type Browser } from '../support/chromium.js';
import { TempDir } from '../support/temp-dir.js';
import { writeTree } from './document-tree.js';
import { startNginx, type NginxOrigin } from './nginx-origin.js';
import { startNode, type NodeForClients } from './node-for-clients.js';
import { needPrograms } from './programs.js';

const login = { username: 'Zoë', password: 'p:ss wörd €' };

describe('Chromium through a forward proxy that asks who it is', function () {
  this.timeout(60_000);
  let directory: TempDir;
  let origin: NginxOrigin;
  let front: NodeForClients;
  let node: NodeForClients;
  before(async function () {
    needPrograms(this, 'nginx', 'openssl');
    directory = await TempDir.create();
    origin = await startNginx(await writeTree(directory));
    const { leaf } = await makeCertificates();
    const tls = await writePem(directory, leaf);
    front = await startNode({
      listen: { proxy: null, site: { address: '127.0.0.1:0', tls }, admin: null },
      roles: [],
      sites: [{ host: '*', origin: origin.url() }],
    });
    const usersFile = await directory.write('users', passwordLine(login.username, login.password));
    node = await startNode({
      access: {
        destinations: { allow: ['127.0.0.0/8'] },
        connectPorts: [Number(new URL(front.site).port)],
        authentication: { usersFile, realm: 'Office' },
      },
    });
  });
  after(async () => {
    for (const one of [node, front] as (NodeForClients | undefined)[]) await one?.stop();
    await (origin as NginxOrigin | undefined)?.close();
    await (directory as TempDir | undefined)?.remove();
  });

  const withBrowser = async (
    test: Mocha.Context,
    options: Parameters<typeof launchChromium>[1],
    use: (page: Page) => Promise<void>,
  ): Promise<void> => {
    const browser: Browser = await launchChromium(test, { proxy: node.proxy, acceptAnyCertificate: true, ...options });
    try {
      await use(await browser.newPage());
    } finally {
      await browser.close();
    }
  };

  /** A page with its style and its image. */
  const assertWhole = async (page: Page): Promise<void> => {
    assert.equal(await page.title(), 'Chapter 3');
    assert.equal(await page.evaluate<string>("getComputedStyle(document.querySelector('h1')).color"), 'rgb(0, 100, 0)');
    assert.equal(await page.evaluate<number>("document.querySelector('img').naturalWidth"), 1);
  };

  it('logs in and loads a page by http, and by https through CONNECT (RFC 7617)', async function () {
    await withBrowser(this, { login }, async (page) => {
      for (const base of [origin.url('/'), `${front.site}/`]) {
        await page.goto(`${base}chapter-3/index.html`);
        await assertWhole(page);
      }
    });
  });

  it('that does not know a password is not let in, and understands that it is asked', async function () {
    await withBrowser(this, {}, async (page) => {
      for (const base of [origin.url('/'), `${front.site}/`]) {
        await assert.rejects(page.goto(`${base}index.html`), /ERR_INVALID_AUTH_CREDENTIALS|ERR_PROXY_AUTH/);
      }
    });
  });

  it('that has a wrong password is not let in', async function () {
    await withBrowser(this, { login: { ...login, password: 'wrong' } }, async (page) => {
      await assert.rejects(page.goto(`${front.site}/chapter-3/index.html`), /ERR_/);
    });
  });
});
