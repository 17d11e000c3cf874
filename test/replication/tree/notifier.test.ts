import assert from 'node:assert/strict';
import { milliseconds, monotonicMs } from '../../../config/units.js';
import { Fields } from '../../../proxy/http/fields.js';
import { parseHeadField, type ToldHead } from '../../../wlis/calls/head-field.js';
import type { CallAnswer, NodeCall } from '../../../wlis/calls/node-caller.js';
import { CallFailed } from '../../../wlis/calls/call-failed.js';
import type { ToldNode } from '../../../replication/tree/children.js';
import type { HeadClaim } from '../../../replication/tree/claimed-head.js';
import { HeadTimes } from '../../../replication/tree/head-times.js';
import { Hints } from '../../../replication/tree/hints.js';
import { Notifier } from '../../../replication/tree/notifier.js';
import { SourceOrder } from '../../../replication/tree/source-order.js';
import type { SignedHead } from '../../../wlis/trust/head.js';
import type { KeyId } from '../../../wlis/trust/public-key.js';
import { gate, type Gate } from '../../support/gate.js';
import { keyNamed } from '../../wlis/trust/keys-example.js';
import { epoch, headOf, site, TreeNetwork } from './tree-network.js';

const noAge = milliseconds(0);
const child = (name: string): ToldNode => ({ id: name as KeyId, urls: [`http://${name}.example`] });
const accepted: CallAnswer = { status: 202, fields: Fields.none, text: '' };
const seqIn = ({ path }: NodeCall): number => Number(/seq=(\d+)/.exec(path)?.[1]);

