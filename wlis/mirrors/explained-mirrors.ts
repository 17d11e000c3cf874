import { candidateExplained, type ChoiceExplanation } from '../choice/choice-explanation.js';
import { formatOriginUri } from '../../config/origin-uri.js';
import type { OutgoingRequest } from '../../proxy/forward/upstream.js';
import { hrefOf } from '../../proxy/http/target-uri.js';
import type { Candidate } from '../choice/choice.js';
import type { MirrorGround, MirrorSettings } from './mirror-errand.js';
import { mirrorSetFor, placeHref } from './mirror-set.js';
import { candidateAt, rankPlaces } from './ranked-places.js';
import { isForMirrors } from './sent-to-mirrors.js';

/** From whom a request would be got, the original among them, and why; null if mirrors have no part in it. */
export function explainMirrors(
  request: OutgoingRequest,
  ground: Omit<MirrorGround, 'chooser'> & { readonly chooser: MirrorGround['chooser'] & { readonly name: string } },
  { sets }: Pick<MirrorSettings, 'sets'>,
): ChoiceExplanation | null {
  const { target, fields } = request;
  const set = mirrorSetFor(sets, target);
  if (set === null || !isForMirrors(request)) return null;
  const { chooser, health, unusable, clock } = ground;
  const uri = hrefOf(target);
  const now = clock.monotonic();
  const version = ground.learned.of(uri, fields)?.version ?? null;
  const rule = chooser.ruleFor(uri);
  const places = set.placesOf(target);
  const { ranked, skipped } = rankPlaces(places, {
    ...{ target, size: version?.length ?? null, client: '', now, policy: chooser.policy, chance: () => 0, rule },
    health: (url) => health.of(url),
  });
  const late = new Map(skipped.map(({ url, because }) => [url, because]));
  const asked = new Set(ranked.map(({ place }) => place));
  return {
    namespace: formatOriginUri(set.of),
    policy: chooser.name,
    rule: asked.size < places.length ? (rule?.match ?? null) : null,
    candidates: ranked.map(({ place, score }) => {
      const candidate: Candidate = candidateAt(place, health.of(place.url));
      const because = unusable.reason(placeHref(place), version, now) ?? late.get(place.url) ?? null;
      return candidateExplained({ candidate, score: score ?? 0 }, because, now);
    }),
    skipped: places.filter((place) => !asked.has(place)).map(({ url }) => ({ url, because: 'by the rule' })),
  };
}
