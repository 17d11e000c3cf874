import type { Json, JsonObject } from './canonical-json.js';
import { parseDigest, type Digest } from './digest.js';
import { NotBelieved, quoted } from './not-believed.js';

/**
 * The members of a JSON object that came from others, each taken as what it has to be, and none but those taken: what a
 * reader does not know might change the meaning of what it does know.
 */
export class Members {
  readonly #object: JsonObject;
  readonly #taken = new Set<string>();

  /**
   * @param what names the object in messages
   * @throws NotBelieved malformed
   */
  constructor(
    value: Json | undefined,
    readonly what: string,
  ) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(what, 'no object');
    this.#object = value as JsonObject;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name);
  }

  /** @throws NotBelieved malformed if it is missing */
  value(name: string): Json {
    this.#taken.add(name);
    const value = this.has(name) ? this.#object[name] : undefined;
    if (value === undefined) throw wrong(this.what, `no '${name}'`);
    return value;
  }

  text(name: string, limit: number): string {
    const value = this.value(name);
    if (typeof value !== 'string') throw wrong(this.what, `'${name}' is no string`);
    if (value.length > limit) throw new NotBelieved('too-large', `${this.what}: '${name}' is longer than ${limit}`);
    return value;
  }

  /** @throws NotBelieved malformed for all but integers from `least` to `most` */
  integer(name: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.value(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) {
      throw wrong(this.what, `'${name}' is no integer from ${least} to ${most}`);
    }
    return value;
  }

  /** A member that is there only to be `true`, so that there is one spelling of its absence. */
  flag(name: string): true {
    if (this.value(name) !== true) throw wrong(this.what, `'${name}' is not true`);
    return true;
  }

  digest(name: string): Digest {
    return parseDigest(this.text(name, 64), `${this.what}: '${name}'`);
  }

  list(name: string, limit: number): readonly Json[] {
    const value = this.value(name);
    if (!Array.isArray(value)) throw wrong(this.what, `'${name}' is no list`);
    if (value.length > limit) throw new NotBelieved('too-large', `${this.what}: more than ${limit} '${name}'`);
    return value as readonly Json[];
  }

  /** A string that must be this one. */
  word(name: string, expected: string): void {
    const value = this.value(name);
    if (value !== expected) throw wrong(this.what, `'${name}' is not ${quoted(expected)}`);
  }

  /** `take` of the member if there is one. */
  optional<T>(name: string, take: (name: string) => T): T | undefined {
    return this.has(name) ? take(name) : undefined;
  }

  /** @throws NotBelieved malformed if there is a member that was not taken */
  end(): void {
    for (const name of Object.keys(this.#object)) {
      if (!this.#taken.has(name)) throw wrong(this.what, `has an unknown member ${quoted(name)}`);
    }
  }
}

const wrong = (what: string, fault: string): NotBelieved => new NotBelieved('malformed', `${what}: ${fault}`);
