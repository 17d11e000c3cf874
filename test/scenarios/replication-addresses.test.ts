import assert from 'node:assert/strict';
import { join } from 'node:path';
import { canonicalJson, type JsonObject } from '../../wlis/trust/canonical-json.js';
import { keyIdOf, parsePublicKey } from '../../wlis/trust/public-key.js';
import { rawOrigin } from '../support/raw-origin.js';
import { RunningClock } from '../support/running-clock.js';
import { SiteNode } from '../support/site-node.js';
import { problemOf, sendText, Stranger } from '../support/stranger.js';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import type { Sections } from '../support/willis.js';

/** Of a host that anybody could have; nobody has it, so that nothing of this goes astray. */
const host = 'docs.nobody.example';
const namespace = `http://${host}/`;

describe('nodes of a namespace with a public name', () => {
  let room: TempDir;
  let nodes: SiteNode[];
  let rootKey: string;

  const node = async (name: string, config: Sections): Promise<SiteNode> => {
    const made = await SiteNode.make({ name, isProcess: false, clock: new RunningClock(), config });
    nodes.push(made);
    return made;
  };

  const startPrimary = async (peers: readonly string[]): Promise<SiteNode> => {
    const directory = join(await room.write('site/index.html', 'hello'), '..');
    const replicas = { accept: 'open', fanOut: 1 };
    const primary = await node('primary', {
      wlis: { privateAddresses: peers },
      primary: { namespaces: [{ url: namespace, directory, replicas }] },
    });
    await primary.start();
    await until(async () => (await primary.report()).version !== null);
    rootKey = await rootKeyOf(primary);
    return primary;
  };

  const startReplica = async (primary: SiteNode, peers: readonly string[]): Promise<SiteNode> => {
    const roots = [{ origin: `http://${host}`, key: rootKey }];
    const namespaces = [{ url: namespace, from: primary.front.url, pollEvery: '1s' }];
    const replica = await node('replica', {
      wlis: { privateAddresses: peers, trust: { roots } },
      replicated: { namespaces },
    });
    await replica.start();
    await until(async () => (await replica.report()).state === 'in-step');
    return replica;
  };

  beforeEach(async () => {
    room = await TempDir.create();
    nodes = [];
  });
  afterEach(async () => {
    for (const one of nodes.reverse()) await one.close();
    await room.remove();
  });

  it('call no node at a private address that the group names, but the one that the operator named', async () => {
    const primary = await startPrimary(['127.0.0.0/8']);
    const middle = await startReplica(primary, ['127.0.0.0/8']);
    await until(async () => (await primary.status(namespace)).replicas?.length === 1);
    const calls = (): number =>
      middle.front.requests.filter((request) => /\/(changes|replicas|blob|group)\b/.test(request)).length;
    const cautious = await startReplica(primary, []);
    const { url, error } = await cautious.logged('parent-failed');
    assert.deepEqual([url, (error as { readonly reason: string }).reason], [middle.front.url, 'destination-refused']);
    await room.write('site/index.html', 'news');
    await until(async () => (await visited(cautious)) === 'news');
    assert.equal(calls(), 0);
    assert.equal((await cautious.report()).parent, primary.front.url);
    await cautious.close();

    await startReplica(primary, ['127.0.0.0/8']);
    await until(() => calls() > 0);
  });

  it('call nobody back at a private address, by whichever spelling', async () => {
    const primary = await startPrimary([]);
    const victim = await rawOrigin((socket) => socket.destroy());
    const { port } = victim;
    try {
      const stranger = await Stranger.make();
      const says = async (url: string): Promise<string> => {
        const { authority } = primary.front;
        const content = canonicalJson({ ...(JSON.parse(stranger.request()) as JsonObject), urls: [url] });
        const call = { ...stranger.join(namespace), content };
        return problemOf(await sendText(primary.running.port('site'), stranger.signed(authority, call)));
      };
      for (const there of [
        '127.0.0.1',
        '[::1]',
        '[::ffff:7f00:1]',
        '[64:ff9b::7f00:1]',
        '169.254.169.254',
        '10.0.0.1',
      ]) {
        assert.equal(await says(`http://${there}:${port}`), '422 url-not-confirmed', there);
      }
      for (const there of ['localhost', 'a.localhost', 'intranet', 'db.internal', 'printer.local']) {
        assert.equal(await says(`http://${there}:${port}`), '422 url-refused', there);
      }
      for (const there of ['127.1', '0x7f000001', '2130706433', '127.0.0.1.', 'LOCALHOST', 'a@127.0.0.1']) {
        assert.equal(await says(`http://${there}:${port}`), '400 malformed-call', there);
      }
      assert.equal(victim.connections.length, 0);
    } finally {
      await victim.close();
    }
  });
});

const visited = async (node: SiteNode): Promise<string> =>
  (await node.ask({ method: 'GET', target: '/', host, side: 'site' })).body.toString();

/** The name of the key at the beginning of its chain. */
async function rootKeyOf(node: SiteNode): Promise<string> {
  const target = `/.well-known/wlis/root?origin=${encodeURIComponent(`http://${host}`)}`;
  const { body } = await node.ask({ method: 'GET', target, host: node.front.authority, side: 'site' });
  const { statements } = JSON.parse(body.toString()) as {
    readonly statements: readonly { readonly payload: string }[];
  };
  const payload = Buffer.from(statements[0]?.payload ?? '', 'base64url').toString();
  return keyIdOf(parsePublicKey((JSON.parse(payload) as { readonly rootKey: string }).rootKey, 'root key'));
}
