import type { Socket } from 'node:net';
import { milliseconds, type Milliseconds } from '../../config/units.js';
import type { CancellationListener } from '../base/cancellation.js';
import { asWillisError, WillisError } from '../base/errors.js';
import type { Counter } from '../base/metrics.js';
import { bytesSent } from '../http/bytes-sent.js';
import { Fields } from '../http/fields.js';
import { InputBuffer } from '../http/input-buffer.js';
import { permittedTrailers } from '../http/trailers.js';
import { ResponseBody, type BodySource } from './response-body.js';
import { contentOf, malformed, ResponseReceiver, type ResponseHead } from './response-receiver.js';
import { OriginExchange } from './origin-exchange.js';
import { requestHead } from './request-head.js';
import { Silence } from './silence.js';
import { Upload } from './upload.js';
import { wasReset } from './was-reset.js';
import type { ForwardOptions, IncomingResponse, OutgoingRequest } from './upstream.js';

export interface ConnectionTimeouts {
  /** Longest silence of the origin server until the head of its response; interim responses break it. */
  readonly firstByteTimeout: Milliseconds;
  /** Longest silence within a body that somebody waits for. */
  readonly bodyTimeout: Milliseconds;
  /** How long an idle connection is kept; 0: it carries one request. */
  readonly keepAlive: Milliseconds;
  /** How long the origin server may keep an expectant client waiting (RFC 9110 §10.1.1). */
  readonly continueTimeout: Milliseconds;
}

/** Counts of bytes, in either direction. */
export type Traffic = Readonly<Record<'sent' | 'received', Counter>>;

/** More interim responses than any origin server has use for. */
const mostInterim = 64;

/**
 * One HTTP/1.1 connection to an origin server: one exchange after the other, never two at a time, and none after
 * anything was out of order on it.
 *
 *     send ─▶ head, content ─▶ socket ─▶ interim… ─▶ head ─▶ content ─▶ idle, or closed
 */
export class OriginConnection implements BodySource, CancellationListener {
  /** Exchanges begun so far. */
  uses = 0;
  closed = false;
  /** Whether any byte has come since the last exchange began. */
  answered = false;
  /** Set by the owner; called once each time the connection can be used again, and once when it is of no more use. */
  onIdle: (() => void) | undefined;
  onClosed: (() => void) | undefined;
  readonly #socket: Socket;
  readonly #timeouts: ConnectionTimeouts;
  readonly #traffic: Traffic;
  readonly #input = new InputBuffer();
  readonly #receiver = new ResponseReceiver();
  readonly #silence: Silence;
  #exchange: OriginExchange | null = null;
  #inputEnded = false;

