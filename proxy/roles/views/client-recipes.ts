import {
  bytes,
  elapsedMonotonic,
  epochMs,
  milliseconds,
  type Bytes,
  type EpochMs,
  type MonotonicMs,
} from '../../../config/units.js';
import { bar, type BarChoice, type BarFacts, type OfferedServer } from '../../../wlis/html/bar/bar.js';
import { NamedLinks } from '../../../wlis/html/mirror/named-links.js';
import type { PageKind } from '../../../wlis/html/views/navigation.js';
import type { PageRules } from '../../../wlis/html/bar/page-rules.js';
import type { ServerFacts } from '../../../wlis/html/bar/server-words.js';
import type { DuplicateLink, UrlRewriting, ViewRecipe } from '../../../wlis/html/view-recipe.js';
import { choicePageOf, CHOICE_PAGE } from '../../../wlis/names/proxy-host.js';
import { GroupLinks } from '../../../wlis/piggyback/group-links.js';
import type { ChoiceTokens } from '../../../wlis/choice/choice-tokens.js';
import type { SignedGroup } from '../../../wlis/trust/group.js';
import type { HealthTable } from '../../../wlis/health/health-table.js';
import type { Clock } from '../../base/clock.js';
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
  readonly names: Pick<KnownNames, 'isEmpty' | 'version' | 'baseOf'>;
  /** Whether a client may read without TLS what is behind it. */
  readonly mayDropTls: (address: string) => boolean;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  readonly health: Pick<HealthTable, 'changes'>;
  readonly clock: Pick<Clock, 'monotonic'>;
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
  /** By the page: what it came to last. */
  readonly #standings = new Map<string, Standing & { readonly recipe: ViewRecipe | null }>();

  constructor(options: ClientRecipesOptions) {
    this.#options = options;
  }

  /** Null if the page stays as it is. */
  of({ request, shown }: ReadPage, { fields, provenance }: Answered, kind: PageKind): ViewRecipe | null {
    const { parts, choosing } = this.#options;
    const { target, client } = request;
    const served = parts.of(target);
    const from = kind === 'page' ? (provenance ?? null) : null;
    const will = served === null ? noWill : choosing.of(client.address, served, target);
    const page: Page = { shown, target, client: client.address, served, will, from, length: lengthOf(fields) };
    const key = `${kind} ${hrefOf(shown)}`;
    const standing = this.#standing(page);
    const known = this.#standings.get(key);
    if (known !== undefined && this.#isSo(known, standing)) return known.recipe;
    const recipe = this.#recipe(page);
    if (this.#standings.size >= mostStandings) this.#standings.clear();
    if (key.length <= longestKey) this.#standings.set(key, { ...standing, recipe });
    return recipe;
  }

  /** All that a recipe depends on, but for how servers are, of which it is enough to know how they were a second ago. */
  #standing({ target, client, served, will, from, length }: Page): Standing {
    const { names, mayDropTls, now, health, clock } = this.#options;
    const group = served?.by.kind === 'group' ? served.by.known : null;
    const { source = null, receivedAt = null, freshUntil = null } = from ?? {};
    return {
      of: [
        served?.servers,
        group?.group,
        group?.head,
        served?.part,
        served?.path,
        target.scheme,
        target.authority,
        target.path,
        will.kind,
        will.kind === 'chosen' ? will.server : null,
        from === null,
        minuteOf(receivedAt),
        minuteOf(freshUntil),
        from?.standsIn,
        source?.url,
        source?.role,
        source?.isUnconfirmed,
        source?.version?.epoch,
        source?.version?.seq,
        length,
        names.isEmpty ? null : names.version,
        mayDropTls(client),
        minuteOf(now()),
      ],
      changes: health.changes,
      at: clock.monotonic(),
    };
  }

  #isSo(known: Standing, { of, changes, at }: Standing): boolean {
    const isRecent = known.changes === changes || elapsedMonotonic(known.at, at) < aSecond;
    return isRecent && known.of.every((one, i) => one === of[i]);
  }

  #recipe(page: Page): ViewRecipe | null {
    const wishes = this.#options.rules.of(hrefOf(page.shown));
    const { served, from } = page;
    const urls = wishes.links ? this.#urls(page) : null;
    const isAlternate = from !== null && wishes.alternates && served !== null;
    const duplicates = isAlternate ? this.#duplicates(served, from, page.length) : none;
    const facts = from !== null && wishes.bar ? this.#facts(page, from) : null;
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
  #urls({ served, target, shown, client }: Page): UrlRewriting | null {
    const { names, mayDropTls } = this.#options;
    const isConcerned = served?.by.kind === 'group' || shown.host !== target.host;
    return isConcerned && !names.isEmpty ? new NamedLinks(names, shown, mayDropTls(client)) : null;
  }

  /** Of what is known to be the same bytes: what was proven, or compared with the original. */
  #duplicates({ by, path }: ServedPart, { source }: Provenance, length: Bytes | null): readonly DuplicateLink[] {
    if (by.kind === 'group') {
      if (source?.version == null) return none;
      const { group } = by.known;
      const isSecret = by.known.namespace.startsWith('https:');
      const all = this.#linksOf(group).duplicates(path, length);
      return all.flatMap(({ url, area }) => (isSecret && !url.startsWith('https:') ? [] : [{ url, area }]));
    }
    if (by.set.trust === 'full' || source?.role !== 'mirror') return none;
    const place = by.set
      .placesOf(targetIn(by.set.of, path))
      .find(({ url, role }) => role === 'mirror' && url === source.url);
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

  #facts({ served, shown, target, will }: Page, from: Provenance): BarFacts {
    const { source, receivedAt, freshUntil, standsIn = false } = from;
    const { name, now } = this.#options;
    const mayChoose = served !== null && will.kind !== 'rule';
    const all =
      served === null ? [] : served.servers.filter(({ isActive, has }) => isActive(now()) && has(served.path));
    const offered = all.map((server) => this.#offered(server, served as ServedPart, mayChoose)).sort(downLast);
    return {
      ...{ node: name, standing: 'proxy', isUnconfirmed: standsIn || (source?.isUnconfirmed ?? false) },
      // to the minute, as they are told
      ...{ receivedAt: minuteOf(receivedAt), freshUntil: minuteOf(freshUntil) },
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

/** A page, and all about it that has a part in what is made of it. */
interface Page {
  readonly shown: TargetUri;
  readonly target: TargetUri;
  readonly client: string;
  readonly served: ServedPart | null;
  readonly will: ReadersWill;
  /** Null for what is shown within another page, or comes from nobody knows where. */
  readonly from: Provenance | null;
  readonly length: Bytes | null;
}

interface Standing {
  readonly of: readonly unknown[];
  /** Of what is known of the health of nodes. */
  readonly changes: number;
  readonly at: MonotonicMs;
}

const noWill: ReadersWill = { kind: 'none' };

/** The one in which a time is; null for none. */
function minuteOf(time: EpochMs): EpochMs;
function minuteOf(time: EpochMs | null): EpochMs | null;
function minuteOf(time: EpochMs | null): EpochMs | null {
  return time === null ? null : epochMs(Math.floor(time / 60_000) * 60_000);
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
const mostStandings = 512;
const longestKey = 1024;
const aSecond = milliseconds(1000);
