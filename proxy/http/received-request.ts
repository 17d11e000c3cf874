import type { EpochMs } from '../../config/units.js';
import { Cancellation } from '../base/cancellation.js';
import type { WillisError } from '../base/errors.js';
import type { Body } from './body.js';
import type { ExchangeRecord } from './exchange-record.js';
import type { Fields } from './fields.js';
import type { Client, Request } from './message.js';
import type { RequestHead } from './receive.js';
import type { TargetUri } from './target-uri.js';

/** Where a request and what belongs to it come from. */
export interface Receipt {
  readonly client: Client;
  readonly receivedAt: EpochMs;
  readonly id: string;
  readonly record: ExchangeRecord;
}

/** Passes 1xx responses on, for the request that is being answered. */
export interface Informer {
  inform(request: Request, status: number, fields: Fields): void;
}

/** A request as a connection received it. What most requests never ask for is made when it is asked for. */
export class ReceivedRequest implements Request {
  readonly method: string;
  readonly target: TargetUri;
  readonly form: 'origin' | 'absolute' | 'asterisk';
  readonly version: '1.0' | '1.1';
  readonly fields: Fields;
  readonly body: Body | null;
  readonly client: Client;
  readonly receivedAt: EpochMs;
  readonly id: string;
  readonly record: ExchangeRecord;
  readonly #informer: Informer;
  #cancellation: Cancellation | null = null;
  #gone: WillisError | null = null;

  constructor(
    head: RequestHead,
    addressed: { readonly form: 'origin' | 'absolute' | 'asterisk'; readonly target: TargetUri },
    body: Body | null,
    receipt: Receipt,
    informer: Informer,
  ) {
    this.method = head.method;
    this.target = addressed.target;
    this.form = addressed.form;
    this.version = head.version;
    this.fields = head.fields;
    this.body = body;
    this.client = receipt.client;
    this.receivedAt = receipt.receivedAt;
    this.id = receipt.id;
    this.record = receipt.record;
    this.#informer = informer;
  }

  get cancellation(): Cancellation {
    if (this.#cancellation === null) {
      this.#cancellation = new Cancellation();
      if (this.#gone !== null) this.#cancellation.cancel(this.#gone);
    }
    return this.#cancellation;
  }

  inform(status: number, fields: Fields): void {
    this.#informer.inform(this, status, fields);
  }

  /** The client has gone: cancels the request, now or when somebody asks. */
  cancel(reason: WillisError): void {
    this.#gone ??= reason;
    this.#cancellation?.cancel(this.#gone);
  }
}
