import type { Namespace } from '../wlis/namespace.js';
import type { Change } from './change-list.js';
import type { Edition } from './held-namespace.js';
import type { ScanReport } from './replication-control.js';
import type { SourceStatus } from './source/directory-source.js';

const mostNamed = 1000;

/** What is published while the source is being looked at. */
export class ScanRecord {
  readonly #named: ScanReport['named'][number][] = [];
  #published = 0;
  #removed = 0;

  take(changes: readonly Change<string>[]): void {
    for (const { path, document } of changes) {
      if (document === null) this.#removed++;
      else this.#published++;
      if (this.#named.length < mostNamed) this.#named.push({ path, is: document === null ? 'removed' : 'published' });
    }
  }

  /** @param edition with all of it, unless no head could be signed */
  report(namespace: Namespace, edition: Edition | null, source: SourceStatus): ScanReport {
    const head = edition?.head.head;
    return {
      namespace,
      published: this.#published,
      removed: this.#removed,
      named: this.#named,
      version: head === undefined ? null : { epoch: head.epoch, seq: head.seq },
      held: source.heldRemovals,
      unsettled: source.unsettled.length,
      problem: source.problem?.message ?? null,
    };
  }
}
