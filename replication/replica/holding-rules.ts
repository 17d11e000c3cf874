import type { Bytes } from '../../config/units.js';
import type { Subset } from '../../wlis/trust/subset.js';
import type { Variant } from '../../wlis/trust/variant.js';
import { pathPatterns } from '../../wlis/path-patterns.js';

/** What is done about contents that changed: they are pulled; if an older one is held; or when somebody asks for them. */
export type OnChange = 'pull' | 'pullIfHeld' | 'markStale';

export interface HoldingKeys {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** No longer content; null for any. */
  readonly maxBytes: Bytes | null;
  readonly onChange: OnChange;
}

/** Which contents a replica holds, and which of them it pulls before anybody asks for them. */
export class HoldingRules {
  readonly onChange: OnChange;
  /** As the group states it; null for all. */
  readonly subset: Subset | null;
  readonly #belongs: (path: string) => boolean;
  readonly #maxBytes: number;

  constructor({ include, exclude, maxBytes, onChange }: HoldingKeys) {
    const [included, excluded] = [pathPatterns(include), pathPatterns(exclude)];
    const isAll = include.includes('**') && exclude.length === 0;
    this.#belongs = isAll ? () => true : (path) => included.matches(path) && !excluded.matches(path);
    this.#maxBytes = maxBytes ?? Infinity;
    this.onChange = onChange;
    this.subset = isAll && maxBytes === null ? null : { include: isAll ? [] : include, exclude, maxBytes };
  }

  /** Whether this content is to be here sooner or later. @param path as URIs have it, below the namespace */
  belongs(path: string, { length }: Variant): boolean {
    return length <= this.#maxBytes && this.#belongs(path);
  }

  /** Whether it is pulled before anybody asks. @param isOlderHeld a content of the document as it was is here */
  isPulled(path: string, variant: Variant, isOlderHeld: boolean): boolean {
    if (this.onChange === 'markStale' || (this.onChange === 'pullIfHeld' && !isOlderHeld)) return false;
    return this.belongs(path, variant);
  }
}
