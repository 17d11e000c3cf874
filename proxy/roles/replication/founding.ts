import { milliseconds, type EpochMs } from '../../../config/units.js';
import { foundNamespace } from '../../../replication/keys/authority.js';
import type { KeyDirectory } from '../../../replication/keys/key-directory.js';
import type { Namespace } from '../../../wlis/namespace.js';

/** How long the root trusts the key of a namespace that is founded by starting a primary; `willis keys delegate` renews it. */
export const delegationTime = milliseconds(400 * 86_400_000);

/**
 * Makes the keys that are wanting when a primary is started for the first time, for one namespace after the other: the root of
 * an origin names all its namespaces in one statement, so that two at once would be in each other's way.
 */
export class Founding {
  readonly #keys: KeyDirectory;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(keys: KeyDirectory) {
    this.#keys = keys;
  }

  /** @throws KeyFileError */
  found(namespace: Namespace, now: EpochMs): Promise<void> {
    const founded = this.#turn.then(async () => {
      await foundNamespace(this.#keys, namespace, now, delegationTime);
    });
    this.#turn = founded.catch(() => undefined);
    return founded;
  }
}
