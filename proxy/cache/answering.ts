import { seconds, type EpochMs, type Seconds } from '../../config/units.js';
import type { Clock } from '../base/clock.js';
import { answeredByText, type AnsweredBy } from '../forward/answered-by.js';
import type { Request, Response } from '../http/message.js';
import { proxyStatus } from '../http/proxy-status.js';
import { bytes } from '../../config/units.js';
import { hrefOf } from '../http/target-uri.js';
import { answerFrom, type AnswerOptions, type Representation } from './answer.js';
import { cacheStatus, type Forwarded } from './cache-status.js';
import type { ForwardResult, Validated } from './forward-result.js';
import { currentAge, remainingLifetime } from './freshness.js';
import { passingProvenance, StoredProvenance } from './provenance-of.js';
import type { ReceivedResponse } from './receive-response.js';
import type { ResponseStore } from './response-store.js';
import type { ResponseMetadata, StoredResponse } from './stored-response.js';

/** Why a request was forwarded, in the words of RFC 9211 §2.2, and what else is worth telling. */
export interface Reason {
  readonly fwd: Forwarded['fwd'];
  readonly detail?: string;
}

interface Facts {
  readonly status: number | null;
  readonly stored: boolean;
  readonly collapsed: boolean;
  readonly ttl?: Seconds;
  readonly answeredBy?: AnsweredBy | null;
}

type InStore = Pick<Validated, 'stored' | 'metadata'>;

const asStored = (stored: StoredResponse): InStore => ({ stored, metadata: stored });

/** Makes the answers, each of which says in `Cache-Status` how it came about (RFC 9211). */
export class Answering {
  constructor(
    private readonly store: ResponseStore,
    private readonly clock: Clock,
    private readonly name: string,
  ) {}

  /** A hit. `detail` says why a stale response was good enough. */
  hit(request: Request, stored: StoredResponse, detail: string | null): Response {
    const ttl = seconds(Math.floor(remainingLifetime(stored.freshness, this.clock.now())));
    const status = cacheStatus(this.name, { hit: true, ttl, detail: detail ?? undefined });
    return this.#fromStore(request, asStored(stored), status, detail === null ? 'hit' : 'hit;stale');
  }

  /** What a forward brought, for the one who asked, or (`collapsed`) for one who waited. */
  forwarded(request: Request, result: ForwardResult, reason: Reason, collapsed: boolean): Response {
    const outcome = `fwd=${reason.fwd}${collapsed ? ';collapsed' : ''}`;
    switch (result.kind) {
      case 'storing': {
        const { status: code, answeredBy } = result.received;
        const facts = { status: code, stored: true, collapsed, answeredBy };
        return this.#whileStoring(request, result, this.#status(request, reason, facts), outcome, collapsed);
      }
      case 'validated': {
        const { updated: stored, answeredBy = null } = result;
        const status = this.#status(request, reason, { status: 304, stored, collapsed, answeredBy });
        return this.#fromStore(request, result, status, outcome, answeredBy);
      }
      case 'stale': {
        const ttl = seconds(Math.floor(remainingLifetime(result.stored.freshness, this.clock.now())));
        const facts = { status: result.status, stored: false, collapsed, ttl };
        const status = this.#status(request, { fwd: reason.fwd, detail: result.detail }, facts);
        return this.#fromStore(request, asStored(result.stored), status, `${outcome};stale`, null, true);
      }
      case 'not-stored':
        return this.passed(request, result.received, { fwd: reason.fwd, detail: reason.detail ?? result.reason });
    }
  }

  /** A response as it came. */
  passed(request: Request, received: ReceivedResponse, reason: Reason): Response {
    const { status: code, reason: phrase, fields, body, answeredBy } = received;
    const status = this.#status(request, reason, { status: code, stored: false, collapsed: false, answeredBy });
    return {
      status: code,
      reason: phrase,
      fields: fields.plus(...this.#added(status, answeredBy)),
      body,
      note: { outcome: `fwd=${reason.fwd}` },
      provenance: passingProvenance(received),
    };
  }

  /** From stored bytes and those that complete them. */
  joined(request: Request, representation: Representation, stored: boolean): Response {
    const { metadata } = representation;
    const now = this.clock.now();
    const status = this.#status(request, { fwd: 'partial' }, { status: 206, stored, collapsed: false });
    return answerFrom(representation, request, this.#asStored(metadata, status, 'fwd=partial', now));
  }

  #fromStore(
    request: Request,
    { stored, metadata }: InStore,
    cacheStatusValue: string,
    outcome: string,
    answeredBy: AnsweredBy | null = null,
    standsIn = false,
  ): Response {
    const now = this.clock.now();
    const representation: Representation = {
      metadata,
      length: stored.length,
      hasTrailers: stored.trailers.lines.length > 0,
      open: (from, to) => this.store.open(stored, from, to ?? stored.length ?? from),
    };
    const options = this.#asStored(metadata, cacheStatusValue, outcome, now, answeredBy, standsIn);
    return answerFrom(representation, request, options);
  }

  /** With its current age, since it does not come straight from upstream (RFC 9111 §5.1). */
  #asStored(
    metadata: ResponseMetadata,
    status: string,
    outcome: string,
    now: EpochMs,
    answeredBy: AnsweredBy | null = null,
    standsIn = false,
  ): AnswerOptions {
    const age = Math.floor(currentAge(metadata.freshness, now));
    const added = ['Age', String(age), ...this.#added(status, answeredBy)];
    const provenance = new StoredProvenance(metadata, standsIn);
    return { fields: metadata.fields, recurring: true, added, outcome, now, provenance };
  }

  /** What this node says of how it came by the answer; beside `Cache-Status` which of several nodes gave it (RFC 9209 §2.1.2). */
  #added(status: string, answeredBy: AnsweredBy | null): string[] {
    const lines = ['Cache-Status', status];
    if (answeredBy !== null) lines.push('Proxy-Status', proxyStatus(this.name, { nextHop: answeredBy.url }));
    return lines;
  }

  /** As it came, or cut to what was asked for; for others than the one who asked, as it will stand in the store. */
  #whileStoring(
    request: Request,
    { received, representation }: ForwardResult & { kind: 'storing' },
    status: string,
    outcome: string,
    collapsed: boolean,
  ): Response {
    const now = this.clock.now();
    const { answeredBy } = received;
    if (collapsed) {
      const options = this.#asStored(representation.metadata, status, outcome, now, answeredBy);
      return answerFrom(representation, request, options);
    }
    const added = this.#added(status, answeredBy);
    const provenance = new StoredProvenance(representation.metadata);
    if (received.status !== 206) {
      const options = { fields: received.fields, recurring: false, added, outcome, now, provenance };
      return answerFrom(representation, request, options);
    }
    return {
      status: received.status,
      reason: received.reason,
      fields: received.fields.plus(...added),
      body: representation.open(bytes(0), null),
      note: { outcome },
      provenance,
    };
  }

  #status(request: Request, reason: Reason, facts: Facts): string {
    return cacheStatus(this.name, {
      fwd: reason.fwd,
      fwdStatus: facts.status ?? undefined,
      ttl: facts.ttl,
      stored: facts.stored,
      collapsed: facts.collapsed,
      key: hrefOf(request.target),
      detail: detailOf(reason, facts.answeredBy ?? null),
    });
  }
}

function detailOf({ detail }: Reason, answeredBy: AnsweredBy | null): string | undefined {
  if (answeredBy === null) return detail;
  const by = answeredByText(answeredBy);
  return detail === undefined ? by : `${detail}; ${by}`;
}
