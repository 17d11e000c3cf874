import assert from 'node:assert/strict';
import { loadConfig } from '../../../config/load.js';
import { epochMs, seconds, type EpochMs } from '../../../config/units.js';
import { Fields } from '../../../proxy/http/fields.js';
import type { Request } from '../../../proxy/http/message.js';
import type { Provenance, Source } from '../../../proxy/http/provenance.js';
import type { TargetUri } from '../../../proxy/http/target-uri.js';
import { ClientRecipes, type ClientRecipesOptions } from '../../../proxy/roles/views/client-recipes.js';
import { ServedParts } from '../../../proxy/roles/views/served-parts.js';
import { ServerStates } from '../../../proxy/roles/views/server-states.js';
import type { ReadersWill } from '../../../proxy/roles/views/reader-choosing.js';
import { ChoiceTokens } from '../../../wlis/choice/choice-tokens.js';
import type { KnownNamespace } from '../../../wlis/directory/known-namespace.js';
import { HealthTable } from '../../../wlis/health/health-table.js';
import { Positions } from '../../../wlis/health/positions.js';
import { PageRules } from '../../../wlis/html/bar/page-rules.js';
import type { ViewRecipe } from '../../../wlis/html/view-recipe.js';
import { namespaceLabel } from '../../../wlis/namespace.js';
import type { SignedHead } from '../../../wlis/trust/head.js';
import { FakeClock } from '../../support/fake-clock.js';
import { knownWith } from '../../wlis/choice/known-example.js';
import { groupIssued } from '../../wlis/trust/group-example.js';

const epoch = '1700000000000-0123456789abcdef';
const [m0, m1] = ['http://m0.example', 'http://m1.example'] as const;

const names = { isEmpty: false, version: '1', baseOf: () => null };

const target: TargetUri = {
  scheme: 'http',
  host: 'docs.example.org',
  port: 80,
  authority: 'docs.example.org',
  path: '/manual/a.html',
};
const other: TargetUri = { ...target, host: 'other.example', authority: 'other.example' };

