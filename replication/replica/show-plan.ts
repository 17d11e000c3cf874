import type { Digest } from '../../wlis/trust/digest.js';
import type { Variant } from '../../wlis/trust/variant.js';
import type { Change } from '../change-list.js';
import { parseDocument } from '../source/published-document.js';

/** What a plan asks of its replica. */
export interface Holdings {
  /** Whether all of a content is here. */
  readonly has: (variant: Variant) => boolean;
  /** Whether a content is pulled before anybody asks for it. */
  readonly isPulled: (path: string, variant: Variant) => boolean;
  /** The document as it is held, of which blocks may be the same. */
  readonly older: (path: string) => string | null;
}

/** A content that is to be pulled. */
export interface MissingContent {
  readonly variant: Variant;
  readonly path: string;
  /** Of the first change that wants it. */
  readonly seq: number;
  /** Contents of the same document that are here, or were: some of their blocks may be the same. */
  readonly relatives: readonly Variant[];
}

/**
 * Which changes wait for which contents. A change can be shown when all contents that are pulled for it are here; changes of
 * a set when all of them can.
 */
export class ShowPlan {
  /** In the order of the changes. */
  readonly wanted: readonly MissingContent[];
  /** Those that can be shown at once. */
  readonly ready: readonly Change<string>[];
  readonly #waiting = new Map<Digest, Set<Group>>();
  #left = 0;

  /** In slices, so that others have their turn; what comes meanwhile is to be said by `arrived` afterwards. */
  static async make(
    changes: Iterable<Change<string>>,
    holdings: Holdings,
    rest: () => Promise<void>,
  ): Promise<ShowPlan> {
    const groups = new Map<number, Group>();
    const wanted = new Map<Digest, MissingContent>();
    let count = 0;
    for (const change of changes) {
      if (++count % slice === 0) await rest();
      const group = groups.get(change.together) ?? new Group();
      groups.set(change.together, group);
      group.changes.push(change);
      for (const one of missing(change, holdings)) {
        const { digest } = one.variant;
        if (!wanted.has(digest)) wanted.set(digest, one);
        group.missing.add(digest);
      }
    }
    return new ShowPlan([...groups.values()], [...wanted.values()]);
  }

  private constructor(groups: readonly Group[], wanted: readonly MissingContent[]) {
    this.wanted = wanted;
    const ready: Change<string>[] = [];
    for (const group of groups) {
      if (group.missing.size === 0) for (const change of group.changes) ready.push(change);
      else this.#wait(group);
    }
    this.ready = ready;
  }

  /** How many changes cannot be shown yet. */
  get left(): number {
    return this.#left;
  }

  /** A content has come. @returns the changes that can be shown by that */
  arrived(digest: Digest): readonly Change<string>[] {
    const groups = this.#waiting.get(digest);
    if (groups === undefined) return [];
    this.#waiting.delete(digest);
    const ready: Change<string>[] = [];
    for (const group of groups) {
      group.missing.delete(digest);
      if (group.missing.size === 0) for (const change of group.changes) ready.push(change);
    }
    this.#left -= ready.length;
    return ready;
  }

  #wait(group: Group): void {
    this.#left += group.changes.length;
    for (const digest of group.missing) {
      const others = this.#waiting.get(digest);
      if (others === undefined) this.#waiting.set(digest, new Set([group]));
      else others.add(group);
    }
  }
}

/** So many changes are looked at in one turn. */
const slice = 256;

/** Changes that are shown together. */
class Group {
  readonly changes: Change<string>[] = [];
  readonly missing = new Set<Digest>();
}

function* missing({ path, seq, document }: Change<string>, holdings: Holdings): Generator<MissingContent> {
  if (document === null) return;
  const { variants } = parseDocument(path, document);
  let relatives: readonly Variant[] | null = null;
  for (const variant of variants) {
    if (variant.length === 0 || holdings.has(variant) || !holdings.isPulled(path, variant)) continue;
    relatives ??= variantsOf(path, holdings.older(path));
    yield { variant, path, seq, relatives };
  }
}

const variantsOf = (path: string, document: string | null): readonly Variant[] =>
  document === null ? [] : parseDocument(path, document).variants;
