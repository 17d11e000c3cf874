import assert from 'node:assert/strict';
import fc from 'fast-check';
import { keyOfUri, scopes, type CacheKey } from '../../proxy/cache/cache-key.js';
import { InvalidationOrder } from '../../proxy/cache/invalidation-marks.js';
import { isPurgedBy, mayBePurgedBy, type PurgeMode, type PurgeSelector } from '../../proxy/cache/purge.js';
import { PurgeMarks } from '../../proxy/cache/purge-marks.js';

const hosts = ['a.test', 'a.test.b', '[::1]'];
const origins = hosts.flatMap((host) => [`http://${host}`, `http://${host}:8080`, `https://${host}`]);
const paths = ['/', '/x', '/x/', '/x/y', '/x|http://a.test/', '/http://a.test/x', '/x?|y'];
const groups = ['g', 'h'];

const uri = fc.tuple(fc.constantFrom(...origins), fc.constantFrom(...paths)).map(([origin, path]) => origin + path);
const selector: fc.Arbitrary<PurgeSelector> = fc.oneof(
  fc.record({ kind: fc.constant('uri' as const), uris: fc.array(uri, { minLength: 1, maxLength: 2 }) }),
  fc.record({ kind: fc.constant('prefix' as const), prefixes: fc.array(uri, { minLength: 1, maxLength: 2 }) }),
  fc.record({
    kind: fc.constant('host' as const),
    host: fc.constantFrom(...hosts),
    origins: fc.option(fc.subarray(origins, { minLength: 1, maxLength: 2 })),
  }),
  fc.record({
    kind: fc.constant('group' as const),
    origins: fc.subarray(origins, { minLength: 1, maxLength: 2 }),
    group: fc.constantFrom(...groups),
  }),
);
const response = fc.record({
  key: fc.tuple(uri, fc.constantFrom(...scopes)).map(([one, scope]): CacheKey => keyOfUri(one, scope)),
  groups: fc.subarray(groups),
});
const mode = fc.constantFrom<PurgeMode>('soft', 'hard');

describe('PurgeMarks', () => {
  it('concern what is under way by the same rule as what is stored', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(selector, mode), { maxLength: 5 }), fc.nat(5), response, (purges, first, one) => {
        const order = new InvalidationOrder();
        const marks = new PurgeMarks(order);
        const begun = [order.current()];
        for (const [what, how] of purges) {
          marks.add(what, how);
          begun.push(order.current());
        }
        const at = Math.min(first, purges.length);
        const since = purges.slice(at).filter(([what]) => isPurgedBy(what, one.key, one.groups));
        const expected = since.length === 0 ? null : since.some(([, how]) => how === 'hard') ? 'hard' : 'soft';
        assert.equal(marks.after(begun[at]!, one.key, one.groups), expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('a purge may be about every key that it is about', () => {
    fc.assert(
      fc.property(selector, response, (what, { key, groups: of }) => {
        if (isPurgedBy(what, key, of)) assert.equal(mayBePurgedBy(what, key), true);
        if (!mayBePurgedBy(what, key)) assert.equal(isPurgedBy(what, key, groups), false);
      }),
    );
  });

  it('say nothing of a request that is sent after the last purge, and share their order with others', () => {
    const order = new InvalidationOrder();
    const marks = new PurgeMarks(order);
    const before = order.current();
    marks.add({ kind: 'uri', uris: ['http://a.test/'] }, 'soft');
    assert.notEqual(order.current(), before);
    assert.equal(marks.after(order.current(), keyOfUri('http://a.test/', ''), []), null);
    assert.equal(marks.after(before, keyOfUri('http://a.test/', ''), []), 'soft');
  });
});