describe('what is made of pages for readers of a client-side proxy', () => {
  let clock: FakeClock;
  let health: HealthTable;
  let positions: Positions;
  let known: KnownNamespace;
  let will: ReadersWill;

  beforeEach(async () => {
    clock = new FakeClock(new Date(groupIssued).toISOString());
    health = new HealthTable({ clock, chance: () => 0.5 });
    positions = new Positions(clock);
    known = { ...(await knownWith([{ browsers: true }, { browsers: false }])), head: headOf(7) };
    will = { kind: 'none' };
  });

  const headOf = (seq: number): SignedHead => ({ head: { epoch, seq, issued: groupIssued } }) as unknown as SignedHead;

  const recipes = (over: Partial<ClientRecipesOptions> = {}): ClientRecipes => {
    const config = loadConfig('{}', 'recipes.yaml', {});
    const finding = {
      directory: { of: ({ host }: TargetUri) => (host === target.host ? known : null) },
      mirrors: { setFor: () => null },
    } as unknown as ConstructorParameters<typeof ServedParts>[0]['finding'];
    return new ClientRecipes({
      ...{
        health,
        clock,
        name: 'willis',
        ownUrl: null,
        tokens: new ChoiceTokens(() => Buffer.alloc(32)),
        now: () => clock.now(),
      },
      rules: new PageRules({ alternates: true, bar: true, links: true, rules: [] }),
      parts: new ServedParts({ config, files: { text: () => '' }, finding }),
      states: new ServerStates({ health, positions }),
      choosing: { of: () => will },
      names: { ...names, isEmpty: true },
      mayDropTls: () => true,
      ...over,
    });
  };

  const from = (seq: number, url: string = m0): Source => ({
    ...{ url, role: 'replica', isUnconfirmed: false, version: { epoch, seq } },
  });

  const provenance = (source: Source | null, receivedAt: EpochMs = epochMs(groupIssued)): Provenance => ({
    ...{ receivedAt, ageThen: seconds(0), freshUntil: null, source },
  });

  const made = (
    by: ClientRecipes,
    source: Source | null,
    at = target,
    kind: 'page' | 'frame' = 'page',
  ): ViewRecipe | null => {
    const request = { target: at, client: { address: '192.0.2.1' } } as unknown as Request;
    return by.of({ request, shown: at }, { fields: Fields.none, provenance: provenance(source) }, kind);
  };

  const lineOf = (recipe: ViewRecipe | null): string =>
    /<span>(.*?)<\/span>/.exec(recipe?.bar?.markup ?? '')?.[1]?.replace(/<[^>]*>/g, '') ?? '';

  it('is the same object as long as the same is to be said', () => {
    const one = recipes();
    const first = made(one, from(7));
    assert.equal(made(one, from(7)), first);
    assert.notEqual(made(one, from(6)), first);
    assert.equal(made(one, from(7)), first);
  });

  it('names those to whom browsers may be sent, for what is proven, and for nothing else', () => {
    const label = namespaceLabel(known.namespace);
    assert.deepEqual(
      made(recipes(), from(7))?.duplicates.map(({ url }) => url),
      [`${m0}/.well-known/wlis/raw/${label}/a.html`, `http://docs.example.org/.well-known/wlis/raw/${label}/a.html`],
    );
    assert.deepEqual(made(recipes(), { ...from(7), version: null })?.duplicates, []);
    assert.deepEqual(made(recipes(), null)?.duplicates, []);
  });

  it('says how far behind the newest head that is known the page was', () => {
    const one = recipes();
    assert.match(lineOf(made(one, from(7))), /up to date then/);
    assert.match(lineOf(made(one, from(4))), /; 3 changes behind/);
    known = { ...known, head: headOf(9) };
    assert.match(lineOf(made(one, from(7))), /; 2 changes behind/);
    assert.match(
      lineOf(made(one, { ...from(7), version: { epoch: `${epoch}0`, seq: 7 } })),
      /edition that has been replaced/,
    );
  });

  it('says of a page of which nothing is known that it is from its own server', () => {
    const recipe = made(recipes(), null, other);
    assert.match(lineOf(recipe), /^From other.example \(the server of the page itself\)/);
    assert.equal(recipe?.bar?.formAction, null);
  });

  it('says that nobody could confirm a page where a stale one stands in, and no longer when it was confirmed', () => {
    const one = recipes();
    const request = { target: other, client: { address: '192.0.2.1' } } as unknown as Request;
    const line = (standsIn: boolean): string =>
      lineOf(
        one.of(
          { request, shown: other },
          { fields: Fields.none, provenance: { ...provenance(null), standsIn } },
          'page',
        ),
      );
    assert.doesNotMatch(line(false), /nobody could confirm it/);
    assert.match(line(true), /^From other.example [^;]*; nobody could confirm it; received/);
    assert.doesNotMatch(line(false), /nobody could confirm it/);
  });

  it('says since when a server looks down, and puts it last; later failures change nothing', () => {
    const one = recipes();
    health.begin(m0).failed('unreachable');
    made(one, from(7, m1));
    clock.advance(1000);
    const first = made(one, from(7, m1));
    const markup = first?.bar?.markup ?? '';
    assert.match(markup, /m0\.example<\/button><i>replica; down since/);
    assert.ok(markup.indexOf('>m1.example<') < markup.indexOf('>m0.example<'), 'behind the one that is well');
    clock.advance(120_000);
    health.begin(m0).failed('unreachable');
    assert.equal(made(one, from(7, m1)), first);
    health.begin(m0).done();
    clock.advance(1000);
    assert.doesNotMatch(made(one, from(7, m1))?.bar?.markup ?? '', /down since/);
  });

  it('offers no choice where the operator has made it', () => {
    will = { kind: 'rule', match: 'http://docs.example.org/**' };
    assert.equal(made(recipes(), from(7))?.bar?.formAction, null);
    will = { kind: 'none' };
    assert.equal(made(recipes(), from(7))?.bar?.formAction, 'http://proxy.wlis/choice');
  });

  it('is for a frame its links alone', () => {
    assert.equal(made(recipes(), from(7), target, 'frame'), null);
    const recipe = made(recipes({ names }), from(7), target, 'frame');
    assert.deepEqual([recipe?.bar, recipe?.duplicates, recipe?.urls === null], [null, [], false]);
    assert.equal(made(recipes({ names }), null, other, 'frame'), null, 'a page that has nothing to do with names');
  });

  it('keeps its number of recipes bounded', () => {
    const one = recipes();
    const first = made(one, from(7));
    for (let i = 0; i < 600; i++) made(one, from(7), { ...target, path: `/manual/${i}.html` });
    assert.notEqual(made(one, from(7)), first);
    assert.deepEqual(made(one, from(7)), first);
  });
});
