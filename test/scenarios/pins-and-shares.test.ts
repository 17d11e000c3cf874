import assert from 'node:assert/strict';
import { RefusedConfiguration } from '../../proxy/roles/refused-configuration.js';
import { answer } from '../support/origin-scripts.js';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import { cacheStatusOf, outcomeOf, startWillis, type Sections, type Willis } from '../support/willis.js';

const fresh = { 'Cache-Control': 'max-age=600', ETag: '"1"' };
const body = Buffer.alloc(100_000, 'x');
const pins = { match: 'http://site.test/kept/', pin: true };
const share = { match: 'http://site.test/some/', maxBytes: '1MiB' };
const MiB = 1024 * 1024;

/** Where it is stored: in memory alone, or on disk. */
const places: readonly [store: 'memory' | 'disk', cache: Sections][] = [
  ['memory', { memory: '16MiB', disk: null }],
  ['disk', { memory: '1MiB', disk: '16MiB' }],
];

for (const [store, cache] of places) {
  describe(`pins and shares (${store})`, () => {
    let directory: TempDir;
    let willis: Willis;

    const configOf = (rules: readonly object[], over: Sections = {}): Sections => ({
      node: { data: directory.path },
      log: { level: 'warn' },
      cache: { ...cache, rules, ...over },
    });
    const ask = async (path: string, count: number): Promise<string[]> => {
      const outcomes: string[] = [];
      for (let i = 0; i < count; i++) outcomes.push(outcomeOf(await willis.get(`${path}${i}`)));
      return outcomes;
    };
    const hits = async (path: string, count: number): Promise<number> =>
      (await ask(path, count)).filter((one) => one === 'hit').length;
    /** A response is on disk a moment after its client has it. */
    const isHit = (path: string): Promise<void> => until(async () => outcomeOf(await willis.get(path)) === 'hit');
    const metric = (name: string, rule: string): unknown =>
      willis.node.metrics
        .snapshot()
        .families.find((family) => family.name === name)
        ?.samples.find(({ labels }) => labels['rule'] === rule && labels['store'] === store)?.value;

    beforeEach(async () => {
      directory = await TempDir.create();
      willis = await startWillis({ config: configOf([pins, share]) });
      willis.serve(answer(200, fresh, body));
    });
    afterEach(async () => {
      await willis.stop();
      await directory.remove();
    });

    it('keep what a rule pins, and let a rule with a share have no more than that', async () => {
      await ask('/kept/', 20);
      await ask('/some/', 20);
      await ask('/other/', 200);
      assert.equal(await hits('/kept/', 20), 20);
      assert.equal(metric('willis_store_rule_responses', pins.match), 20);
      assert.equal(metric('willis_store_rule_pinned', pins.match), 1);
      await ask('/some/', 20);
      const taken = Number(metric('willis_store_rule_bytes', share.match));
      assert.ok(taken <= MiB && taken > MiB / 2, `${taken} bytes`);
      assert.equal(metric('willis_store_rule_limit_bytes', share.match), MiB);
      assert.ok(Number(metric('willis_store_rule_evictions_total', share.match)) > 0, 'evictions are counted');
    });

    it('validate what is stale, purge what is to go, and store what is newer', async () => {
      await isHit('/kept/0');
      willis.clock.advance(601_000);
      willis.serve(answer(304, fresh));
      assert.deepEqual(await ask('/kept/', 1), ['stale']);
      await isHit('/kept/0');
      await willis.ask('DELETE', '/kept/0');
      willis.serve(answer(200, { ...fresh, ETag: '"2"' }, 'newer'));
      await isHit('/kept/0');
      assert.equal((await willis.get('/kept/0')).body.toString(), 'newer');
      assert.equal(metric('willis_store_rule_responses', pins.match), 1);
    });

    it('refuse what has no more room beside the pinned: in Cache-Status, in the log once a minute, in a metric', async () => {
      const count = 160;
      await ask('/kept/', count);
      const { fwd, detail } = cacheStatusOf(await willis.get('/kept/more'));
      assert.deepEqual({ fwd, detail }, { fwd: 'uri-miss', detail: 'pins-full' });
      const kept = Number(metric('willis_store_rule_responses', pins.match));
      assert.ok(kept > 120 && kept < count, `${kept} kept`);
      assert.equal(await hits('/kept/', kept), kept);
      const said = (): readonly Record<string, unknown>[] => willis.events.filter(({ code }) => code === 'pins-full');
      assert.equal(said().length, 1);
      const { rule, limit, wanted, pinned } = said()[0] ?? {};
      assert.deepEqual([rule, said()[0]?.['store']], [pins.match, store]);
      assert.ok(
        Number(wanted) > body.length && Number(pinned) + Number(wanted) > Number(limit),
        'the figures tell why',
      );
      assert.ok(Number(limit) <= 16 * MiB * 0.9, `${String(limit)} bytes`);
      assert.equal(metric('willis_store_rule_refused_total', pins.match), count - kept + 1);
      willis.clock.advance(61_000);
      await willis.get('/kept/more');
      assert.deepEqual(said()[1]?.['refused'], count - kept + 1);
      await isHit('/other/0');
    });

    it('refuse a limit that the pinned do not fit into, and all that was to change with it', async () => {
      const [key, count] = store === 'disk' ? (['disk', 200] as const) : (['memory', 120] as const);
      const smaller = { ...cache, [key]: store === 'disk' ? '16MiB' : '8MiB' };
      if (store === 'disk') await willis.reload({ cache: { disk: '32MiB' } });
      await ask('/kept/', count);
      await isHit(`/kept/${count - 1}`);
      await assert.rejects(willis.reload({ cache: { ...smaller, rules: [pins, share] } }), (error: Error) => {
        assert.ok(error instanceof RefusedConfiguration, error.message);
        assert.match(error.message, new RegExp(`^cache\\.${key}: expected at least .*, which pinned responses take `));
        return true;
      });
      assert.equal(await hits('/kept/', count), count);
      await willis.reload({ cache: { ...smaller, rules: [{ ...pins, pin: false }, share] } });
      await until(async () => (await hits('/kept/', count)) < count);
    });

    it('are looked at again when the rules change', async () => {
      await ask('/kept/', 10);
      await ask('/later/', 10);
      await willis.reload({ cache: { rules: [{ match: 'http://site.test/later/', pin: true }] } });
      await ask('/other/', 200);
      assert.deepEqual([await hits('/later/', 10), await hits('/kept/', 10)], [10, 0]);
      assert.equal(metric('willis_store_rule_responses', 'http://site.test/later/'), 10);
    });

    if (store === 'memory') return;

    it('hold after a restart, and a node does not start with less room than the pinned take', async () => {
      await willis.reload({ cache: { disk: '32MiB' } });
      await ask('/kept/', 200);
      await ask('/some/', 5);
      const { clock, origin } = willis;
      await willis.node.stop();
      await assert.rejects(
        startWillis({ clock, origin, config: configOf([pins, share]) }),
        /cache\.disk: expected at least .*, which pinned responses take \(cache\.rules\[\]\.pin\), got 16MiB/,
      );
      willis = await startWillis({ clock, origin, config: configOf([pins, share], { disk: '32MiB' }) });
      assert.equal(metric('willis_store_rule_responses', pins.match), 200);
      assert.equal(metric('willis_store_rule_responses', share.match), 5);
      await ask('/other/', 300);
      assert.equal(await hits('/kept/', 200), 200);
    });
  });
}
