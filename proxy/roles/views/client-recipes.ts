import { bytes, type Bytes, type EpochMs } from '../../../config/units.js';
import { bar, type BarChoice, type BarFacts, type OfferedServer } from '../../../wlis/html/bar.js';
import { NamedLinks } from '../../../wlis/html/named-links.js';
import type { PageKind } from '../../../wlis/html/navigation.js';
import type { PageRules } from '../../../wlis/html/page-rules.js';
import type { ServerFacts } from '../../../wlis/html/server-words.js';
import type { DuplicateLink, UrlRewriting, ViewRecipe } from '../../../wlis/html/view-recipe.js';
import { choicePageOf, CHOICE_PAGE } from '../../../wlis/names/proxy-host.js';
import { GroupLinks } from '../../../wlis/piggyback/group-links.js';
import type { ChoiceTokens } from '../../../wlis/choice/choice-tokens.js';
import type { SignedGroup } from '../../../wlis/trust/group.js';
import type { Fields } from '../../http/fields.js';
import type { Request, Response } from '../../http/message.js';
import type { Provenance, Source } from '../../http/provenance.js';
import { hrefOf, originOf, type TargetUri } from '../../http/target-uri.js';
import type { KnownNames } from './known-names.js';
import type { ReaderChoosing, ReadersWill } from './reader-choosing.js';
import type { PartServer, ServedPart, ServedParts } from './served-parts.js';
import type { ServerStates } from './server-states.js';

export interface ClientRecipesOptions {
  /** Name of the node. */
  readonly name: string;
  /** `https://m1.example`: `node.url`; null if there is none. */
  readonly ownUrl: string | null;
  readonly rules: PageRules;
  readonly parts: Pick<ServedParts, 'of'>;
  readonly states: ServerStates;
  readonly choosing: Pick<ReaderChoosing, 'of'>;
  readonly tokens: ChoiceTokens;
  readonly names: KnownNames;
  /** Whether a client may read without TLS what is behind it. */
  readonly mayDropTls: (address: string) => boolean;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
}

/** A page on its way to its reader. */
export interface ReadPage {
  /** Of what it really is. */
  readonly request: Request;
  /** As the reader asked for it. */
  readonly shown: TargetUri;
}

/** What is made of pages for the readers of a client-side proxy. The same object as long as the same is to be said. */
export class ClientRecipes {
  readonly #options: ClientRecipesOptions;
  readonly #links = new WeakMap<SignedGroup, { readonly at: EpochMs; readonly links: GroupLinks }>();
  readonly #made = new Map<string, ViewRecipe>();

  constructor(options: ClientRecipesOptions) {
    this.#options = options;
  }

  /** Null if the page stays as it is. */
  of({ request, shown }: ReadPage, { fields, provenance }: Answered, kind: PageKind): ViewRecipe | null {
    const { rules, parts } = this.#options;
    const wishes = rules.of(hrefOf(shown));
    const { target, client } = request;
    const served = parts.of(target);
    const urls = wishes.links ? this.#urls(served, target, shown, client.address) : null;
    const from = kind === 'page' ? (provenance ?? null) : null;
    const isAlternate = from !== null && wishes.alternates && served !== null;
    const duplicates = isAlternate ? this.#duplicates(served, from, fields) : none;
    const facts = from !== null && wishes.bar ? this.#facts({ request, shown }, served, from) : null;
    if (duplicates.length === 0 && facts === null && urls === null) return null;
    return this.#remembered(duplicates, facts, urls);
  }

  #remembered(duplicates: readonly DuplicateLink[], facts: BarFacts | null, urls: UrlRewriting | null): ViewRecipe {
    const key = JSON.stringify([duplicates, facts, urls?.key]);
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const recipe: ViewRecipe = { duplicates, bar: facts && bar(facts), urls };
    if (this.#made.size >= mostMade) this.#made.clear();
    this.#made.set(key, recipe);
    return recipe;
  }

