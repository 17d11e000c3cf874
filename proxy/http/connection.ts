import type { Duplex } from 'node:stream';
import { bytes, type Bytes, type MonotonicMs } from '../../config/units.js';
import { asWillisError, WillisError } from '../base/errors.js';
import { ClientStream, type StreamUser, type Transport } from './client-stream.js';
import { Deadlines, type Awaited, type TimeLimits, type Watched } from './deadlines.js';
import { Exchange, type ExchangeContext, type PreparedResponse } from './exchange.js';
import type { InputBuffer } from './input-buffer.js';
import type { ListenerCounters } from './listener-counters.js';
import type { Client, Request, Response } from './message.js';
import { HeadReceiver, type HeadLimits, type RequestHead } from './receive.js';
import type { RequestHandler } from './request-handler.js';
import { ResponseSender, type Sent } from './send.js';

/** What the connections of a server have in common, until it is configured anew. */
export interface ConnectionContext extends ExchangeContext {
  readonly limits: HeadLimits & TimeLimits;
  readonly handler: RequestHandler;
  readonly counters: ListenerCounters;
}

/**
 * One client's connection: receives a request, has it answered, sends the answer, and so on, one at a time.
 *
 *     receiving ─▶ answering ─▶ discarding (what is left of the request's content) ─▶ receiving
 *         │            ├─▶ detached (a tunnel's)  │
 *         └────────────┴──────────────────────────┴─▶ closing (half-closed, input discarded) ─▶ closed
 */
export class Connection implements Watched, StreamUser {
  readonly client: Client;
  readonly socket: Duplex;
  readonly input: InputBuffer;
  readonly #stream: ClientStream;
  readonly #bytesSent: () => Bytes;
  readonly #onEnded: () => void;
  #context: ConnectionContext;
  readonly #heads: HeadReceiver;
  readonly #sender: ResponseSender;
  readonly #deadlines: Deadlines;
  #state: 'receiving' | 'answering' | 'discarding' | 'closing' | 'detached' | 'closed' = 'receiving';
  /** The last one begun. */
  #exchange: Exchange | null = null;
  #prepared: PreparedResponse | null = null;
  #advancing = false;
  #headBegun = false;
  #draining = false;
  #closeAfter = false;
  /** Of the input, when the head that is being received began. */
  #takenBefore: Bytes = bytes(0);

  constructor(transport: Transport, context: ConnectionContext) {
    const { socket, client, ownAuthority, reset, bytesSent, onEnded } = transport;
    this.socket = socket;
    this.client = client;
    this.#bytesSent = bytesSent;
    this.#onEnded = onEnded;
    this.#context = context;
    this.#heads = new HeadReceiver({ limits: context.limits, secure: client.secure, ownAuthority });
    this.#sender = new ResponseSender(socket, (sent) => this.#onSent(sent));
    this.#deadlines = new Deadlines(context.limits);
    this.#stream = new ClientStream(socket, reset, this);
    this.input = this.#stream.input;
  }

  /** The next request is answered by this; one under way ends as it began, but for the limits. */
  configure(context: ConnectionContext): void {
    this.#context = context;
    this.#heads.configure(context.limits);
    this.#deadlines.configure(context.limits);
  }

  get exchange(): Exchange | null {
    return this.#exchange;
  }

  get bytesReceived(): Bytes {
    return bytes(this.input.taken + this.input.length);
  }

  get bytesSent(): Bytes {
    return this.#bytesSent();
  }

