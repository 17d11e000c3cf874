import assert from 'node:assert/strict';
import { bytes, epochMs, type EpochMs } from '../../../config/units.js';
import type { Config } from '../../../config/schema.js';
import { parseProxyUri, type ProxyUri } from '../../../config/origin-uri.js';
import { ChoiceRules } from '../../../wlis/choice/choice-rules.js';
import { explainChoice } from '../../../wlis/choice/choice-explanation.js';
import type { Question } from '../../../wlis/choice/choice.js';
import { GroupChooser, type ChoiceSettings } from '../../../wlis/choice/group-chooser.js';
import { policyNamed } from '../../../wlis/choice/policies.js';
import type { KnownNamespace } from '../../../wlis/directory/known-namespace.js';
import { HealthTable } from '../../../wlis/health/health-table.js';
import { Positions } from '../../../wlis/health/positions.js';
import { newEpoch } from '../../../wlis/trust/epoch.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import { FakeClock } from '../../support/fake-clock.js';
import { groupIssued } from '../trust/group-example.js';
import { chances } from './candidate-example.js';
import { knownWith, primaryUrl } from './known-example.js';

const [m0, m1, m2] = ['http://m0.example', 'http://m1.example', 'http://m2.example'] as const;

type WrittenRule = Config['clientSide']['rules'][number];

