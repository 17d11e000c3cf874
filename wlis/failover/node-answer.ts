import type { Body } from '../../proxy/http/body.js';
import { bytes, type Bytes } from '../../config/units.js';
import type { Fields } from '../../proxy/http/fields.js';
import { WillisError } from '../../proxy/base/errors.js';
import type { FailureReason } from '../choice/choice.js';
import { CallFailed } from '../calls/call-failed.js';
import type { Attempt } from '../health/attempts.js';
import { Overtaken, SourceFailed } from './source-failed.js';

/** What a node answers, of which nothing is believed yet. Whoever has it ends it with `done`, `failed` or `leave`. */
export class NodeAnswer {
  readonly url: string;
  readonly status: number;
  readonly fields: Fields;
  readonly #body: Body | null;
  readonly #attempt: Attempt;
  #isOver = false;

  constructor(
    url: string,
    { status, fields, body }: { readonly status: number; readonly fields: Fields; readonly body: Body | null },
    attempt: Attempt,
  ) {
    this.url = url;
    this.status = status;
    this.fields = fields;
    this.#body = body;
    this.#attempt = attempt;
  }

  /** Of the content, if it says so. */
  get length(): Bytes | null {
    return this.#body === null ? bytes(0) : this.#body.length;
  }

  /** The next of the content; null at its end. @throws SourceFailed, of which its health has been told */
  async read(): Promise<Buffer | null> {
    if (this.#body === null || this.#isOver) return null;
    this.#attempt.waits();
    try {
      const chunk = await this.#body.read();
      if (chunk !== null) this.#attempt.received(bytes(chunk.length));
      return chunk;
    } catch (error) {
      throw this.#broken(error);
    }
  }

  /** All that was wanted has come, and is believed. */
  done(): void {
    if (this.#end()) this.#attempt.done();
  }

  /** What came is of no use. @returns the failure, to be thrown */
  failed(reason: FailureReason, detail: string): SourceFailed {
    if (this.#end()) this.#attempt.failed(reason, detail);
    return new SourceFailed(reason, detail);
  }

  /** Nobody wants it any more. */
  leave(reason?: Error): void {
    if (this.#end()) abandon(this.#attempt, reason);
  }

  #broken(error: unknown): SourceFailed {
    const isSilent = error instanceof CallFailed && error.reason === 'silent';
    return this.failed(isSilent ? 'silent' : 'broken', isSilent ? 'silent' : `broke off: ${reasonOf(error)}`);
  }

  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#body?.cancel();
    return true;
  }
}

/** Ends an attempt whose answer nobody waits for any more. */
export function abandon(attempt: Attempt, reason: Error | undefined): void {
  if (reason instanceof Overtaken && reason.isLate) attempt.failed('silent', 'others answered before it');
  else attempt.abandoned();
}

function reasonOf(error: unknown): string {
  if (error instanceof CallFailed || error instanceof WillisError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
