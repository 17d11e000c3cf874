import type { Namespace } from '../../wlis/namespace.js';
import { NotBelieved, quoted } from '../../wlis/trust/not-believed.js';
import type { Head } from '../../wlis/trust/head.js';
import { parseRecord, type DocumentRecord, type Removal } from '../../wlis/trust/record.js';
import type { ListTail } from '../../wlis/trust/record-list.js';
import type { ListPosition } from '../remote-holder.js';

/** Takes the lines of a list of changes, each of which has to fit the head and those before it. */
export class ReceivedChanges {
  readonly records: (DocumentRecord | Removal)[] = [];
  readonly #namespace: Namespace;
  readonly #head: Head;
  readonly #since: number;
  #last: number;
  readonly #paths = new Set<string>();

  /** @throws NotBelieved out-of-date if nothing that follows could fit */
  constructor(namespace: Namespace, head: Head, since: ListPosition | null) {
    if (since !== null && since.epoch !== head.epoch) {
      throw new NotBelieved('out-of-date', `changes: of the epoch ${head.epoch} for a list of ${since.epoch}`);
    }
    if (since !== null && since.seq > head.seq) {
      throw new NotBelieved('out-of-date', `changes: since ${since.seq} up to an older head at ${head.seq}`);
    }
    this.#namespace = namespace;
    this.#head = head;
    this.#since = since?.seq ?? 0;
    this.#last = this.#since;
  }

  /** @throws NotBelieved */
  take(line: string): void {
    const record = parseRecord(line);
    const { seq, path } = record;
    const what = `changes: ${quoted(path)}, change ${seq},`;
    if (record.namespace !== this.#namespace) {
      throw new NotBelieved('wrong-subject', `${what} is of the namespace ${quoted(record.namespace)}`);
    }
    if (record.epoch !== this.#head.epoch) {
      throw new NotBelieved('out-of-date', `${what} is of the epoch ${record.epoch}, the head of ${this.#head.epoch}`);
    }
    if (seq <= this.#last) throw new NotBelieved('malformed', `${what} comes behind change ${this.#last}`);
    if (seq > this.#head.seq) throw new NotBelieved('malformed', `${what} is ahead of the head at ${this.#head.seq}`);
    if (this.#paths.has(path)) throw new NotBelieved('malformed', `${what} is there twice`);
    this.#paths.add(path);
    this.#last = seq;
    this.records.push(record);
  }

  /** @throws NotBelieved if it does not lead to the head */
  end({ seq, root, sets }: ListTail): void {
    const head = this.#head;
    if (seq !== head.seq) throw new NotBelieved('malformed', `changes: the tail is at ${seq}, the head at ${head.seq}`);
    if (root !== head.root) throw new NotBelieved('malformed', 'changes: the tail has another root than the head');
    const [first] = sets ?? [];
    if (first !== undefined && first[0] <= this.#since) {
      throw new NotBelieved('malformed', `changes: a set from ${first[0]}, which is not after ${this.#since}`);
    }
  }
}