describe('notifications', () => {
  let network: TreeNetwork;
  let notifier: Notifier;
  let calls: NodeCall[];
  let heads: SignedHead[];
  /** What becomes of calls to a URL; accepted if nothing is said. */
  let behaviour: Map<string, (call: NodeCall) => Promise<CallAnswer>>;
  let refused: string[];

  beforeEach(async () => {
    network = new TreeNetwork();
    [calls, refused] = [[], []];
    behaviour = new Map();
    const signer = await keyNamed('signer');
    heads = await Promise.all(Array.from({ length: 10 }, (_, seq) => headOf(seq, signer, network.clock)));
    const ask = (call: NodeCall): Promise<CallAnswer> => {
      calls.push(call);
      return behaviour.get(call.url)?.(call) ?? Promise.resolve(accepted);
    };
    notifier = new Notifier({
      ...{ namespace: site, clock: network.clock, logger: network.logger, onRefused: (id) => void refused.push(id) },
      caller: { ask, open: () => Promise.reject(new Error('not here')) },
    });
  });

  afterEach(() => notifier.stop());

  const held = (name: string): Gate => {
    const closed = gate();
    behaviour.set(`http://${name}.example`, async ({ signal }) => {
      await Promise.race([
        closed.promise,
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      ]);
      return accepted;
    });
    return closed;
  };

  const fails = (name: string, error = new CallFailed('unreachable', name, '', 'no answer')): void =>
    void behaviour.set(`http://${name}.example`, () => Promise.reject(error));

  it('carry the head, its age by now, and something that is never the same twice', async () => {
    notifier.announce(heads[1]!, milliseconds(70), [child('a'), child('b')]);
    await network.quiet();
    assert.deepEqual(
      calls.map(({ url, method }) => `${method} ${url}`),
      ['GET http://a.example', 'GET http://b.example'],
    );
    const [first, second] = calls as [NodeCall, NodeCall];
    assert.match(
      first.path,
      new RegExp(`^changed\\?namespace=http%3A%2F%2Fsite.example%2F&epoch=${epoch}&seq=1&n=[\\w-]{16}$`),
    );
    assert.notEqual(first.path, second.path);
    assert.deepEqual(parseHeadField(new Fields(first.fields).get('wlis-head')), { jws: heads[1]?.jws, age: 70 });
    assert.deepEqual([notifier.sent, notifier.failed, notifier.latency.count], [2, 0, 2]);
  });

  it('go to each child one at a time, and of those that wait only the newest', async () => {
    const closed = held('a');
    for (const head of heads) notifier.announce(head, noAge, [child('a')]);
    await network.quiet();
    assert.deepEqual(calls.map(seqIn), [0]);
    closed.open();
    await network.quiet();
    assert.deepEqual(calls.map(seqIn), [0, 9]);
  });

  it('to one that does not answer hold up nobody, and are repeated a few times', async () => {
    fails('bad');
    notifier.announce(heads[1]!, noAge, [child('bad'), child('good')]);
    await network.quiet();
    assert.deepEqual(
      calls.map(({ url }) => url),
      ['http://bad.example', 'http://good.example'],
    );
    for (let second = 0; second < 30; second++) {
      network.clock.advance(1000);
      notifier.look();
      await network.quiet();
    }
    assert.equal(calls.filter(({ url }) => url === 'http://bad.example').length, 3);
    assert.deepEqual([notifier.sent, notifier.failed], [1, 3]);
  });

  it('to many that do not answer leave room for those that do', async () => {
    const bad = Array.from({ length: 200 }, (_, i) => child(`bad${i}`));
    for (const { urls } of bad) fails(urls[0]!.slice(7, -8));
    notifier.announce(heads[1]!, noAge, bad);
    await network.quiet();
    for (const { urls } of bad) held(urls[0]!.slice(7, -8));
    calls = [];
    notifier.announce(heads[2]!, noAge, [...bad, child('good')]);
    await network.quiet();
    assert.ok(
      calls.some(({ url }) => url === 'http://good.example'),
      'who answers waits for those who do not',
    );
    assert.equal(calls.length, 17);
  });

  it('go to the other URL of a child when one fails', async () => {
    fails('one');
    notifier.announce(heads[1]!, noAge, [{ id: 'x' as KeyId, urls: ['http://one.example', 'http://two.example'] }]);
    await network.quiet();
    network.clock.advance(1000);
    notifier.look();
    await network.quiet();
    assert.deepEqual(
      calls.map(({ url }) => url),
      ['http://one.example', 'http://two.example'],
    );
    assert.equal(notifier.sent, 1);
  });

  it('to one that says it does not replicate this end', async () => {
    const type = 'urn:willis:problem:not-replicated';
    const fields = Fields.of({ 'Content-Type': 'application/problem+json' });
    behaviour.set('http://a.example', () => Promise.resolve({ status: 404, fields, text: JSON.stringify({ type }) }));
    notifier.announce(heads[1]!, noAge, [child('a')]);
    await network.quiet();
    assert.deepEqual(refused, ['a']);
  });

  it('of the last head go to one that has become a child since, once', async () => {
    notifier.welcome(child('a'));
    notifier.announce(heads[1]!, milliseconds(70), [child('a')]);
    await network.quiet();
    network.clock.advance(1000);
    for (let i = 0; i < 3; i++) {
      notifier.welcome(child('a'));
      notifier.welcome(child('b'));
    }
    await network.quiet();
    assert.deepEqual(
      calls.map(({ url }) => url),
      ['http://a.example', 'http://b.example'],
    );
    assert.equal(parseHeadField(new Fields(calls[1]?.fields ?? []).get('wlis-head')).age, 1070);
    notifier.announce(heads[2]!, noAge, [child('a')]);
    await network.quiet();
    assert.equal(calls.length, 3, 'who is no child any more is not told');
  });

  it('that are under way end with the node', async () => {
    held('a');
    notifier.announce(heads[1]!, noAge, [child('a')]);
    await notifier.stop();
    notifier.announce(heads[2]!, noAge, [child('a')]);
    assert.equal(calls.length, 1);
  });
});

