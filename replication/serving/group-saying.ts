import type { EpochMs } from '../../config/units.js';
import { CALLS } from '../../wlis/calls/call-target.js';
import type { Namespace } from '../../wlis/namespace.js';
import { GROUP_FIELD, groupField } from '../../wlis/piggyback/group-field.js';
import { GroupLinks } from '../../wlis/piggyback/group-links.js';
import { HAVE_FIELD, parseHaveField } from '../../wlis/piggyback/have-field.js';
import { ownLink } from '../../wlis/piggyback/link-field.js';
import { LOAD_FIELD } from '../../wlis/piggyback/load-field.js';
import type { ToldLoads } from '../../wlis/piggyback/told-load.js';
import type { SignedGroup } from '../../wlis/trust/group.js';
import type { Digest } from '../../wlis/trust/digest.js';
import type { PublicKey } from '../../wlis/trust/public-key.js';
import type { Variant } from '../../wlis/trust/variant.js';
import type { Fields } from '../../proxy/http/fields.js';
import { digestLine } from './digest-line.js';
import { nothingSaid, type Saying } from './document-handler.js';

export interface GroupSayingOptions {
  /** Null while none is known. */
  readonly group: () => SignedGroup | null;
  readonly self: PublicKey;
  /** Where this node answers calls: `https://m1.example`; null if others cannot call it. */
  readonly url: string | null;
  readonly loads: Pick<ToldLoads, 'next'>;
  /** How much this node can take. */
  readonly capacity: number;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
}

/**
 * What a holder of a namespace says of its group in the answers that it sends, from the group as it is known at that moment:
 * `WLIS-Group`, links to the group, to the metalink of the document and to copies of it, `WLIS-Load`. The same for all clients,
 * but for the copies, which are left out for those who say that they know the group.
 */
export class GroupSaying {
  readonly #options: GroupSayingOptions;
  #spoken: SpokenGroup | null = null;

  constructor(options: GroupSayingOptions) {
    this.#options = options;
  }

  /** @param asked the fields of the request */
  for(asked: Fields): Saying {
    return (path, variant) => {
      const { loads, capacity } = this.#options;
      const load = loads.next(capacity);
      const lines = this.#linesOf(asked, path, variant);
      const own = load === null ? nothingSaid.once : [LOAD_FIELD, load];
      // those for answers without a document are the same for all of them
      return path === null ? { recurring: [], once: [...lines, ...own] } : { recurring: lines, once: own };
    };
  }

  #linesOf(asked: Fields, path: string | null, variant: Variant | null): readonly string[] {
    const spoken = this.#current();
    if (spoken === null) return nothingSaid.recurring;
    if (path === null || variant === null) return spoken.always;
    const known = parseHaveField(asked.first(haveName));
    const { namespace, version } = spoken.signed.group;
    const isKnown = known?.namespace === namespace && known.group === version;
    return isKnown ? spoken.described(path) : spoken.copied(path, variant);
  }

  #current(): SpokenGroup | null {
    const { group, self, url, now } = this.#options;
    const signed = group();
    if (signed === null) return null;
    const at = now();
    const spoken = this.#spoken;
    if (spoken?.signed === signed && at - spoken.at < longest && at >= spoken.at) return spoken;
    return (this.#spoken = new SpokenGroup(signed, new GroupLinks(signed.group, self, at), url, at));
  }
}

/** One statement of a group, with the lines for the documents that were asked for last. */
class SpokenGroup {
  /** For every answer. */
  readonly always: readonly string[];
  readonly #links: GroupLinks;
  readonly #metalink: string | null;
  readonly #copied = new Map<string, { readonly digest: Digest; readonly lines: readonly string[] }>();

  constructor(
    readonly signed: SignedGroup,
    links: GroupLinks,
    url: string | null,
    /** Who is active is looked at again after a while. */
    readonly at: EpochMs,
  ) {
    const { namespace, version } = signed.group;
    const calls = url === null ? null : url + CALLS;
    this.#links = links;
    this.#metalink = calls === null ? null : metalinkUrl(calls, namespace, '');
    const linkset = `${calls ?? ''}group?namespace=${encodeURIComponent(namespace)}`;
    const link = ownLink({ url: linkset, rel: 'linkset', params: ['type="application/linkset+json"'] });
    this.always = [GROUP_FIELD, groupField({ namespace, version }), ...(calls === null ? [] : ['Link', link])];
  }

  /** With a link to what describes the document. */
  described(path: string): readonly string[] {
    if (this.#metalink === null) return this.always;
    const url = this.#metalink + encodeURIComponent(path);
    const link = ownLink({ url, rel: 'describedby', params: ['type="application/metalink4+xml"'] });
    return [...this.always, 'Link', link];
  }

  /** With links to its copies as well, and the digest by which programs see that these are the same (RFC 6249 §6). */
  copied(path: string, { digest, length }: Variant): readonly string[] {
    const known = this.#copied.get(path);
    if (known?.digest === digest) return known.lines;
    const copies = this.#links.linksFor(path, length).flatMap((link) => ['Link', link]);
    if (copies.length > 0) copies.push(...digestLine(digest));
    const lines = [...copies, ...this.described(path)];
    if (path.length > longestKept) return lines;
    if (this.#copied.size >= mostKept) this.#copied.clear();
    this.#copied.set(path, { digest, lines });
    return lines;
  }
}

/** @param calls `https://m1.example/.well-known/wlis/` */
const metalinkUrl = (calls: string, namespace: Namespace, path: string): string =>
  `${calls}metalink?namespace=${encodeURIComponent(namespace)}&uri=${encodeURIComponent(namespace + path)}`;

const haveName = HAVE_FIELD.toLowerCase();

/** In milliseconds. */
const longest = 30_000;

/** About two kilobytes each, at most. */
const mostKept = 512;
const longestKept = 256;
