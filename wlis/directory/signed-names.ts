import type { EpochMs } from '../../config/units.js';
import type { Namespace } from '../namespace.js';
import type { NameSource } from '../names/name-resolution.js';
import { certifiesItself, isLaterName, mayName, openName, ownerOf, type SignedName } from '../trust/name-statement.js';
import { NotBelieved } from '../trust/not-believed.js';
import { keyIdOf, type KeyId } from '../trust/public-key.js';

export interface SignedNamesOptions {
  /** Keys whose word counts for all names; the first one counts most. */
  readonly namingKeys: () => readonly KeyId[];
  /** Most statements that are kept. */
  readonly most: () => number;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  /** Another statement of a name is known than before; null if it was forgotten. */
  readonly onChange: (key: string, name: SignedName | null) => void;
}

const aDay = 86_400_000;

/** Statements of names that are believed: of each key about each name the latest. */
export class SignedNames {
  readonly #options: SignedNamesOptions;
  /** The last that came in stands last. */
  readonly #names = new Map<string, SignedName>();

  constructor(options: SignedNamesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#names.size;
  }

  /** By who says them of what. */
  all(): Iterable<readonly [key: string, name: SignedName]> {
    return this.#names;
  }

  /** @returns whether it was news @throws NotBelieved */
  async take(jws: string): Promise<boolean> {
    const offered = await openName(jws);
    const { statement } = offered;
    const { namingKeys, most, now, onChange } = this.#options;
    const by = keyIdOf(statement.key);
    if (!mayName(by, statement.name, namingKeys())) {
      throw new NotBelieved('wrong-signature', `name: ${statement.name} is not for this key to give`);
    }
    if (statement.issued - now() > aDay) {
      throw new NotBelieved('out-of-date', 'name: stated more than a day ahead of the clock of this node');
    }
    const key = keyOf(by, statement.name);
    const known = this.#names.get(key);
    if (known !== undefined && !isLaterName(offered, known)) return false;
    this.#names.delete(key);
    this.#names.set(key, offered);
    onChange(key, offered);
    while (this.#names.size > most()) this.#forgetOne();
    return true;
  }

  /** Forgets those whose keys do not count any more, and those that are long over. */
  tidy(): void {
    const { namingKeys, now } = this.#options;
    for (const [key, { statement }] of [...this.#names]) {
      const counts = mayName(keyIdOf(statement.key), statement.name, namingKeys());
      // for a while it is remembered that it is over, so that nobody brings back an earlier one
      if (!counts || now() - statement.expires > 30 * aDay) this.#forget(key);
    }
  }

  /** Those who give names, the one whose word counts most first; those that certify themselves are nobody else's to give. */
  sources(): readonly NameSource[] {
    const keys = this.#options
      .namingKeys()
      .map((by): NameSource => ({ by, find: (name) => (certifiesItself(name) ? null : this.#find(by, name)) }));
    return [{ by: 'the key in the name', find: (name) => this.#findOwn(name) }, ...keys];
  }

  #find(by: KeyId, name: string): Namespace | null {
    return this.#valid(this.#names.get(keyOf(by, name)));
  }

  #findOwn(name: string): Namespace | null {
    const owner = ownerOf(name);
    return owner === null ? null : this.#find(owner, name);
  }

  #valid(signed: SignedName | undefined): Namespace | null {
    if (signed === undefined || this.#options.now() >= signed.statement.expires) return null;
    return signed.statement.namespace;
  }

  /** What certifies itself can be made by anybody in any number, and goes before what the operator trusts. */
  #forgetOne(): void {
    const namingKeys = this.#options.namingKeys();
    const [first] = this.#names.keys();
    for (const [key, { statement }] of this.#names) {
      if (namingKeys.includes(keyIdOf(statement.key))) continue;
      this.#forget(key);
      return;
    }
    if (first !== undefined) this.#forget(first);
  }

  #forget(key: string): void {
    if (this.#names.delete(key)) this.#options.onChange(key, null);
  }
}

const keyOf = (by: KeyId, name: string): string => `${by} ${name}`;
