import { WillisError, type ErrorCode } from '../../../proxy/base/errors.js';
import type { IncomingResponse } from '../../../proxy/forward/upstream.js';
import type { Body } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import type { Fault } from './nodes-fixture.js';

/** The connection does not come about, or breaks before the answer. */
export const failing =
  (code: ErrorCode): Fault =>
  () =>
    Promise.reject(new WillisError(code, code));

/** Takes the request, and says nothing until it is given up. */
export const silent: Fault = (_, __, { cancellation }) =>
  new Promise((_resolve, reject) =>
    cancellation.add({ onCancelled: () => reject(new WillisError('client-gone', 'given up')) }),
  );

export const answering =
  (status: number, content = '', fields: Readonly<Record<string, string>> = {}): Fault =>
  () =>
    Promise.resolve({ ...emptyAnswer, status, fields: Fields.of(fields), body: bodyOf([Buffer.from(content)]) });

/** What becomes of the content of each answer from a certain byte on. */
export type Interruption = 'cut' | 'stall' | 'end' | ((content: Buffer) => Buffer);

export const interrupted =
  (after: number, what: Interruption): Fault =>
  async (_, answer) => {
    const response = await answer();
    return response.body === null ? response : { ...response, body: new InterruptedBody(response.body, after, what) };
  };

/** Changes answers to calls whose path fits, and leaves the others. */
export const altering =
  (path: RegExp, alter: (answer: IncomingResponse) => IncomingResponse | Promise<IncomingResponse>): Fault =>
  async ({ target }, answer) =>
    path.test(target.path) ? alter(await answer()) : answer();

export const withFields =
  (change: (fields: Fields) => Fields): ((answer: IncomingResponse) => IncomingResponse) =>
  (answer) => ({ ...answer, fields: change(answer.fields) });

/** Only the first so many requests meet that fault. */
export function atFirst(count: number, fault: Fault): Fault {
  let left = count;
  return (request, answer, options) => (left-- > 0 ? fault(request, answer, options) : answer());
}

const emptyAnswer = { reason: '', version: '1.1' } as const;

/** Chunks one after the other, without a length. */
export function bodyOf(chunks: readonly Buffer[]): Body {
  const left = [...chunks];
  return {
    length: null,
    trailers: Fields.none,
    read: () => left.shift() ?? null,
    cancel: () => void left.splice(0),
  };
}

class InterruptedBody implements Body {
  readonly trailers = Fields.none;
  #at = 0;
  #isCancelled = false;
  #stalled: ((chunk: null) => void) | null = null;

  constructor(
    private readonly body: Body,
    private readonly after: number,
    private readonly what: Interruption,
  ) {}

  get length(): Body['length'] {
    return this.body.length;
  }

  async read(): Promise<Buffer | null> {
    const { after, what } = this;
    if (this.#at >= after && typeof what === 'string') return this.#interrupt();
    const chunk = await this.body.read();
    if (chunk === null) return null;
    const begin = this.#at;
    this.#at += chunk.length;
    if (this.#at <= after) return chunk;
    const kept = chunk.subarray(0, Math.max(0, after - begin));
    if (typeof what === 'function') return Buffer.concat([kept, what(chunk.subarray(kept.length))]);
    return kept.length === 0 ? this.#interrupt() : kept;
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#stalled?.(null);
    this.body.cancel();
  }

  #interrupt(): Promise<null> | null {
    if (this.#isCancelled || this.what === 'end') return null;
    if (this.what === 'cut') throw new WillisError('upstream-incomplete', 'cut');
    return new Promise((resolve) => (this.#stalled = resolve));
  }
}
