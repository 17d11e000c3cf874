import type { EpochMs } from '../../config/units.js';
import type { Logger } from '../../proxy/base/logger.js';
import { CallFailed } from '../calls/call-failed.js';
import { NotBelieved } from '../trust/not-believed.js';

/** Something that was not taken. */
export interface Refusal {
  /** A namespace, an origin, or `name.wlis`. */
  readonly about: string;
  /** Who sent it. */
  readonly from: string;
  readonly reason: string;
  readonly detail: string;
  readonly at: EpochMs;
}

/** Counts, keeps for a while and reports what others have stated and was not believed. */
export class DirectoryRefusals {
  readonly #logger: Logger;
  readonly #now: () => EpochMs;
  readonly #counts = new Map<string, number>();
  #last: Refusal[] = [];

  constructor(logger: Logger, now: () => EpochMs) {
    this.#logger = logger;
    this.#now = now;
  }

  /** By what was wrong. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** The last ones, the newest first, of each that was refused alike only the newest. */
  get last(): readonly Refusal[] {
    return this.#last;
  }

  /** @returns whether it was a matter of belief; what is not has its own way into the log */
  note(about: string, from: string, error: unknown): boolean {
    const reason = reasonOf(error);
    if (reason === null) return false;
    this.refuse(about, from, reason, error instanceof Error ? error.message : String(error));
    return true;
  }

  refuse(about: string, from: string, reason: string, detail: string): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    const said = { about: about.slice(0, longestSubject), from, reason, detail, at: this.#now() };
    const isSame = (one: Refusal): boolean =>
      one.about === said.about && one.from === from && one.reason === reason && one.detail === detail;
    const isKnown = this.#last.some(isSame);
    this.#last = [said, ...this.#last.filter((one) => !isSame(one))].slice(0, mostKept);
    const event = { code: 'directory-refused', about: said.about, url: from, reason, detail };
    // somebody may say the same again and again
    if (isKnown) this.#logger.debug(event, 'what was refused before is refused again');
    else this.#logger.warn(event, 'what others state of a namespace is not believed; what is known stays');
  }

  /** It is believed by now, or nobody cares any more. */
  forget(isMeant: (about: string) => boolean): void {
    this.#last = this.#last.filter(({ about }) => !isMeant(about));
  }
}

function reasonOf(error: unknown): string | null {
  if (error instanceof NotBelieved) return error.reason;
  return error instanceof CallFailed && error.fault === 'not-believed' ? error.reason : null;
}

const mostKept = 100;
const longestSubject = 300;
