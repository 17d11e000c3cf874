import { originOf, type TargetUri } from '../../../proxy/http/target-uri.js';
import type { UrlRewriting } from '../view-recipe.js';
import { readUrl } from './written-url.js';

/** What logical names stand for. */
export interface NameBases {
  /** Another one whenever a name may stand for something else. */
  readonly version: string;
  /** `http://docs.example/manual/` for `manual.wlis`; null for what is no name, or stands for nothing. */
  baseOf(host: string): string | null;
}

/**
 * URLs with logical names in the pages of a client-side proxy. They work as long as the reader has this proxy, but for `https`
 * and ports, which names have not; what stands for a place of http becomes its URL, which works everywhere. What stands for one
 * of https is left to the name where this reader may have it without TLS: it is what makes it a matter of this proxy.
 */
export class NamedLinks implements UrlRewriting {
  readonly #names: NameBases;
  readonly #page: TargetUri;
  readonly #mayDropTls: boolean;

  /** @param page as its reader asked for it */
  constructor(names: NameBases, page: TargetUri, mayDropTls: boolean) {
    this.#names = names;
    this.#page = page;
    this.#mayDropTls = mayDropTls;
  }

  get key(): string {
    return `names ${this.#names.version} ${originOf(this.#page)} ${this.#mayDropTls ? 'http' : 'https'}`;
  }

  rewritten(url: string): string | null {
    // nearly all are of no name
    if (!/\.wlis\b/i.test(url)) return null;
    const written = readUrl(url);
    if (written?.kind !== 'absolute') return null;
    const host = written.authority.replace(/:\d+$/, '').replace(/\.$/, '');
    const inside = written.path.slice(1) + written.query + written.fragment;
    const shown = this.#shown(host, written.scheme ?? this.#page.scheme, written.authority === host, inside);
    return shown === url ? null : shown;
  }

  #shown(host: string, scheme: 'http' | 'https', isPlain: boolean, inside: string): string | null {
    const isWorking = scheme === 'http' && isPlain;
    // a page goes on under the name under which it is read
    if (host === this.#page.host) return isWorking ? null : `http://${host}/${inside}`;
    const base = this.#names.baseOf(host);
    if (base === null) return null;
    if (base.startsWith('http:') || !this.#mayDropTls) return base + inside;
    return isWorking ? null : `http://${host}/${inside}`;
  }
}
