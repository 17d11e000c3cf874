import assert from 'node:assert/strict';
import { clientSections, Constellation } from '../support/constellation.js';
import { RawClient, type RawResponse } from '../support/raw-client.js';
import { RunningClock } from '../support/running-clock.js';
import { send, SiteNode } from '../support/site-node.js';
import { until } from '../support/waiting.js';
import { needPrograms, succeed } from './programs.js';
import { SquidProxy } from './squid-proxy.js';

const page = (name: string): string =>
  `<!doctype html>\n<html><head><meta charset="utf-8"><title>${name}</title></head>\n<body><h1>${name}</h1></body></html>\n`;

const files: Readonly<Record<string, string>> = { 'a.html': page('A'), 'b.html': page('B'), 'c.txt': 'C' };

const navigation = { 'Upgrade-Insecure-Requests': '1', Accept: 'text/html,*/*;q=0.8' };
const withBar = { clientSide: { patience: '1s', html: { bar: true } } };
const isView = ({ body }: { readonly body: Buffer }): boolean => body.includes('<willis-bar');

describe('Views and caches of somebody else', function () {
  this.timeout(60_000);
  let all: Constellation;
  let squid: SquidProxy;

  beforeEach(async function () {
    needPrograms(this, 'squid', 'curl');
    all = await Constellation.start({ files, client: { ...withBar, cache: { memory: '64MiB' } } });
    await until(async () => isView(await all.get('a.html', navigation)));
    squid = await SquidProxy.start(all.client.running.port('proxy'));
  });
  afterEach(async () => {
    await (all as Constellation | undefined)?.close();
    await (squid as SquidProxy | undefined)?.close();
  });

  /** A node whose parent is squid, whose parent is the rewriting one. */
  async function behind(): Promise<SiteNode> {
    const proxy = { url: squid.url };
    const node = await SiteNode.make({
      ...{ name: 'outer', isProcess: false, clock: new RunningClock() },
      config: { ...clientSections([all.primary.front.url]), ...withBar, upstream: { proxy, noProxy: [] } },
    });
    await node.start();
    return node;
  }

  it('curl gets the original from the proxy, byte for byte, also in a coding', async () => {
    const proxy = `http://127.0.0.1:${all.client.running.port('proxy')}`;
    for (const [path, content] of Object.entries(files)) {
      const url = all.site.namespace + path;
      assert.equal(await succeed('curl', ['-sS', '--noproxy', '', '-x', proxy, url]), content);
      assert.equal(await succeed('curl', ['-sS', '--compressed', '--noproxy', '', '-x', proxy, url]), content);
    }
  });

  it('a browser behind squid, which the rewriting proxy is a parent of, gets the original, and so do all who share squid', async () => {
    const ask = async (path: string, fields: Readonly<Record<string, string>>): Promise<RawResponse> => {
      const client = await RawClient.connect(squid.port);
      try {
        const target = all.site.namespace + path;
        return await send(client, { method: 'GET', target, host: all.site.host, fields });
      } finally {
        client.close();
      }
    };
    for (const fields of [navigation, {}, navigation]) {
      const answer = await ask('a.html', fields);
      assert.equal(answer.body.toString(), files['a.html']);
      assert.doesNotMatch(answer.get('etag') ?? '', /view-/);
    }
  });

  it('a node behind both finds no fault with anybody, and makes one view of the original', async () => {
    const outer = await behind();
    const get = (path: string, fields = {}): Promise<RawResponse> =>
      outer.ask({ method: 'GET', target: all.site.namespace + path, host: all.site.host, side: 'proxy', fields });
    try {
      assert.equal((await get('b.html', navigation)).status, 200);
      await until(async () => isView(await get('b.html', navigation)));
      for (let i = 0; i < 3; i++) {
        for (const [path, content] of Object.entries(files)) {
          assert.equal((await get(path)).body.toString(), content);
          const seen = (await get(path, navigation)).body.toString();
          assert.equal(seen.match(/<willis-bar/g)?.length ?? 0, path.endsWith('.html') ? 1 : 0, path);
        }
      }
      assert.deepEqual(
        outer.events.filter(({ code }) => code === 'wlis-refused'),
        [],
      );
    } finally {
      await outer.close();
    }
  });
});
