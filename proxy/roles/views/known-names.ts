import { createHash } from 'node:crypto';
import { elapsedMonotonic, milliseconds, type MonotonicMs } from '../../../config/units.js';
import { isLogicalHost, logicalNameOf } from '../../../wlis/names/logical-name.js';
import type { LogicalNames } from '../../../wlis/names/logical-names.js';
import type { OwnNames } from '../../../wlis/names/own-names.js';
import type { SignedNames } from '../../../wlis/directory/signed-names.js';
import type { Clock } from '../../base/clock.js';
import { WillisError } from '../../base/errors.js';

export interface KnownNamesOptions {
  readonly names: Pick<LogicalNames, 'find'>;
  readonly own: Pick<OwnNames, 'all'>;
  /** Null while there are none. */
  readonly signed: () => Pick<SignedNames, 'all' | 'size'> | null;
  readonly clock: Clock;
}

/** What logical names stand for, for whoever makes URLs of them. */
export class KnownNames {
  readonly #options: KnownNamesOptions;
  #version: { readonly text: string; readonly at: MonotonicMs } | null = null;

  constructor(options: KnownNamesOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    const { own, signed } = this.#options;
    return own.all.length === 0 && (signed()?.size ?? 0) === 0;
  }

  /** Another one whenever a name may stand for something else; a little later than that. */
  get version(): string {
    const now = this.#options.clock.monotonic();
    if (this.#version === null || elapsedMonotonic(this.#version.at, now) > lookedAtEvery) {
      this.#version = { text: this.#read(), at: now };
    }
    return this.#version.text;
  }

  /** What takes the place of a name with its slash, `http://docs.example/manual/`; null for what is no name, or stands for nothing. */
  baseOf(host: string): string | null {
    const name = isLogicalHost(host) ? logicalNameOf(host) : null;
    if (name === null) return null;
    try {
      return this.#options.names.find(name).base;
    } catch (error) {
      if (error instanceof WillisError) return null;
      throw error;
    }
  }

  #read(): string {
    const { own, signed } = this.#options;
    const hash = createHash('sha256');
    for (const [pattern, namespace] of own.all) hash.update(`${pattern} ${namespace}\n`);
    for (const [key, { statement }] of signed()?.all() ?? []) hash.update(`${key} ${statement.namespace ?? ''}\n`);
    return hash.digest('base64url').slice(0, 16);
  }
}

const lookedAtEvery = milliseconds(5000);
