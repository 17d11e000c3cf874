import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { Lookups } from '../../proxy/forward/lookups.js';
import { gate, type Gate } from '../support/gate.js';
import { failsWith } from './upstream-fixture.js';

const found: LookupAddress[] = [{ address: '203.0.113.1', family: 4 }];

describe('looking names up', () => {
  /** Names in the order in which they were begun with. */
  let begun: string[];
  let answers: Map<string, Gate>;
  let failing: Set<string>;
  /** What runs when kept results have got too old. */
  let expire: (() => void)[];
  let lookups: Lookups;

  beforeEach(() => {
    begun = [];
    answers = new Map();
    failing = new Set();
    expire = [];
    lookups = new Lookups({
      resolve: async (host) => {
        begun.push(host);
        const answer = gate();
        answers.set(host, answer);
        await answer.promise;
        if (failing.has(host)) throw new Error(`no ${host}`);
        return found;
      },
      later: (_delay, run) => void expire.push(run),
    });
  });

  const find = (host: string, signal = new AbortController().signal): Promise<readonly LookupAddress[]> =>
    lookups.find(host, signal);
  const answer = (host: string): void => answers.get(host)?.open();

  it('goes on two at a time, and the others wait in order', async () => {
    const all = ['a', 'b', 'c', 'd'].map((host) => find(host));
    assert.deepEqual([begun, lookups.underWay, lookups.waiting], [['a', 'b'], 2, 2]);
    answer('b');
    await all[1];
    assert.deepEqual([begun, lookups.underWay, lookups.waiting], [['a', 'b', 'c'], 2, 1]);
    answer('a');
    answer('c');
    await all[2];
    answer('d');
    await Promise.all(all);
    assert.deepEqual([begun, lookups.underWay, lookups.waiting], [['a', 'b', 'c', 'd'], 0, 0]);
  });

  it('is done once for all who ask for a name meanwhile, whatever its case', async () => {
    const all = [find('a.example'), find('A.Example'), find('a.example')];
    answer('a.example');
    for (const one of await Promise.all(all)) assert.deepEqual(one, found);
    assert.deepEqual(begun, ['a.example']);
  });

  it('keeps what was found, and failures too, until they are too old', async () => {
    failing.add('b');
    const first = [find('a'), find('b')];
    answer('a');
    answer('b');
    await first[0];
    await assert.rejects(first[1]!, /no b/);
    assert.deepEqual(await find('a'), found);
    await assert.rejects(find('b'), /no b/);
    assert.deepEqual(begun, ['a', 'b']);
    for (const run of expire) run();
    const again = find('a');
    answer('a');
    assert.deepEqual(await again, found);
    assert.deepEqual(begun, ['a', 'b', 'a']);
  });

  it('is not begun for those who have gone while they waited', async () => {
    const stuck = [find('a'), find('b')];
    const controller = new AbortController();
    void find('c', controller.signal);
    void find('c', controller.signal);
    const patient = find('d');
    controller.abort();
    assert.equal(lookups.waiting, 1);
    answer('a');
    await stuck[0];
    answer('d');
    await patient;
    assert.deepEqual(begun, ['a', 'b', 'd']);
  });

  it('goes on for those who stay when one of them goes', async () => {
    const stuck = [find('a'), find('b')];
    const controller = new AbortController();
    void find('c', controller.signal);
    const stays = find('c');
    controller.abort();
    answer('a');
    await stuck[0];
    answer('c');
    assert.deepEqual(await stays, found);
  });

  it('is refused when too many names wait, and a resolver that is silent pins no more than its two', () => {
    const ask = (name: string): void => void find(name).catch(() => undefined);
    for (let i = 0; i < 258; i++) ask(`name-${i}`);
    assert.deepEqual([lookups.underWay, lookups.waiting], [2, 256]);
    assert.throws(() => ask('one-more'), failsWith('too-busy'));
    ask('name-200');
    assert.equal(begun.length, 2);
  });

  it('keeps a bounded number of results', async () => {
    for (let i = 0; i < 1030; i++) {
      const one = find(`name-${i}`);
      answer(`name-${i}`);
      await one;
    }
    await find('name-1029');
    assert.equal(begun.length, 1030);
    const again = find('name-0');
    answer('name-0');
    await again;
    assert.equal(begun.length, 1031);
  });
});
