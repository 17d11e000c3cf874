import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { bytes, epochMs, milliseconds } from '../../../config/units.js';
import { WillisError } from '../../../proxy/base/errors.js';
import { BufferedBody } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import { unreachable } from '../../../wlis/calls/call-failures.js';
import { CallFailed } from '../../../wlis/calls/call-failed.js';
import { HEAD_FIELD } from '../../../wlis/calls/head-field.js';
import type { NodeCall, NodeCaller } from '../../../wlis/calls/node-caller.js';
import type { KnownNamespace } from '../../../wlis/directory/known-namespace.js';
import { HealthTable } from '../../../wlis/health/health-table.js';
import { NamespacesInUse } from '../../../wlis/health/namespaces-in-use.js';
import { Probes } from '../../../wlis/health/probes.js';
import { ServedSamples, type ServedSample } from '../../../wlis/health/served-samples.js';
import type { Digest } from '../../../wlis/trust/digest.js';
import { FakeClock } from '../../support/fake-clock.js';
import { gate } from '../../support/gate.js';
import { until } from '../../support/waiting.js';
import { knownWith, primaryUrl } from '../choice/known-example.js';
import { groupIssued } from '../trust/group-example.js';

const content = Buffer.from('what everybody has');
const digest = createHash('sha256').update(content).digest('hex') as Digest;
const sample: ServedSample = { content: digest, block: { digest, size: bytes(content.length) }, path: 'en/a.html' };

const [m0, m1] = ['http://m0.example', 'http://m1.example'] as const;

type Answer = (call: NodeCall) => Awaited<ReturnType<NodeCaller['open']>> | Promise<never>;

const answered =
  (status: number, body: string | Buffer = '', fields: Record<string, string> = {}): Answer =>
  () => ({ status, fields: Fields.of(fields), body: BufferedBody.from(body) });

const good = answered(206, content);