  /** Only of what has to do with names: other pages are none the better for being looked through. */
  #urls(served: ServedPart | null, target: TargetUri, shown: TargetUri, client: string): UrlRewriting | null {
    const { names, mayDropTls } = this.#options;
    const isConcerned = served?.by.kind === 'group' || shown.host !== target.host;
    return isConcerned && !names.isEmpty ? new NamedLinks(names, shown, mayDropTls(client)) : null;
  }

  /** Of what is known to be the same bytes: what was proven, or compared with the original. */
  #duplicates({ by, path }: ServedPart, { source }: Provenance, fields: Fields): readonly DuplicateLink[] {
    if (by.kind === 'group') {
      if (source?.version == null) return none;
      const { group } = by.known;
      const isSecret = by.known.namespace.startsWith('https:');
      const all = this.#linksOf(group).duplicates(path, lengthOf(fields));
      return all.flatMap(({ url, area }) => (isSecret && !url.startsWith('https:') ? [] : [{ url, area }]));
    }
    if (by.set.trust === 'full' || source?.role !== 'mirror') return none;
    const place = by.set.placesOf(targetIn(by.set.of, path)).find(({ url, role }) => role === 'mirror' && url === source.url);
    return place === undefined ? none : [{ url: hrefOf(place.target), area: place.place?.area ?? null }];
  }

  /** Who is active is looked at again after a while. */
  #linksOf(signed: SignedGroup): GroupLinks {
    const now = this.#options.now();
    const known = this.#links.get(signed);
    if (known !== undefined && now >= known.at && now - known.at < lookedAtEvery) return known.links;
    const links = new GroupLinks(signed.group, null, now);
    this.#links.set(signed, { at: now, links });
    return links;
  }

  #facts({ request, shown }: ReadPage, served: ServedPart | null, provenance: Provenance): BarFacts {
    const { name, choosing, now } = this.#options;
    const { target, client } = request;
    const { source, receivedAt, freshUntil } = provenance;
    const will: ReadersWill = served === null ? { kind: 'none' } : choosing.of(client.address, served, target);
    const mayChoose = served !== null && will.kind !== 'rule';
    const all = served === null ? [] : served.servers.filter(({ isActive, has }) => isActive(now()) && has(served.path));
    const offered = all.map((server) => this.#offered(server, served as ServedPart, mayChoose)).sort(downLast);
    return {
      ...{ node: name, standing: 'proxy', receivedAt, freshUntil, isUnconfirmed: source?.isUnconfirmed ?? false },
      from: this.#from(served, source, target),
      choice: mayChoose ? this.#choice(served, will, shown) : null,
      servers: offered.slice(0, mostOffered),
      more: Math.max(0, offered.length - mostOffered),
      truth: choicePageOf(hrefOf(shown)),
    };
  }

  #from(served: ServedPart | null, source: Source | null, target: TargetUri): BarFacts['from'] {
    const nothing = { down: null, behind: null };
    if (source === null) return { url: originOf(target), role: 'origin', ...nothing, isOwn: false };
    const { url, role } = source;
    const server = served?.servers.find(({ urls }) => urls.includes(url));
    const behind = served === null ? null : behindOf(served, source);
    return { url: server?.url ?? url, role, down: null, behind, isOwn: url === (this.#options.ownUrl ?? '') };
  }

  #offered(server: PartServer, served: ServedPart, mayChoose: boolean): OfferedServer {
    const go = mayChoose ? ({ kind: 'choice', value: server.value } as const) : null;
    return { ...this.#options.states.of(server, served), go };
  }

  #choice({ part }: ServedPart, will: ReadersWill, shown: TargetUri): BarChoice {
    const hidden = { token: this.#options.tokens.ofPage(part), of: hrefOf(shown), back: hrefOf(shown) };
    const chosen = will.kind === 'chosen' ? will.server.url : null;
    return { action: CHOICE_PAGE, hidden, chosen, hasEnded: will.kind === 'gone' };
  }
}

type Answered = Pick<Response, 'fields' | 'provenance'>;

/** Changes between what a page was proven under and the newest head that is known. */
function behindOf({ by }: ServedPart, { version }: Source): ServerFacts['behind'] {
  const newest = by.kind === 'group' ? by.known.head?.head : undefined;
  if (newest === undefined || version === null) return null;
  return newest.epoch === version.epoch ? Math.max(0, newest.seq - version.seq) : 'epoch';
}

const downLast = (a: OfferedServer, b: OfferedServer): number => Number(a.down !== null) - Number(b.down !== null);

const targetIn = ({ scheme, host, port, authority, path }: TargetUri, inside: string): TargetUri => ({
  ...{ scheme, host, port, authority },
  path: path + inside,
});

/** Of what is not coded; null where that cannot be told. */
function lengthOf(fields: Fields): Bytes | null {
  const length = fields.first('content-length');
  return length === undefined || fields.has('content-encoding') ? null : bytes(Number(length));
}

const none: readonly DuplicateLink[] = [];
const lookedAtEvery = 60_000;
const mostOffered = 10;
const mostMade = 512;
