import type { Duplex } from 'node:stream';
import { bytes, type Bytes, type MonotonicMs } from '../../config/units.js';
import { asWillisError, WillisError } from '../base/errors.js';
import { Deadlines, type Awaited, type TimeLimits } from './deadlines.js';
import { DISCARD_BYTES, Exchange, type ExchangeContext, type PreparedResponse } from './exchange.js';
import { InputBuffer } from './input-buffer.js';
import type { Client, Request, Response } from './message.js';
import { HeadReceiver, type HeadLimits, type RequestHead } from './receive.js';
import type { RequestHandler } from './request-handler.js';
import { ResponseSender, type Sent } from './send.js';

/** A connection as it was accepted. */
export interface Transport {
  readonly socket: Duplex;
  readonly client: Client;
  /** Authority of this server by its address, for HTTP/1.0 requests without `Host`. */
  readonly ownAuthority: string;
  /** Closes the connection by a TCP reset. */
  readonly reset: () => void;
}

/** What the connections of a server have in common. */
export interface ConnectionContext extends ExchangeContext {
  readonly limits: HeadLimits & TimeLimits;
  readonly handler: RequestHandler;
  /** The connection is closed, or somebody else's. */
  readonly onEnded: (connection: Connection) => void;
}

/**
 * One client's connection: receives a request, has it answered, sends the answer, and so on, one at a time.
 *
 *     receiving ─▶ answering ─▶ discarding (what is left of the request's content) ─▶ receiving
 *         │            ├─▶ detached (a tunnel's)  │
 *         └────────────┴──────────────────────────┴─▶ closing (half-closed, input discarded) ─▶ closed
 */
export class Connection {
  readonly client: Client;
  readonly socket: Duplex;
  readonly input = new InputBuffer();
  readonly #reset: () => void;
  readonly #context: ConnectionContext;
  readonly #heads: HeadReceiver;
  readonly #sender: ResponseSender;
  readonly #deadlines: Deadlines;
  #state: 'receiving' | 'answering' | 'discarding' | 'closing' | 'detached' | 'closed' = 'receiving';
  /** The last one begun. */
  #exchange: Exchange | null = null;
  #prepared: PreparedResponse | null = null;
  #advancing = false;
  #headBegun = false;
  #paused = false;
  #inputEnded = false;
  #draining = false;
  #closeAfter = false;
  #takenBefore: Bytes = bytes(0);
  #discarded = 0;

  constructor({ socket, client, ownAuthority, reset }: Transport, context: ConnectionContext) {
    this.socket = socket;
    this.client = client;
    this.#reset = reset;
    this.#context = context;
    this.#heads = new HeadReceiver({ limits: context.limits, secure: client.secure, ownAuthority });
    this.#sender = new ResponseSender(socket, (sent) => this.#onSent(sent));
    this.#deadlines = new Deadlines(context.limits);
    this.#attach();
  }

