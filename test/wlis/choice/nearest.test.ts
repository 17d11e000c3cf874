import assert from 'node:assert/strict';
import { bytes, milliseconds, monotonicMs } from '../../../config/units.js';
import type { Candidate, Question } from '../../../wlis/choice/choice.js';
import { distanceBetween } from '../../../wlis/choice/distance.js';
import { nearest } from '../../../wlis/choice/nearest.js';
import type { Place } from '../../../wlis/trust/group-member.js';
import { candidate, chances, healthOf, now, question, sized } from './candidate-example.js';

const ago = (time: number) => monotonicMs(now - time);
const at = (latitude: number, longitude: number): Place => ({ area: null, position: { latitude, longitude } });
const [berlin, vienna, sydney] = [at(52_500, 13_400), at(48_200, 16_400), at(-33_900, 151_200)];

describe('the policy nearest', () => {
  const order = (candidates: readonly Candidate[], of: Question = question(), own: Place | null = null, seed = 1) =>
    nearest(own)(candidates, of, chances(seed)).map((one) => /\/\/(\w+)/.exec(one.candidate.url)?.[1]);

  const measured = (name: string, latency: number, bandwidth: number | null = null): Candidate =>
    candidate(name, {
      health: healthOf(latency, { bandwidth: bandwidth === null ? null : bytes(bandwidth), delivered: now }),
    });

  it('takes the one that answers first', () => {
    assert.deepEqual(order([measured('far', 80), measured('near', 5), measured('middle', 20)]), [
      'near',
      'middle',
      'far',
    ]);
  });

  it('takes for a large document the one that delivers most, for a small one the one that answers first', () => {
    const three = [measured('near', 5, 125_000), measured('middle', 20, 1_250_000), measured('fat', 80, 12_500_000)];
    assert.deepEqual(order(three, sized(500))[0], 'near');
    assert.deepEqual(order(three, sized(50_000_000))[0], 'fat');
  });

  it('tries for a large document one that was never measured', () => {
    const three = [measured('near', 5, 125_000), measured('unmeasured', 20), measured('fat', 80, 12_500_000)];
    assert.deepEqual(order(three, sized(50_000_000)), ['unmeasured', 'fat', 'near']);
  });

  it('tries one again that was slow hours ago', () => {
    const slow = (before: number): Candidate =>
      candidate('slow', { health: healthOf(5, { bandwidth: bytes(125_000), delivered: ago(before) }) });
    const fat = measured('fat', 80, 12_500_000);
    assert.equal(order([slow(0), fat], sized(50_000_000))[0], 'fat');
    assert.equal(order([slow(3_600_000 * 6), fat], sized(50_000_000))[0], 'slow');
  });

  it('takes the place on the map for what was never measured', () => {
    const two = [candidate('sydney', { place: sydney }), candidate('vienna', { place: vienna })];
    assert.deepEqual(order(two, question(), berlin), ['vienna', 'sydney']);
    assert.deepEqual(order(two, question(), sydney), ['sydney', 'vienna']);
  });

  it('believes what it measured before the map', () => {
    const two = [
      candidate('vienna', { place: vienna, health: healthOf(300) }),
      candidate('sydney', { place: sydney, health: healthOf(30) }),
    ];
    assert.deepEqual(order(two, question(), berlin), ['sydney', 'vienna']);
  });

  it('leaves one that says that it is loaded, the less the longer ago it said so', () => {
    const loaded = (before: number): Candidate[] => [
      candidate('near', { health: healthOf(20, { load: { value: 2, at: ago(before) } }) }),
      candidate('far', { health: healthOf(40) }),
    ];
    assert.equal(order(loaded(0))[0], 'far');
    assert.equal(order(loaded(300_000))[0], 'near');
  });

  it('spreads what is under way by capacity', () => {
    const busy = (capacity: number): Candidate =>
      candidate('busy', { capacity, health: healthOf(20, { underWay: 64 }) });
    const idle = candidate('idle', { health: healthOf(35) });
    assert.equal(order([busy(1), idle])[0], 'idle');
    assert.equal(order([busy(16), idle])[0], 'busy');
  });

  it('takes the usual of the hour for what was measured long ago, and not for what was just now', () => {
    const evening = (before: number): Candidate[] => [
      candidate('slowNow', { health: healthOf(20, { measured: ago(before), hourFactor: 4 }) }),
      candidate('other', { health: healthOf(40) }),
    ];
    assert.equal(order(evening(86_400_000))[0], 'other');
    assert.equal(order(evening(0))[0], 'slowNow');
  });

  it('takes at random one of those of which nothing is known', () => {
    const all = ['a', 'b', 'c', 'd'].map((name) => candidate(name));
    const firsts = new Set(Array.from({ length: 200 }, (_, seed) => order(all, question(), null, seed)[0]));
    assert.equal(firsts.size, 4);
  });

  it('draws two of those that are about equally good, and takes the one with less to do', () => {
    const all = ['a', 'b', 'c', 'busy'].map((name) =>
      candidate(name, { health: healthOf(20, { underWay: name === 'busy' ? 3 : 1 }) }),
    );
    const firsts = Array.from({ length: 200 }, (_, seed) => order(all, question(), null, seed)[0]);
    assert.deepEqual([...new Set(firsts)].sort(), ['a', 'b', 'c']);
  });

  it('does not take a worse one for the sake of spreading', () => {
    const two = [
      candidate('good', { health: healthOf(20, { underWay: 5 }) }),
      candidate('bad', { health: healthOf(60) }),
    ];
    const firsts = Array.from({ length: 50 }, (_, seed) => order(two, question(), null, seed)[0]);
    assert.deepEqual([...new Set(firsts)], ['good']);
  });
});

describe('a distance on the map', () => {
  it('is about what light in fibre needs', () => {
    const across = distanceBetween(berlin, sydney);
    assert.ok(across > 200 && across < 300, `Berlin to Sydney takes ${across} ms`);
    const near = distanceBetween(berlin, vienna);
    assert.ok(near > 5 && near < 15, `Berlin to Vienna takes ${near} ms`);
  });

  it('is the same both ways, and shortest at the same place', () => {
    assert.equal(distanceBetween(berlin, sydney), distanceBetween(sydney, berlin));
    assert.ok(distanceBetween(berlin, berlin) < distanceBetween(berlin, vienna), 'here is nearer than there');
    assert.ok(Number.isFinite(distanceBetween(at(0, 0), at(0, 180_000))), 'the antipodes are somewhere');
  });

  it('is judged by the area where no position is said', () => {
    const area = (name: string): Place => ({ area: name, position: null });
    const [same, other] = [distanceBetween(area('de'), area('de')), distanceBetween(area('de'), area('us'))];
    const unknown = distanceBetween(null, area('de'));
    assert.ok(same < unknown && unknown < other, `${same}, ${unknown}, ${other}`);
    assert.equal(distanceBetween(area('de'), null), unknown);
    assert.equal(milliseconds(unknown), distanceBetween(null, null));
  });
});
