import type { Logger } from '../../proxy/base/logger.js';
import type { Namespace } from '../../wlis/namespace.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { CallFailed } from '../../wlis/calls/call-failed.js';

/** Counts and reports what others sent and was not believed: what, and from whom. */
export class RefusedNews {
  readonly #logger: Logger;
  readonly #namespace: Namespace;
  readonly #counts = new Map<string, number>();

  constructor(logger: Logger, namespace: Namespace) {
    this.#logger = logger;
    this.#namespace = namespace;
  }

  /** By what was wrong. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** @returns whether it was a matter of belief; other failures are not counted */
  note(url: string, error: unknown): boolean {
    const reason = reasonOf(error);
    if (reason === null) return false;
    this.noteContent(url, reason, error instanceof Error ? error.message : String(error));
    return true;
  }

  /** The same of a content, or of a part of one. */
  noteContent(url: string, reason: string, detail: string): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    const about = { code: 'refused', namespace: this.#namespace, url, reason, detail };
    this.#logger.warn(about, 'what another node sent is not believed; what is held goes on being served');
  }
}

function reasonOf(error: unknown): string | null {
  if (error instanceof NotBelieved) return error.reason;
  return error instanceof CallFailed && error.fault === 'not-believed' ? error.reason : null;
}
