import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes, epochMs, milliseconds, monotonicMs } from '../../../config/units.js';
import type { Candidate, ChoicePolicy, NodeHealth, Question } from '../../../wlis/choice/choice.js';
import { policyNamed, type PolicyName } from '../../../wlis/choice/policies.js';
import type { Place } from '../../../wlis/trust/group-member.js';
import { candidate, chances, question } from './candidate-example.js';

const names: readonly PolicyName[] = ['nearest', 'random', 'weighted', 'sticky'];

const anyPlace: fc.Arbitrary<Place | null> = fc.option(
  fc.record({
    area: fc.option(fc.constantFrom('de', 'at', 'us')),
    position: fc.option(
      fc.record({
        latitude: fc.integer({ min: -90_000, max: 90_000 }),
        longitude: fc.integer({ min: -180_000, max: 180_000 }),
      }),
    ),
  }),
);

const moment = fc.double({ min: 0, max: 1e9, noNaN: true }).map(monotonicMs);

const anyHealth: fc.Arbitrary<NodeHealth> = fc.record({
  latency: fc.option(fc.double({ min: 0, max: 1e7, noNaN: true }).map(milliseconds)),
  measured: fc.option(moment),
  bandwidth: fc.option(fc.integer({ min: 0, max: 2 ** 40 }).map(bytes)),
  delivered: fc.option(moment),
  load: fc.option(fc.record({ value: fc.double({ min: 0, max: 1e6, noNaN: true }), at: moment })),
  underWay: fc.nat(100_000),
  breaker: fc.constantFrom('closed', 'open', 'probing'),
  failure: fc.option(
    fc.record({
      reason: fc.constantFrom('silent', 'false', 'status'),
      at: fc.nat().map(epochMs),
      detail: fc.option(fc.string()),
    }),
  ),
  hourFactor: fc.double({ min: 1 / 16, max: 16, noNaN: true }),
});

const anyCandidates: fc.Arbitrary<readonly Candidate[]> = fc
  .array(fc.tuple(anyPlace, anyHealth, fc.integer({ min: 1, max: 1_000_000 })), { maxLength: 12 })
  .map((all) => all.map(([place, health, capacity], i) => candidate(`m${i}`, { place, health, capacity })));

const anyQuestion: fc.Arbitrary<Question> = fc.record({
  uri: fc.constant('http://docs.example.org/manual/a.html'),
  path: fc.constant('a.html'),
  size: fc.option(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }).map(bytes)),
  client: fc.string({ maxLength: 20 }),
  now: moment,
});

for (const name of names) {
  describe(`the policy ${name}`, () => {
    const rank = (candidates: readonly Candidate[], of: Question, seed: number, own: Place | null = null) =>
      policyNamed(name, own)(candidates, of, chances(seed));

    it('gives each candidate once, with a number', () => {
      fc.assert(
        fc.property(anyCandidates, anyQuestion, fc.nat(), anyPlace, (candidates, of, seed, own) => {
          const ranked = rank(candidates, of, seed, own);
          assert.deepEqual(new Set(ranked.map((one) => one.candidate)), new Set(candidates));
          assert.equal(ranked.length, candidates.length);
          assert.deepEqual(
            ranked.filter(({ score }) => !Number.isFinite(score) || score < 0),
            [],
          );
        }),
      );
    });

    it('gives the same for the same chances, in whatever order the candidates come', () => {
      fc.assert(
        fc.property(anyCandidates, anyQuestion, fc.nat(), (candidates, of, seed) => {
          const urls = (): string[] => rank(candidates, of, seed).map((one) => one.candidate.url);
          assert.deepEqual(urls(), urls());
          if (name === 'random' || name === 'weighted') return;
          const turned = rank([...candidates].reverse(), of, seed).map((one) => one.candidate.url);
          assert.deepEqual(turned, urls());
        }),
      );
    });

    it('changes nothing that it is given', () => {
      const candidates = Object.freeze([candidate('a'), candidate('b'), candidate('c')]);
      rank(candidates, question(), 1);
      assert.deepEqual(
        candidates.map(({ url }) => url),
        ['https://a.example', 'https://b.example', 'https://c.example'],
      );
    });

    it('orders by the score, but for the first', () => {
      fc.assert(
        fc.property(anyCandidates, anyQuestion, fc.nat(), (candidates, of, seed) => {
          const scores = rank(candidates, of, seed)
            .slice(1)
            .map(({ score }) => score);
          assert.deepEqual(
            scores,
            [...scores].sort((a, b) => a - b),
          );
        }),
      );
    });
  });
}

/** How often each of some candidates comes first. */
function firsts(policy: ChoicePolicy, candidates: readonly Candidate[], of: (i: number) => Question): number[] {
  const chance = chances(7);
  const counts = candidates.map(() => 0);
  for (let i = 0; i < 4000; i++) {
    const first = policy(candidates, of(i), chance)[0]?.candidate;
    const at = candidates.findIndex((one) => one === first);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}

const isAbout = (count: number | undefined, expected: number): boolean =>
  Math.abs((count ?? 0) - expected) < 5 * Math.sqrt(expected);

describe('by capacity', () => {
  const four = [candidate('a', { capacity: 4 }), candidate('b'), candidate('c', { capacity: 3 })];

  it('weighted takes one of capacity 4 four times as often as one of capacity 1', () => {
    const [a, b, c] = firsts(policyNamed('weighted', null), four, () => question());
    assert.ok(isAbout(a, 2000) && isAbout(b, 500) && isAbout(c, 1500), `4000 choices: ${a}, ${b}, ${c}`);
  });

  it('sticky gives as many clients to it', () => {
    const [a, b, c] = firsts(policyNamed('sticky', null), four, (i) => question({ client: `192.0.2.${i}` }));
    assert.ok(isAbout(a, 2000) && isAbout(b, 500) && isAbout(c, 1500), `4000 clients: ${a}, ${b}, ${c}`);
  });

  it('random takes all equally often', () => {
    const [a, b, c] = firsts(policyNamed('random', null), four, () => question());
    assert.ok(isAbout(a, 1333) && isAbout(b, 1333) && isAbout(c, 1333), `4000 choices: ${a}, ${b}, ${c}`);
  });
});

describe('sticky', () => {
  const sticky = policyNamed('sticky', null);
  const chance = (): number => 0.5;
  const all = Array.from({ length: 8 }, (_, i) => candidate(`m${i}`));
  const firstFor = (candidates: readonly Candidate[], of: Question): string | undefined =>
    sticky(candidates, of, chance)[0]?.candidate.url;

  it('gives a client all of a namespace from the same node', () => {
    const of = (path: string): Question => question({ uri: `http://docs.example.org/manual/${path}`, path });
    const urls = ['a.html', 'b/c.html', 'd?e=f'].map((path) => firstFor(all, of(path)));
    assert.equal(new Set(urls).size, 1);
  });

  it('gives a client of two namespaces from nodes that have nothing to do with each other', () => {
    const other = (i: number): Question =>
      question({ client: `c${i}`, uri: 'http://other.example/a.html', path: 'a.html' });
    const same = Array.from(
      { length: 800 },
      (_, i) => firstFor(all, other(i)) === firstFor(all, question({ client: `c${i}` })),
    );
    assert.ok(isAbout(same.filter(Boolean).length, 100), 'one in eight is by chance');
  });

  it('moves only the clients of a node that goes', () => {
    const left = all.slice(1);
    for (let i = 0; i < 500; i++) {
      const of = question({ client: `c${i}` });
      const before = firstFor(all, of);
      if (before !== all[0]?.url) assert.equal(firstFor(left, of), before);
    }
  });
});
