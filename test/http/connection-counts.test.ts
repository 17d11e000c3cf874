import assert from 'node:assert/strict';
import fc from 'fast-check';
import { clientKey, type ClientPrefix } from '../../proxy/http/client-prefix.js';
import { ConnectionCounts, type CountedConnection } from '../../proxy/http/connection-counts.js';

const whole: ClientPrefix = { ipv4: 32, ipv6: 64 };

describe('the connections of each client', () => {
  it('are counted up to the limit, and one that has left makes room', () => {
    const counts = new ConnectionCounts(whole);
    const first = counts.enter('192.0.2.7', 2);
    assert.ok(first !== null, 'no first');
    assert.notEqual(counts.enter('192.0.2.7', 2), null);
    assert.equal(counts.enter('192.0.2.7', 2), null);
    assert.notEqual(counts.enter('192.0.2.8', 2), null);
    counts.leave(first);
    counts.leave(first);
    assert.notEqual(counts.enter('192.0.2.7', 2), null);
    assert.equal(counts.enter('192.0.2.7', 2), null);
  });

  it('count by prefix, by another one from a change on, those that are open too', () => {
    const counts = new ConnectionCounts(whole);
    assert.notEqual(counts.enter('2001:db8::1', 2), null);
    assert.notEqual(counts.enter('2001:db8:0:1::1', 2), null);
    assert.equal(counts.clients, 2);
    counts.configure({ ipv4: 32, ipv6: 48 });
    assert.equal(counts.clients, 1);
    assert.equal(counts.enter('2001:db8:0:2::1', 2), null);
    counts.configure(whole);
    assert.notEqual(counts.enter('2001:db8:0:2::1', 2), null);
  });

  it('are never lost and never left behind, whatever the order and the prefix', () => {
    const addresses = fc.constantFrom(
      '192.0.2.1',
      '192.0.2.2',
      '192.0.3.1',
      '2001:db8::1',
      '2001:db8::2',
      '2001:db9::',
    );
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('enter' as const), address: addresses }),
        fc.record({ kind: fc.constant('leave' as const), which: fc.nat(20) }),
        fc.record({
          kind: fc.constant('configure' as const),
          ipv4: fc.constantFrom(8, 24, 32),
          ipv6: fc.constantFrom(16, 64),
        }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const most = 3;
        let prefix = whole;
        const counts = new ConnectionCounts(prefix);
        const everEntered: CountedConnection[] = [];
        const open = new Map<CountedConnection, string>();
        const countOf = (address: string): number =>
          [...open.values()].filter((other) => clientKey(other, prefix) === clientKey(address, prefix)).length;
        for (const step of all) {
          if (step.kind === 'enter') {
            const expected = countOf(step.address) < most;
            const entered = counts.enter(step.address, most);
            assert.equal(entered !== null, expected);
            if (entered === null) continue;
            everEntered.push(entered);
            open.set(entered, step.address);
          } else if (step.kind === 'leave') {
            const one = everEntered[step.which];
            if (one === undefined) continue;
            counts.leave(one);
            open.delete(one);
          } else {
            prefix = step;
            counts.configure(prefix);
          }
          assert.equal(counts.clients, new Set([...open.values()].map((address) => clientKey(address, prefix))).size);
        }
        for (const one of everEntered) counts.leave(one);
        assert.equal(counts.clients, 0);
      }),
    );
  });
});
