import type { EpochMs } from '../../config/units.js';
import type { Cancellation } from '../base/cancellation.js';
import type { Body } from './body.js';
import type { ExchangeRecord } from './exchange-record.js';
import type { Fields } from './fields.js';
import type { Client, Request } from './message.js';
import type { TargetUri } from './target-uri.js';

/**
 * A request as it was received, but for its target: what a name or scheme stands for that somebody else has given it. Or but for
 * its fields.
 */
export class RetargetedRequest implements Request {
  readonly method: string;
  readonly form: Request['form'];
  readonly version: Request['version'];
  readonly fields: Fields;
  readonly body: Body | null;
  readonly client: Client;
  readonly receivedAt: EpochMs;
  readonly id: string;
  readonly record: ExchangeRecord;
  readonly #received: Request;

  constructor(
    received: Request,
    readonly target: TargetUri,
    fields: Fields = received.fields,
  ) {
    this.method = received.method;
    this.form = received.form;
    this.version = received.version;
    this.fields = fields;
    this.body = received.body;
    this.client = received.client;
    this.receivedAt = received.receivedAt;
    this.id = received.id;
    this.record = received.record;
    this.#received = received;
  }

  get cancellation(): Cancellation {
    return this.#received.cancellation;
  }

  inform(status: number, fields: Fields): void {
    this.#received.inform(status, fields);
  }
}