describe('the choice among a group', () => {
  let clock: FakeClock;
  let health: HealthTable;
  let positions: Positions;
  let now: EpochMs;

  beforeEach(() => {
    clock = new FakeClock(new Date(groupIssued).toISOString());
    health = new HealthTable({ clock, chance: () => 0.5 });
    positions = new Positions(clock);
    now = epochMs(groupIssued);
  });

  const chooser = (over: Partial<ChoiceSettings> = {}) =>
    new GroupChooser(
      { health, positions, now: () => now, chance: chances(3) },
      { name: 'nearest', policy: policyNamed('nearest', null), rules: new ChoiceRules([]), ownUrl: null, ...over },
    );

  const asked = (known: KnownNamespace, path = 'en/a.html', over: Partial<Question> = {}): Question => ({
    ...{ uri: known.namespace + path, path, size: null, client: '192.0.2.1', now: clock.monotonic() },
    ...over,
  });

  const choice = (known: KnownNamespace, of: Question = asked(known), over: Partial<ChoiceSettings> = {}) => {
    const { ranked, skipped } = chooser(over).choose(known, of);
    return {
      urls: ranked.map(({ candidate }) => candidate.url),
      skipped: Object.fromEntries(skipped.map(({ url, because }) => [url, because])),
    };
  };

  /** Each of them takes so long. */
  const measured = (latencies: Readonly<Record<string, number>>): void => {
    for (const [url, latency] of Object.entries(latencies)) {
      const attempt = health.begin(url);
      clock.advance(latency);
      attempt.answered();
      attempt.done();
    }
  };

  const rule = (match: string, from: string): WrittenRule => ({
    match,
    from: from === 'primary' ? from : (parseProxyUri(from) as ProxyUri),
  });

  it('has all members in it, the primary among them, in the order of the policy', async () => {
    const known = await knownWith([{}, {}]);
    measured({ [m0]: 50, [primaryUrl]: 20, [m1]: 5 });
    assert.deepEqual(choice(known), { urls: [m1, primaryUrl, m0], skipped: {} });
  });

  it('says of each its role, key, place and capacity', async () => {
    const known = await knownWith([{ place: { area: 'de', position: null }, capacity: 3 }]);
    const { ranked } = chooser().choose(known, asked(known));
    const of = (url: string) => ranked.find(({ candidate }) => candidate.url === url)?.candidate;
    assert.deepEqual([of(m0)?.role, of(m0)?.capacity, of(m0)?.place?.area], ['replica', 3, 'de']);
    assert.deepEqual([of(primaryUrl)?.role, of(primaryUrl)?.capacity], ['primary', 8]);
    assert.notEqual(of(m0)?.key, of(primaryUrl)?.key);
  });

  it('leaves out who holds another part', async () => {
    const known = await knownWith([
      { subset: { include: ['en/**'], exclude: ['**/*.iso'], maxBytes: bytes(1000) } },
      { subset: { include: ['de/**'], exclude: [], maxBytes: null } },
    ]);
    const of = (path: string, size: number | null = null) =>
      choice(known, asked(known, path, { size: size === null ? null : bytes(size) })).skipped;
    assert.deepEqual(of('en/a.html'), { [m1]: 'holds another part' });
    assert.deepEqual(of('en/a.html', 1000), { [m1]: 'holds another part' });
    assert.deepEqual(of('en/a.html', 1001), { [m0]: 'holds another part', [m1]: 'holds another part' });
    assert.deepEqual(of('en/x/b.iso'), { [m0]: 'holds another part', [m1]: 'holds another part' });
    assert.deepEqual(of('de/a.html'), { [m0]: 'holds another part' });
  });

  it('leaves out who is no longer active, but all stay who were so when nobody could renew any more', async () => {
    const known = await knownWith([
      { activeUntil: epochMs(groupIssued + 1000) },
      { activeUntil: epochMs(groupIssued + 400_000) },
    ]);
    assert.deepEqual(choice(known).skipped, {});
    now = epochMs(groupIssued + 1000);
    assert.deepEqual(choice(known).skipped, { [m0]: 'no longer active' });
    now = epochMs(groupIssued + 90 * 86_400_000);
    assert.deepEqual(choice(known).skipped, { [m0]: 'no longer active' });
  });

  it('leaves out who cannot be reached, or not by TLS where the namespace wants it, and this node itself', async () => {
    const known = await knownWith([{ urls: [] }, { urls: [m1, 'https://m1.example'] }, {}], {
      namespace: parseNamespace('https://docs.example.org/manual/'),
    });
    const { urls, skipped } = choice(known);
    assert.deepEqual([...urls].sort(), ['https://docs.example.org', 'https://m1.example']);
    assert.deepEqual(Object.values(skipped).sort(), ['nobody can reach it', 'without TLS']);
    assert.deepEqual(
      choice(known, asked(known), { ownUrl: 'https://m1.example' }).skipped['https://m1.example'],
      'this node itself',
    );
  });

  it('takes of several URLs of a node the first that does not look down', async () => {
    const known = await knownWith([{ urls: [m0, 'http://other.example:8080'] }]);
    assert.ok(choice(known).urls.includes(m0), 'the preferred one');
    health.begin(m0).failed('unreachable');
    assert.ok(choice(known).urls.includes('http://other.example:8080'), 'the other one');
    health.begin('http://other.example:8080').failed('unreachable');
    assert.ok(choice(known).urls.includes(m0), 'the preferred one, if all look down');
  });

  it('puts at the end who looks down, with the reason, so that they are tried if all do', async () => {
    const known = await knownWith([{}, {}]);
    measured({ [m0]: 1, [m1]: 50, [primaryUrl]: 80 });
    health.begin(m0).failed('silent', 'no answer in 5 s');
    assert.deepEqual(choice(known), {
      urls: [m1, primaryUrl, m0],
      skipped: { [m0]: 'breaker open: silent (no answer in 5 s) 0 s ago' },
    });
    clock.advance(3000);
    now = clock.now();
    assert.deepEqual(choice(known).skipped, { [m0]: 'in trial: silent (no answer in 5 s) 3 s ago' });
    for (const url of [m1, primaryUrl]) health.begin(url).failed('unreachable');
    assert.deepEqual(choice(known).urls, [m0, m1, primaryUrl], 'the one in trial first');
  });

  it('puts liars last of all', async () => {
    const known = await knownWith([{}, {}]);
    measured({ [m0]: 1, [m1]: 50, [primaryUrl]: 80 });
    health.begin(m0).failed('false', 'another digest');
    health.begin(m1).failed('unreachable');
    health.begin(primaryUrl).failed('unreachable');
    assert.deepEqual(choice(known).urls, [m1, primaryUrl, m0]);
    clock.advance(600_000);
    health.begin(m1).failed('unreachable');
    assert.deepEqual(choice(known).urls, [primaryUrl, m1, m0], 'though it may be tried now');
  });

  it('puts behind the others who has been behind for longer than a minute', async () => {
    const known = await knownWith([{}, {}]);
    measured({ [m0]: 1, [m1]: 50, [primaryUrl]: 80 });
    const epoch = newEpoch(null, epochMs(groupIssued), new Uint8Array(8));
    const saw = (seq: number): void => positions.answered(m0, known.namespace, { epoch, seq }, { epoch, seq: 12 });
    saw(5);
    assert.equal(choice(known).urls[0], m0, 'a little behind is how it is');
    clock.advance(59_000);
    saw(6);
    assert.equal(choice(known).urls[0], m0);
    clock.advance(2000);
    saw(7);
    assert.deepEqual(choice(known), {
      urls: [m1, primaryUrl, m0],
      skipped: { [m0]: '5 changes behind for 1 min 1 s or longer' },
    });
    saw(12);
    assert.equal(choice(known).urls[0], m0, 'it has caught up');
    saw(3);
    clock.advance(70_000);
    saw(3);
    clock.advance(700_000);
    assert.equal(choice(known).urls[0], m0, 'nobody has looked for long');
  });

  it('is the node of a rule alone, whether it is well or not, a member or not', async () => {
    const known = await knownWith([{}, { subset: { include: ['de/**'], exclude: [], maxBytes: null } }]);
    measured({ [m0]: 1, [primaryUrl]: 80 });
    const forced = (from: string, match = `${known.namespace}en/**`) =>
      choice(known, asked(known, 'en/a.html?x=y'), { rules: new ChoiceRules([rule(match, from)]) });
    assert.deepEqual(forced('primary'), {
      urls: [primaryUrl],
      skipped: {
        [m0]: `by the rule for ${known.namespace}en/**`,
        [m1]: 'holds another part',
      },
    });
    assert.deepEqual(forced(m0).urls, [m0]);
    assert.deepEqual(forced(m1).urls, [m1], 'though it says that it holds another part');
    assert.deepEqual(forced(m2).urls, [m2], 'though it is no member');
    health.begin(m0).failed('unreachable');
    assert.deepEqual(forced(m0).urls, [m0]);
    assert.deepEqual(forced(m0, 'http://elsewhere.example/**').urls.length, 2, 'it is not for this');
    assert.deepEqual(forced(m0, known.namespace.replace('docs', 'DOCS')).urls, [m0], 'hosts are the same in any case');
  });

  it('is nobody where a rule names a node that may not carry the namespace', async () => {
    const known = await knownWith([], { namespace: parseNamespace('https://docs.example.org/manual/') });
    const rules = new ChoiceRules([rule('https://docs.example.org/**', m2)]);
    assert.deepEqual(choice(known, asked(known), { rules }).urls, []);
  });

  it('heeds the first rule that matches', async () => {
    const known = await knownWith([{}, {}]);
    const rules = new ChoiceRules([rule('*://docs.example.org/manual/en/**', m1), rule('*://docs.example.org/**', m0)]);
    assert.deepEqual(choice(known, asked(known), { rules }).urls, [m1]);
    assert.deepEqual(choice(known, asked(known, 'de/a.html'), { rules }).urls, [m0]);
  });

  it('is the member alone that the reader has chosen, whether it is well or not, by whichever of its URLs', async () => {
    const known = await knownWith([{}, { urls: [m1, 'https://m1.example'] }, {}]);
    health.begin(m1).failed('silent');
    for (const from of [m1, 'https://m1.example']) {
      const { urls, skipped } = choice(known, asked(known, 'a.html', { from }));
      assert.deepEqual(urls, ['https://m1.example']);
      assert.deepEqual(skipped, {
        [m0]: 'another one has been chosen',
        [m2]: 'another one has been chosen',
        [primaryUrl]: 'another one has been chosen',
      });
    }
    assert.deepEqual(choice(known, asked(known, 'a.html', { from: 'primary' })).urls, [primaryUrl]);
  });

  it('is nobody where the reader has chosen one that has left, has another part, or is no member', async () => {
    const subset = { include: ['de/**'], exclude: [], maxBytes: null };
    const known = await knownWith([{}, { subset }, { activeUntil: epochMs(groupIssued - 1) }]);
    for (const from of [m1, m2, 'http://evil.example', '']) {
      assert.deepEqual(choice(known, asked(known, 'en/a.html', { from })).urls, [], from);
    }
    const { skipped } = choice(known, asked(known, 'en/a.html', { from: m1 }));
    assert.equal(skipped[m1], 'holds another part');
  });

  it('is that of the operator where he has a rule, whatever a reader has chosen', async () => {
    const known = await knownWith([{}, {}]);
    const rules = new ChoiceRules([{ match: `${known.namespace}**`, from: 'primary' }]);
    assert.deepEqual(choice(known, asked(known, 'a.html', { from: m1 }), { rules }).urls, [primaryUrl]);
  });

  it('stays with the same node for the pieces of a live stream', async () => {
    const known = await knownWith([{}, {}, {}]);
    const one = chooser({ policy: policyNamed('random', null) });
    const first = (path: string, client = 'a'): string | undefined =>
      one.choose(known, asked(known, path, { client })).ranked[0]?.candidate.url;
    const from = first('live/list.m3u8');
    for (let i = 0; i < 40; i++) assert.equal(first(`live/${i}.ts?token=${i}`), from);
    const others = new Set(Array.from({ length: 40 }, (_, i) => first(`live/${i}.html`)));
    assert.ok(others.size > 1, 'other documents come from anywhere');
    health.begin(from ?? '').failed('silent');
    const next = first('live/41.ts');
    assert.notEqual(next, from);
    assert.equal(first('live/42.ts'), next);
    clock.advance(61_000);
    const later = new Set(Array.from({ length: 40 }, (_, i) => first('live/list.m3u8', `c${i}`)));
    assert.ok(later.size > 1, 'each client has its own');
  });

  it('can be talked about without being made', async () => {
    const known = await knownWith([{}]);
    measured({ [m0]: 5, [primaryUrl]: 20 });
    health.begin(m0).failed('status');
    health.loaded(m0, 0.25);
    clock.advance(1000);
    const used: unknown[] = [];
    const one = new GroupChooser(
      { health, positions, now: () => now, inUse: { used: (of) => used.push(of) } },
      { name: 'nearest', policy: policyNamed('nearest', null), rules: new ChoiceRules([]), ownUrl: null },
    );
    const said = explainChoice(one, known, asked(known));
    assert.deepEqual([said.namespace, said.policy, said.rule], [known.namespace, 'nearest', null]);
    const [first] = said.candidates;
    assert.deepEqual([first?.url, first?.breaker, first?.failure?.reason], [m0, 'closed', 'status']);
    assert.deepEqual([first?.load, first?.lateBecause], [{ value: 0.25, before: 1000 }, null]);
    assert.deepEqual(used, []);
    one.choose(known, asked(known));
    assert.deepEqual(used, [known]);
  });
});
