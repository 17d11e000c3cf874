import { bytes, type Bytes } from '../../config/units.js';
import { asWillisError } from '../../proxy/base/errors.js';
import type { Body } from '../../proxy/http/body.js';
import type { Fields } from '../../proxy/http/fields.js';
import type { Attempt } from '../health/attempts.js';
import { failureOf } from './ask-place.js';

/** A body as it comes, of which the health of its sender is told. */
export class ObservedBody implements Body {
  constructor(
    private readonly body: Body,
    private readonly attempt: Attempt,
  ) {}

  get length(): Bytes | null {
    return this.body.length;
  }

  get trailers(): Fields {
    return this.body.trailers;
  }

  async read(): Promise<Buffer | null> {
    this.attempt.waits();
    try {
      const chunk = await this.body.read();
      if (chunk === null) this.attempt.done();
      else this.attempt.received(bytes(chunk.length));
      return chunk;
    } catch (error) {
      this.attempt.failed(failureOf(asWillisError(error).code) ?? 'broken');
      throw error;
    }
  }

  cancel(reason?: Error): void {
    this.attempt.abandoned();
    this.body.cancel(reason);
  }
}
