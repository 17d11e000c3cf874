import type { Site } from '../../config/side-keys.js';
import { WillisError } from '../base/errors.js';
import { hrefOf, type TargetUri } from '../http/target-uri.js';

/** What the reverse side serves, and which of it a target URI is about. */
export class Sites {
  /** Longest prefix first. */
  readonly #sites: readonly Site[];
  readonly #names: ReadonlyMap<Site, string>;

  constructor(sites: readonly Site[]) {
    this.#sites = sites.toSorted((a, b) => b.prefix.length - a.prefix.length);
    this.#names = new Map(sites.map((site) => [site, site.host + site.prefix]));
  }

  /** How logs and metrics call it: its host and prefix. */
  nameOf(site: Site): string {
    return this.#names.get(site) ?? '';
  }

  /** Null if no site has it. */
  find(target: TargetUri): Site | null {
    return this.#ofHost(target).find(({ prefix }) => target.path === '*' || target.path.startsWith(prefix)) ?? null;
  }

  /** @throws WillisError `misdirected` for a host, `not-found` for a path that no site has */
  serving(target: TargetUri): Site {
    const site = this.find(target);
    if (site !== null) return site;
    if (this.#ofHost(target).length === 0) throw new WillisError('misdirected', `no site is called ${target.host}`);
    throw new WillisError('not-found', `no site has ${hrefOf(target)}`);
  }

  /** A site for any host stands in only where the host has none of its own. */
  #ofHost(target: TargetUri): readonly Site[] {
    const named = this.#sites.filter(({ host }) => host === target.host);
    return named.length > 0 ? named : this.#sites.filter(({ host }) => host === '*');
  }
}
