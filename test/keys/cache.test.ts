import assert from 'node:assert/strict';
import { gate } from '../support/gate.js';
import { after, answer } from '../support/origin-scripts.js';
import { cacheStatusOf, outcomeOf, startWillis, turns, type Willis } from '../support/willis.js';
import { flips } from './flips.js';

const fresh = { 'Cache-Control': 'max-age=600' };
const seconds = 1000;

describe('the keys of cache', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
    willis.serve(answer(200, fresh, 'content'));
  });
  afterEach(() => willis.stop());

  /** Whether what was answered for a path just now answers the next request too, after some seconds. */
  const isReused = async (path: string, after = 0): Promise<boolean> => {
    await willis.get(path);
    willis.clock.advance(after * seconds);
    return outcomeOf(await willis.get(path)) === 'hit';
  };

  flips('cache.memory', 'memory for stored responses, 0 to store nothing', async () => {
    assert.equal(await isReused('/a'), true);
    await willis.reload({ cache: { memory: 0 } });
    assert.equal(await isReused('/a'), false);
    await willis.reload({ cache: { memory: '1MiB' } });
    assert.equal(await isReused('/a'), true);
  });

  flips('cache.maxDocument', 'larger bodies are not stored', async () => {
    willis.serve(answer(200, fresh, Buffer.alloc(2000)));
    assert.equal(await isReused('/a'), true);
    await willis.reload({ cache: { maxDocument: 1999 } });
    assert.equal(await isReused('/a'), false);
    await willis.reload({ cache: { maxDocument: 2000 } });
    assert.equal(await isReused('/a'), true);
  });

  flips('cache.heuristicFraction', 'the share of the age for which a response that says nothing is fresh', async () => {
    willis.serve(answer(200, { 'Last-Modified': willis.clock.httpDate(-1000) }, 'content'));
    assert.equal(await isReused('/a', 50), true);
    await willis.reload({ cache: { heuristicFraction: 0.01 } });
    assert.equal(await isReused('/b', 50), false);
  });

  flips('cache.heuristicMax', 'the upper bound of such a lifetime', async () => {
    willis.serve(answer(200, { 'Last-Modified': willis.clock.httpDate(-100_000) }, 'content'));
    assert.equal(await isReused('/a', 2000), true);
    await willis.reload({ cache: { heuristicMax: '10m' } });
    assert.equal(await isReused('/b', 2000), false);
  });

  flips('cache.negative', 'the lifetime of negative answers that name none', async () => {
    willis.serve(answer(404, {}, 'nothing'));
    assert.equal(await isReused('/a', 5), true);
    await willis.reload({ cache: { negative: '1s' } });
    assert.equal(await isReused('/b', 5), false);
    await willis.reload({ cache: { negative: '1m' } });
    assert.equal(await isReused('/c', 50), true);
  });

  flips('cache.variants', 'how many variants of one URI are kept', async () => {
    willis.serve(answer(200, { ...fresh, Vary: 'Color' }, 'content'));
    const hits = async (): Promise<number> => {
      let count = 0;
      for (const color of ['red', 'green', 'blue']) {
        if (outcomeOf(await willis.get('/a', { Color: color })) === 'hit') count++;
      }
      return count;
    };
    assert.equal(await hits(), 0);
    assert.equal(await hits(), 3);
    await willis.reload({ cache: { variants: 1 } });
    assert.equal(outcomeOf(await willis.get('/a', { Color: 'blue' })), 'hit');
    assert.equal(await hits(), 0);
  });

  flips('cache.rules', 'what holds under some URIs; the first rule that matches counts', async () => {
    const never = { match: 'http://site.test/a/', store: false };
    const always = { match: 'http://site.test/', store: true };
    assert.equal(await isReused('/a/1'), true);
    await willis.reload({ cache: { rules: [never, always] } });
    assert.equal(await isReused('/a/1'), false);
    await willis.reload({ cache: { rules: [always, never] } });
    assert.equal(await isReused('/a/1'), true);
  });

  flips('cache.rules[].match', 'which URIs a rule is for', async () => {
    await willis.reload({ cache: { rules: [{ match: 'http://site.test/a/', store: false }] } });
    assert.deepEqual([await isReused('/a/1'), await isReused('/b/1')], [false, true]);
    await willis.reload({ cache: { rules: [{ match: 'http://site.test/b/', store: false }] } });
    assert.deepEqual([await isReused('/a/1'), await isReused('/b/1')], [true, false]);
  });

  flips('cache.rules[].store', 'whether anything is stored', async () => {
    await willis.reload({ cache: { rules: [{ match: 'http://site.test/', store: false }] } });
    assert.equal(await isReused('/a'), false);
    await willis.reload({ cache: { rules: [{ match: 'http://site.test/', store: true }] } });
    assert.equal(await isReused('/a'), true);
  });

  flips('cache.rules[].lifetime', 'how long what says nothing of it is fresh', async () => {
    willis.serve(answer(200, {}, 'content'));
    await willis.reload({ cache: { rules: [{ match: 'http://site.test/', lifetime: '1h' }] } });
    assert.equal(await isReused('/a', 3000), true);
    await willis.reload({ cache: { rules: [{ match: 'http://site.test/', lifetime: '1m' }] } });
    assert.equal(await isReused('/b', 3000), false);
  });

  const rule = 'http://site.test/kept/';
  const ask = async (path: string, count: number): Promise<string[]> => {
    const outcomes: string[] = [];
    for (let i = 0; i < count; i++) outcomes.push(outcomeOf(await willis.get(`${path}${i}`)));
    return outcomes;
  };

  flips('cache.rules[].pin', 'whether what is stored stays, whatever else is stored', async () => {
    willis.serve(answer(200, fresh, Buffer.alloc(10_000)));
    await willis.reload({ cache: { memory: '200KiB', rules: [{ match: rule, pin: true }] } });
    await ask('/kept/', 5);
    await ask('/other/', 30);
    assert.deepEqual(await ask('/kept/', 5), Array(5).fill('hit'));
    await willis.reload({ cache: { memory: '200KiB', rules: [{ match: rule, pin: false }] } });
    await ask('/other/', 30);
    assert.deepEqual(await ask('/kept/', 5), Array(5).fill('uri-miss'));
  });

  flips('cache.rules[].maxBytes', 'what the responses of a rule may take together', async () => {
    willis.serve(answer(200, fresh, Buffer.alloc(10_000)));
    await willis.reload({ cache: { rules: [{ match: rule, maxBytes: '50KiB' }] } });
    await ask('/kept/', 8);
    await ask('/other/', 8);
    assert.deepEqual(await ask('/kept/', 1), ['uri-miss']);
    assert.deepEqual(await ask('/other/', 8), Array(8).fill('hit'));
    await willis.reload({ cache: { rules: [{ match: rule, maxBytes: null }] } });
    await ask('/kept/', 8);
    assert.deepEqual(await ask('/kept/', 8), Array(8).fill('hit'));
  });

  flips('cache.collapseWait', 'how long a request waits for the answer to another one like it', async () => {
    let held = gate();
    willis.serve((request, response, index) => after(held, answer(200, fresh, 'content'))(request, response, index));
    const both = async (path: string) => {
      const before = willis.origin.count();
      const leader = await willis.begin('GET', path);
      await willis.origin.received(before + 1);
      return [leader, await willis.begin('GET', path)];
    };
    await willis.reload({ cache: { collapseWait: '5m' } });
    const clients = await both('/a');
    await turns(100);
    held.open();
    const answers = await Promise.all(clients.map((client) => client.receive()));
    assert.equal(answers.filter((one) => cacheStatusOf(one)['collapsed'] === true).length, 1);
    assert.equal(willis.origin.count('/a'), 1);
    held = gate();
    await willis.reload({ cache: { collapseWait: '1ms' } });
    const impatient = await both('/b');
    await willis.origin.received(3);
    held.open();
    for (const client of impatient) assert.equal((await client.receive()).status, 200);
    assert.equal(willis.origin.count('/b'), 2);
  });
});
