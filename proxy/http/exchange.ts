import type { Duplex } from 'node:stream';
import {
  bytes,
  elapsedMonotonic,
  type Bytes,
  type EpochMs,
  type Milliseconds,
  type MonotonicMs,
} from '../../config/units.js';
import type { Clock } from '../base/clock.js';
import type { Aborted } from '../base/access-line.js';
import { asWillisError, WillisError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { ExchangeRecord } from './exchange-record.js';
import { Fields } from './fields.js';
import type { InputBuffer } from './input-buffer.js';
import type { Client, Request, Response } from './message.js';
import type { HeadLimits, RequestHead } from './receive.js';
import { bodyDecoder, ReceivedBody } from './receive-body.js';
import { ReceivedRequest, type Informer, type Receipt } from './received-request.js';
import type { ExchangeObserver } from './request-handler.js';
import { frameResponse, informationalHead, type ResponseFrame } from './response-framing.js';
import type { ResponseSender, Sent } from './send.js';

export interface ExchangeContext {
  readonly limits: HeadLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: ExchangeObserver;
  readonly nextId: () => string;
}

/** A response with its frame: what is to be sent. */
export interface PreparedResponse {
  readonly response: Response;
  readonly frame: ResponseFrame;
}

/** One request and its answer. */
export class Exchange implements Receipt, Informer, ExchangeRecord {
  readonly client: Client;
  readonly receivedAt: EpochMs;
  readonly id: string;
  /** Null if it was malformed, or is for a tunnel. */
  readonly request: ReceivedRequest | null = null;
  /** Null if the request has no content. */
  readonly body: ReceivedBody | null = null;
  readonly headBytes: Bytes;
  readonly #input: InputBuffer;
  readonly #takenBefore: Bytes;
  user: string | null = null;
  site = '';
  rule = '';
  upstreamTime: Milliseconds | null = null;
  readonly #head: RequestHead | null;
  readonly #context: ExchangeContext;
  readonly #startedAt: MonotonicMs;
  readonly #socket: Duplex;
  /** Whether 100 (Continue) was sent. */
  #continued = false;
  #answered = false;
  /** Bytes of content that nobody has read. */
  #discarded = 0;
  /** Bytes of informational responses. */
  #informed = 0;
  #headSentAt: MonotonicMs | null = null;

  /**
   * @param head null for a request that is malformed; what was received of it has been taken from the input
   * @param takenBefore what had been taken before that
   * @param onBodyRead called after each read of the content: there may be room for more input
   */
  constructor(
    head: RequestHead | null,
    takenBefore: Bytes,
    connection: { readonly client: Client; readonly socket: Duplex; readonly input: InputBuffer },
    context: ExchangeContext,
    onBodyRead: () => void,
  ) {
    this.client = connection.client;
    this.receivedAt = context.clock.now();
    this.id = context.nextId();
    this.headBytes = bytes(connection.input.taken - takenBefore);
    this.#input = connection.input;
    this.#takenBefore = takenBefore;
    this.#head = head;
    this.#context = context;
    this.#startedAt = context.clock.monotonic();
    this.#socket = connection.socket;
    if (head === null || head.target.form === 'authority') return;
    const decoder = bodyDecoder(head.framing, context.limits);
    if (decoder !== null) this.body = new ReceivedBody(decoder, connection.input, onBodyRead);
    this.request = new ReceivedRequest(head, head.target, this.body, this, this);
  }

  inform(request: Request, status: number, fields: Fields): void {
    if (this.#answered || request.version === '1.0' || status < 100 || status > 199 || status === 101) return;
    if (this.#socket.destroyed) return;
    if (status === 100) this.#continued = true;
    // A client that does not read loses the others: they are hints, and would have to be kept for it.
    else if (this.#socket.writableNeedDrain) return;
    try {
      const told = informationalHead(status, fields);
      this.#informed += told.length;
      this.#socket.write(told, 'latin1');
    } catch (error) {
      this.#context.logger.error(
        { code: 'informational-not-sent', error, id: this.id },
        'informational response not sent',
      );
    }
  }

  get record(): ExchangeRecord {
    return this;
  }

  /** Nothing is informed of from now on. */
  silence(): void {
    this.#answered = true;
  }

  /**
   * Whether the answer that is about to be sent is the last one on its connection (RFC 9112 §9.3), as far as its request
   * tells. The content of a request that nobody reads must not become the next request.
   */
  endsConnection(): boolean {
    if (this.#head?.persistent !== true) return true;
    const { body } = this;
    if (body === null || body.ended) return false;
    if (body.failed) return true;
    if (body.inUse) return false;
    // The client may or may not send the content that it has announced: what comes next could be either.
    if (this.#head.fields.has('expect') && !this.#continued) return true;
    if (body.remaining !== null) return body.remaining > DISCARD_BYTES;
    return !body.cancelled || body.discard()?.ended !== true;
  }

  /**
   * Drops what has arrived of content that nobody reads. @returns what is left of it: nothing, and the next request follows;
   * more, to be dropped when it arrives; or too much for that, or nobody knows how much
   */
  discard(): 'nothing' | 'more' | 'too much' {
    const result = this.body?.discard() ?? null;
    if (result === null) return 'too much';
    this.#discarded += result.dropped;
    if (result.ended) return 'nothing';
    return this.#discarded > DISCARD_BYTES ? 'too much' : 'more';
  }

  /** The answer to a request that was refused or whose handler failed. */
  refusal(error: unknown): Response {
    const { logger, observer } = this.#context;
    const known = asWillisError(error);
    try {
      const { client, receivedAt, id, record, request } = this;
      return observer.onRefused(known, { client, receivedAt, id, record, request });
    } catch (failure) {
      logger.error({ code: 'error-answer-failed', error: failure, id: this.id }, 'no error answer could be made');
      return bareResponse(known.kind.status);
    }
  }

  /** Frames the answer, or an error answer instead of one that cannot be sent. Nothing is informed of from now on. */
  prepare(response: Response, close: boolean): PreparedResponse {
    this.silence();
    try {
      return this.#framed(response, close);
    } catch (error) {
      response.body?.cancel();
      return this.#prepareInstead(this.refusal(error), close);
    }
  }

  /** The head of the answer is sent, and more is to come. */
  headSent(): void {
    this.#headSentAt = this.#context.clock.monotonic();
  }

  /** Nobody is there any more for this answer. */
  abandon(response: Response): void {
    response.body?.cancel();
    this.report(response, null, GONE);
  }

  /**
   * Tells how it went.
   * @param sender null if nothing of the answer was sent
   */
  report(response: Response, sender: ResponseSender | null, sent: Sent): void {
    const { client, receivedAt, id, record, request } = this;
    const { clock, observer, logger } = this.#context;
    const now = clock.monotonic();
    try {
      observer.onFinished(request, response, {
        client,
        receivedAt,
        id,
        record,
        bytesIn: bytes(this.#input.taken - this.#takenBefore),
        bytesOut: bytes(this.#informed + (sender?.sentBytes ?? 0)),
        contentOut: sender?.contentBytes ?? bytes(0),
        firstByteTime: sender && elapsedMonotonic(this.#startedAt, this.#headSentAt ?? now),
        duration: elapsedMonotonic(this.#startedAt, now),
        aborted: abortedBy(sent),
        failure: failureOf(sent),
      });
    } catch (error) {
      logger.error({ code: 'record-failed', error, id }, 'recording an exchange failed');
    }
    if (sent.kind !== 'complete') this.#warn(sent);
  }

  #warn(sent: Sent): void {
    const failure = failureOf(sent);
    if (failure === null) return;
    const { id } = this;
    const { code } = failure;
    const said = sent.kind === 'excess' ? 'was longer than announced' : 'broke off';
    this.#context.logger.warn({ code, error: failure, id }, `the content of a response ${said}`);
  }

  #prepareInstead(response: Response, close: boolean): PreparedResponse {
    try {
      return this.#framed(response, close);
    } catch (error) {
      this.#context.logger.error({ code: 'error-answer-failed', error, id: this.id }, 'error answer not sent');
      response.body?.cancel();
      return this.#framed(bareResponse(500), close);
    }
  }

  #framed(response: Response, close: boolean): PreparedResponse {
    const { method, version } = this.#head ?? UNKNOWN;
    return { response, frame: frameResponse(response, { method, version, close, clock: this.#context.clock }) };
  }
}

const culprits = { downstream: 'client', upstream: 'upstream', internal: 'node' } as const;

function abortedBy(sent: Sent): Aborted | null {
  switch (sent.kind) {
    case 'complete':
      return null;
    case 'gone':
      return 'client';
    case 'broken':
      return culprits[sent.error.kind.fault];
    case 'excess':
      return 'upstream';
  }
}

function failureOf(sent: Sent): WillisError | null {
  if (sent.kind === 'broken') return sent.error;
  return sent.kind === 'excess' ? new WillisError('upstream-malformed', 'more content than announced') : null;
}

/** Content that is read and dropped, so that a connection can be used again. */
const DISCARD_BYTES = bytes(262_144);

const GONE: Sent = { kind: 'gone' };

const UNKNOWN = { method: 'GET', version: '1.1' } as const;

const bareResponse = (status: number): Response => ({ status, reason: '', fields: Fields.none, body: null });
