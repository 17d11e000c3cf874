import assert from 'node:assert/strict';
import { bytes, epochMs, seconds, type EpochMs } from '../../../config/units.js';
import { Fields } from '../../../proxy/http/fields.js';
import type { Response } from '../../../proxy/http/message.js';
import { MirrorRecipes, type MirrorRecipesOptions } from '../../../proxy/roles/views/mirror-recipes.js';
import type { OpenNamespace } from '../../../proxy/roles/replication/open-namespace.js';
import { MirrorPlaces } from '../../../wlis/html/mirror/mirror-places.js';
import { pathSpace } from '../../../wlis/html/mirror/mirror-space.js';
import { MirrorUrls } from '../../../wlis/html/mirror/mirror-urls.js';
import type { PageKind } from '../../../wlis/html/views/navigation.js';
import type { ViewRecipe } from '../../../wlis/html/view-recipe.js';
import { namespaceLabel } from '../../../wlis/namespace.js';
import type { Group } from '../../../wlis/trust/group.js';
import type { Replica } from '../../../wlis/trust/group-member.js';
import type { PublicKey } from '../../../wlis/trust/public-key.js';
import { groupIssued, groupOf, replicaOf } from '../../wlis/trust/group-example.js';
import { manual } from '../../wlis/trust/record-example.js';

const key = (name: string): PublicKey => name.padEnd(43, 'A') as PublicKey;
const self = key('self');
const label = namespaceLabel(manual);

/** A replica that may be named to browsers. */
const right = (name: string, over: Partial<Replica> = {}): Replica =>
  replicaOf(key(name), { urls: [`https://${name}.example`], browsers: true, ...over });

interface Circumstances {
  readonly replicas?: readonly Replica[];
  readonly html?: Partial<Record<'alternates' | 'bar' | 'links', boolean>>;
  readonly role?: 'primary' | 'replica';
  readonly down?: readonly string[];
  readonly known?: { readonly epoch: string; readonly seq: number } | null;
}

/** Pages of a replica that is called `node`, and the time there. */
class Pages {
  now: EpochMs = epochMs(groupIssued + 1000);
  confirmed: EpochMs = epochMs(Date.UTC(2026, 10, 21, 14, 7, 30));
  isUnconfirmed = false;
  known: Circumstances['known'];
  readonly #recipes: MirrorRecipes;
  readonly #open: OpenNamespace;

  constructor({ replicas = [], html = {}, role = 'replica', down = [], known = null }: Circumstances = {}) {
    this.known = known;
    const settings = { alternates: true, bar: true, links: true, ...html };
    const layer = { name: 'node', url: 'https://self.example', ground: { callKey: { publicKey: self } } };
    const time = { now: () => this.now };
    this.#recipes = new MirrorRecipes({
      config: { replicated: { namespaces: role === 'primary' ? [] : [{ url: manual, html: settings }] } },
      layer: { ...layer, time },
      health: { of: (url: string) => ({ breaker: down.includes(url) ? 'open' : 'closed' }) },
    } as unknown as MirrorRecipesOptions);
    const group: Group = groupOf(key('primary'), [replicaOf(self, { browsers: true }), ...replicas]);
    const pages = this as { readonly known: Circumstances['known'] };
    this.#open = {
      held: { namespace: manual, role, edition: { head: { head: { epoch: 'e1', seq: 7 } } } },
      tree: { group: { group, jws: '' } },
      get known() {
        return pages.known;
      },
    } as unknown as OpenNamespace;
  }

  of(path = 'a/b', kind: PageKind = 'page'): ViewRecipe | null {
    const urls = new MirrorUrls(
      new MirrorPlaces(pathSpace, { namespaces: [manual], key: '1' }),
      { namespace: manual, path },
      null,
    );
    const source = { url: '', role: 'replica', version: null, isUnconfirmed: this.isUnconfirmed } as const;
    const response: Response = {
      ...{ status: 200, reason: 'OK', fields: Fields.of({ 'Content-Length': '100' }), body: null },
      provenance: { receivedAt: this.confirmed, ageThen: seconds(0), freshUntil: null, source },
    };
    return this.#recipes.of({ open: this.#open, path, urls }, response, kind);
  }

  get bar(): string {
    return this.of()?.bar?.markup ?? '';
  }
}

