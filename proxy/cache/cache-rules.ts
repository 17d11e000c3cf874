import { patternTest } from '../../config/uri-pattern.js';
import type { CacheRule } from '../../config/schema.js';
import type { TargetUri } from '../http/target-uri.js';
import { originOf } from '../http/target-uri.js';
import { isView, uriOfKey, type CacheKey } from './cache-key.js';
import { ordinary, type Retention, type RetentionClass } from './retention.js';

/**
 * The operator's rules about what is stored, for how long, and how it is kept; the first that matches a target URI governs
 * it. What a rule governs is a class of retention.
 */
export class CacheRules implements Retention {
  static readonly none = new CacheRules([]);
  readonly classes: readonly RetentionClass[];
  readonly identity: string;
  readonly #rules: readonly Judged[];

  constructor(rules: readonly CacheRule[]) {
    // of two with the same pattern the second governs nothing
    const patterns = new Set<string>();
    const governing = rules.filter(({ match }) => !patterns.has(match) && patterns.add(match));
    this.#rules = governing.map((rule) => ({
      rule,
      retention: { name: rule.match, pinned: rule.pin, maxBytes: rule.maxBytes },
      matches: patternTest(lowerCaseOrigin(rule.match)),
    }));
    this.classes = this.#rules.map(({ retention }) => retention);
    this.identity = JSON.stringify(this.classes.map(({ name }) => name));
  }

  /** The rule that governs a target URI, whose query does not count; null if none does. */
  governing(target: TargetUri): CacheRule | null {
    if (this.#rules.length === 0) return null;
    return this.#first(originOf(target), target.path)?.rule ?? null;
  }

  classOf(key: CacheKey): RetentionClass {
    if (this.#rules.length === 0) return ordinary;
    const retention = this.#first('', uriOfKey(key))?.retention ?? ordinary;
    // what can be made again of what is pinned has no claim to its room
    return retention.pinned && isView(key) ? ordinary : retention;
  }

  #first(origin: string, path: string): Judged | undefined {
    const query = path.indexOf('?');
    const uri = origin + (query === -1 ? path : path.slice(0, query));
    return this.#rules.find(({ matches }) => matches(uri));
  }
}

interface Judged {
  readonly rule: CacheRule;
  readonly retention: RetentionClass;
  readonly matches: (uri: string) => boolean;
}

/** Scheme and host are the same in any case (RFC 9110 §4.2.3). */
const lowerCaseOrigin = (pattern: string): string => pattern.replace(/^[^/]*\/\/[^/]*/, (one) => one.toLowerCase());
