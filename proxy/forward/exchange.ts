import type { Milliseconds } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import { Fields, trimOws } from '../http/fields.js';
import { permittedTrailers } from '../http/trailers.js';
import { answerError } from './answer-error.js';
import { Deadline } from './deadline.js';
import type { OriginStream } from './origin-stream.js';
import { contentOf } from './response-head.js';
import { TimedBody } from './timed-body.js';
import { Upload } from './upload.js';
import type { ForwardOptions, IncomingResponse, OutgoingRequest } from './upstream.js';

export interface ExchangeTimeouts {
  /** Longest silence of the origin server until the head of its response; interim responses break it. */
  readonly firstByteTimeout: Milliseconds;
  /** Longest silence within a body. */
  readonly bodyTimeout: Milliseconds;
}

/** What an exchange needs of the parser that drives it; the names are the parser's. */
interface Controller {
  readonly rawHeaders?: unknown;
  readonly rawTrailers?: unknown;
  abort(reason: Error): void;
}

/** One request and its response on one connection. The parser calls the `on…` methods. */
export class Exchange {
  /** The head of the final response. */
  readonly response: Promise<IncomingResponse>;
  /** Fulfilled when the response is complete or will never be. */
  readonly finished: Promise<void>;
  readonly upload: Upload | null;
  readonly #request: OutgoingRequest;
  readonly #options: ForwardOptions;
  readonly #stream: OriginStream;
  readonly #timeouts: ExchangeTimeouts;
  readonly #headDeadline: Deadline;
  #resolve!: (response: IncomingResponse) => void;
  #reject!: (error: Error) => void;
  #setFinished!: () => void;
  #controller: Controller | undefined;
  #content: TimedBody | undefined;
  #answered = false;
  #finished = false;
  #aborted: Error | undefined;

  constructor(
    request: OutgoingRequest,
    options: ForwardOptions,
    stream: OriginStream,
    timeouts: ExchangeTimeouts,
  ) {
    this.#request = request;
    this.#options = options;
    this.#stream = stream;
    this.#timeouts = timeouts;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.finished = new Promise((resolve) => (this.#setFinished = resolve));
    this.#headDeadline = new Deadline(timeouts.firstByteTimeout, () => this.#late('no response'));
    this.upload = request.body === null ? null : new Upload(request.body, this.#headDeadline);
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#aborted !== undefined) controller.abort(this.#aborted);
    else this.#headDeadline.start();
  }

  onResponseStart(controller: Controller, status: number, _fields: unknown, reason = ''): void {
    const fields = new Fields(latin1(controller.rawHeaders));
    if (status < 200) {
      this.#headDeadline.start();
      this.#options.onInformational?.(status, fields);
      return;
    }
    const head = { status, reason: plainReason(reason), fields, version: this.#stream.version };
    const content = contentOf(this.#request.method, head);
    this.#answered = true;
    this.#headDeadline.stop();
    if (content.kind === 'some') {
      const { bodyTimeout } = this.#timeouts;
      this.#content = new TimedBody(content.length, bodyTimeout, this.#stream, (error) => this.#abort(error));
    }
    this.#resolve({ status, reason: head.reason, fields, body: this.#content?.body ?? null });
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    this.#content?.append(chunk);
  }

  onResponseEnd(controller: Controller): void {
    this.#stream.finish();
    this.#content?.end(permittedTrailers(new Fields(latin1(controller.rawTrailers))));
    this.#finish();
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    if (this.#finished) return;
    const failure = answerError(this.#aborted ?? error, this.#answered ? 'body' : 'head');
    this.#reject(failure);
    this.#content?.fail(failure);
    this.#finish();
  }

  readonly #onAbort = (): void => {
    const { reason } = this.#options.signal as { reason: unknown };
    this.#abort(reason instanceof WillisError ? reason : new WillisError('client-gone', 'given up', { cause: reason }));
  };

  #late(what: string): void {
    this.#abort(new WillisError('upstream-timeout', what));
  }

  /** Ends the exchange at once, and with it the connection. */
  #abort(reason: Error): void {
    if (this.#finished) return;
    this.#aborted = reason;
    if (this.#controller !== undefined) this.#controller.abort(reason);
    this.onResponseError(null, reason);
    this.#stream.destroy();
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#headDeadline.end();
    this.upload?.end();
    this.#setFinished();
  }
}

/** Raw names and values as Latin-1 strings, values without surrounding white space. */
function latin1(raw: unknown): string[] {
  if (!Array.isArray(raw)) return [];
  return raw.map((one: Buffer | string, i) => {
    const text = typeof one === 'string' ? one : one.toString('latin1');
    return i % 2 === 0 ? text : trimOws(text);
  });
}

/** The parser reads the reason phrase as UTF-8; where that fails it is left out, as RFC 9112 §4 permits. */
function plainReason(reason: string): string {
  return reason.includes('\ufffd') ? '' : Buffer.from(reason, 'utf8').toString('latin1');
}
