import { setImmediate } from 'node:timers/promises';
import type { Namespace } from '../../wlis/namespace.js';
import type { Epoch } from '../../wlis/trust/epoch.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { recordText } from '../../wlis/trust/record.js';
import type { Edit } from '../change-list.js';
import { parseDocument } from './published-document.js';
import type { RefusalReason } from './refusals.js';
import type { SourceReports } from './source-reports.js';

/** So many records are made in one turn: some 4 ms of work. */
const checkedAtOnce = 100;
/** So many are remembered by name. */
const mostNamed = 1000;

/**
 * Looks whether readers would take the records of documents. One that nobody takes would make them refuse all that comes with
 * it; it is not published, what was published under its path stays.
 */
export class RecordCheck {
  readonly #of: { readonly namespace: Namespace; readonly epoch: Epoch };
  readonly #reports: SourceReports;
  /** Why, by path. */
  readonly #refused = new Map<string, string>();
  #checked = 0;

  constructor(of: { readonly namespace: Namespace; readonly epoch: Epoch }, reports: SourceReports) {
    this.#of = of;
    this.#reports = reports;
  }

  /** Those that can be published; of the others the log is told once. */
  async passed(edits: readonly Edit<string>[]): Promise<readonly Edit<string>[]> {
    const passed: Edit<string>[] = [];
    for (const edit of edits) {
      if (++this.#checked % checkedAtOnce === 0) await setImmediate();
      const fault = this.#faultOf(edit);
      if (fault === null) {
        this.#refused.delete(edit.path);
        passed.push(edit);
      } else this.#refuse(edit.path, fault);
    }
    return passed;
  }

  refused(): (readonly [path: string, reason: RefusalReason])[] {
    return [...this.#refused.keys()].map((path) => [path, 'no-record']);
  }

  #faultOf({ path, document }: Edit<string>): string | null {
    const { namespace, epoch } = this.#of;
    // the longest number, so that it does not become too long later
    const place = { namespace, epoch, path, seq: Number.MAX_SAFE_INTEGER };
    try {
      if (document === null) recordText({ kind: 'removal', ...place });
      else recordText({ kind: 'document', ...parseDocument(path, document), ...place });
      return null;
    } catch (error) {
      if (error instanceof NotBelieved) return error.message;
      throw error;
    }
  }

  #refuse(path: string, fault: string): void {
    const known = this.#refused.get(path);
    if (known === fault || (known === undefined && this.#refused.size >= mostNamed)) return;
    this.#reports.noRecord(path, fault);
    this.#refused.set(path, fault);
  }
}
