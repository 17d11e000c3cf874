import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ReplicatedSite } from '../support/replicated-site.js';
import type { SiteNode } from '../support/site-node.js';
import { until } from '../support/waiting.js';
import { WatchingVisitor } from '../support/watching-visitor.js';

const replicas = 6;
const rounds = 30;

describe('Whatever happens to the network while much is changed', function () {
  this.timeout(120_000);
  let site: ReplicatedSite;

  before(async () => {
    site = await ReplicatedSite.make({ keys: { replicas: { fanOut: 2 } } });
    await site.put('count.txt', '0');
    await site.put('slow.txt', wholeText());
    await site.primary.start();
    await site.published();
    for (let i = 0; i < replicas; i++) {
      const replica = await site.addReplica({ keys: { pollEvery: '1s' } });
      await replica.start();
      await site.inStep([replica]);
    }
  });

  after(() => site.close());

  it('visitors of six replicas see every document as it was or as it is, secrets never, and all end with one root', async () => {
    const paths = ['count.txt', 'slow.txt', '.env'];
    const visitors = site.nodes.map((node) => new WatchingVisitor(site, node, paths));
    const chance = chances(20_260);
    const writing = writtenInPlace(join(site.directory, 'slow.txt'));
    await writeFile(join(site.directory, '.env'), 'PASSWORD=secret');
    for (let round = 1; round <= rounds; round++) {
      await site.put('count.txt', String(round));
      await site.put(`pages/${round % 7}.txt`, randomBytes(Math.floor(chance() * 40_000)).toString('hex'));
      await troubled(site.nodes[Math.floor(chance() * site.nodes.length)] as SiteNode, chance);
    }
    const last = await writing;
    await until(async () => (await site.text(site.primary, 'slow.txt')) === last);
    await site.inStep();
    for (const visitor of visitors) {
      const sights = await visitor.stop();
      assert.ok(sights.length >= 5, `${sights.length} different sights`);
      const counts = sights.map(({ texts: [count] }) => Number(count));
      assert.deepEqual(
        counts,
        [...counts].sort((a, b) => a - b),
        `${visitor.node.options.name} went back`,
      );
      assert.equal(counts.at(-1), rounds);
      assert.equal(sights.at(-1)?.texts[1], last);
      assert.ok(
        sights.every(({ texts: [, slow = ''] }) => isWhole(slow)),
        'a part of a file that is being written',
      );
      assert.deepEqual([...new Set(sights.map(({ texts: [, , secret] }) => secret))], ['404']);
    }
    for (const node of site.replicas) {
      for (let i = 0; i < 7; i++) {
        assert.equal(await site.text(node, `pages/${i}.txt`), await site.text(site.primary, `pages/${i}.txt`));
      }
      assert.deepEqual((await node.report()).counters.refused, {});
    }
  });
});

/** For a while nobody reaches it, or its connections break, or nobody can tell it of news, or all is well. */
async function troubled({ front }: SiteNode, chance: () => number): Promise<void> {
  const kind = Math.floor(chance() * 5);
  if (kind === 0) front.mode = 'reset';
  if (kind === 1) front.mode = 'silent';
  if (kind === 2) front.loses = (request) => request.includes('/changed?');
  if (kind === 3) front.breakAll();
  await pause(chance() * 150);
  if (kind < 2) front.mode = 'pass';
  front.loses = () => false;
}

/** Writes a file in place, slowly, a few times. @returns what is in it in the end */
async function writtenInPlace(path: string): Promise<string> {
  let text = '';
  for (let time = 0; time < 3; time++) {
    text = wholeText();
    await writeFile(path, '');
    for (let at = 0; at < text.length; at += 4096) {
      await appendFile(path, text.slice(at, at + 4096));
      await pause(40);
    }
  }
  return text;
}

/** A text that shows whether it is whole. */
function wholeText(): string {
  const content = randomBytes(16_384).toString('hex');
  return `${createHash('sha256').update(content).digest('hex')} ${content}`;
}

function isWhole(text: string): boolean {
  const [digest, content = ''] = text.split(' ');
  return digest === createHash('sha256').update(content).digest('hex');
}

/** The same numbers from 0 to below 1 for the same seed. */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
