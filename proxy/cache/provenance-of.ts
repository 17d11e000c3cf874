import { elapsed, epochMs, seconds, type EpochMs, type Seconds } from '../../config/units.js';
import { sourceOf } from '../forward/answered-by.js';
import type { Provenance, Source } from '../http/provenance.js';
import { parseDeltaSeconds } from './delta-seconds.js';
import type { ReceivedResponse } from './receive-response.js';
import type { ResponseMetadata } from './stored-response.js';

/** Where a response that is stored, or is being stored, comes from: worked out only if somebody asks. */
export class StoredProvenance implements Provenance {
  constructor(
    private readonly metadata: Pick<ResponseMetadata, 'freshness' | 'source' | 'contentName'>,
    readonly standsIn = false,
  ) {}

  get receivedAt(): EpochMs {
    return this.metadata.freshness.responseTime;
  }

  get ageThen(): Seconds {
    return this.metadata.freshness.initialAge;
  }

  get freshUntil(): EpochMs | null {
    const { lifetime, initialAge, responseTime, directives } = this.metadata.freshness;
    if (directives.noCache === true || lifetime <= initialAge) return null;
    return epochMs(responseTime + (lifetime - initialAge) * 1000);
  }

  get source(): Source | null {
    return this.metadata.source ?? null;
  }

  get contentName(): string | null {
    return this.metadata.contentName ?? null;
  }
}

/** Where a response comes from that nobody keeps. */
export function passingProvenance({ fields, answeredBy, responseTime, requestTime }: ReceivedResponse): Provenance {
  return {
    receivedAt: responseTime,
    // it grew older on the way (RFC 9111 §4.2.3)
    ageThen: seconds((parseDeltaSeconds(fields.first('age') ?? '') ?? 0) + elapsed(requestTime, responseTime) / 1000),
    freshUntil: null,
    source: answeredBy === null ? null : sourceOf(answeredBy),
    contentName: null,
  };
}
