import type { Config } from '../../../config/schema.js';
import { bytes, epochMs, type Bytes, type EpochMs } from '../../../config/units.js';
import { bar, type BarFacts, type OfferedServer } from '../../../wlis/html/bar/bar.js';
import { mirrorUrl } from '../../../wlis/html/mirror/mirror-space.js';
import type { MirrorUrls } from '../../../wlis/html/mirror/mirror-urls.js';
import type { PageKind } from '../../../wlis/html/views/navigation.js';
import type { DuplicateLink, ViewRecipe } from '../../../wlis/html/view-recipe.js';
import { namespaceLabel, originOf, parseNamespace, type Namespace } from '../../../wlis/namespace.js';
import { GroupLinks, rightHolders } from '../../../wlis/piggyback/group-links.js';
import type { SignedGroup } from '../../../wlis/trust/group.js';
import { subsetTest, type SubsetTest } from '../../../wlis/choice/subset-test.js';
import type { Version } from '../../../wlis/trust/epoch.js';
import type { HealthTable } from '../../../wlis/health/health-table.js';
import type { Response } from '../../http/message.js';
import type { OpenNamespace } from '../replication/open-namespace.js';
import type { ReplicationLayer } from '../replication/replication-layer.js';

export interface MirrorRecipesOptions {
  readonly config: Pick<Config, 'replicated'>;
  readonly layer: Pick<ReplicationLayer, 'name' | 'url' | 'ground' | 'time'>;
  readonly health: Pick<HealthTable, 'of'>;
}

/** A page that is shown in a mirror space. */
export interface ShownPage {
  readonly open: OpenNamespace;
  /** Inside the namespace, with its query. */
  readonly path: string;
  readonly urls: MirrorUrls;
}

type Settings = Config['replicated']['namespaces'][number]['html'];

/** What is made of pages in the mirror spaces of this node, by the keys of their namespaces. */
export class MirrorRecipes {
  readonly #options: MirrorRecipesOptions;
  readonly #settings: ReadonlyMap<Namespace, Settings>;
  readonly #servers = new WeakMap<SignedGroup, ServersThen>();
  readonly #made = new Map<string, Made>();

  constructor(options: MirrorRecipesOptions) {
    this.#options = options;
    const { namespaces } = options.config.replicated;
    this.#settings = new Map(namespaces.map(({ url, html }) => [parseNamespace(url), html]));
  }

  /** Null if the page stays as it is. The same object as long as it says the same. */
  of(page: ShownPage, original: Response, kind: PageKind): ViewRecipe | null {
    const { held } = page.open;
    const settings = this.#settings.get(held.namespace) ?? ofPrimary;
    const standing = kind === 'frame' ? null : this.#standing(page.open, original);
    const of = [settings, kind, page.urls.key, ...partsOf(standing)];
    const key = `${page.urls.space} ${kind} ${held.namespace}${page.path}`;
    const known = this.#made.get(key);
    if (known?.of.every((one, index) => one === of[index]) === true) return known.recipe;
    const recipe = this.#recipe(page, settings, standing);
    const isSame = known !== undefined && sayOf(known.recipe) === sayOf(recipe);
    if (this.#made.size >= mostMade) this.#made.clear();
    const made = { of, recipe: isSame ? known.recipe : recipe };
    if (key.length <= longestKey) this.#made.set(key, made);
    return made.recipe;
  }

  #recipe(page: ShownPage, settings: Settings, standing: Standing | null): ViewRecipe | null {
    const urls = settings.links ? page.urls : null;
    if (standing === null) return urls && { duplicates: [], bar: null, urls };
    const servers = standing.group === null ? null : this.#serversOf(standing.group);
    const duplicates = settings.alternates && servers !== null ? duplicatesOf(page, standing, servers) : [];
    const shown = settings.bar ? bar(this.#facts(page, standing, servers)) : null;
    return duplicates.length === 0 && shown === null && urls === null ? null : { duplicates, bar: shown, urls };
  }

  #standing({ held, tree, known }: OpenNamespace, { provenance, fields }: Response): Standing {
    const { source = null, receivedAt = null } = provenance ?? {};
    const length = fields.has('content-encoding') ? undefined : fields.first('content-length');
    return {
      group: tree.group,
      period: Math.floor(this.#options.layer.time.now() / lookedAtEvery),
      receivedAt: receivedAt === null ? null : epochMs(receivedAt - (receivedAt % confirmedWithin)),
      isUnconfirmed: source?.isUnconfirmed ?? false,
      behind: behindOf(held.edition?.head.head ?? null, known),
      length: length === undefined ? null : bytes(Number(length)),
    };
  }

  #facts({ open, path }: ShownPage, standing: Standing, servers: ServersThen | null): BarFacts {
    const { layer } = this.#options;
    const { namespace, role } = open.held;
    const { receivedAt, isUnconfirmed, behind } = standing;
    const from = { url: layer.url ?? originOf(namespace), role, down: null, behind, isOwn: true };
    const offered = (servers?.all ?? []).filter(({ holds }) => holds?.(path, standing.length) !== false);
    return {
      ...{ node: layer.name, standing: 'mirror', from, receivedAt, freshUntil: null, isUnconfirmed },
      ...{ choice: null, truth: null },
      servers: offered.map((server) => this.#offered(server, namespace, path)),
    };
  }

  /** The primary has the page under its own name; of replicas it is known that they may be named to browsers. */
  #offered({ url, role }: Server, namespace: Namespace, path: string): OfferedServer {
    const down = this.#options.health.of(url).breaker === 'open' ? { since: null } : null;
    const href = role === 'primary' ? namespace + path : mirrorUrl(url, namespaceLabel(namespace), path);
    return { url, role, down, behind: null, go: { kind: 'link', href } };
  }

