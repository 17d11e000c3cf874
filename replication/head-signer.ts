import { milliseconds, type EpochMs, type MonotonicMs } from '../config/units.js';
import type { Clock } from '../proxy/base/clock.js';
import type { Logger } from '../proxy/base/logger.js';
import type { Namespace } from '../wlis/namespace.js';
import { signHead, type Head, type SignedHead } from '../wlis/trust/head.js';
import type { SigningKey } from '../wlis/trust/jws.js';
import { headTimes, type HeadTiming } from './head-timing.js';
import { IssuedFile } from './issued-file.js';

export interface HeadSignerOptions extends HeadTiming {
  readonly namespace: Namespace;
  /** The key that signs at present, or why there is none. */
  readonly signer: () => Promise<SigningKey | string>;
  /** Remembers when the last head was issued. */
  readonly issuedPath: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a head is to say beside its times. */
export type HeadContent = Pick<Head, 'epoch' | 'seq' | 'root' | 'atomic'>;

/** Why no head can be signed, for the operator. */
export class CannotSign extends Error {
  override readonly name = 'CannotSign';
}

/** Signs the heads of a namespace, one after the other; each is issued later than all before it. */
export class HeadSigner {
  readonly #options: HeadSignerOptions;
  readonly #issued: IssuedFile;
  #isAhead = false;
  #isKept = true;

  private constructor(options: HeadSignerOptions, issued: IssuedFile) {
    this.#options = options;
    this.#issued = issued;
  }

  static async open(options: HeadSignerOptions): Promise<HeadSigner> {
    return new HeadSigner(options, await IssuedFile.open(options.issuedPath));
  }

  /** Somebody has a head that was issued then: the next is a later one. */
  async notBefore(issued: EpochMs): Promise<void> {
    await this.#keep(issued);
  }

  /** Gives the head, and since when what it says has been so. @throws CannotSign */
  async sign(content: HeadContent): Promise<{ readonly signed: SignedHead; readonly at: MonotonicMs }> {
    const { clock, namespace } = this.#options;
    const at = clock.monotonic();
    const times = headTimes(this.#issued.last, clock.now(), this.#options);
    this.#watchClock(times.issued);
    const key = await this.#key();
    const [signed] = await Promise.all([
      signHead({ namespace, ...content, ...times }, key).catch((error: unknown) => {
        throw new CannotSign(`the head could not be signed: ${messageOf(error)}`, { cause: error });
      }),
      this.#keep(times.issued),
    ]);
    return { signed, at };
  }

  close(): Promise<void> {
    return this.#issued.close();
  }

  async #key(): Promise<SigningKey> {
    const key = await this.#options.signer().catch((error: unknown) => {
      throw new CannotSign(`the key cannot be had: ${messageOf(error)}`, { cause: error });
    });
    if (typeof key === 'string') throw new CannotSign(key);
    return key;
  }

  /** A head is good though it is not remembered: only a clock that goes back before the next start could do harm. */
  async #keep(issued: EpochMs): Promise<void> {
    try {
      await this.#issued.keep(issued);
      this.#isKept = true;
    } catch (error) {
      const { logger, namespace } = this.#options;
      if (this.#isKept) {
        const event = { code: 'head-time-not-kept', namespace, path: this.#issued.path, error };
        logger.warn(event, 'when the last head was issued could not be written down');
      }
      this.#isKept = false;
    }
  }

  #watchClock(issued: EpochMs): void {
    const { clock, logger, namespace } = this.#options;
    const ahead = milliseconds(issued - clock.now());
    if (ahead > notable && !this.#isAhead) {
      const event = { code: 'clock-went-back', namespace, ahead };
      const advice = `if the clock is right now, delete ${this.#issued.path} and start again`;
      logger.error(event, `heads were issued at a later time than it is by the clock, and go on from there; ${advice}`);
    }
    this.#isAhead = ahead > notable;
  }
}

/** Five minutes. */
const notable = 300_000;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
