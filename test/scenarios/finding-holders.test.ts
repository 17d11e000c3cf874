import assert from 'node:assert/strict';
import { CallKey } from '../../wlis/call-key.js';
import { parseHeadField } from '../../wlis/calls/head-field.js';
import { rawPath } from '../../wlis/calls/raw-target.js';
import { canonicalUri } from '../../wlis/canonical-uri.js';
import { namespaceLabel, parseNamespace, type Namespace } from '../../wlis/namespace.js';
import { parseGroupField } from '../../wlis/piggyback/group-field.js';
import { haveField } from '../../wlis/piggyback/have-field.js';
import { isOwnLink } from '../../wlis/piggyback/link-field.js';
import { minSeqField } from '../../wlis/piggyback/min-seq-field.js';
import { parseNamespaceField } from '../../wlis/piggyback/namespace-field.js';
import { parseProofField } from '../../wlis/piggyback/proof-field.js';
import { openHead, type SignedHead } from '../../wlis/trust/head.js';
import { openProofUnderHead } from '../../wlis/trust/proof-answer.js';
import { keyIdOf, type KeyId, type PublicKey } from '../../wlis/trust/public-key.js';
import { KeyDirectory } from '../../replication/keys/key-directory.js';
import type { RawResponse } from '../support/raw-client.js';
import { Replicating } from '../support/replicating.js';
import { ReplicatedSite } from '../support/replicated-site.js';
import type { SiteNode } from '../support/site-node.js';
import { until } from '../support/waiting.js';
import type { Sections } from '../support/willis.js';

