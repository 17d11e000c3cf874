import type { Bytes, MonotonicMs } from '../../config/units.js';
import { hrefOf, type TargetUri } from '../../proxy/http/target-uri.js';
import type { Candidate, ChoicePolicy, NodeHealth, Skipped } from '../choice/choice.js';
import type { ForcedChoice } from '../choice/choice-rules.js';
import type { MirrorPlace } from './mirror-set.js';

export interface RankedPlace {
  readonly place: MirrorPlace;
  readonly score: number | null;
}

export interface RankInput {
  readonly target: TargetUri;
  /** What is to be got, if that is known. */
  readonly size: Bytes | null;
  readonly client: string;
  readonly now: MonotonicMs;
  readonly policy: ChoicePolicy;
  readonly chance: () => number;
  readonly health: (url: string) => NodeHealth;
  /** What a rule of the operator says; it counts if it names the primary, or one of the places. */
  readonly rule: ForcedChoice | null;
  /** The one that the reader has chosen, where no rule counts, by its URL or as `primary`: nobody else stands in for it. */
  readonly from?: string | undefined;
}

/**
 * The places in the order in which they are to be tried, those that look down last: all may look so. The original is always
 * among them.
 */
export function rankPlaces(
  places: readonly MirrorPlace[],
  input: RankInput,
): { readonly ranked: readonly RankedPlace[]; readonly skipped: readonly Skipped[] } {
  const forced = forcedPlaces(places, input.rule) ?? chosenPlaces(places, input.from);
  if (forced !== null) return { ranked: forced.map((place) => ({ place, score: null })), skipped: [] };
  const byCandidate = new Map<Candidate, MirrorPlace>();
  for (const place of places) byCandidate.set(candidateAt(place, input.health(place.url)), place);
  const all = [...byCandidate.keys()];
  const well = inOrder(all.filter(isWell), byCandidate, input);
  const down = all.filter((candidate) => !isWell(candidate));
  const skipped = down.map(({ url, health }) => ({
    url,
    because: `looks down: ${health.failure?.reason ?? 'in trial'}`,
  }));
  return { ranked: [...well, ...inOrder(down, byCandidate, input)], skipped };
}

const isWell = ({ health }: Candidate): boolean => health.breaker === 'closed';

function inOrder(
  candidates: readonly Candidate[],
  places: ReadonlyMap<Candidate, MirrorPlace>,
  { target, size, client, now, policy, chance }: RankInput,
): RankedPlace[] {
  if (candidates.length === 0) return [];
  const question = { uri: hrefOf(target), path: target.path, size, client, now };
  return policy(candidates, question, chance).flatMap(({ candidate, score }) => {
    const place = places.get(candidate);
    return place === undefined ? [] : [{ place, score }];
  });
}

/** The original stands in for a mirror that is named. */
function forcedPlaces(places: readonly MirrorPlace[], rule: ForcedChoice | null): MirrorPlace[] | null {
  if (rule === null) return null;
  const originals = places.filter(({ role }) => role === 'primary');
  if (rule.from === 'primary') return originals;
  const named = places.filter(({ url }) => url === rule.from);
  return named.length === 0 ? null : [...named, ...originals.filter((place) => !named.includes(place))];
}

function chosenPlaces(places: readonly MirrorPlace[], from: string | undefined): MirrorPlace[] | null {
  if (from === undefined) return null;
  return places.filter(({ role, url }) => (from === 'primary' ? role === from : url === from));
}

export const candidateAt = ({ url, role, place }: MirrorPlace, health: NodeHealth): Candidate => ({
  ...{ url, role, place, health },
  key: null,
  capacity: 1,
});
