import type { Digest } from '../../wlis/trust/digest.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { CallFailed } from '../../wlis/calls/call-failed.js';
import type { RemoteHolder } from '../remote-holder.js';

/** Something that a source sent and that cannot be true. */
export interface Refusal {
  /** Who sent it. */
  readonly url: string;
  /** A content, or a block list; null for a bundle. */
  readonly digest: Digest | null;
  /** Last part of what is wrong: `wrong-digest`, `too-large`, … */
  readonly reason: string;
  readonly message: string;
}

/** No source has it, or none that can be reached. */
export class NoSource extends Error {
  override readonly name = 'NoSource';

  constructor(
    readonly digest: Digest | null,
    /** That nobody answered, or somebody was busy; not that those who answered did not have it. */
    readonly isOutage: boolean,
    readonly failures: readonly Error[],
  ) {
    const reasons = failures.map(({ message }) => message).join('; ');
    super(`nobody gives ${digest ?? 'a bundle'}: ${reasons === '' ? 'there is nobody to ask' : reasons}`);
  }
}

/**
 * Whom to ask next for a content. A source that failed is asked again only if blocks had come from it, so that a source that
 * breaks off is gone on with, and none is asked for ever; one that sent what cannot be true is not asked again.
 */
export class SourceTrial {
  readonly #digest: Digest | null;
  readonly #setAside = new Map<string, Error>();

  /** @param digest null for a bundle */
  constructor(digest: Digest | null) {
    this.#digest = digest;
  }

  /** The first that is worth it. @throws NoSource */
  next(sources: readonly RemoteHolder[]): RemoteHolder {
    const source = sources.find(({ url }) => !this.#setAside.has(url));
    if (source !== undefined) return source;
    const failures = [...this.#setAside.values()];
    throw new NoSource(this.#digest, failures.every(isOutage), failures);
  }

  /** @returns what it is to be blamed for, null for nothing */
  failed(url: string, error: unknown, hadBlocks: boolean): Refusal | null {
    const refusal = refusalOf(url, this.#digest, error);
    if (refusal !== null || !hadBlocks) this.#setAside.set(url, asError(error));
    return refusal;
  }
}

/** What a source is to be blamed for; null for what may happen to anybody. */
function refusalOf(url: string, digest: Digest | null, error: unknown): Refusal | null {
  if (error instanceof NotBelieved) return { url, digest, reason: error.reason, message: error.message };
  if (!(error instanceof CallFailed) || error.fault !== 'not-believed') return null;
  return { url, digest, reason: error.reason, message: error.message };
}

const isOutage = (error: Error): boolean =>
  error instanceof CallFailed && (error.fault === 'unreachable' || error.fault === 'busy');

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
