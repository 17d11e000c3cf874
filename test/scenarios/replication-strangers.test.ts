import assert from 'node:assert/strict';
import { Seeded } from '../faults/seeded.js';
import { aCall } from '../support/random-call.js';
import { RawClient } from '../support/raw-client.js';
import { ReplicatedSite } from '../support/replicated-site.js';
import type { SiteNode } from '../support/site-node.js';
import { rawOrigin } from '../support/raw-origin.js';
import { runCount } from '../support/run-count.js';
import { callText, problemOf, sendText, Stranger, type StrangersCall } from '../support/stranger.js';
import { aWhile, until } from '../support/waiting.js';
import { parseEpoch } from '../../wlis/trust/epoch.js';
import { digestOfText } from '../../wlis/trust/digest.js';

/** Whom the group names, as the primary states it. */
async function named(site: ReplicatedSite): Promise<readonly { id: string; urls: readonly string[] }[]> {
  const { replicas } = await site.primary.status(site.namespace);
  return replicas ?? [];
}

const ask = (node: SiteNode, text: string) => sendText(node.running.port('site'), text);

describe('strangers at a primary that admits listed replicas', () => {
  let site: ReplicatedSite;
  let member: Stranger;
  let stranger: Stranger;

  const says = async (who: Stranger, call: StrangersCall): Promise<string> =>
    problemOf(await ask(site.primary, who.signed(site.host, call)));

  before(async () => {
    [member, stranger] = [await Stranger.make(), await Stranger.make()];
    site = await ReplicatedSite.make({ keys: { replicas: { accept: 'listed', listed: [member.id] } } });
    await site.primary.start();
    await site.put('index.html', 'hello');
    await site.published();
    await until(async () => (await says(member, member.join(site.namespace))) === '200');
  });
  after(() => site.close());
  afterEach(async () =>
    assert.deepEqual(
      (await named(site)).map(({ id }) => id),
      [member.id],
    ),
  );

  it('who does not sign, or is not listed, or has a wrong token, does not join', async () => {
    const unsigned = callText(site.host, stranger.join(site.namespace));
    assert.equal(problemOf(await ask(site.primary, unsigned)), '401 unsigned');
    assert.equal(await says(stranger, stranger.join(site.namespace)), '403 not-admitted');
    assert.equal(await says(stranger, stranger.join(site.namespace, { token: 'guessed' })), '403 wrong-token');
  });

  it('nobody speaks for a member with another key', async () => {
    assert.equal(await says(stranger, member.join(site.namespace)), '401 unknown-key');
    const otherKey = { ...member.join(site.namespace), content: stranger.request() };
    assert.equal(await says(stranger, otherKey), '400 malformed-call');
    assert.equal(await says(stranger, { method: 'DELETE', path: member.place(site.namespace) }), '401 unknown-key');
  });

  it('what a member has signed is taken once, in time, here, and as it was', async () => {
    const call = member.join(site.namespace);
    const signed = member.signed(site.host, call);
    assert.equal(problemOf(await ask(site.primary, signed)), '200');
    assert.equal(problemOf(await ask(site.primary, signed)), '401 replayed');
    assert.equal(await says(member, { ...call, late: 120_000 }), '401 out-of-window');
    assert.equal(await says(member, { ...call, late: -120_000 }), '401 out-of-window');
    assert.equal(await says(member, { ...call, signedFor: 'elsewhere.example' }), '401 wrong-signature');
    const altered = member.signed(site.host, call).replace('"capacity":1', '"capacity":9');
    assert.equal(problemOf(await ask(site.primary, altered)), '401 wrong-content');
    const leaving = member.signed(site.host, call).replace('PUT ', 'DELETE ');
    assert.equal(problemOf(await ask(site.primary, leaving)), '401 wrong-signature');
  });

  it('no member names an address as its own where somebody else is, or nobody', async () => {
    const victim = await rawOrigin((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno'));
    const calling = (url: string) => says(member, member.join(site.namespace, { urls: [url] }));
    const url = `http://127.0.0.1:${victim.port}`;
    try {
      assert.equal(await calling(url), '422 url-not-confirmed');
      assert.equal(await calling(site.primary.front.url), '422 url-not-confirmed');
      assert.deepEqual(
        victim.requests.map((text) => /^GET \/\.well-known\/wlis\/node\?nonce=/.test(text)),
        [true],
      );
    } finally {
      await victim.close();
    }
    assert.equal(await calling(url), '422 url-not-confirmed');
    assert.deepEqual(
      (await named(site)).map(({ urls }) => urls),
      [[]],
    );
  });

  it('lists are for members, and contents for those only who know what they ask for', async () => {
    const namespace = `namespace=${encodeURIComponent(site.namespace)}`;
    const { version } = await site.primary.report();
    const lists = [
      `changes?${namespace}`,
      `bundle?${namespace}`,
      `trie?${namespace}&root=${version?.root ?? ''}&prefix=`,
    ];
    for (const path of lists) {
      assert.equal(
        problemOf(await ask(site.primary, callText(site.host, { method: 'GET', path }))),
        '401 unsigned',
        path,
      );
      assert.equal(await says(stranger, { method: 'GET', path }), '401 unknown-key', path);
      assert.equal(await says(member, { method: 'GET', path }), '200', path);
    }
    const blob = (digest: string) => callText(site.host, { method: 'GET', path: `blob/${digest}` });
    assert.equal((await ask(site.primary, blob(digestOfText('hello')))).body.toString(), 'hello');
    assert.equal(problemOf(await ask(site.primary, blob(digestOfText('secret')))), '404 not-here');
    for (const rest of ['', '..', '../../keys', 'x'.repeat(64), '%2e%2e%2fkeys']) {
      assert.equal(problemOf(await ask(site.primary, blob(rest))), '400 malformed-call', rest);
    }
  });

  it('refuses content that is too long before it has come', async () => {
    const path = member.place(site.namespace);
    const head = `PUT /.well-known/wlis/${path} HTTP/1.1\r\nHost: ${site.host}\r\n`;
    const announced = await ask(site.primary, `${head}Content-Length: 1000000000\r\n\r\n`);
    assert.equal(problemOf(announced), '413 content-too-large');
    const client = await RawClient.connect(site.primary.running.port('site'));
    client.send(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    const answered = client.receive('PUT');
    for (let sent = 0; sent < 8; sent++) client.send(chunk);
    assert.equal(problemOf(await answered), '413 content-too-large');
    client.close();
  });
});

describe('5,000 strangers at a primary that admits anybody', () => {
  it('are a few hundred in the group, beside whom those who are listed still join, and documents are served', async function () {
    this.timeout(120_000);
    const friend = await Stranger.make();
    const site = await ReplicatedSite.make({ keys: { replicas: { accept: 'open', listed: [friend.id] } } });
    try {
      await site.primary.start();
      await site.put('index.html', 'hello');
      await site.published();
      const answers = new Map<string, number>();
      const later = parseEpoch('9999999999999-ffffffffffffffff');
      const held = { epoch: later, seq: Number.MAX_SAFE_INTEGER, root: digestOfText('no') };
      const client = await RawClient.connect(site.primary.running.port('site'));
      for (let i = 0; i < 5000; i++) {
        const one = await Stranger.make();
        client.send(one.signed(site.host, one.join(site.namespace, { held })));
        const problem = problemOf(await client.receive('PUT'));
        answers.set(problem, (answers.get(problem) ?? 0) + 1);
      }
      client.close();
      assert.deepEqual([...answers].sort(), [
        ['200', 256],
        ['503 full', 4744],
      ]);
      const joined = await ask(site.primary, friend.signed(site.host, friend.join(site.namespace)));
      assert.equal(problemOf(joined), '200');
      assert.equal((await named(site)).length, 257);
      assert.equal(await site.text(site.primary, 'index.html'), 'hello');
    } finally {
      await site.close();
    }
  });
});

describe('strangers at a replica', () => {
  let site: ReplicatedSite;
  let replica: SiteNode;

  before(async () => {
    site = await ReplicatedSite.make();
    await site.primary.start();
    for (let i = 0; i < 20; i++) await site.put(`${i}.txt`, `text ${i}`);
    await site.put('big.bin', Buffer.alloc(200_000, 1));
    [replica] = (await site.startChain(1)) as [SiteNode];
  });
  after(() => site.close());

  it('are told nothing, and cost its primary hardly anything', async () => {
    const before = site.primary.front.requests.length;
    for (let i = 0; i < 300; i++) {
      const one = await Stranger.make();
      const answer = await ask(replica, one.signed(replica.front.authority, one.join(site.namespace)));
      assert.equal(problemOf(answer), '403 not-admitted');
    }
    await aWhile();
    const calls = site.primary.front.requests.slice(before).filter((request) => request.includes('/group?'));
    assert.ok(calls.length < 30, `${calls.length} calls for the group`);
    assert.deepEqual((await replica.report()).children, []);
  });

  it('get no answer of 5xx from any node for whatever they call, and cost a bounded memory', async function () {
    this.timeout(120_000);
    const random = new Seeded(7);
    const signer = await Stranger.make();
    const { version } = await replica.report();
    const known = { namespace: site.namespace, epoch: version?.epoch ?? '', root: version?.root ?? '' };
    const before = process.memoryUsage().rss;
    for (let run = 0; run < runCount(4000); run++) {
      const node = random.pick(site.nodes);
      const { authority } = node.front;
      const text = random.chance(0.2)
        ? signer.signed(authority, { ...signer.join(site.namespace), content: damaged(signer.request(), random) })
        : aCall(random, authority, known);
      const { status, body } = await ask(node, text);
      const isBusy = status === 503 && /not-ready|too-many-waiting|"busy"|full/.test(body.toString());
      assert.ok(status < 500 || isBusy, `${status} ${body.toString().slice(0, 200)} for ${text.slice(0, 500)}`);
    }
    for (const node of site.nodes) {
      assert.deepEqual(
        node.events.filter(({ code }) => code === 'call-failed'),
        [],
      );
    }
    const grown = (process.memoryUsage().rss - before) / 1_048_576;
    assert.ok(grown < 300, `${Math.round(grown)} MiB more`);
    assert.equal(await site.text(replica, '7.txt'), 'text 7');
    await site.put('7.txt', 'news');
    await site.inStep();
  });
});

/** A character of it is another one. */
function damaged(text: string, random: Seeded): string {
  const at = random.below(text.length);
  return `${text.slice(0, at)}${random.pick(['"', '{', '}', '0', 'x', '\\', '\u0000', 'ü', ''])}${text.slice(at + 1)}`;
}
