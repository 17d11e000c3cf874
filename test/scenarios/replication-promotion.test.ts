import assert from 'node:assert/strict';
import { cp, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parse } from 'yaml';
import type { NamespaceReport } from '../../replication/namespace-report.js';
import { restore } from '../../replication/keys/key-backup.js';
import { KeyDirectory } from '../../replication/keys/key-directory.js';
import type { Promotion } from '../../replication/replication-control.js';
import { isOwnLink } from '../../wlis/piggyback/link-field.js';
import { ReplicatedSite } from '../support/replicated-site.js';
import type { SiteNode } from '../support/site-node.js';
import { TempDir } from '../support/temp-dir.js';
import { aWhile, until } from '../support/waiting.js';
import type { Sections, Willis } from '../support/willis.js';

const script = 'let a = 1;\n'.repeat(500);

const files: Readonly<Record<string, string | Buffer>> = {
  'index.html': '<title>top</title>',
  '404.html': '<title>not there</title>',
  'app.js': script,
  'app.js.gz': gzipSync(script),
  'manual/index.html': '<title>manual</title>',
  'manual/a b.txt': 'a name to be encoded',
  'data/big.bin': Buffer.alloc(200_000, 'big '),
  'data/feed.own': '<feed/>',
};

const keys: Sections = {
  replicas: { accept: 'open', fanOut: 2 },
  types: { own: 'application/x-own' },
  headers: [
    { match: '**', set: { 'Cache-Control': 'max-age=60' } },
    { match: 'data/**', set: { 'X-Data': 'yes' } },
  ],
  redirects: [{ from: 'old', to: '/manual/', status: 308 }],
};

const paths = [
  ...['', 'index.html', 'app.js', 'app.js.gz', 'manual', 'manual/', 'manual/index.html', 'manual/a%20b.txt'],
  ...['data/big.bin', 'data/feed.own', 'old', 'missing', 'data/'],
];

/** What of a node's answers is the same at every node that holds it. */
async function answers(site: ReplicatedSite, node: SiteNode): Promise<readonly unknown[]> {
  const own = [
    ...['date', 'age', 'via', 'cache-status', 'connection', 'keep-alive', 'server-timing'],
    ...['wlis-namespace', 'wlis-group', 'wlis-load', 'digest'],
  ];
  const all: unknown[] = [];
  for (const path of paths) {
    for (const coding of ['identity', 'gzip']) {
      const { status, fields, body } = await site.get(node, path, { 'Accept-Encoding': coding });
      const isOwn = (name: string, value: string): boolean =>
        own.includes(name) || (name === 'link' && isOwnLink(value));
      const said = [...fields].filter(([name, value]) => !isOwn(name.toLowerCase(), value));
      all.push([path, coding, status, said, body.toString('base64')]);
    }
  }
  return all;
}

async function promoted(site: ReplicatedSite, node: SiteNode): Promise<Promotion | string> {
  const { body } = await node.ask({
    ...{ method: 'POST', target: '/api/promote', host: 'localhost', side: 'admin' },
    ...{ fields: { 'Content-Type': 'application/json' }, body: JSON.stringify({ namespace: site.namespace }) },
  });
  const lines = body.toString().trim().split('\n');
  const last = JSON.parse(lines.at(-1) ?? '') as { type: string; result: Promotion; detail: string };
  return last.type === 'done' ? last.result : last.detail;
}

/** Why it cannot be. */
async function refusal(site: ReplicatedSite, node: SiteNode): Promise<string> {
  const came = await promoted(site, node);
  return typeof came === 'string' ? came : 'it was promoted';
}

/** The operator does what he was told. */
async function obey(node: SiteNode, { configuration }: Promotion): Promise<void> {
  const { primary } = parse(configuration) as Sections;
  await (node.running as Willis).reload({ primary, replicated: { namespaces: [] } });
}

const isOf = (one: NamespaceReport, other: NamespaceReport): boolean =>
  one.version !== null && one.version.epoch === other.version?.epoch && one.version.root === other.version.root;

