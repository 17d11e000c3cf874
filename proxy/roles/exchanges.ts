import type { AccessLog } from '../base/access-log.js';
import type { Clock } from '../base/clock.js';
import type { WillisError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { cacheStatus } from '../cache/cache-status.js';
import { errorResponse } from '../http/error-response.js';
import { Fields } from '../http/fields.js';
import type { Request, Response } from '../http/message.js';
import type { Receipt } from '../http/received-request.js';
import type { ConnectRequest, ExchangeObserver, Measured, Outcome, RefusalContext } from '../http/request-handler.js';
import { hrefOf } from '../http/target-uri.js';
import { viaEntry, type NodeIdentity } from '../http/via.js';
import { choicePageOf } from '../../wlis/names/proxy-host.js';
import type { ExchangeMetrics } from './exchange-metrics.js';

export interface ExchangesOptions {
  readonly identity: NodeIdentity;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly accessLog: AccessLog;
  readonly metrics: ExchangeMetrics;
  /** The listener's name. */
  readonly side: string;
  /** The address of the client who made a request, who may stand behind a trusted proxy. */
  readonly clientOf: (request: Pick<Request, 'client' | 'fields'>) => string;
  /** Whether error answers keep to themselves what is behind this node, as on a public side. */
  readonly concealUpstream: boolean;
}

/** How a connection that was taken over ended. */
export interface TakenOverEnd extends Measured {
  readonly status: number;
  /** `tunnel`, `upgrade`, or a code of the error table. */
  readonly outcome: string;
}

type AnyRequest = Request | ConnectRequest | null;

/**
 * The ends of all exchanges: failures become answers here and nowhere else, and each exchange one line in the log, with
 * which the metrics agree.
 */
export class Exchanges implements ExchangeObserver {
  constructor(private readonly options: ExchangesOptions) {}

  onRefused(error: WillisError, context: RefusalContext): Response {
    const { request, id } = context;
    const { identity, clock, concealUpstream } = this.options;
    this.#report(error, context);
    const { method, fields } = request === null ? unknown : { method: methodOf(request), fields: request.fields };
    const failed = { method, fields, id, href: request && uriOf(request) };
    const choicePage = concealUpstream ? null : choicePageOf;
    // what answers 405 here are pages to be read, and sides that open no tunnels
    const allow = request === null || 'authority' in request ? [] : ['GET', 'HEAD'];
    const answer = errorResponse(error, failed, identity, clock.now(), { concealUpstream, choicePage, allow });
    // RFC 9211 §2: whoever got as far as the cache was not answered by it
    const status = cacheStatus(identity.name, { fwd: reasonOf(error), detail: error.code });
    return { ...answer, fields: answer.fields.plus('Via', viaEntry('1.1', identity), 'Cache-Status', status) };
  }

  onFinished(request: Request | null, { status, note }: Response, outcome: Outcome): void {
    const word = note?.outcome ?? note?.error ?? 'local';
    this.#record(request, outcome, status, word, outcome, outcome.failure?.code ?? note?.error ?? null);
  }

  /** A connection that was taken over has ended. */
  onTakenOverEnded(request: ConnectRequest | Request, end: TakenOverEnd): void {
    this.#record(request, request, end.status, end.outcome, end, end.failure?.code ?? null);
  }

  #record(
    request: AnyRequest,
    { client, receivedAt, id, record }: Receipt,
    status: number,
    outcome: string,
    measured: Measured,
    failure: string | null,
  ): void {
    const { side, accessLog, metrics, clientOf } = this.options;
    const entry = {
      time: receivedAt,
      side,
      client: request === null ? client.address : clientOf(request),
      peer: client.address,
      user: record.user,
      method: request === null ? '-' : methodOf(request),
      uri: request === null ? '-' : uriOf(request),
      version: request === null ? '1.1' : request.version,
      status,
      outcome,
      site: record.site,
      rule: record.rule,
      bytesOut: measured.bytesOut,
      contentOut: measured.contentOut,
      bytesIn: measured.bytesIn,
      firstByteTime: measured.firstByteTime,
      duration: measured.duration,
      upstreamTime: record.upstreamTime,
      referer: request?.fields.first('referer') ?? null,
      userAgent: request?.fields.first('user-agent') ?? null,
      id,
      aborted: measured.aborted,
    };
    metrics.count(entry, failure);
    accessLog.write(entry);
  }

  #report(error: WillisError, { request, client, id }: RefusalContext): void {
    const { logger, clientOf } = this.options;
    const fields = {
      code: error.code,
      id,
      client: request === null ? client.address : clientOf(request),
      ...(request && { uri: uriOf(request) }),
      detail: error.message,
    };
    if (error.code === 'internal') logger.error({ ...fields, error }, 'a request failed');
    else if (error.code === 'parent-authentication')
      logger.error(fields, 'the parent proxy does not let this node through');
    else if (error.code.startsWith('parent-')) logger.warn(fields, 'the parent proxy failed');
    else if (error.kind.fault === 'upstream') logger.warn(fields, 'the origin server failed');
    else logger.debug(fields, 'refused');
  }
}

const methodOf = (request: Request | ConnectRequest): string => ('authority' in request ? 'CONNECT' : request.method);

const uriOf = (request: Request | ConnectRequest): string =>
  'authority' in request ? `${request.authority.host}:${request.authority.port}` : hrefOf(request.target);

/** What is taken for granted of a request that could not be understood. */
const unknown = { method: 'GET', fields: Fields.none };

/** What the cache had to do with a failure, as RFC 9211 §2.2 can say it. */
const reasonOf = (error: WillisError): 'miss' | 'bypass' =>
  error.kind.fault === 'upstream' || error.code === 'not-cached' ? 'miss' : 'bypass';
