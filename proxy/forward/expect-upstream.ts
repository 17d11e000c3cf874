import { request as requestOver, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Milliseconds } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import { Fields } from '../http/fields.js';
import { permittedTrailers } from '../http/trailers.js';
import { answerError } from './answer-error.js';
import { Deadline } from './deadline.js';
import type { ExchangeTimeouts } from './exchange.js';
import { headLimit, OriginStream } from './origin-stream.js';
import { isRequestField } from './request-fields.js';
import { contentOf } from './response-head.js';
import { TimedBody } from './timed-body.js';
import { Upload } from './upload.js';
import type { ForwardOptions, IncomingResponse, OutgoingRequest } from './upstream.js';

export interface ExpectOptions extends ExchangeTimeouts {
  /** After this silence the body is sent all the same (RFC 9110 §10.1.1: no indefinite wait). */
  readonly continueTimeout: Milliseconds;
  readonly dial: () => Promise<Socket>;
  /** Called once, when the response is complete or will never be. */
  readonly onFinished: () => void;
}

/**
 * Sends a request that the other parser refuses: with `Expect: 100-continue`, or `OPTIONS *`. It has a connection of its
 * own. An expectant client's body is read only when the origin server asks for it, or has kept silent too long; if the
 * final response comes first, the body is left untouched.
 */
export async function forwardExpecting(
  request: OutgoingRequest,
  options: ForwardOptions,
  settings: ExpectOptions,
): Promise<IncomingResponse> {
  const socket = await settings.dial();
  return new ExpectExchange(request, options, settings, new OriginStream(socket, { passContinue: true })).response;
}

class ExpectExchange {
  readonly response: Promise<IncomingResponse>;
  readonly #request: OutgoingRequest;
  readonly #options: ForwardOptions;
  readonly #settings: ExpectOptions;
  readonly #stream: OriginStream;
  readonly #message: ClientRequest;
  readonly #headDeadline: Deadline;
  readonly #continueDeadline: Deadline;
  readonly #upload: Upload | null;
  #resolve!: (response: IncomingResponse) => void;
  #reject!: (error: Error) => void;
  #content: TimedBody | undefined;
  #answered = false;
  #finished = false;
  #sending = false;

  constructor(request: OutgoingRequest, options: ForwardOptions, settings: ExpectOptions, stream: OriginStream) {
    this.#request = request;
    this.#options = options;
    this.#settings = settings;
    this.#stream = stream;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#headDeadline = new Deadline(settings.firstByteTimeout, () =>
      this.#fail(new WillisError('upstream-timeout', 'no response')),
    );
    this.#continueDeadline = new Deadline(settings.continueTimeout, () => void this.#send());
    this.#upload = request.body === null ? null : new Upload(request.body, this.#headDeadline);
    stream.begin();
    stream.on('error', (error) => this.#fail(error));
    stream.once('close', () => this.#fail(new WillisError('upstream-reset', 'the connection was closed')));
    this.#message = this.#createMessage();
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (options.signal.aborted) this.#onAbort();
  }

  #createMessage(): ClientRequest {
    const { method, target, body } = this.#request;
    const message = requestOver({
      method,
      path: target.path,
      headers: headersOf(this.#request) as never,
      createConnection: () => this.#stream as unknown as Socket,
      maxHeaderSize: headLimit,
      insecureHTTPParser: false,
    });
    message.maxHeadersCount = 0;
    message.on('error', (error) => this.#fail(this.#stream.errored ?? error));
    message.on('information', ({ statusCode, rawHeaders }) => this.#inform(statusCode, new Fields(rawHeaders)));
    message.on('response', (response: IncomingMessage) => {
      try {
        this.#receive(response);
      } catch (error) {
        this.#fail(error as Error);
      }
    });
    this.#headDeadline.start();
    if (body === null || body.length === 0) message.end();
    else if (this.#request.expectContinue === true) this.#continueDeadline.start();
    else void this.#send();
    return message;
  }

  #inform(status: number, fields: Fields): void {
    if (this.#finished || this.#answered) return;
    this.#headDeadline.start();
    const asked = this.#request.expectContinue === true && !this.#sending;
    if (status !== 100) this.#options.onInformational?.(status, fields);
    else if (asked) {
      this.#options.onInformational?.(100, Fields.none);
      void this.#send();
    }
  }

  #receive(response: IncomingMessage): void {
    this.#continueDeadline.end();
    const fields = new Fields(response.rawHeaders);
    const head = { status: response.statusCode ?? 0, reason: response.statusMessage ?? '', fields, version: this.#stream.version };
    const content = contentOf(this.#request.method, head);
    this.#answered = true;
    this.#headDeadline.stop();
    if (content.kind === 'some') {
      const { bodyTimeout } = this.#settings;
      this.#content = new TimedBody(content.length, bodyTimeout, this.#stream, (error) => this.#fail(error));
    }
    response.on('data', (chunk: Buffer) => this.#content?.append(chunk));
    response.on('error', (error) => this.#fail(this.#stream.errored ?? error));
    response.on('end', () => this.#end(response));
    this.#resolve({ status: head.status, reason: head.reason, fields, body: this.#content?.body ?? null });
  }

  #end(response: IncomingMessage): void {
    const broken = this.#stream.errored;
    if (broken !== null || !response.complete) {
      this.#fail(broken ?? new WillisError('upstream-reset', 'the connection was closed'));
      return;
    }
    this.#content?.end(permittedTrailers(new Fields(response.rawTrailers)));
    this.#finish();
  }

  /** Sends the body, once. */
  async #send(): Promise<void> {
    if (this.#sending || this.#finished || this.#answered || this.#upload === null) return;
    this.#sending = true;
    this.#continueDeadline.end();
    try {
      for await (const chunk of this.#upload) {
        if (this.#finished) return;
        if (!this.#message.write(chunk)) await this.#drained();
      }
      this.#message.end();
      if (!this.#answered) this.#headDeadline.start();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#message.once('drain', resolve);
      this.#message.once('close', resolve);
    });
  }

  readonly #onAbort = (): void => {
    const { reason } = this.#options.signal as { reason: unknown };
    this.#fail(reason instanceof WillisError ? reason : new WillisError('client-gone', 'given up', { cause: reason }));
  };

  #fail(error: Error): void {
    if (this.#finished) return;
    const failure = answerError(error, this.#answered ? 'body' : 'head');
    this.#reject(failure);
    this.#content?.fail(failure);
    this.#finish();
  }

  #finish(): void {
    this.#finished = true;
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    for (const deadline of [this.#headDeadline, this.#continueDeadline]) deadline.end();
    this.#upload?.end();
    this.#stream.destroy();
    this.#settings.onFinished();
  }
}

function headersOf({ fields, body, expectContinue }: OutgoingRequest): string[] {
  const headers = ['Connection', 'close', ...fields.filter((name) => isRequestField(name)).lines];
  if (body === null) return headers;
  if (body.length === null) headers.push('Transfer-Encoding', 'chunked');
  else headers.push('Content-Length', String(body.length));
  if (expectContinue === true && body.length !== 0) headers.push('Expect', '100-continue');
  return headers;
}