  /** Owns the socket from here on. */
  constructor(socket: Socket, timeouts: ConnectionTimeouts, traffic: Traffic) {
    this.#socket = socket;
    this.#traffic = traffic;
    this.#timeouts = timeouts;
    const { firstByteTimeout, bodyTimeout, keepAlive } = timeouts;
    const shortest = milliseconds(Math.min(firstByteTimeout, bodyTimeout, keepAlive > 0 ? keepAlive : Infinity));
    this.#silence = new Silence(
      () => bytesSent(socket),
      shortest,
      () => this.#onTimeout(),
    );
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd());
    socket.on('error', (error) => this.#fail(broken(error.message, error)));
    socket.on('close', () => this.#fail(broken('the connection was closed')));
  }

  /**
   * Sends a request; resolves with the head of the final response.
   * @throws WillisError upstream-reset, -timeout, -malformed; client-gone when the signal gave up
   */
  send(request: OutgoingRequest, options: ForwardOptions): Promise<IncomingResponse> {
    this.uses++;
    this.answered = false;
    const { cancellation } = options;
    // either may have come between the acquisition of this connection and its use, unheard
    if (cancellation.cancelled) this.close();
    if (this.closed) return Promise.reject(cancellation.cancelled ? givenUp() : broken('it was closed before'));
    return new Promise((resolve, reject) => {
      const upload =
        request.body === null || request.body.length === 0
          ? null
          : new Upload(this.#socket, request.body, this.#traffic.sent);
      const exchange = new OriginExchange(request, options, upload, resolve, reject);
      this.#exchange = exchange;
      cancellation.add(this);
      this.#silence.limit(this.#timeouts.firstByteTimeout);
      const head = requestHead(request, this.#timeouts.keepAlive <= 0);
      this.#traffic.sent.add(head.length);
      this.#socket.write(head, 'latin1');
      if (upload !== null) {
        exchange.beginUpload(this.#timeouts.continueTimeout, (error) => {
          if (this.#exchange === exchange) this.#fail(asWillisError(error));
        });
      }
    });
  }

  /** Ends the connection at once, and the exchange on it. Idempotent. */
  close(): void {
    this.#fail(broken('the connection was closed'));
  }

  /** The exchange is given up before the head of its response has come. */
  onCancelled(): void {
    this.#fail(givenUp());
  }

  // ── what the body that is being received asks for ──────────────────────────────────────────────────────────────────

  resume(body: ResponseBody): void {
    if (this.#exchange?.body !== body) return;
    this.#socket.resume();
    this.#proceed();
  }

  awaited(body: ResponseBody): void {
    if (this.#exchange?.body === body) this.#silence.broken();
  }

  abandon(body: ResponseBody): void {
    if (this.#exchange?.body === body) this.close();
  }

  // ── receiving ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #onData(chunk: Buffer): void {
    this.#traffic.received.add(chunk.length);
    if (this.#exchange === null) {
      this.#fail(malformed('bytes that belong to no response'));
      return;
    }
    this.answered = true;
    this.#silence.broken();
    this.#input.append(chunk);
    this.#proceed();
  }

  /** Takes in what is at hand, as far as the reader has room. */
  #proceed(): void {
    try {
      for (let exchange = this.#exchange; exchange !== null; exchange = this.#exchange) {
        const more = exchange.headReceived ? this.#receiveContent(exchange) : this.#receiveHead(exchange);
        if (!more) return;
      }
    } catch (error) {
      const { code, message } = asWillisError(error);
      this.#fail(code === 'bad-request' || code === 'fields-too-large' ? malformed(message) : asWillisError(error));
    }
  }

  /** @returns whether to go on */
  #receiveHead(exchange: OriginExchange): boolean {
    const head = this.#receiver.receive(this.#input);
    if (head === null) return false;
    if (head.status < 200) this.#receiveInterim(exchange, head);
    else this.#receiveFinal(exchange, head);
    return true;
  }

  #receiveInterim(exchange: OriginExchange, head: ResponseHead): void {
    if (head.status === 101) throw malformed('101 (Switching Protocols) was not asked for');
    if (++exchange.interim > mostInterim) throw malformed(`more than ${mostInterim} interim responses`);
    if (head.status === 100) exchange.continue();
    else exchange.options.onInformational?.(head.status, head.fields);
  }

  #receiveFinal(exchange: OriginExchange, head: ResponseHead): void {
    const { decoder, untilClose, persistent } = contentOf(exchange.request.method, head);
    exchange.endWaiting();
    exchange.options.cancellation.remove(this);
    exchange.headReceived = true;
    exchange.decoder = decoder;
    exchange.untilClose = untilClose;
    exchange.persistent = persistent;
    if (decoder !== null) {
      exchange.body = new ResponseBody(decoder.remaining, this);
      this.#silence.limit(this.#timeouts.bodyTimeout);
    }
    const { status, reason, version, fields } = head;
    const { body } = exchange;
    if (decoder === null) this.#contentEnded(exchange, Fields.none);
    exchange.resolve({ status, reason, version, fields, body });
  }

  #receiveContent({ body, decoder }: OriginExchange): boolean {
    if (body === null || decoder === null) return false;
    if (!body.hasRoom && decoder.remaining !== 0 && !this.#inputEnded) {
      this.#socket.pause();
      return false;
    }
    const chunk = decoder.next(this.#input);
    if (chunk === 'more') return false;
    if (chunk !== 'end') body.push(chunk);
    else if (this.#exchange !== null) this.#contentEnded(this.#exchange, permittedTrailers(decoder.trailers));
    return true;
  }

  /** The response is complete; the exchange is, when the request is. */
  #contentEnded(exchange: OriginExchange, trailers: Fields): void {
    exchange.decoder = null;
    const { body, upload } = exchange;
    // an answer that did not wait for the content leaves the connection in the middle of it
    if (upload === null || upload.complete) this.#finish(exchange);
    else this.#close(exchange);
    body?.end(trailers);
  }

  /** Whether something came behind the response, be it the end. */
  get #hasMore(): boolean {
    return this.#input.length > 0 || this.#inputEnded;
  }

  #finish(exchange: OriginExchange): void {
    if (this.#exchange !== exchange) return;
    const reusable = exchange.persistent && !this.#hasMore && this.#timeouts.keepAlive > 0;
    if (!reusable) {
      this.#close(exchange);
      return;
    }
    this.#settle(exchange);
    this.#socket.resume();
    this.#silence.limit(this.#timeouts.keepAlive);
    this.onIdle?.();
  }

  // ── ends ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  #onEnd(): void {
    this.#inputEnded = true;
    // what a full reader has held back is little, and all that there will be
    this.#proceed();
    const exchange = this.#exchange;
    if (exchange?.untilClose === true && !wasReset(this.#socket)) {
      this.#close(exchange);
      exchange.body?.end(Fields.none);
    } else this.#fail(broken('the connection was closed'));
  }

  #onTimeout(): void {
    const exchange = this.#exchange;
    if (exchange === null) this.close();
    else if (exchange.upload?.waits === true) this.#silence.broken();
    else if (!exchange.headReceived) this.#fail(new WillisError('upstream-timeout', 'no response'));
    else if (exchange.body?.isRead === true) this.#fail(new WillisError('upstream-timeout', 'the body stalled'));
    // neither a client that is slow to send nor one that is slow to read is the origin server's fault
    else this.#silence.broken();
  }

  #fail(error: WillisError): void {
    const exchange = this.#exchange;
    if (exchange !== null) {
      const incomplete = error.code === 'upstream-reset' && exchange.headReceived;
      const failure = incomplete
        ? new WillisError('upstream-incomplete', error.message, { cause: error.cause })
        : error;
      exchange.reject(failure);
      exchange.body?.fail(failure);
    }
    this.#close(exchange);
  }

  #close(exchange: OriginExchange | null): void {
    if (exchange !== null) this.#settle(exchange);
    if (this.closed) return;
    this.closed = true;
    this.#silence.end();
    this.#socket.destroy();
    this.onClosed?.();
  }

  #settle(exchange: OriginExchange): void {
    exchange.endWaiting();
    if (!exchange.headReceived) exchange.options.cancellation.remove(this);
    exchange.upload?.stop();
    this.#exchange = null;
  }
}

const givenUp = (): WillisError => new WillisError('client-gone', 'given up');

const broken = (detail: string, cause?: unknown): WillisError => new WillisError('upstream-reset', detail, { cause });
