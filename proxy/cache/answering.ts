import { seconds, type EpochMs, type Seconds } from '../../config/units.js';
import type { Clock } from '../base/clock.js';
import type { Request, Response } from '../http/message.js';
import { bytes } from '../../config/units.js';
import { hrefOf } from '../http/target-uri.js';
import { answerFrom, type AnswerOptions, type Representation } from './answer.js';
import { cacheStatus, type Forwarded } from './cache-status.js';
import type { ForwardResult, Validated } from './forward-result.js';
import { currentAge, remainingLifetime } from './freshness.js';
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
        const facts = { status: result.received.status, stored: true, collapsed };
        return this.#whileStoring(request, result, this.#status(request, reason, facts), outcome, collapsed);
      }
      case 'validated': {
        const status = this.#status(request, reason, { status: 304, stored: result.updated, collapsed });
        return this.#fromStore(request, result, status, outcome);
      }
      case 'stale': {
        const ttl = seconds(Math.floor(remainingLifetime(result.stored.freshness, this.clock.now())));
        const facts = { status: result.status, stored: false, collapsed, ttl };
        const status = this.#status(request, { fwd: reason.fwd, detail: result.detail }, facts);
        return this.#fromStore(request, asStored(result.stored), status, `${outcome};stale`);
      }
      case 'not-stored':
        return this.passed(request, result.received, { fwd: reason.fwd, detail: reason.detail ?? result.reason });
    }
  }

  /** A response as it came. */
  passed(request: Request, received: ReceivedResponse, reason: Reason): Response {
    const status = this.#status(request, reason, { status: received.status, stored: false, collapsed: false });
    const { status: code, reason: phrase, fields, body } = received;
    return {
      status: code,
      reason: phrase,
      fields: fields.plus('Cache-Status', status),
      body,
      note: { outcome: `fwd=${reason.fwd}` },
    };
  }

  /** From stored bytes and those that complete them. */
  joined(request: Request, representation: Representation, stored: boolean): Response {
    const { metadata } = representation;
    const now = this.clock.now();
    const status = this.#status(request, { fwd: 'partial' }, { status: 206, stored, collapsed: false });
    return answerFrom(representation, request, this.#asStored(metadata, status, 'fwd=partial', now));
  }

  #fromStore(request: Request, { stored, metadata }: InStore, cacheStatusValue: string, outcome: string): Response {
    const now = this.clock.now();
    const representation: Representation = {
      metadata,
      length: stored.length,
      hasTrailers: stored.trailers.lines.length > 0,
      open: (from, to) => this.store.open(stored, from, to ?? stored.length ?? from),
    };
    return answerFrom(representation, request, this.#asStored(metadata, cacheStatusValue, outcome, now));
  }

  /** With its current age, since it does not come straight from upstream (RFC 9111 §5.1). */
  #asStored({ fields, freshness }: ResponseMetadata, status: string, outcome: string, now: EpochMs): AnswerOptions {
    const age = Math.floor(currentAge(freshness, now));
    return { fields, recurring: true, added: ['Age', String(age), 'Cache-Status', status], outcome, now };
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
    if (collapsed) {
      return answerFrom(representation, request, this.#asStored(representation.metadata, status, outcome, now));
    }
    if (received.status !== 206) {
      return answerFrom(representation, request, {
        fields: received.fields,
        recurring: false,
        added: ['Cache-Status', status],
        outcome,
        now,
      });
    }
    return {
      status: received.status,
      reason: received.reason,
      fields: received.fields.plus('Cache-Status', status),
      body: representation.open(bytes(0), null),
      note: { outcome },
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
      detail: reason.detail,
    });
  }
}
