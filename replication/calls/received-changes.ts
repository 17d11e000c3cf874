import type { Namespace } from '../../wlis/namespace.js';
import { NotBelieved, quoted, type Disbelief } from '../../wlis/trust/not-believed.js';
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
    const fault = this.#faultOf(record);
    if (fault !== null) {
      throw new NotBelieved(fault[0], `changes: ${quoted(record.path)}, change ${record.seq}, ${fault[1]}`);
    }
    const { seq, path } = record;
    this.#paths.add(path);
    this.#last = seq;
    this.records.push(record);
  }

  #faultOf({ namespace, epoch, seq, path }: DocumentRecord | Removal): readonly [Disbelief, string] | null {
    const head = this.#head;
    if (namespace !== this.#namespace) return ['wrong-subject', `is of the namespace ${quoted(namespace)}`];
    if (epoch !== head.epoch) return ['out-of-date', `is of the epoch ${epoch}, the head of ${head.epoch}`];
    if (seq <= this.#last) return ['malformed', `comes behind change ${this.#last}`];
    if (seq > head.seq) return ['malformed', `is ahead of the head at ${head.seq}`];
    return this.#paths.has(path) ? ['malformed', 'is there twice'] : null;
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
