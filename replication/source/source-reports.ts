import type { Milliseconds } from '../../config/units.js';
import type { Logger } from '../../proxy/base/logger.js';

/** What keeps a source from being published as it is, in a sentence for the operator. */
export interface SourceProblem {
  readonly code: 'source-gone' | 'source-held' | 'source-not-stored' | 'source-failed';
  readonly message: string;
}

/** Tells the log what happens to a source: of each problem once when it begins, and once when it is over. */
export class SourceReports {
  readonly #logger: Logger;
  readonly #directory: string;
  #problems = new Map<SourceProblem['code'], SourceProblem>();

  constructor(logger: Logger, directory: string) {
    this.#logger = logger;
    this.#directory = directory;
  }

  get problem(): SourceProblem | null {
    for (const problem of this.#problems.values()) return problem;
    return null;
  }

  gone(fault: string): void {
    const what = `the directory ${this.#directory} ${fault}: nothing is removed, what is published stays until it is back`;
    this.#begin('source-gone', what);
  }

  there(): void {
    this.#end('source-gone');
  }

  /** @param trouble why something was not stored just now; there are so many files that are not */
  stored(trouble: Error | null, missing: number): void {
    if (missing === 0) this.#end('source-not-stored');
    else if (trouble !== null) {
      this.#begin('source-not-stored', `files of ${this.#directory} could not be stored: ${trouble.message}`);
    }
  }

  published(): void {
    this.#end('source-failed');
  }

  held(removals: number, documents: number): void {
    if (removals === 0) {
      this.#end('source-held');
      return;
    }
    const what = `${removals} of ${documents} documents are gone from ${this.#directory}: they stay published until you allow it`;
    this.#begin('source-held', what);
  }

  failed(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#begin('source-failed', `changes of ${this.#directory} could not be published: ${message}`, error);
  }

  /** A document of which no record can be made that any reader takes. */
  noRecord(path: string, reason: string): void {
    const event = { code: 'source-no-record', directory: this.#directory, path, reason };
    this.#logger.error(event, `${path} in ${this.#directory} cannot be published: ${reason}`);
  }

  factsLost(reason: string): void {
    const event = { code: 'source-facts-lost', directory: this.#directory, reason };
    this.#logger.warn(event, 'what was known of the files is damaged: all of them are read again');
  }

  unwatchable(error: NodeJS.ErrnoException, scanEvery: Milliseconds): void {
    const limits: Readonly<Record<string, string>> = {
      ENOSPC: 'the limit fs.inotify.max_user_watches of the system is reached',
      EMFILE: 'the limit fs.inotify.max_user_instances of the system, or of open files, is reached',
    };
    const reason = limits[error.code ?? ''] ?? error.message;
    const event = { code: 'source-unwatched', directory: this.#directory, reason, scanEvery };
    this.#logger.warn(event, `not all of ${this.#directory} can be watched, ${reason}; changes there wait for a scan`);
  }

  #begin(code: SourceProblem['code'], message: string, error?: unknown): void {
    if (!this.#problems.has(code)) this.#logger.error({ code, directory: this.#directory, error }, message);
    this.#problems.set(code, { code, message });
  }

  #end(code: SourceProblem['code']): void {
    if (!this.#problems.delete(code)) return;
    this.#logger.info(
      { code: `${code}-over`, directory: this.#directory },
      `that is over: ${this.#directory} is as it should be`,
    );
  }
}
