import type { Config } from '../../config/schema.js';
import { formatProxyUri } from '../../config/origin-uri.js';
import { uriTest } from '../../config/uri-pattern.js';

type WrittenRules = Config['clientSide']['rules'];

/** What a rule says of a target URI. */
export interface ForcedChoice {
  /** `http://m1.example`, or the primary, whichever node that is. */
  readonly from: string;
  /** The pattern of the rule. */
  readonly match: string;
}

/** What the operator wants to be got from a certain node (the paper's reader's choice). The first rule that matches counts. */
export class ChoiceRules {
  readonly #rules: readonly (ForcedChoice & { readonly matches: (uri: string) => boolean })[];

  constructor(rules: WrittenRules) {
    this.#rules = rules.map(({ match, from }) => ({
      match,
      from: from === 'primary' ? from : formatProxyUri(from),
      matches: uriTest(match),
    }));
  }

  /** @param uri its query does not count; null if no rule is about it */
  of(uri: string): ForcedChoice | null {
    if (this.#rules.length === 0) return null;
    const query = uri.indexOf('?');
    const asked = query === -1 ? uri : uri.slice(0, query);
    return this.#rules.find(({ matches }) => matches(asked)) ?? null;
  }
}