  /** Ends the connection if it has been idle for a while, to make room for another one. @returns whether it did */
  giveWay(): boolean {
    const { destroyed, writableLength } = this.socket;
    if (destroyed || writableLength > 0 || this.#awaited() !== 'request' || !this.#deadlines.quiet) return false;
    this.socket.destroy();
    return true;
  }

  /** Ends the connection as soon as no request is under way. */
  drain(): void {
    this.#draining = true;
    if (this.#state === 'receiving' && this.input.length === 0) this.#close();
  }

  /** Enforces the time limits; to be called now and then. */
  sweep(now: MonotonicMs): void {
    const awaited = this.#awaited();
    const overdue = this.#deadlines.overdue(awaited, this, now);
    if (overdue === 'write') this.#giveUpWriting();
    else if (overdue === 'wait') this.#giveUpWaiting(awaited);
  }

  #awaited(): Awaited {
    switch (this.#state) {
      case 'receiving':
        if (this.#headBegun) return 'head';
        return this.input.length === 0 ? 'request' : 'nothing';
      case 'answering':
        if (this.#exchange?.body?.waiting === true) return 'content';
        return this.#stream.inputEnded && !this.#sender.busy ? 'half-closed client' : 'nothing';
      case 'discarding':
        return 'content';
      case 'closing':
        return 'its end';
      case 'detached':
      case 'closed':
        return 'nothing';
    }
  }

  /** A reset gives what the system still holds for such a client free. */
  #giveUpWriting(): void {
    this.#context.counters.timeouts.write++;
    this.#stream.break();
  }

  #giveUpWaiting(awaited: Awaited): void {
    const { timeouts } = this.#context.counters;
    if (awaited === 'head' || awaited === 'content') timeouts[awaited]++;
    else if (awaited === 'request') timeouts.idle++;
    const late = (what: string): WillisError => new WillisError('header-timeout', `the ${what} did not arrive in time`);
    if (this.#state === 'closing' || awaited === 'half-closed client') this.socket.destroy();
    else if (awaited === 'head') this.#refuse(late('head of the request'));
    else if (this.#state === 'answering') this.#exchange?.body?.fail(late('content of the request'));
    else this.#close();
  }

  onInput(): void {
    this.#deadlines.stir();
    if (this.#state === 'receiving') this.#advance();
    else if (this.#state === 'discarding') this.#discard();
    else this.#exchange?.body?.onInput();
    this.#regulate();
  }

  onInputEnd(): void {
    this.#deadlines.stir();
    if (this.#state === 'receiving') this.#advance();
    else if (this.#state === 'discarding') this.#close();
    else this.#exchange?.body?.fail(new WillisError('bad-request', 'the content of the request broke off'));
  }

  onDrain(): void {
    this.#sender.onDrain();
    if (this.#state === 'receiving') this.#advance();
  }

  onClosed(): void {
    const answering = this.#state === 'answering';
    this.#state = 'closed';
    if (answering) {
      const gone = new WillisError('client-gone', 'the client closed the connection');
      this.#exchange?.request?.cancel(gone);
      this.#exchange?.body?.fail(gone);
      this.#sender.abandon(gone);
    }
    this.#onEnded();
  }

  readonly #onBodyRead = (): void => {
    if (this.#exchange?.body?.waiting === true) this.#deadlines.stir();
    this.#regulate();
  };

  /** Begins the requests that have arrived, one after the other, as long as each is answered at once. */
  #advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    let left = MOST_IN_A_TURN;
    while (this.#receiving && this.input.length > 0 && !this.socket.writableNeedDrain) {
      if (left-- === 0) {
        this.#letOthersThrough();
        return;
      }
      if (!this.#receive()) break;
    }
    this.#advancing = false;
    if (this.#receiving && this.input.length === 0 && (this.#stream.inputEnded || this.#draining)) this.#close();
    this.#regulate();
  }

  #letOthersThrough(): void {
    this.#regulate();
    setImmediate(() => {
      this.#advancing = false;
      if (this.#receiving) this.#advance();
    });
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
      if (head === null && this.#stream.inputEnded && this.input.length > 0) {
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
    this.input.skip(this.input.length);
    const exchange = this.#startExchange(null);
    this.#answer(exchange, exchange.refusal(error));
  }

  #startExchange(head: RequestHead | null): Exchange {
    this.#state = 'answering';
    this.#headBegun = false;
    this.#deadlines.headEnded();
    const exchange = new Exchange(head, this.#takenBefore, this, this.#context, this.#onBodyRead);
    this.#exchange = exchange;
    if (this.#stream.inputEnded)
      exchange.body?.fail(new WillisError('bad-request', 'the content of the request broke off'));
    return exchange;
  }

  #begin(head: RequestHead): void {
    const exchange = this.#startExchange(head);
    const { request } = exchange;
    if (request === null) this.#openTunnel(exchange, head);
    else if (!head.webSocket || !this.#offerUpgrade(request)) this.#ask(exchange, request);
  }

  #openTunnel({ client, receivedAt, id, record }: Exchange, { version, fields, target }: RequestHead): void {
    if (target.form !== 'authority') return;
    const authority = { host: target.host, port: target.port };
    const request = { authority, version, fields, client, receivedAt, id, record };
    this.#handOver((rest) => {
      this.#context.handler.connect(request, this.socket, rest);
      return true;
    });
  }

  #offerUpgrade(request: Request): boolean {
    return this.#handOver((rest) => this.#context.handler.upgrade(request, this.socket, rest));
  }

  /** Offers the connection to somebody else. @returns whether it was taken */
  #handOver(offer: (rest: Buffer) => boolean): boolean {
    this.#state = 'detached';
    try {
      if (!this.#stream.handOver(offer)) {
        this.#state = 'answering';
        return false;
      }
    } catch (error) {
      this.#context.logger.error(
        { code: 'takeover-failed', error, id: this.#exchange?.id },
        'taking a connection over failed',
      );
      this.socket.destroy();
    }
    this.#exchange?.silence();
    this.#onEnded();
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
      exchange.abandon(response);
      return;
    }
    const lastInput = this.#stream.inputEnded && this.input.length === 0;
    this.#closeAfter = exchange.endsConnection() || this.#draining || lastInput;
    const prepared = exchange.prepare(response, this.#closeAfter);
    this.#prepared = prepared;
    this.#sender.send(prepared.frame, prepared.response.body);
    if (this.#sender.busy) exchange.headSent();
  }

  #onSent(sent: Sent): void {
    const exchange = this.#exchange as Exchange;
    const { response, frame } = this.#prepared as PreparedResponse;
    this.#deadlines.stir();
    // what fails before a byte of it is sent, and is not itself the answer to a failure, can still be answered for
    if (sent.kind === 'broken' && this.#sender.sentBytes === 0 && response.note?.error === undefined) {
      this.#answer(exchange, exchange.refusal(sent.error));
      return;
    }
    exchange.report(response, this.#sender, sent);
    if (sent.kind === 'complete') this.#goOn(exchange, frame.content === 'close');
    else if (sent.kind === 'broken') this.#break(frame.content === 'close');
    else if (sent.kind === 'excess') this.#close();
  }

  #goOn(exchange: Exchange, endedByClose: boolean): void {
    this.#prepared = null;
    const { body } = exchange;
    if (this.#closeAfter || endedByClose) this.#close();
    else if (body === null || body.ended) this.#receiveNext();
    else {
      this.#state = 'discarding';
      this.#discard();
    }
  }

  #receiveNext(): void {
    this.#state = 'receiving';
    this.#advance();
  }

  #discard(): void {
    const left = this.#exchange?.discard();
    if (left === 'nothing') this.#receiveNext();
    else if (left !== 'more' || this.#stream.inputEnded) this.#close();
  }

  #regulate(): void {
    const idle = this.#state === 'receiving' && !this.#advancing && !this.socket.writableNeedDrain;
    this.#stream.regulate(idle || this.#exchange?.body?.waiting === true);
  }

  #close(): void {
    if (this.#state === 'closed' || this.#state === 'closing') return;
    this.#state = 'closing';
    this.#stream.end();
  }

  /** Ends the connection so that a response that broke off cannot be taken for a whole one. */
  #break(endedByClose: boolean): void {
    if (endedByClose) this.#stream.break();
    else this.socket.destroy();
  }
}

/** Requests that one client may have sent at once and that are answered before anybody else's. */
const MOST_IN_A_TURN = 16;
