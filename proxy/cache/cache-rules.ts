import { patternTest } from '../../config/uri-pattern.js';
import type { CacheRule } from '../../config/schema.js';
import type { TargetUri } from '../http/target-uri.js';
import { originOf } from '../http/target-uri.js';

/** The operator's rules about what is stored and for how long; the first that matches a target URI governs it. */
export class CacheRules {
  static readonly none = new CacheRules([]);
  readonly #rules: readonly { readonly rule: CacheRule; readonly matches: (uri: string) => boolean }[];

  constructor(rules: readonly CacheRule[]) {
    this.#rules = rules.map((rule) => ({ rule, matches: patternTest(lowerCaseOrigin(rule.match)) }));
  }

  /** The rule that governs a target URI, whose query does not count; null if none does. */
  governing(target: TargetUri): CacheRule | null {
    if (this.#rules.length === 0) return null;
    const query = target.path.indexOf('?');
    const uri = originOf(target) + (query === -1 ? target.path : target.path.slice(0, query));
    return this.#rules.find(({ matches }) => matches(uri))?.rule ?? null;
  }
}

/** Scheme and host are the same in any case (RFC 9110 §4.2.3). */
const lowerCaseOrigin = (pattern: string): string => pattern.replace(/^[^/]*\/\/[^/]*/, (one) => one.toLowerCase());
