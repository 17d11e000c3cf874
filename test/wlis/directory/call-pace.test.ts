import assert from 'node:assert/strict';
import { CallPace } from '../../../wlis/directory/call-pace.js';
import { FakeClock } from '../../support/fake-clock.js';

describe('the pace of calls to others', () => {
  it('who fails is left alone for 5 seconds, then twice as long each time, up to some ten minutes', () => {
    const [pace, clock] = [new CallPace(), new FakeClock()];
    const url = 'http://m1.example';
    const pauses: number[] = [];
    for (let i = 0; i < 12; i++) {
      pace.failed(url, clock.monotonic());
      let pause = 0;
      for (; pace.refusal(url, clock.monotonic()) === 'backed-off'; pause += 5) clock.advance(5000);
      pauses.push(pause);
    }
    assert.deepEqual(pauses.slice(0, 6), [5, 10, 20, 40, 80, 160]);
    assert.equal(Math.max(...pauses), 640);
    pace.succeeded(url);
    pace.failed(url, clock.monotonic());
    clock.advance(5000);
    assert.equal(pace.refusal(url, clock.monotonic()), null, 'one that has answered begins anew');
  });

  it('a host has an allowance of failures, however many URLs of it somebody names; another host has its own', () => {
    const [pace, clock] = [new CallPace(), new FakeClock()];
    let called = 0;
    for (let port = 1; port <= 1000; port++) {
      const url = `http://victim.example:${port}`;
      if (pace.refusal(url, clock.monotonic()) !== null) continue;
      called++;
      pace.failed(url, clock.monotonic());
    }
    assert.equal(called, 16);
    assert.equal(pace.refusal('http://victim.example:2000', clock.monotonic()), 'host-spent');
    assert.equal(pace.refusal('http://other.example', clock.monotonic()), null);
    clock.advance(10_000);
    assert.equal(pace.refusal('http://victim.example:2000', clock.monotonic()), null);
  });

  it('remembers so many and no more', () => {
    const [pace, clock] = [new CallPace(), new FakeClock()];
    for (let n = 0; n < 20_000; n++) pace.failed(`http://h${n}.example`, clock.monotonic());
    assert.equal(pace.refusal('http://h0.example', clock.monotonic()), null, 'the first ones are forgotten');
    assert.equal(pace.refusal('http://h19999.example', clock.monotonic()), 'backed-off');
  });
});