describe('a primary that is gone for good', () => {
  let site: ReplicatedSite;
  let saved: TempDir;
  beforeEach(async () => {
    saved = await TempDir.create();
    site = await ReplicatedSite.make({ keys });
    for (const [name, content] of Object.entries(files)) await site.put(name, content);
    await site.primary.start();
  });
  afterEach(async () => {
    await site.close();
    await saved.remove();
  });

  async function startReplicas(count: number): Promise<readonly SiteNode[]> {
    for (let i = 0; i < count; i++) {
      // who joined before the others need not have heard of them: then they find the new primary by themselves
      const replica = await site.addReplica({ keys: { pollEvery: '1s' } });
      await replica.start();
      await site.inStep([replica]);
    }
    return site.replicas;
  }

  /** The keys of the primary come to a replica by a back-up. */
  async function bringKeys(to: SiteNode, isRootAway = false): Promise<void> {
    const from = new KeyDirectory(site.primary.data.path);
    const all = await from.keys();
    const some = all.filter(({ purpose }) => !(isRootAway && purpose.kind === 'root'));
    await restore(new KeyDirectory(to.data.path), { keys: some, chains: await from.chains() });
  }

  it('is replaced by a replica, with the same documents, and the others follow as they are configured', async () => {
    const [first, ...others] = await startReplicas(3);
    assert.ok(first !== undefined, 'no replica');
    const before = await answers(site, first);
    await bringKeys(first);
    await cp(site.primary.data.path, saved.path, { recursive: true });
    await site.primary.stop();
    await rm(site.primary.data.path, { recursive: true });

    const promotion = await promoted(site, first);
    assert.ok(typeof promotion !== 'string', 'it was refused');
    await obey(first, promotion);
    await until(async () => (await first.report()).state === 'in-step');
    assert.equal((await first.report()).role, 'primary');
    assert.deepEqual(await answers(site, first), before);

    for (const other of others) await until(async () => isOf(await other.report(), await first.report()));
    for (const other of others) assert.deepEqual(await answers(site, other), before);
    const { epoch } = (await first.report()).version!;
    assert.equal(epoch, promotion.version.epoch);

    // what is in its directory now is what it publishes
    const { directory } = promotion.configuration.match(/directory: "(?<directory>[^"]*)"/)!.groups!;
    assert.equal((await first.report()).documents, promotion.documents);
    await writeFile(join(saved.path, 'new'), 'new');
    await utimes(join(saved.path, 'new'), 1_700_000_000, 1_700_000_000);
    await rename(join(saved.path, 'new'), join(directory!, 'new.txt'));
    for (const other of others) await until(async () => (await site.text(other, 'new.txt')) === 'new');

    // the old one comes back as it was
    await cp(saved.path, site.primary.data.path, { recursive: true });
    await site.primary.start();
    const replaced = await site.primary.logged('primary-replaced');
    assert.match(String(replaced['reason']), /the root names the key .*, which is not in/);
    await site.put('late.txt', 'of the old primary');
    await until(async () => (await site.text(site.primary, 'late.txt')) === 'of the old primary');
    await aWhile();
    for (const node of [first, ...others]) {
      assert.equal(await site.text(node, 'late.txt'), '404');
      assert.equal((await node.report()).version?.epoch, epoch);
    }
    assert.equal((await site.primary.report()).version, null);
  });

  it('is not replaced by a node that lacks its keys, or contents', async () => {
    const [first] = await startReplicas(1);
    const partial = await site.addReplica({ keys: { maxBytes: '1KiB' } });
    await partial.start();
    await until(async () => (await partial.report()).state === 'in-step');
    assert.match(await refusal(site, first!), /has neither the root key .* nor the key .* \(willis keys export/);
    await bringKeys(partial);
    assert.match(await refusal(site, partial), /the bytes of \d+ documents are not here/);
    const kept = await readFile(join(partial.data.path, 'promoted'), 'utf8').catch((error: unknown) => error);
    assert.equal((kept as NodeJS.ErrnoException).code, 'ENOENT');
  });

  it('and is not, after all, is believed no more by those who have heard of the new one', async () => {
    const [first, second] = await startReplicas(2);
    await bringKeys(first!);
    const promotion = await promoted(site, first!);
    assert.ok(typeof promotion !== 'string', 'it was refused');
    await obey(first!, promotion);
    await until(async () => isOf(await second!.report(), await first!.report()));
    await site.put('late.txt', 'of the old primary');
    await until(async () => (await site.text(site.primary, 'late.txt')) === 'of the old primary');
    await aWhile();
    assert.equal(await site.text(second!, 'late.txt'), '404');
    assert.equal((await second!.report()).version?.epoch, promotion.version.epoch);
    await until(async () => (await second!.status(site.namespace)).primary === first!.front.url);
  });

  it('is replaced by the key that it had itself, where the root key is away', async () => {
    const [first, second] = await startReplicas(2);
    await bringKeys(first!, true);
    await site.primary.stop();
    const promotion = await promoted(site, first!);
    assert.ok(typeof promotion !== 'string', 'it was refused');
    assert.match(promotion.left.join('\n'), /must not run as the primary again/);
    await obey(first!, promotion);
    await until(async () => isOf(await second!.report(), await first!.report()));
    assert.equal((await second!.report()).version?.epoch, promotion.version.epoch);
  });
});