describe('probes', () => {
  let clock: FakeClock;
  let health: HealthTable;
  let inUse: NamespacesInUse;
  let samples: ServedSamples;
  let calls: NodeCall[];
  let answers: Map<string, Answer>;
  let allowed: (url: string) => boolean;
  let probes: Probes;
  let known: KnownNamespace;

  const caller: NodeCaller = {
    ask: () => Promise.reject(new Error('nobody asks so')),
    open: async (call) => {
      calls.push(call);
      return (answers.get(call.url) ?? good)(call);
    },
  };

  beforeEach(async () => {
    clock = new FakeClock(new Date(groupIssued).toISOString());
    health = new HealthTable({ clock, chance: () => 0.5 });
    inUse = new NamespacesInUse();
    samples = new ServedSamples();
    calls = [];
    answers = new Map();
    allowed = () => true;
    probes = started();
    known = await knownWith([{}, {}]);
    inUse.used(known, clock.monotonic());
    samples.served(known.namespace, sample);
  });

  afterEach(() => probes.stop());

  function started(every = 3_600_000): Probes {
    const now = () => epochMs(groupIssued);
    const made = new Probes({ health, inUse, samples, clock, now, chance: () => 0.5, every: milliseconds(every) });
    const reach = { callerFor: () => caller, allowsUrl: (_: string, url: string) => allowed(url) };
    made.configure({ reach, patience: milliseconds(5000), ownUrl: null });
    return made;
  }

  const asked = (): string[] => calls.map(({ url }) => url).sort();
  const states = (): string[] => [m0, m1, primaryUrl].map((url) => health.of(url).breaker);

  const fails = (url: string, reason: 'unreachable' | 'false' | 'silent'): void => health.begin(url).failed(reason);

  it('ask each member of a namespace in use, for what was served last', async () => {
    await probes.round();
    assert.deepEqual(asked(), [primaryUrl, m0, m1].sort());
    assert.equal(calls[0]?.path, `blob/${digest}`);
    assert.ok(calls[0].fields.includes(`bytes=0-${content.length - 1}`), 'no more than one block');
    assert.ok(health.lastOf(m0).well !== null, 'it is known to be well');
  });

  it('do not ask whom requests came to a moment ago, but whom they have not for a minute', async () => {
    health.begin(m0).done();
    await probes.round();
    assert.deepEqual(asked(), [primaryUrl, m1].sort());
    calls.length = 0;
    clock.advance(59_000);
    await probes.round();
    assert.deepEqual(asked(), []);
    clock.advance(1000);
    await probes.round();
    assert.deepEqual(asked(), [primaryUrl, m0, m1].sort());
  });

  it('ask nobody of a namespace of which nothing was asked for five minutes', async () => {
    clock.advance(300_001);
    await probes.round();
    assert.deepEqual(asked(), []);
  });

  it('ask one that failed once its time is over, and find out that it is well again', async () => {
    for (const url of [m0, m1, primaryUrl]) health.begin(url).done();
    fails(m0, 'unreachable');
    clock.advance(999);
    await probes.round();
    assert.deepEqual(asked(), []);
    clock.advance(1);
    await probes.round();
    assert.deepEqual(asked(), [m0]);
    assert.deepEqual(states(), ['closed', 'closed', 'closed']);
  });

  it('ask it too while something else of it is still on its way', async () => {
    const download = health.begin(m0);
    fails(m0, 'unreachable');
    clock.advance(1000);
    await probes.round();
    assert.equal(health.of(m0).breaker, 'closed');
    download.done();
  });

  it('ask one that stays away more and more seldom', async () => {
    answers.set(m0, () => Promise.reject(unreachable(m0, new WillisError('connect-refused', 'no'))));
    for (let second = 0; second < 3600; second++) {
      inUse.used(known, clock.monotonic());
      await probes.round();
      clock.advance(1000);
    }
    const times = calls.filter(({ url }) => url === m0).length;
    assert.ok(times > 10 && times < 25, `asked ${times} times in an hour`);
    assert.equal(health.of(m0).failure?.reason, 'unreachable');
    assert.equal(health.of(m0).failure?.detail, 'a probe: connect-refused');
  });

  it('tell silence from a refused connection', async () => {
    answers.set(m0, () => Promise.reject(unreachable(m0, new WillisError('upstream-timeout', 'no answer in 5 s'))));
    await probes.round();
    assert.equal(health.of(m0).failure?.reason, 'silent');
  });

  it('blame one that sends other bytes than those of the digest, be they too few', async () => {
    for (const bad of ['what nobody has..', content.toString().slice(1), '']) {
      health = new HealthTable({ clock, chance: () => 0.5 });
      probes = started();
      answers.set(m0, answered(206, bad));
      await probes.round();
      assert.equal(health.of(m0).failure?.reason, 'false', bad);
    }
  });

  it('read no more than was asked for, however much comes', async () => {
    let reads = 0;
    let isCancelled = false;
    answers.set(m0, () => ({
      status: 200,
      fields: Fields.none,
      body: {
        length: null,
        trailers: Fields.none,
        read: () => (reads++ === 0 ? content : Buffer.alloc(65_536)),
        cancel: () => (isCancelled = true),
      },
    }));
    await probes.round();
    assert.deepEqual([reads, isCancelled], [1, true]);
    assert.equal(health.of(m0).breaker, 'closed');
  });

  it('ask one that has not got it how far it is, and are content with that', async () => {
    const away = answered(404);
    answers.set(m0, (call) =>
      call.path.startsWith('blob/') ? away(call) : answered(200, '', { [HEAD_FIELD]: '"x"' })(call),
    );
    await probes.round();
    assert.deepEqual(
      calls.filter(({ url }) => url === m0).map(({ path }) => path.split('?')[0]),
      [`blob/${digest}`, 'head'],
    );
    assert.notEqual(health.lastOf(m0).well, null);
  });

  it('are content with nothing less than the right bytes from one that lied', async () => {
    fails(m0, 'false');
    clock.advance(600_000);
    inUse.used(known, clock.monotonic());
    answers.set(m0, answered(404));
    await probes.round();
    assert.deepEqual(calls.filter(({ url }) => url === m0).length, 1);
    assert.equal(health.of(m0).breaker, 'probing');
    answers.set(m0, good);
    await probes.round();
    assert.equal(health.of(m0).breaker, 'closed');
  });

  it('leave a liar alone while there is nothing to ask it for', async () => {
    fails(m0, 'false');
    clock.advance(600_000);
    samples = new ServedSamples();
    probes = started();
    inUse.used(known, clock.monotonic());
    await probes.round();
    assert.ok(!asked().includes(m0), 'it was asked');
  });

  it('ask how far a node is where nothing is known that it has', async () => {
    samples = new ServedSamples();
    probes = started();
    answers.set(m0, answered(200, '', { [HEAD_FIELD]: '"x"' }));
    await probes.round();
    assert.ok(
      calls.every(({ path }) => path.startsWith('head?namespace=http%3A%2F%2Fdocs')),
      'nothing else',
    );
    assert.notEqual(health.lastOf(m0).well, null);
  });

  it('do not hold against a replica what is the fault of another', async () => {
    answers.set(m0, answered(502, '', { 'Proxy-Status': 'm0; error=connection_refused' }));
    answers.set(m1, answered(500));
    for (let i = 0; i < 6; i++) {
      await probes.round();
      clock.advance(75_000);
      inUse.used(known, clock.monotonic());
    }
    assert.deepEqual(health.of(m0).failure, null);
    assert.equal(health.of(m1).failure?.reason, 'status');
  });

  it('hold nothing against a node that this one keeps itself from calling', async () => {
    answers.set(m0, () => Promise.reject(new CallFailed('busy', m0, 'backed-off', 'left alone')));
    await probes.round();
    assert.equal(health.of(m0).breaker, 'closed');
    assert.equal(health.of(m0).failure, null);
  });

  it('go nowhere where the nodes of the namespace may not be', async () => {
    allowed = (url) => url !== m0;
    await probes.round();
    assert.deepEqual(asked(), [primaryUrl, m1].sort());
  });

  it('ask four at once at most, and no machine twice, whoever is stated in a group', async () => {
    const victim = Array.from({ length: 300 }, (_, i) => ({ urls: [`http://victim.example:${1000 + i}`] }));
    inUse.used(await knownWith(victim), clock.monotonic());
    await probes.round();
    assert.equal(calls.filter(({ url }) => url.includes('victim')).length, 1);
    const many = Array.from({ length: 50 }, (_, i) => ({ urls: [`http://n${i}.example`] }));
    inUse.used(await knownWith(many), clock.monotonic());
    calls.length = 0;
    await probes.round();
    assert.equal(calls.length, 4);
  });

  it('come by themselves, and end when the node stops, whatever is under way', async () => {
    await probes.stop();
    probes = started(1);
    const waits = gate();
    answers.set(m0, (call) => {
      waits.open();
      return new Promise<never>((_, reject) => {
        call.signal.addEventListener('abort', () => reject(call.signal.reason as Error));
      });
    });
    await waits.promise;
    assert.equal(health.of(m0).underWay, 1);
    await probes.stop();
    assert.equal(health.of(m0).underWay, 0);
    assert.equal(health.of(m0).failure, null);
    const before = calls.length;
    clock.advance(120_000);
    probes.configure(null);
    assert.equal(calls.length, before);
  });

  it('pause while nobody is to be asked, and go on', async () => {
    probes.configure(null);
    await probes.round();
    assert.deepEqual(asked(), []);
    await probes.stop();
    probes = started(1);
    await until(() => calls.length >= 3);
  });
});
