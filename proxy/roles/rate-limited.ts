import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.js';
import { WillisError } from '../base/errors.js';
import type { Fields } from '../http/fields.js';
import type { Client, Request, Response } from '../http/message.js';
import type { ConnectRequest, RequestHandler } from '../http/request-handler.js';
import type { RequestRate } from '../http/request-rate.js';
import type { Takeovers } from './takeovers.js';

/** The address that a request counts for; null if it counts for nobody. */
export type CountsFor = (request: { readonly client: Client; readonly fields: Fields }) => string | null;

export interface RateLimitedOptions {
  readonly rate: RequestRate;
  readonly clock: Clock;
  readonly countsFor: CountsFor;
  readonly takeovers: Takeovers;
}

/** Keeps clients from making more requests than `limits.perClientRate`; a tunnel or an upgrade is one request. */
export class RateLimited implements RequestHandler {
  /** Counted already as an upgrade, which it was not to be. */
  #counted: Request | null = null;

  constructor(
    private readonly handler: RequestHandler,
    private readonly options: RateLimitedOptions,
  ) {}

  request(request: Request): Response | Promise<Response> {
    const isCounted = request === this.#counted;
    this.#counted = null;
    if (!isCounted && !this.#admits(request)) throw tooMany();
    return this.handler.request(request);
  }

  connect(request: ConnectRequest, socket: Duplex, head: Buffer): void {
    if (this.#admits(request)) this.handler.connect(request, socket, head);
    else this.options.takeovers.refuse(request, socket, tooMany());
  }

  upgrade(request: Request, socket: Duplex, head: Buffer): boolean {
    if (!this.#admits(request)) {
      this.options.takeovers.refuse(request, socket, tooMany());
      return true;
    }
    if (this.handler.upgrade(request, socket, head)) return true;
    this.#counted = request;
    return false;
  }

  #admits(request: Request | ConnectRequest): boolean {
    const { rate, clock, countsFor } = this.options;
    const address = countsFor(request);
    return address === null || rate.admit(address, clock.monotonic());
  }
}

/** The first of the tokens that are wanted is there in a second at the latest. */
const tooMany = (): WillisError =>
  new WillisError('rate-limited', 'more requests than limits.perClientRate allows', {
    answerFields: ['Retry-After', '1'],
  });
