import type { Bytes, Milliseconds } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import type { Fields } from '../http/fields.js';
import { Deadline } from './deadline.js';
import { ReceivedBody } from './received-body.js';
import type { SocketStream } from './socket-stream.js';

/**
 * A body while it comes from a connection. A reader that is slower than the origin server holds the connection back; the
 * origin server's silence is counted only while it is not held back.
 */
export class TimedBody {
  readonly body: ReceivedBody;
  readonly #deadline: Deadline;
  #held = false;
  #over = false;

  /** `abort` is called when the reader gives up, or the origin server is silent for too long. */
  constructor(length: Bytes | null, timeout: Milliseconds, stream: SocketStream, abort: (reason: Error) => void) {
    this.#deadline = new Deadline(timeout, () => abort(new WillisError('upstream-timeout', 'the body stalled')));
    this.body = new ReceivedBody(length, {
      hold: () => {
        this.#held = true;
        this.#deadline.stop();
        stream.hold();
      },
      release: () => {
        this.#held = false;
        this.#expectMore();
        stream.release();
      },
      cancel: abort,
    });
    this.#expectMore();
  }

  append(chunk: Buffer): void {
    this.#expectMore();
    this.body.append(chunk);
  }

  end(trailers: Fields): void {
    this.#finish();
    this.body.end(trailers);
  }

  fail(error: Error): void {
    this.#finish();
    this.body.fail(error);
  }

  #expectMore(): void {
    if (!this.#held && !this.#over) this.#deadline.start();
  }

  #finish(): void {
    this.#over = true;
    this.#deadline.end();
  }
}
