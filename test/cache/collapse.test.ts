import assert from 'node:assert/strict';
import { milliseconds } from '../../config/units.js';
import { Cancellation } from '../../proxy/base/cancellation.js';
import { WillisError } from '../../proxy/base/errors.js';
import type { CacheKey } from '../../proxy/cache/cache-key.js';
import { Collapse } from '../../proxy/cache/collapse.js';
import { FakeClock } from '../support/fake-clock.js';

const key = '|http://a.test/' as CacheKey;
const other = '|http://b.test/' as CacheKey;
const forEver = new Cancellation();
const gone = new WillisError('client-gone', 'test');
const over = (_result: unknown, end: () => void): void => end();

describe('forwards that several requests share', () => {
  let clock: FakeClock;
  let collapse: Collapse<string>;

  beforeEach(() => {
    clock = new FakeClock();
    collapse = new Collapse(clock, milliseconds(10_000));
  });

  const unanswered = (cancellation: Cancellation): Promise<string> =>
    new Promise((_resolve, reject) => cancellation.add({ onCancelled: reject }));

  it('one that everybody has given up is not joined any more, even before it has ended', async () => {
    const client = new Cancellation();
    const flight = collapse.begin(key, unanswered, over);
    const waiting = flight.wait(client);
    client.cancel(gone);
    await assert.rejects(waiting, { code: 'client-gone' });
    assert.equal(flight.givenUp, true);
    assert.equal(collapse.flightOf(key), undefined);
  });

  it('one goes on as long as anybody waits for it', async () => {
    const [first, second] = [new Cancellation(), new Cancellation()];
    const flight = collapse.begin(key, unanswered, over);
    const waiting = [flight.wait(first), flight.wait(second)];
    first.cancel(gone);
    await assert.rejects(waiting[0] as Promise<string>);
    assert.equal(flight.givenUp, false);
    second.cancel(gone);
    await assert.rejects(waiting[1] as Promise<string>);
    assert.equal(flight.givenUp, true);
  });

  it('one is joined until what it brought has ended', async () => {
    let end!: () => void;
    const flight = collapse.begin(
      key,
      () => Promise.resolve('result'),
      (_result, over) => (end = over),
    );
    assert.equal(await flight.wait(forEver), 'result');
    assert.equal(collapse.flightOf(key), flight);
    end();
    assert.equal(collapse.flightOf(key), undefined);
    assert.equal(collapse.size, 0);
  });

  it('one that an invalidation concerns is forgotten, others are not (RFC 9111 §4.4)', () => {
    collapse.begin(key, unanswered, over);
    const kept = collapse.begin(other, unanswered, over);
    collapse.forget((one) => one === key);
    assert.equal(collapse.flightOf(key), undefined);
    assert.equal(collapse.flightOf(other), kept);
  });

  it('keys whose answers cannot be shared are not worth waiting for, for two minutes', () => {
    collapse.learned(key, false);
    assert.equal(collapse.worthwhile(key), false);
    assert.equal(collapse.worthwhile(other), true);
    clock.advance(119_999);
    assert.equal(collapse.worthwhile(key), false);
    clock.advance(1);
    assert.equal(collapse.worthwhile(key), true);
  });

  it('no more such keys are known than fit into a mebibyte, the oldest forgotten first', () => {
    const long = (i: number): CacheKey => `|http://a.test/${'u'.repeat(16_000)}${i}` as CacheKey;
    for (let i = 0; i < 100; i++) collapse.learned(long(i), false);
    const known = Array.from({ length: 100 }, (_, i) => long(i)).filter((one) => !collapse.worthwhile(one));
    assert.ok(known.length > 50 && known.length < 70, String(known.length));
    assert.equal(known.at(-1), long(99));
    assert.equal(collapse.worthwhile(long(0)), true);
  });
});
