import { bytes, milliseconds, monotonicMs } from '../../../config/units.js';
import type { Candidate, NodeHealth, Question } from '../../../wlis/choice/choice.js';

/** Of a node of which nothing is known. */
export const unknownHealth: NodeHealth = {
  latency: null,
  measured: null,
  bandwidth: null,
  delivered: null,
  load: null,
  underWay: 0,
  breaker: 'closed',
  failure: null,
  hourFactor: 1,
};

export const now = monotonicMs(10_000_000);

/** Of one that answered a moment ago. */
export const healthOf = (latency: number, over: Partial<NodeHealth> = {}): NodeHealth => ({
  ...unknownHealth,
  latency: milliseconds(latency),
  measured: now,
  ...over,
});

export const candidate = (name: string, over: Partial<Candidate> = {}): Candidate => ({
  url: `https://${name}.example`,
  key: null,
  role: 'replica',
  place: null,
  capacity: 1,
  health: unknownHealth,
  ...over,
});

export const question = (over: Partial<Question> = {}): Question => ({
  uri: 'http://docs.example.org/manual/a.html',
  path: 'a.html',
  size: null,
  client: '192.0.2.1',
  now,
  ...over,
});

export const sized = (size: number): Question => question({ size: bytes(size) });

/** Chances that are the same in every run: a congruential generator (Knuth's MMIX), its high bits. */
export function chances(seed: number): () => number {
  let state = BigInt(seed) * 2_862_933_555_777_941_757n + 3_037_000_493n;
  return () => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) & 0xffff_ffff_ffff_ffffn;
    return Number(state >> 11n) / 2 ** 53;
  };
}
