import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Constellation } from '../support/constellation.js';
import type { SiteNode } from '../support/site-node.js';
import { TempDir } from '../support/temp-dir.js';
import type { Willis } from '../support/willis.js';
import { flips } from './flips.js';

describe('the keys of the choice among those who hold a namespace', () => {
  let all: Constellation;
  let directory: TempDir;

  beforeEach(async () => {
    directory = await TempDir.create();
    all = await Constellation.start({ files: { 'a.txt': 'A', 'b/c.txt': 'C' } });
    await all.learned('a.txt');
  });

  afterEach(async () => {
    await all.close();
    await directory.remove();
  });

  /** Whom a few requests for a document go to. */
  async function askedFor(path: string): Promise<SiteNode[]> {
    const nodes = [all.primary, ...all.replicas];
    const before = nodes.map((node) => all.rawRequests([node]));
    for (let i = 0; i < 4; i++) assert.equal((await all.get(path)).status, 200);
    return nodes.filter((node, i) => all.rawRequests([node]) > (before[i] ?? 0));
  }

  const reload = (clientSide: Readonly<Record<string, unknown>>) =>
    (all.client.running as Willis).reload({ clientSide });

  flips(
    'clientSide.choice',
    'how one is chosen, be it by a module of the operator, in whatever state that is',
    async () => {
      const module = join(directory.path, 'my-choice.js');
      const choosing = (url: string): Promise<void> =>
        writeFile(
          module,
          `export default (all) => all.map((candidate) => ({ candidate, score: candidate.url === '${url}' ? 0 : 1 }))
          .sort((a, b) => a.score - b.score);`,
        );
      const [first, second] = all.replicas as [SiteNode, SiteNode];
      await choosing(first.front.url);
      await reload({ choice: module });
      assert.deepEqual(await askedFor('a.txt'), [first]);
      await choosing(second.front.url);
      await reload({ choice: module });
      assert.deepEqual(await askedFor('a.txt'), [second]);
      await writeFile(module, 'export default 7;');
      await assert.rejects(reload({ choice: module }), /clientSide.choice: expected a module .*no function/);
      assert.deepEqual(await askedFor('a.txt'), [second]);
      await writeFile(module, 'export default () => { throw new Error("out of order"); };');
      await reload({ choice: module });
      assert.equal((await all.get('a.txt')).body.toString(), 'A');
      await reload({ choice: 'sticky' });
      assert.equal((await askedFor('a.txt')).length, 1);
    },
  );

  flips('clientSide.rules', 'what is got from a certain node', async () => {
    const [first, second] = all.replicas as [SiteNode, SiteNode];
    const match = `${all.site.namespace}**`;
    const rule = (from: string, of = match) => ({ match: of, from });
    await reload({ rules: [rule(first.front.url)] });
    assert.deepEqual(await askedFor('a.txt'), [first]);
    await reload({ rules: [rule('primary', `${all.site.namespace}b/*`), rule(second.front.url)] });
    assert.deepEqual([await askedFor('a.txt'), await askedFor('b/c.txt')], [[second], [all.primary]]);
  });

  flips('clientSide.rules[].match', 'for which targets', async () => {
    const [first, second] = all.replicas as [SiteNode, SiteNode];
    const rules = (one: string, other: string) => [
      { match: `${all.site.namespace}${one}`, from: first.front.url },
      { match: `${all.site.namespace}${other}`, from: second.front.url },
    ];
    await reload({ rules: rules('a.*', 'b/*') });
    assert.deepEqual([await askedFor('a.txt'), await askedFor('b/c.txt')], [[first], [second]]);
    await reload({ rules: rules('b/', '*') });
    assert.deepEqual([await askedFor('a.txt'), await askedFor('b/c.txt')], [[second], [first]]);
  });

  flips('clientSide.rules[].from', 'where they are got', async () => {
    const match = `${all.site.namespace}**`;
    for (const [from, node] of [
      [all.replicas[0]?.front.url, all.replicas[0]],
      ['primary', all.primary],
      [all.replicas[1]?.front.url, all.replicas[1]],
    ] as const) {
      await reload({ rules: [{ match, from }] });
      assert.deepEqual(await askedFor('a.txt'), [node]);
    }
  });
});