describe('notifications that come in', () => {
  let network: TreeNetwork;
  let hints: Hints;
  let looked: (ToldHead | null)[];
  let known: HeadClaim | null;

  beforeEach(() => {
    network = new TreeNetwork();
    [looked, known] = [[], { epoch, seq: 5, issued: network.clock.now() }];
    hints = new Hints({ known: () => known, onHint: (told) => void looked.push(told), clock: network.clock });
    hints.start();
  });

  afterEach(() => hints.stop());

  const told = async (seq: number, name = 'signer'): Promise<ToldHead> => ({
    jws: (await headOf(seq, await keyNamed(name), network.clock)).jws,
    age: noAge,
  });

  it('cost nothing if they are no news', async () => {
    for (const seq of [0, 4, 5]) hints.take(null, await told(seq));
    hints.take({ epoch, seq: 5, issued: null }, null);
    hints.take(null, { jws: 'no head', age: noAge });
    assert.deepEqual(looked, []);
    network.clock.advance(1);
    hints.take(null, await told(5));
    assert.equal(looked.length, 1, 'the same version stated anew is news');
  });

  it('are looked at once', async () => {
    const one = await told(6);
    for (let i = 0; i < 100; i++) hints.take(null, one);
    assert.deepEqual(looked, [one]);
  });

  it('in a flood of false ones cost a bounded amount, and true ones are not lost', async () => {
    const forged = await Promise.all(Array.from({ length: 300 }, (_, i) => told(1000 + i, 'somebody else')));
    for (let second = 0; second < 10; second++) {
      for (const one of forged) hints.take(null, one);
      network.clock.advance(1000);
      hints.look();
    }
    const asked = looked.filter((one) => one === null).length;
    assert.ok(asked >= 9 && asked <= 11, `${asked} times asked above in ten seconds`);
    assert.ok(looked.length - asked <= 32 + 10 * 16, `${looked.length - asked} heads were verified`);
  });

  it('without a head lead to asking, at once and then once a second', () => {
    for (let i = 0; i < 50; i++) hints.take({ epoch, seq: 6 + i, issued: null }, null);
    assert.deepEqual(looked, [null]);
    network.clock.advance(999);
    hints.look();
    assert.deepEqual(looked, [null]);
    network.clock.advance(1);
    hints.look();
    assert.deepEqual(looked, [null, null]);
    network.clock.advance(5000);
    hints.look();
    assert.deepEqual(looked, [null, null], 'nobody said anything since');
  });
});

describe('sources', () => {
  const urls = (order: SourceOrder<{ url: string }>, at: number): string[] =>
    order.ordered(monotonicMs(at)).map(({ url }) => url);

  it('that failed come last, for a longer time at each failure, until they do well', () => {
    const order = new SourceOrder<{ url: string }>();
    order.set(['a', 'b', 'a', 'c'].map((url) => ({ url })));
    assert.deepEqual(urls(order, 0), ['a', 'b', 'c']);
    order.failed('a', monotonicMs(0));
    order.failed('nobody', monotonicMs(0));
    assert.deepEqual(urls(order, 4999), ['b', 'c', 'a']);
    assert.equal(order.nextReturn(monotonicMs(1000)), 4000);
    assert.deepEqual(urls(order, 5000), ['a', 'b', 'c']);
    order.failed('a', monotonicMs(5000));
    assert.deepEqual(urls(order, 14_999), ['b', 'c', 'a']);
    order.well('a');
    assert.deepEqual(urls(order, 5000), ['a', 'b', 'c']);
    for (const url of ['a', 'b', 'c']) order.failed(url, monotonicMs(6000));
    assert.deepEqual(urls(order, 6000), ['a', 'b', 'c'], 'all that failed are still there');
    order.set([{ url: 'b' }]);
    assert.deepEqual(urls(order, 6000), ['b']);
  });
});

describe('times of heads', () => {
  it('say since when a version lacks something, as far back as they go', () => {
    const times = new HeadTimes(4);
    for (let seq = 1; seq <= 20; seq++) times.note({ epoch, seq }, monotonicMs(seq * 10));
    times.note({ epoch, seq: 20 }, monotonicMs(5000));
    const lacking = (seq: number): number => times.lacking({ epoch, seq }, monotonicMs(1000));
    assert.deepEqual([20, 19, 18].map(lacking), [0, 800, 810]);
    assert.ok(lacking(0) <= 990 && lacking(0) >= lacking(18), 'as far back as is known');
    times.note({ epoch: 'later', seq: 1 }, monotonicMs(600));
    assert.equal(times.lacking({ epoch, seq: 20 }, monotonicMs(1000)), 400);
    assert.equal(times.lacking(null, monotonicMs(1000)), 400);
  });
});