describe('Holders of a namespace: what they say, and what they prove', function () {
  this.timeout(60_000);
  let site: ReplicatedSite;
  let named: SiteNode;
  let unnamed: SiteNode;
  let namespace: Namespace;
  let label: string;

  before(async () => {
    const rights: Record<string, unknown> = { accept: 'open' };
    site = await ReplicatedSite.make({ keys: { replicas: rights } });
    [named, unnamed] = [await site.addReplica(), await site.addReplica()];
    const id = new CallKey((await new KeyDirectory(named.data.path).nodeKey()).jwk).id;
    const [published] = (site.primary.options.config['primary'] as { namespaces: Record<string, unknown>[] })
      .namespaces;
    (published as Record<string, unknown>)['replicas'] = { ...rights, listed: [id], browsers: [id] };
    (named.options.config as Record<string, unknown>)['node'] = {
      ...{ name: 'named', data: named.data.path, url: named.front.url },
      geo: { area: 'de' },
    } satisfies Sections;
    await site.put('a/b.txt', 'a document');
    await site.primary.start();
    await site.published();
    await named.start();
    await unnamed.start();
    await site.inStep();
    namespace = parseNamespace(site.namespace);
    label = namespaceLabel(namespace);
    await until(async () => duplicates(await site.get(site.primary, 'a/b.txt')).length > 0);
  });
  after(() => site.close());

  const duplicates = (answer: RawResponse): readonly string[] =>
    answer.fields.map(([, value]) => value).filter((value) => value.includes('rel=duplicate'));

  /** By a URL of the node itself. */
  const ask = (node: SiteNode, target: string, fields: Readonly<Record<string, string>> = {}): Promise<RawResponse> =>
    node.ask({ method: 'GET', target, host: node.front.authority, side: 'site', fields });

  const keyFor = async (): Promise<(id: KeyId) => PublicKey | null> => {
    const [chain] = await new KeyDirectory(site.primary.data.path).chains();
    const keys = chain?.at(-1)?.statement.namespaces.flatMap(({ signers }) => signers.map(({ key }) => key)) ?? [];
    return (id) => keys.find((key) => keyIdOf(key) === id) ?? null;
  };

  const headOf = async (answer: RawResponse): Promise<SignedHead> =>
    openHead(parseHeadField(answer.get('wlis-head')).jws, namespace, await keyFor());

  it('a raw document is the same at each of them, and has what proves it; so has what is not there', async () => {
    for (const node of site.nodes) {
      const answer = await ask(node, rawPath(label, 'a/b.txt'));
      assert.deepEqual([answer.status, answer.body.toString()], [200, 'a document']);
      const asked = (path: string) => ({ uri: canonicalUri(namespace + path), dropsQuery: true });
      const text = parseProofField(answer.get('wlis-proof')) ?? '';
      assert.equal(openProofUnderHead(text, asked('a/b.txt'), await headOf(answer)).record?.path, 'a/b.txt');
      const missing = await ask(node, rawPath(label, 'none?a=1&a=2'));
      assert.equal(missing.status, 404);
      const absent = parseProofField(missing.get('wlis-proof')) ?? '';
      assert.equal(openProofUnderHead(absent, asked('none?a=1&a=2'), await headOf(missing)).isThere, false);
    }
  });

  it('a namespace that nobody holds, and one of another label, have nothing raw', async () => {
    const { status, body } = await ask(named, rawPath('a'.repeat(26), 'a/b.txt'));
    assert.deepEqual(
      [status, (JSON.parse(body.toString()) as { type: string }).type],
      [...[404, 'urn:willis:problem:not-replicated']],
    );
  });

  it('answers name those alone to whom all clients may be sent, and the primary', async () => {
    const path = rawPath(label, 'a/b.txt');
    const hosts = async (node: SiteNode): Promise<readonly string[]> =>
      duplicates(await site.get(node, 'a/b.txt')).map((link) => link.replace(/; wlis$/, ''));
    const toNamed = `<${named.front.url}${path}>; rel=duplicate; pri=1; geo=de; depth=2`;
    const toPrimary = (pri: number) => `<${site.primary.front.url}${path}>; rel=duplicate; pri=${pri}; depth=2`;
    await until(async () => (await hosts(unnamed)).length === 2 && (await hosts(named)).length === 1);
    assert.deepEqual(await hosts(site.primary), [toNamed]);
    assert.deepEqual(await hosts(unnamed), [toNamed, toPrimary(2)]);
    assert.deepEqual(await hosts(named), [toPrimary(1)]);
  });

  it('WLIS-Have is answered by its n, and saves the links to copies alone', async () => {
    const version = parseGroupField((await site.get(named, 'a/b.txt')).get('wlis-group'))?.version ?? 0;
    const have = haveField({ namespace, group: version, head: null, nonce: 'a-b_c-d_e' });
    const answer = await site.get(named, 'a/b.txt', { 'WLIS-Have': have });
    assert.equal(parseNamespaceField(answer.get('wlis-namespace'))?.nonce, 'a-b_c-d_e');
    assert.equal(duplicates(answer).length, 0);
    const rels = answer.fields.flatMap(([, value]) => (isOwnLink(value) ? [/rel=(\w+)/.exec(value)?.[1]] : []));
    assert.deepEqual(rels, ['linkset', 'describedby']);
  });

  it('the metalink and the linkset are where an answer says that they are', async () => {
    const answer = await site.get(named, 'a/b.txt');
    const urlOf = (rel: string): URL => {
      const link = answer.fields.map(([, value]) => value).find((value) => value.includes(`rel=${rel};`));
      return new URL(/^<([^>]*)>/.exec(link ?? '')?.[1] ?? 'none:');
    };
    const described = urlOf('describedby');
    assert.equal(described.host, named.front.authority);
    const metalink = await ask(named, described.pathname + described.search);
    assert.equal(metalink.get('content-type'), 'application/metalink4+xml');
    assert.match(metalink.body.toString(), /<file name="b\.txt">\s*<size>10<\/size>/);
    const urls = [...metalink.body.toString().matchAll(/<url[^>]*>([^<]*)</g)].map(([, url]) => url);
    const path = rawPath(label, 'a/b.txt');
    assert.deepEqual(urls, [named.front.url + path, site.primary.front.url + path]);
    const linkset = urlOf('linkset');
    const group = await ask(named, linkset.pathname + linkset.search, { Accept: 'application/linkset+json' });
    const { linkset: sets } = JSON.parse(group.body.toString()) as { linkset: { duplicate: { href: string }[] }[] };
    assert.deepEqual(
      sets[0]?.duplicate.map(({ href }) => href),
      [named.front.url + rawPath(label, ''), site.primary.front.url + rawPath(label, '')],
    );
    const none = encodeURIComponent(`${namespace}none`);
    assert.equal(
      (await ask(named, `${described.pathname}?namespace=${encodeURIComponent(namespace)}&uri=${none}`)).status,
      404,
    );
  });

  describe('WLIS-Min-Seq (decision 12)', () => {
    const floorAt = async (seq: number): Promise<string> => {
      const { epoch } = (await headOf(await ask(site.primary, rawPath(label, '')))).head;
      return minSeqField({ namespace, version: { epoch, seq } });
    };
    const seqOf = async (node: SiteNode): Promise<number> =>
      (await headOf(await ask(node, rawPath(label, '')))).head.seq;

    it('of a version that a replica has, or of nothing sensible, changes nothing', async () => {
      for (const value of [await floorAt(await seqOf(named)), 'nonsense', '"http://x.example/";epoch="1-0";seq=9']) {
        assert.equal((await site.get(named, 'a/b.txt', { 'WLIS-Min-Seq': value })).status, 200);
        assert.equal((await ask(named, rawPath(label, 'a/b.txt'), { 'WLIS-Min-Seq': value })).status, 200);
      }
    });

    it('of a version that nobody has is 503 at a replica, which asks above for all of them together, and changes nothing at the primary', async () => {
      const before = site.primary.front.count('GET /.well-known/wlis/changes');
      const value = await floorAt(1_000_000);
      const asked = Array.from({ length: 50 }, () => site.get(named, 'a/b.txt', { 'WLIS-Min-Seq': value }));
      const answers = [
        ...(await Promise.all(asked)),
        await ask(named, rawPath(label, 'a/b.txt'), { 'WLIS-Min-Seq': value }),
      ];
      for (const answer of answers) {
        assert.deepEqual([answer.status, answer.get('retry-after')], [503, '1']);
      }
      const calls = site.primary.front.count('GET /.well-known/wlis/changes') - before;
      assert.ok(calls > 0 && calls < 20, `${calls} calls for ${answers.length} requests`);
      assert.equal((await site.get(site.primary, 'a/b.txt', { 'WLIS-Min-Seq': value })).status, 200);
    });

    it('has a replica ask for what it was not told of', async () => {
      named.front.loses = (request) => request.includes('/changed?');
      try {
        const before = await seqOf(named);
        await site.put('a/b.txt', 'a newer document');
        await site.published();
        const value = await floorAt(await seqOf(site.primary));
        assert.equal(await seqOf(named), before, 'it knows nothing of that');
        const answered = async (): Promise<RawResponse> =>
          ask(named, rawPath(label, 'a/b.txt'), { 'WLIS-Min-Seq': value });
        let answer = await answered();
        // pulling may take longer than the replica waits with its answer
        await until(async () => answer.status === 200 || (answer = await answered()).status === 200);
        assert.equal(answer.body.toString(), 'a newer document');
      } finally {
        named.front.loses = () => false;
      }
    });
  });
});

describe('Raw documents of a namespace of https', function () {
  this.timeout(20_000);
  let site: Replicating;
  before(async () => {
    site = await Replicating.start({ files: { 'a.txt': 'a' }, keys: { url: 'https://docs.example.org/' } });
  });
  after(() => site.stop());

  const raw = rawPath(namespaceLabel(parseNamespace('https://docs.example.org/')), 'a.txt');
  const status = async (host: string): Promise<number> => (await site.primary.get(raw, { Host: host })).status;

  it('are sent over TLS alone (protocol rule 13), be it that somebody else ends that for this node', async () => {
    const host = new URL(site.origin).host;
    assert.equal(await status(host), 421);
    await site.primary.reload({ node: { url: `https://${host}` } });
    await until(async () => (await status(host)) === 200);
    assert.equal(await status('other.example'), 421);
  });
});