  /** Who is active is looked at again after a while. */
  #serversOf(signed: SignedGroup): ServersThen {
    const { ground, time } = this.#options.layer;
    const now = time.now();
    const known = this.#servers.get(signed);
    if (known !== undefined && now - known.at < lookedAtEvery && now >= known.at) return known;
    const { group } = signed;
    const self = ground?.callKey.publicKey ?? null;
    const all = rightHolders(group, self, now).flatMap((member): Server[] => {
      const url = member.urls.find((one) => isFit(one, group.namespace));
      const role = member === group.primary ? 'primary' : 'replica';
      const subset = 'subset' in member ? member.subset : null;
      return url === undefined ? [] : [{ url, role, holds: subset && subsetTest(subset) }];
    });
    const then = { at: now, links: new GroupLinks(group, self, now), all };
    this.#servers.set(signed, then);
    return then;
  }
}

function partsOf(standing: Standing | null): readonly unknown[] {
  if (standing === null) return [];
  const { group, period, receivedAt, isUnconfirmed, behind, length } = standing;
  return [group, period, receivedAt, isUnconfirmed, behind, length];
}

/** Everything that a bar depends upon besides the page. */
interface Standing {
  readonly group: SignedGroup | null;
  readonly period: number;
  readonly receivedAt: EpochMs | null;
  readonly isUnconfirmed: boolean;
  readonly behind: number | 'epoch' | null;
  readonly length: Bytes | null;
}

interface Made {
  /** What it was made of. */
  readonly of: readonly unknown[];
  readonly recipe: ViewRecipe | null;
}

interface ServersThen {
  readonly at: EpochMs;
  readonly links: GroupLinks;
  readonly all: readonly Server[];
}

interface Server {
  readonly url: string;
  readonly role: 'primary' | 'replica';
  /** Null for all. */
  readonly holds: SubsetTest | null;
}

/** Its readers have the page from whom it is; only links are made to work. */
const ofPrimary: Settings = { alternates: false, bar: false, links: true };

/** What is of https is to be had by https alone (protocol decision 21). */
const isFit = (url: string, namespace: Namespace): boolean =>
  !namespace.startsWith('https:') || url.startsWith('https:');

const duplicatesOf = (
  { open, path }: ShownPage,
  { length }: Standing,
  { links }: ServersThen,
): readonly DuplicateLink[] =>
  links.duplicates(path, length).flatMap(({ url, area }) => (isFit(url, open.held.namespace) ? [{ url, area }] : []));

function behindOf(held: Version | null, known: Version | null): Standing['behind'] {
  if (held === null || known === null) return null;
  return held.epoch === known.epoch ? Math.max(0, known.seq - held.seq) : 'epoch';
}

const sayOf = (recipe: ViewRecipe | null): string =>
  recipe === null ? '' : JSON.stringify([recipe.duplicates, recipe.bar, recipe.urls?.key ?? null]);

/** In milliseconds. */
const lookedAtEvery = 30_000;

/** A bar that told each confirmation to the minute would have its page made anew, and sent again, as often. */
const confirmedWithin = 600_000;

/** A few kilobytes each. */
const mostMade = 512;
const longestKey = 512;
