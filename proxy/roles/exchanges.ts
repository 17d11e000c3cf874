import { milliseconds, type Bytes } from '../../config/units.js';
import type { AccessLog } from '../base/access-log.js';
import type { Clock } from '../base/clock.js';
import type { ErrorCode, WillisError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { cacheStatus } from '../cache/cache-status.js';
import { errorResponse } from '../http/error-response.js';
import type { Request, Response } from '../http/message.js';
import type { ConnectRequest, ExchangeObserver, Outcome, RefusalContext } from '../http/request-handler.js';
import { hrefOf } from '../http/target-uri.js';
import { viaEntry, type NodeIdentity } from '../http/via.js';

export interface ExchangesOptions {
  readonly identity: NodeIdentity;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly accessLog: AccessLog;
  /** Whether error answers keep to themselves what is behind this node, as on a public side. */
  readonly concealUpstream: boolean;
}

/** The ends of all exchanges: failures become answers here and nowhere else, and each exchange one line in the log. */
export class Exchanges implements ExchangeObserver {
  constructor(private readonly options: ExchangesOptions) {}

  onRefused(error: WillisError, context: RefusalContext): Response {
    const { request, id } = context;
    const { identity, clock, concealUpstream } = this.options;
    this.#report(error, context);
    const failed = request && { method: request.method, fields: request.fields, id, href: hrefOf(request.target) };
    // what answers 405 here are pages to be read, and sides that open no tunnels
    const allow = request === null ? [] : ['GET', 'HEAD'];
    const answer = errorResponse(error, failed, identity, clock.now(), { concealUpstream, allow });
    // RFC 9211 §2: whoever got as far as the cache was not answered by it
    const status = cacheStatus(identity.name, { fwd: reasonOf(error), detail: error.code });
    return { ...answer, fields: answer.fields.plus('Via', viaEntry('1.1', identity), 'Cache-Status', status) };
  }

  onFinished(request: Request | null, response: Response, outcome: Outcome): void {
    this.options.accessLog.write({
      time: outcome.receivedAt,
      client: outcome.client.address,
      method: request?.method ?? '-',
      uri: request === null ? '-' : hrefOf(request.target),
      version: request?.version ?? '1.1',
      status: response.status,
      bytesOut: outcome.bytesOut,
      bytesIn: outcome.bytesIn,
      duration: outcome.duration,
      outcome: response.note?.outcome ?? response.note?.error ?? '-',
      referer: request?.fields.first('referer') ?? null,
      userAgent: request?.fields.first('user-agent') ?? null,
      id: outcome.id,
      aborted: outcome.aborted,
    });
  }

  /** A connection that was taken over has ended. */
  onTakenOverEnded(
    request: ConnectRequest | Request,
    end: { status: number; bytesIn: Bytes; bytesOut: Bytes; outcome: string },
  ): void {
    const tunnel = 'authority' in request;
    this.options.accessLog.write({
      time: request.receivedAt,
      client: request.client.address,
      method: tunnel ? 'CONNECT' : request.method,
      uri: tunnel ? `${request.authority.host}:${request.authority.port}` : hrefOf(request.target),
      version: request.version,
      status: end.status,
      bytesOut: end.bytesOut,
      bytesIn: end.bytesIn,
      duration: milliseconds(this.options.clock.now() - request.receivedAt),
      outcome: end.outcome,
      referer: request.fields.first('referer') ?? null,
      userAgent: request.fields.first('user-agent') ?? null,
      id: request.id,
      aborted: end.outcome === ('client-gone' satisfies ErrorCode),
    });
  }

  #report(error: WillisError, { request, client, id }: RefusalContext): void {
    const { logger } = this.options;
    const fields = {
      code: error.code,
      id,
      client: client.address,
      ...(request && { uri: hrefOf(request.target) }),
      detail: error.message,
    };
    if (error.kind.fault === 'internal') logger.error({ ...fields, error }, 'a request failed');
    else if (error.kind.fault === 'upstream') logger.warn(fields, 'the origin server failed');
    else logger.debug(fields, 'refused');
  }
}

/** What the cache had to do with a failure, as RFC 9211 §2.2 can say it. */
const reasonOf = (error: WillisError): 'miss' | 'bypass' =>
  error.kind.fault === 'upstream' || error.code === 'not-cached' ? 'miss' : 'bypass';