const linksIn = (markup: string): (string | undefined)[] =>
  [...markup.matchAll(/<a href="([^"]+)"/g)].map(([, url]) => url);

describe('what is made of pages in the mirrors of a replica', () => {
  it('others are named that may be named to browsers and have the page: at their mirrors, and the primary at the original', () => {
    const subset = { include: ['c/**'], exclude: [], maxBytes: null };
    const small = { include: [], exclude: [], maxBytes: bytes(99) };
    const pages = new Pages({
      replicas: [
        right('m1'),
        right('m2', { browsers: false }),
        right('m3', { subset }),
        right('m4', { subset: small }),
      ],
    });
    assert.deepEqual(linksIn(pages.bar), [`https://m1.example/mirror/${label}/a/b`, `${manual}a/b`]);
    const alternates = pages.of()?.duplicates.map(({ url }) => new URL(url).host);
    assert.deepEqual(alternates, ['m1.example', 'docs.example.org']);
  });

  it('rule 13: of a namespace of https only nodes with a URL of https are', () => {
    const pages = new Pages({
      replicas: [
        right('m1', { urls: ['http://m1.example'] }),
        right('m2', { urls: ['http://m2.example', 'https://m2.example'] }),
      ],
    });
    assert.deepEqual(linksIn(pages.bar), [`https://m2.example/mirror/${label}/a/b`, `${manual}a/b`]);
  });

  it('the bar tells when this copy was confirmed, to ten minutes, and how far behind it is known to be', () => {
    const pages = new Pages({ known: { epoch: 'e1', seq: 7 } });
    const [, spoken] = /<span>([^<]+)<\/span>/.exec(pages.bar) ?? [];
    assert.match(spoken ?? '', /confirmed after 21 November 2026, 14:00 UTC; up to date then/);
    pages.known = { epoch: 'e1', seq: 9 };
    assert.match(pages.bar, /2 changes behind/);
    pages.known = { epoch: 'e2', seq: 1 };
    assert.match(pages.bar, /an edition that has been replaced/);
    assert.doesNotMatch(pages.bar, /nobody could confirm/i);
    pages.isUnconfirmed = true;
    assert.match(pages.bar, /nobody could confirm/i);
  });

  it('it tells of nodes that look down', () => {
    assert.match(
      new Pages({ replicas: [right('m1')], down: ['https://m1.example'] }).bar,
      /m1\.example<\/a><i>replica; down/,
    );
  });

  it('it is the same recipe as long as it says the same', () => {
    const pages = new Pages({ replicas: [right('m1')], known: { epoch: 'e1', seq: 7 } });
    const first = pages.of();
    assert.equal(pages.of(), first);
    pages.now = epochMs(pages.now + 31_000);
    assert.equal(pages.of(), first, 'who is active was looked at again');
    pages.confirmed = epochMs(pages.confirmed + 120_000);
    assert.equal(pages.of(), first, 'another confirmation within ten minutes');
    pages.confirmed = epochMs(pages.confirmed + 120_000);
    assert.notEqual(pages.of(), first);
    assert.notEqual(pages.of('other'), pages.of());
  });

  it('frames have working links and nothing else', () => {
    const frame = new Pages({ replicas: [right('m1')] }).of('a/b', 'frame');
    assert.deepEqual([frame?.duplicates, frame?.bar], [[], null]);
    assert.notEqual(frame?.urls, null);
    assert.equal(new Pages({ html: { links: false } }).of('a/b', 'frame'), null);
  });

  it('each of them can be left out; without any the page stays as it is', () => {
    const none = { alternates: false, bar: false, links: false };
    assert.equal(new Pages({ html: none }).of(), null);
    const only = (html: Circumstances['html']): readonly boolean[] => {
      const recipe = new Pages({ replicas: [right('m1')], html: { ...none, ...html } }).of();
      return [recipe?.duplicates.length !== 0, recipe?.bar != null, recipe?.urls != null];
    };
    assert.deepEqual(only({ alternates: true }), [true, false, false]);
    assert.deepEqual(only({ bar: true }), [false, true, false]);
    assert.deepEqual(only({ links: true }), [false, false, true]);
  });

  it('a primary makes links work, and says nothing', () => {
    const recipe = new Pages({ role: 'primary', replicas: [right('m1')] }).of();
    assert.deepEqual([recipe?.duplicates, recipe?.bar, recipe?.urls != null], [[], null, true]);
  });
});
