import type { PublicKey } from '../../wlis/trust/public-key.js';
import type { NodeCaller } from '../calls/node-caller.js';
import { CallFailed } from '../remote-holder.js';
import type { KnownGroup } from './known-group.js';
import { identifiedNode } from './node-identity.js';

/**
 * Where the primary is: by the statement of the group, and by the configuration if the node there proves that it is the one
 * that the statement names. A token goes nowhere else.
 */
export class PrimaryUrls {
  readonly #from: string;
  readonly #caller: NodeCaller;
  readonly #group: KnownGroup;
  /** Which node was found at the configured URL. */
  #found: PublicKey | null = null;
  #preferred: string | null = null;

  constructor(from: string, caller: NodeCaller, group: KnownGroup) {
    this.#from = from;
    this.#caller = caller;
    this.#group = group;
  }

  /** The one that did well last first; nothing while no group is known. */
  async urls(signal: AbortSignal): Promise<readonly string[]> {
    const primary = this.#group.current?.group.primary;
    if (primary === undefined) return [];
    const isNamed = primary.urls.includes(this.#from);
    if (!isNamed && this.#found === null) this.#found = await this.#identify(signal);
    const configured = isNamed || this.#found === primary.key ? [this.#from] : [];
    const all = [...configured, ...primary.urls.filter((url) => url !== this.#from)];
    const preferred = all.filter((url) => url === this.#preferred);
    return [...preferred, ...all.filter((url) => url !== this.#preferred)];
  }

  prefer(url: string): void {
    this.#preferred = url;
  }

  async #identify(signal: AbortSignal): Promise<PublicKey | null> {
    try {
      return await identifiedNode(this.#caller, this.#from, signal);
    } catch (error) {
      // it is asked again; the URLs that the group names are tried meanwhile
      if (error instanceof CallFailed) return null;
      throw error;
    }
  }
}
