import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seconds } from '../../config/units.js';
import { cacheStatus, type Forwarded } from '../../proxy/cache/cache-status.js';
import { parseList, Token } from '../../proxy/http/structured-fields.js';

describe('cache-status', () => {
  it('a hit is told with the remaining freshness lifetime (RFC 9211 §2.1, §2.4)', () => {
    assert.equal(cacheStatus('willis', { hit: true, ttl: seconds(376) }), 'willis; hit; ttl=376');
    assert.equal(cacheStatus('willis', { hit: true }), 'willis; hit');
  });

  it('the ttl of a stale response is negative (RFC 9211 §2.4)', () => {
    assert.equal(cacheStatus('willis', { hit: true, ttl: seconds(-412) }), 'willis; hit; ttl=-412');
    assert.equal(cacheStatus('willis', { hit: true, ttl: seconds(-0.2) }), 'willis; hit; ttl=-1');
  });

  it('the ttl is an integer, whatever the clock says (RFC 9211 §2.4, RFC 9651 §3.3.1)', () => {
    assert.equal(cacheStatus('w', { hit: true, ttl: seconds(1.9) }), 'w; hit; ttl=1');
    assert.equal(cacheStatus('w', { hit: true, ttl: seconds(-0) }), 'w; hit; ttl=0');
    assert.equal(cacheStatus('w', { hit: true, ttl: seconds(NaN) }), 'w; hit');
    assert.equal(cacheStatus('w', { hit: true, ttl: seconds(Infinity) }), 'w; hit; ttl=999999999999999');
  });

  for (const fwd of ['uri-miss', 'vary-miss', 'miss', 'stale', 'request', 'bypass', 'method', 'partial'] as const) {
    it(`fwd=${fwd} tells why a request went forward (RFC 9211 §2.2)`, () => {
      assert.equal(cacheStatus('willis', { fwd }), `willis; fwd=${fwd}`);
    });
  }

  it('fwd-status, ttl, stored, collapsed, key and detail follow (RFC 9211 §2.3–§2.8)', () => {
    const member = cacheStatus('willis', {
      fwd: 'stale',
      fwdStatus: 304,
      ttl: seconds(60),
      stored: true,
      collapsed: true,
      key: 'http://example.org/',
      detail: 'no-cache',
    });
    assert.equal(
      member,
      'willis; fwd=stale; fwd-status=304; ttl=60; stored; collapsed; key="http://example.org/"; detail=no-cache',
    );
  });

  it('what is not so is left out', () => {
    assert.equal(cacheStatus('willis', { fwd: 'miss', stored: false, collapsed: false }), 'willis; fwd=miss');
  });

  it('the identifier of the cache is a token if it can be one, otherwise a string (RFC 9211 §2)', () => {
    assert.equal(cacheStatus('cache.example.org:80', { hit: true }), 'cache.example.org:80; hit');
    assert.equal(cacheStatus('my "own" cache', { hit: true }), '"my \\"own\\" cache"; hit');
    assert.equal(cacheStatus('10.0.0.1', { hit: true }), '"10.0.0.1"; hit');
    assert.equal(cacheStatus('', { hit: true }), '""; hit');
  });

  it('every member is a valid Structured Field with the values that went in (RFC 9211 §2)', () => {
    const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
      fc.option(arbitrary, { nil: undefined });
    const words = fc.string({ unit: 'binary', maxLength: 20 });
    const facts = fc.record({ name: words, ttl: optional(fc.double()), key: optional(words), detail: optional(words) });
    fc.assert(
      fc.property(facts, ({ name, ttl, key, detail }) => {
        const what: Forwarded = {
          fwd: 'miss',
          ...(ttl !== undefined && { ttl: seconds(ttl) }),
          ...(key !== undefined && { key }),
          ...(detail !== undefined && { detail }),
        };
        const list = parseList(cacheStatus(name, what));
        assert.equal(list?.length, 1);
        const parameters = list[0]!.params;
        assert.deepEqual(parameters.get('fwd'), new Token('miss'));
        assert.equal(parameters.has('key'), key !== undefined);
        assert.equal(parameters.has('detail'), detail !== undefined);
        if (key !== undefined) assert.equal(parameters.get('key'), key.replace(/[^ -~]/g, '?'));
      }),
    );
  });
});
