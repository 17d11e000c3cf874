import assert from 'node:assert/strict';
import { Cancellation } from '../../proxy/base/cancellation.js';

const [first, second] = [new Error('first'), new Error('second')];

/** A listener that keeps what it is told. */
const listener = (): { told: Error[]; onCancelled(reason: Error): void } => {
  const told: Error[] = [];
  return { told, onCancelled: (reason) => void told.push(reason) };
};

describe('a cancellation', () => {
  it('tells its listeners once, in the same turn, with the first reason', () => {
    const cancellation = new Cancellation();
    const [one, other] = [listener(), listener()];
    cancellation.add(one);
    cancellation.add(other);
    assert.equal(cancellation.cancelled, false);
    cancellation.cancel(first);
    cancellation.cancel(second);
    assert.deepEqual([one.told, other.told], [[first], [first]]);
    assert.equal(cancellation.cancelled, true);
    assert.equal(cancellation.reason, first);
  });

  it('does not tell those who have left, or who come afterwards', () => {
    const cancellation = new Cancellation();
    const [left, late] = [listener(), listener()];
    cancellation.add(left);
    cancellation.remove(left);
    cancellation.remove(left);
    cancellation.cancel(first);
    cancellation.add(late);
    assert.deepEqual([left.told, late.told], [[], []]);
  });

  it('tells all of them, those too whose neighbour leaves meanwhile', () => {
    const cancellation = new Cancellation();
    const one = listener();
    const leaving = { onCancelled: () => cancellation.remove(leaving) };
    cancellation.add(leaving);
    cancellation.add(one);
    cancellation.cancel(first);
    assert.deepEqual(one.told, [first]);
  });

  it('may be cancelled by another one', () => {
    const [outer, inner] = [new Cancellation(), new Cancellation()];
    outer.add(inner);
    outer.cancel(first);
    assert.equal(inner.reason, first);
  });

  it('has an AbortSignal for those who want one, before and after', () => {
    const cancellation = new Cancellation();
    const { signal } = cancellation;
    assert.equal(signal, cancellation.signal);
    assert.equal(signal.aborted, false);
    cancellation.cancel(first);
    assert.equal(signal.aborted, true);
    assert.equal(signal.reason, first);

    const late = new Cancellation();
    late.cancel(second);
    assert.equal(late.signal.reason, second);
  });
});