  /** Ends the connection as soon as no request is under way. */
  drain(): void {
    this.#draining = true;
    if (this.#state === 'receiving' && this.input.length === 0) this.#close();
  }

  /** Enforces the time limits; to be called now and then. */
  sweep(now: MonotonicMs): void {
    const awaited = this.#awaited();
    const overdue = this.#deadlines.overdue(awaited, this.socket, now);
    if (overdue === 'write') this.#break();
    else if (overdue === 'wait') this.#giveUpWaiting(awaited);
  }

  #awaited(): Awaited {
    switch (this.#state) {
      case 'receiving':
        if (this.#headBegun) return 'head';
        return this.input.length === 0 ? 'request' : 'nothing';
      case 'answering':
        if (this.#exchange?.body?.waiting === true) return 'content';
        return this.#inputEnded && !this.#sender.busy ? 'half-closed client' : 'nothing';
      case 'discarding':
        return 'content';
      case 'closing':
        return 'its end';
      case 'detached':
      case 'closed':
        return 'nothing';
    }
  }

  #giveUpWaiting(awaited: Awaited): void {
    const late = (what: string): WillisError => new WillisError('header-timeout', `the ${what} did not arrive in time`);
    if (this.#state === 'closing' || awaited === 'half-closed client') this.socket.destroy();
    else if (awaited === 'head') this.#refuse(late('head of the request'));
    else if (this.#state === 'answering') this.#exchange?.body?.fail(late('content of the request'));
    else this.#close();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#deadlines.stir();
    if (this.#state === 'closing') {
      this.#discarded += chunk.length;
      if (this.#discarded > LINGER_BYTES) this.socket.destroy();
      return;
    }
    this.input.append(chunk);
    if (this.#state === 'receiving') this.#advance();
    else if (this.#state === 'discarding') this.#discard();
    else this.#exchange?.body?.onInput();
    this.#regulate();
  };

  readonly #onEnd = (): void => {
    this.#inputEnded = true;
    this.#deadlines.stir();
    if (this.#state === 'receiving') this.#advance();
    else if (this.#state === 'discarding') this.#close();
    else this.#exchange?.body?.fail(new WillisError('bad-request', 'the content of the request broke off'));
  };

  readonly #onDrain = (): void => {
    this.#sender.onDrain();
    if (this.#state === 'receiving') this.#advance();
  };

  readonly #onClose = (): void => {
    const answering = this.#state === 'answering';
    this.#state = 'closed';
    if (answering) {
      const gone = new WillisError('client-gone', 'the client closed the connection');
      this.#exchange?.request?.abort(gone);
      this.#exchange?.body?.fail(gone);
      this.#sender.abandon(gone);
    }
    this.#context.onEnded(this);
  };

  readonly #onBodyRead = (): void => {
    if (this.#exchange?.body?.waiting === true) this.#deadlines.stir();
    this.#regulate();
  };

  #attach(): void {
    this.socket.on('data', this.#onData).on('end', this.#onEnd).on('drain', this.#onDrain).on('close', this.#onClose);
  }

  #detach(): void {
    this.socket.pause();
    this.socket
      .off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('drain', this.#onDrain)
      .off('close', this.#onClose);
    this.#state = 'detached';
  }

  /** Begins the requests that have arrived, one after the other, as long as each is answered at once. */
  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    while (this.#receiving && this.input.length > 0 && !this.socket.writableNeedDrain) {
      if (!this.#receive()) break;
    }
    this.#advancing = false;
    if (this.#receiving && this.input.length === 0 && (this.#inputEnded || this.#draining)) this.#close();
    this.#regulate();
  }

  get #receiving(): boolean {
    return this.#state === 'receiving';
  }

  /** @returns false if no complete head is there */
  #receive(): boolean {
    this.#takenBefore = this.input.taken;
    let head: RequestHead | null;
    try {
      head = this.#heads.receive(this.input);
      if (head === null && this.#inputEnded && this.input.length > 0) {
        throw new WillisError('bad-request', 'the head of the request broke off');
      }
    } catch (error) {
      this.#refuse(asWillisError(error));
      return false;
    }
    this.#headBegun = head === null && this.input.length > 0;
    if (head !== null) this.#begin(head);
    else if (this.#headBegun) this.#deadlines.headBegun(this.#context.clock);
    return head !== null;
  }

  /** Answers what cannot be understood, and ends the connection: where the next request begins is unknown. */
  #refuse(error: WillisError): void {
    const exchange = this.#startExchange(null);
    this.#answer(exchange, exchange.refusal(error));
  }

  #startExchange(head: RequestHead | null): Exchange {
    this.#state = 'answering';
    this.#headBegun = false;
    this.#deadlines.headEnded();
    const exchange = new Exchange(head, this, this.#context, this.#onBodyRead);
    this.#exchange = exchange;
    if (this.#inputEnded) exchange.body?.fail(new WillisError('bad-request', 'the content of the request broke off'));
    return exchange;
  }

  #begin(head: RequestHead): void {
    const exchange = this.#startExchange(head);
    const { request } = exchange;
    if (request === null) this.#openTunnel(exchange, head);
    else if (!head.webSocket || !this.#offerUpgrade(request)) this.#ask(exchange, request);
  }

  #openTunnel({ client, receivedAt, id }: Exchange, { version, fields, target }: RequestHead): void {
    if (target.form !== 'authority') return;
    const authority = { host: target.host, port: target.port };
    const request = { authority, version, fields, client, receivedAt, id };
    this.#handOver((rest) => {
      this.#context.handler.connect(request, this.socket, rest);
      return true;
    });
  }

  #offerUpgrade(request: Request): boolean {
    if (this.#handOver((rest) => this.#context.handler.upgrade(request, this.socket, rest))) return true;
    this.#state = 'answering';
    this.#attach();
    if (!this.#paused) this.socket.resume();
    return false;
  }

  /** Detaches from the socket and offers it, and what was received, to somebody else. @returns whether it was taken */
  #handOver(offer: (rest: Buffer) => boolean): boolean {
    this.#detach();
    const rest = this.input.take(this.input.length);
    try {
      if (!offer(rest)) {
        this.input.append(rest);
        return false;
      }
    } catch (error) {
      this.#context.logger.error({ error, id: this.#exchange?.id }, 'taking a connection over failed');
      this.socket.destroy();
    }
    this.#exchange?.silence();
    this.#context.onEnded(this);
    return true;
  }

  #ask(exchange: Exchange, request: Request): void {
    let answer: Response | Promise<Response>;
    try {
      answer = this.#context.handler.request(request);
    } catch (error) {
      answer = exchange.refusal(error);
    }
    if (!(answer instanceof Promise)) {
      this.#answer(exchange, answer);
      return;
    }
    answer.then(
      (response) => this.#answer(exchange, response),
      (error: unknown) => this.#answer(exchange, exchange.refusal(error)),
    );
  }

  #answer(exchange: Exchange, response: Response): void {
    if (this.#state !== 'answering') {
      response.body?.cancel();
      exchange.report(response, this.#bytesIn(), bytes(0), true);
      return;
    }
    const lastInput = this.#inputEnded && this.input.length === 0;
    this.#closeAfter = exchange.endsConnection() || this.#draining || lastInput;
    const prepared = exchange.prepare(response, this.#closeAfter);
    this.#prepared = prepared;
    this.#sender.send(prepared.frame, prepared.response.body);
  }

  #bytesIn(): Bytes {
    return bytes(this.input.taken - this.#takenBefore);
  }

  #onSent(sent: Sent): void {
    const exchange = this.#exchange as Exchange;
    const { response, frame } = this.#prepared as PreparedResponse;
    const { logger } = this.#context;
    this.#deadlines.stir();
    exchange.report(response, this.#bytesIn(), this.#sender.sentBytes, sent.kind !== 'complete');
    if (sent.kind === 'complete') this.#goOn(exchange, frame.content === 'close');
    else if (sent.kind === 'broken') {
      logger.warn({ error: sent.error, id: exchange.id }, 'the content of a response broke off');
      this.#break();
    } else if (sent.kind === 'excess') {
      logger.warn({ id: exchange.id }, 'the content of a response was longer than announced');
      this.#close();
    }
  }

  #goOn(exchange: Exchange, endedByClose: boolean): void {
    this.#prepared = null;
    const { body } = exchange;
    if (this.#closeAfter || endedByClose) this.#close();
    else if (body === null || body.ended) this.#receiveNext();
    else {
      this.#state = 'discarding';
      this.#discarded = 0;
      this.#discard();
    }
  }

  #receiveNext(): void {
    this.#state = 'receiving';
    this.#advance();
  }

  #discard(): void {
    const result = this.#exchange?.body?.discard();
    if (result == null) {
      this.#close();
      return;
    }
    this.#discarded += result.dropped;
    if (result.ended) this.#receiveNext();
    else if (this.#inputEnded || this.#discarded > DISCARD_BYTES) this.#close();
  }

  /** Stops reading while enough is buffered that nobody waits for. */
  #regulate(): void {
    const idle = this.#state === 'receiving' && !this.socket.writableNeedDrain;
    const wanted = idle || this.#state === 'closing' || this.#exchange?.body?.waiting === true;
    const full = this.input.length >= READ_AHEAD && !wanted;
    if (full === this.#paused || this.#state === 'detached') return;
    this.#paused = full;
    if (full) this.socket.pause();
    else this.socket.resume();
  }

  /** Ends this side, and gives the client time to read what was sent: a reset would take it away (RFC 9112 §9.6). */
  #close(): void {
    if (this.#state === 'closed' || this.#state === 'closing') return;
    this.#state = 'closing';
    this.#discarded = 0;
    this.input.skip(this.input.length);
    this.#regulate();
    this.socket.end();
  }

  /** Ends the connection so that a response that broke off cannot be taken for a whole one. */
  #break(): void {
    if (this.#prepared?.frame.content === 'close') this.#reset();
    this.socket.destroy();
  }
}

/** Input kept for the handler, or for the next requests. */
const READ_AHEAD = 65_536;
/** Input discarded behind the last answer. */
const LINGER_BYTES = 1_048_576;
