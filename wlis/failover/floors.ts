import { bytes, type Bytes } from '../../config/units.js';
import { RecentlyUsed } from '../../proxy/cache/recently-used.js';
import type { CanonicalUri } from '../canonical-uri.js';
import { compareVersions, type Version } from '../trust/epoch.js';
import type { ProvenDocument } from '../trust/proof-answer.js';

/** What has been verified of a URI: nothing older is believed of it from then on. */
interface Floor {
  /** Of the record; null where there was nothing. */
  readonly record: Version | null;
  /** Of the head that proved it. */
  readonly head: Version;
}

/** By URI what was last believed of it, so that no document goes back (protocol decisions 2 and 12). */
export class Floors {
  readonly #floors: RecentlyUsed<CanonicalUri, Floor>;

  constructor(limit: Bytes) {
    this.#floors = new RecentlyUsed(limit);
  }

  /** The version of the record that was last believed; null for none. */
  of(uri: CanonicalUri): Version | null {
    return this.#floors.use(uri)?.record ?? null;
  }

  /** Whether something true is older than what was believed before. */
  isBelow(uri: CanonicalUri, proven: ProvenDocument): boolean {
    const subject = subjectOf(uri, proven);
    if (this.#isBelow(this.#floors.use(subject), proven)) return true;
    // that the URI itself has nothing has to be later than that it had something
    return subject !== uri && this.#isBelow(this.#floors.use(uri), { ...proven, record: null, isThere: false });
  }

  /** It is believed. */
  raise(uri: CanonicalUri, proven: ProvenDocument): void {
    const subject = subjectOf(uri, proven);
    this.#raise(subject, { record: proven.isThere ? proven.record : null, head: proven.head });
    // that the URI itself has nothing
    if (subject !== uri) this.#raise(uri, { record: null, head: proven.head });
  }

  #isBelow(floor: Floor | undefined, { isThere, record, head }: ProvenDocument): boolean {
    if (floor === undefined) return false;
    const { record: before } = floor;
    if (isThere && record !== null) {
      // what came after an absence was changed later
      return before === null ? compareVersions(record, floor.head) <= 0 : compareVersions(record, before) < 0;
    }
    return before !== null && compareVersions(head, floor.head) <= 0;
  }

  #raise(uri: CanonicalUri, { record, head }: Floor): void {
    const before = this.#floors.use(uri);
    const isSame = before !== undefined && isSameVersion(before.record, record);
    const { epoch, seq } = isSame && compareVersions(before.head, head) > 0 ? before.head : head;
    const floor = { record: record && { epoch: record.epoch, seq: record.seq }, head: { epoch, seq } };
    this.#floors.put(uri, floor, bytes(2 * uri.length + perFloor));
  }
}

/** Whose record it is: that of the URI without its query, where queries are dropped. */
const subjectOf = (uri: CanonicalUri, { isThere, record }: ProvenDocument): CanonicalUri =>
  isThere && record !== null ? ((record.namespace + record.path) as CanonicalUri) : uri;

const isSameVersion = (a: Version | null, b: Version | null): boolean =>
  a === null || b === null ? a === b : compareVersions(a, b) === 0;

const perFloor = 400;
