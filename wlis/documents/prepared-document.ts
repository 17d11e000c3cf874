import { bytes, type Bytes } from '../../config/units.js';
import type { Answerable } from '../../proxy/cache/answer.js';
import { fieldsFootprint } from '../../proxy/cache/memory-footprint.js';
import { varyNames } from '../../proxy/cache/vary.js';
import { Fields } from '../../proxy/http/fields.js';
import { documentFields } from '../trust/document-fields.js';
import type { DocumentRecord, DocumentStatus } from '../trust/record.js';
import type { Variant } from '../trust/variant.js';
import { negotiate, selectingFields } from './negotiation.js';

/** A document with whatever can be made ready of its answers: the same at every node, because all of it is from its record. */
export class PreparedDocument {
  /** The fields of its block alone. */
  readonly common: Fields;
  readonly #variants: readonly PreparedVariant[];
  readonly #selecting: readonly string[];
  /** The last few choices, by the values of the selecting fields. */
  readonly #choices = new Map<string, PreparedVariant>();

  constructor({ status, fields, variants }: Pick<DocumentRecord, 'status' | 'fields' | 'variants'>) {
    this.common = new Fields(fields.flat());
    this.#selecting = selectingFields(variants);
    const added = [...this.#missingInVary(), ...(status === 200 ? ['accept-ranges', 'bytes'] : [])];
    const offered = variants.length === 0 ? [null] : variants;
    this.#variants = offered.map((variant) => {
      const lines = [...documentFields({ fields }, variant), ...added, 'content-length', String(variant?.length ?? 0)];
      return new PreparedVariant(variant, status, new Fields(lines));
    });
  }

  /** What it takes in memory beside the text that it was made of. */
  get footprint(): Bytes {
    let total = perDocument + mostChoices * perChoice;
    for (const { fields } of this.#variants) total += perDocument + fieldsFootprint(fields);
    return bytes(total);
  }

  /** The variant that answers a request with these fields. */
  variantFor(fields: Fields): PreparedVariant {
    if (this.#selecting.length === 0) return this.#variants[0] as PreparedVariant;
    let key = '';
    for (const name of this.#selecting) key += `${fields.get(name) ?? ''}\n`;
    return this.#choices.get(key) ?? this.#choose(key, fields);
  }

  #choose(key: string, fields: Fields): PreparedVariant {
    const offered = this.#variants.map(({ variant }) => variant).filter((variant) => variant !== null);
    const chosen = this.#variants[negotiate(offered, fields)] as PreparedVariant;
    if (key.length > longestChoice) return chosen;
    if (this.#choices.size >= mostChoices) this.#choices.clear();
    this.#choices.set(key, chosen);
    return chosen;
  }

  /** A `Vary` for what selects and is not said to by the block (RFC 9110 §12.5.5). */
  #missingInVary(): string[] {
    const said = varyNames(this.common);
    const missing = this.#selecting.filter((name) => said !== '*' && !said.includes(name));
    return missing.length === 0 ? [] : ['vary', missing.join(', ')];
  }
}

/** One variant, or that there is none. */
export class PreparedVariant {
  readonly metadata: Answerable['metadata'];

  constructor(
    /** Null for an answer without content. */
    readonly variant: Variant | null,
    status: DocumentStatus,
    /** Of an answer with all of it, but for what is of the message and the node. */
    readonly fields: Fields,
  ) {
    this.metadata = { status, reason: reasons[status], fields };
  }
}

const reasons: Readonly<Record<DocumentStatus, string>> = {
  200: 'OK',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  404: 'Not Found',
  410: 'Gone',
};

const mostChoices = 8;
const longestChoice = 512;
/** Keys with their place in a table; few are as long as they may be. */
const perChoice = 200;
const perDocument = 600;
