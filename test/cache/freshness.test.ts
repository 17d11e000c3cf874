import assert from 'node:assert/strict';
import fc from 'fast-check';
import { epochMs, milliseconds } from '../../config/units.js';
import { parseResponseDirectives } from '../../proxy/cache/cache-control.js';
import {
  computeFreshness,
  currentAge,
  isFresh,
  remainingLifetime,
  type Freshness,
  type FreshnessPolicy,
} from '../../proxy/cache/freshness.js';
import { Fields } from '../../proxy/http/fields.js';

const now = epochMs(Date.parse('2026-03-01T12:00:00Z'));
const at = (secondsFromNow: number): string => new Date(now + secondsFromNow * 1000).toUTCString();
const later = (secondsFromNow: number) => epochMs(now + secondsFromNow * 1000);
const day = 86_400;

const policy: FreshnessPolicy = {
  heuristicFraction: 0.1,
  heuristicMax: milliseconds(day * 1000),
  negative: milliseconds(10_000),
};

interface Given {
  status?: number;
  /** Seconds that the response took. */
  delay?: number;
  responseTime?: number;
}

function freshness(record: Record<string, string | string[]>, given: Given = {}): Freshness {
  const { status = 200, delay = 0, responseTime = now } = given;
  const fields = Fields.of(record);
  return computeFreshness({
    status,
    fields,
    directives: parseResponseDirectives(fields),
    requestTime: epochMs(responseTime - delay * 1000),
    responseTime: epochMs(responseTime),
    policy,
  });
}

function lifetime(record: Record<string, string | string[]>, given?: Given): [number, string] {
  const { lifetime: value, lifetimeSource } = freshness({ Date: at(0), ...record }, given);
  return [value, lifetimeSource];
}

describe('freshness lifetime', () => {
  it('s-maxage comes first in a shared cache (RFC 9111 §4.2.1)', () => {
    const record = { 'Cache-Control': 'max-age=1, s-maxage=3600', Expires: at(-10) };
    assert.deepEqual(lifetime(record), [3600, 's-maxage']);
    assert.deepEqual(lifetime({ 'Cache-Control': 'max-age=3600, s-maxage=1' }), [1, 's-maxage']);
  });

  it('max-age comes before Expires (RFC 9111 §4.2.1, §5.3)', () => {
    assert.deepEqual(lifetime({ 'Cache-Control': 'max-age=60', Expires: at(-7200) }), [60, 'max-age']);
    assert.deepEqual(lifetime({ 'Cache-Control': 'max-age=0', Expires: at(3600) }), [0, 'max-age']);
    assert.deepEqual(lifetime({ 'Cache-Control': 'max-age=60', Expires: '0' }), [60, 'max-age']);
  });

  it('otherwise it is Expires minus Date (RFC 9111 §4.2.1)', () => {
    assert.deepEqual(lifetime({ Expires: at(100) }), [100, 'expires']);
    assert.deepEqual(lifetime({ Date: at(-50), Expires: at(100) }), [150, 'expires']);
    assert.deepEqual(lifetime({ Date: at(400), Expires: at(300) }), [0, 'expires']);
    assert.deepEqual(lifetime({ Expires: at(0) }), [0, 'expires']);
  });

  it('without a usable Date, Expires counts from when the response was received (RFC 9110 §6.6.1)', () => {
    assert.equal(freshness({ Expires: at(100) }).lifetime, 100);
    assert.equal(freshness({ Date: 'foo', Expires: at(100) }).lifetime, 100);
  });

  for (const value of [
    '0',
    '-1',
    '',
    'never',
    'Thu, 99 Aug 2050 02:01:18 GMT',
    '1767225600',
    'Thu, 18 Aug 2050 02:01:18 AEST',
  ]) {
    it(`an invalid Expires counts as expired: ${value || '(nothing)'} (RFC 9111 §5.3)`, () => {
      const old = at(-10 * day);
      assert.deepEqual(lifetime({ Expires: value, 'Last-Modified': old }), [0, 'expires']);
    });
  }

  it('Expires may come in each of the three date formats (RFC 9110 §5.6.7)', () => {
    assert.equal(lifetime({ Expires: 'Sun, 01 Mar 2026 12:01:00 GMT' })[0], 60);
    assert.equal(lifetime({ Expires: 'Sunday, 01-Mar-26 12:01:00 GMT' })[0], 60);
    assert.equal(lifetime({ Expires: 'Sun Mar  1 12:01:00 2026' })[0], 60);
  });

  it('of several Expires lines the first counts (RFC 9111 §4.2.1)', () => {
    assert.equal(lifetime({ Expires: [at(10), at(1000)] })[0], 10);
    assert.equal(lifetime({ Expires: ['0', at(1000)] })[0], 0);
  });

  it('an unusable s-maxage or max-age makes a response stale, whatever else it says (RFC 9111 §4.2.1)', () => {
    const rest = { Expires: at(1000), 'Last-Modified': at(-10 * day) };
    assert.deepEqual(lifetime({ 'Cache-Control': 'max-age=x', ...rest }), [0, 'none']);
    assert.deepEqual(lifetime({ 'Cache-Control': 's-maxage, max-age=60', ...rest }), [0, 'none']);
    assert.deepEqual(lifetime({ 'Cache-Control': 's-maxage=60, max-age=x', ...rest }), [60, 's-maxage']);
  });

  it('CDN-Cache-Control replaces Cache-Control and Expires (RFC 9213 §2.2)', () => {
    const rest = { 'Cache-Control': 'max-age=5', Expires: at(1000) };
    assert.deepEqual(lifetime({ 'CDN-Cache-Control': 'max-age=60', ...rest }), [60, 'max-age']);
    assert.deepEqual(lifetime({ 'CDN-Cache-Control': 'no-transform', ...rest }), [0, 'none']);
    assert.deepEqual(lifetime({ 'CDN-Cache-Control': 'max-age="60"', ...rest }), [0, 'none']);
    assert.deepEqual(lifetime({ 'CDN-Cache-Control': 'Max-Age=60', ...rest }), [5, 'max-age']);
  });

  it('an origin server that says nothing leaves it at nothing (RFC 9111 §4.2.2)', () => {
    assert.deepEqual(lifetime({}), [0, 'none']);
    assert.deepEqual(lifetime({ ETag: '"a"' }), [0, 'none']);
  });
});

describe('heuristic freshness', () => {
  it('is a fraction of the time since the last modification (RFC 9111 §4.2.2)', () => {
    assert.deepEqual(lifetime({ 'Last-Modified': at(-1000) }), [100, 'heuristic']);
    assert.deepEqual(lifetime({ Date: at(-500), 'Last-Modified': at(-1000) }), [50, 'heuristic']);
  });

  it('is bounded by the policy (RFC 9111 §4.2.2)', () => {
    assert.deepEqual(lifetime({ 'Last-Modified': at(-1000 * day) }), [day, 'heuristic']);
  });

  it('is not used where there is an explicit lifetime (RFC 9111 §4.2.2)', () => {
    assert.deepEqual(lifetime({ 'Cache-Control': 'max-age=0', 'Last-Modified': at(-1000) }), [0, 'max-age']);
    assert.deepEqual(lifetime({ Expires: at(-1), 'Last-Modified': at(-1000) }), [0, 'expires']);
  });

  it('is not derived from a last modification in the future, or none that can be read (RFC 9111 §4.2.2)', () => {
    assert.deepEqual(lifetime({ 'Last-Modified': at(1) }), [0, 'none']);
    assert.deepEqual(lifetime({ 'Last-Modified': 'yesterday' }), [0, 'none']);
    assert.deepEqual(lifetime({ Date: at(5000), 'Last-Modified': at(1000) }), [0, 'none']);
  });

  for (const status of [200, 203, 204, 206, 300, 301, 308, 451]) {
    it(`may be given to ${status} (RFC 9110 §15.1)`, () => {
      assert.deepEqual(lifetime({ 'Last-Modified': at(-1000) }, { status }), [100, 'heuristic']);
    });
  }

  for (const status of [201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 504, 599]) {
    it(`may not be given to ${status} (RFC 9110 §15.1)`, () => {
      assert.deepEqual(lifetime({ 'Last-Modified': at(-1000) }, { status }), [0, 'none']);
    });
  }

  it('may be given to any status with public (RFC 9111 §4.2.2)', () => {
    const record = { 'Cache-Control': 'public', 'Last-Modified': at(-1000) };
    assert.deepEqual(lifetime(record, { status: 599 }), [100, 'heuristic']);
  });

  for (const status of [404, 405, 410, 414, 501]) {
    it(`gives way to the lifetime of definitive negative answers for ${status}`, () => {
      assert.deepEqual(lifetime({ 'Last-Modified': at(-1000) }, { status }), [10, 'negative']);
      assert.deepEqual(lifetime({}, { status }), [10, 'negative']);
      assert.deepEqual(lifetime({ 'Cache-Control': 'max-age=60' }, { status }), [60, 'max-age']);
      assert.deepEqual(lifetime({ Expires: '0' }, { status }), [0, 'expires']);
    });
  }
});

describe('age', () => {
  const age = (record: Record<string, string | string[]>, given?: Given): number => freshness(record, given).initialAge;

  it('a response without Age and Date has no age (RFC 9111 §4.2.3)', () => {
    assert.equal(age({}), 0);
  });

  it('apparent age is the time since Date (RFC 9111 §4.2.3)', () => {
    assert.equal(age({ Date: at(-100) }), 100);
  });

  it('apparent age is never negative (RFC 9111 §4.2.3)', () => {
    assert.equal(age({ Date: at(100) }), 0);
    assert.equal(age({ Date: at(100), Age: '5' }), 5);
  });

  it('apparent age has no fractions, as Date has none (RFC 9110 §5.6.7)', () => {
    assert.equal(age({ Date: at(0) }, { responseTime: now + 900 }), 0);
  });

  it('corrected age is Age plus the delay of the response (RFC 9111 §4.2.3)', () => {
    assert.equal(age({ Date: at(0), Age: '30' }, { delay: 4 }), 34);
    assert.equal(age({ Date: at(0) }, { delay: 4 }), 4);
    assert.equal(age({ Date: at(0), Age: '30' }, { delay: -4 }), 30);
  });

  it('the greater of both counts (RFC 9111 §4.2.3)', () => {
    assert.equal(age({ Date: at(-100), Age: '30' }, { delay: 4 }), 100);
    assert.equal(age({ Date: at(-10), Age: '30' }, { delay: 4 }), 34);
  });

  it('of several Age members the first counts (RFC 9111 §5.1)', () => {
    assert.equal(age({ Age: '7200, 0' }), 7200);
    assert.equal(age({ Age: '0, 7200' }), 0);
    assert.equal(age({ Age: ['7200', '0'] }), 7200);
  });

  for (const value of ['abc', '-7200', '7200.0', '', '"5"', '7200;foo=bar', '+5', '0x10', '1 2', 'abc, 5']) {
    it(`an Age that is no non-negative integer is ignored: ${value || '(nothing)'} (RFC 9111 §5.1)`, () => {
      assert.equal(age({ Date: at(-3), Age: value }), 3);
    });
  }

  it('an Age that is too large counts as 2^31 (RFC 9111 §1.2.2)', () => {
    assert.equal(age({ Age: '99999999999999999999' }), 2 ** 31);
  });

  it('current age grows with the time a response is stored (RFC 9111 §4.2.3)', () => {
    const stored = freshness({ Date: at(0), Age: '30' });
    assert.equal(currentAge(stored, now), 30);
    assert.equal(currentAge(stored, later(12)), 42);
    assert.equal(currentAge(stored, later(0.5)), 30.5);
  });

  it('a clock that was set back makes nothing younger (RFC 9111 §4.2.3)', () => {
    assert.equal(currentAge(freshness({ Age: '30' }), later(-1000)), 30);
  });
});

describe('fresh and stale', () => {
  const stored = freshness({ Date: at(0), 'Cache-Control': 'max-age=60' });

  it('a response is fresh while its lifetime is greater than its age (RFC 9111 §4.2)', () => {
    assert.equal(isFresh(stored, later(59.9)), true);
    assert.equal(isFresh(stored, later(60)), false);
    assert.equal(isFresh(stored, later(61)), false);
  });

  it('a response with no lifetime is never fresh (RFC 9111 §4.2)', () => {
    assert.equal(isFresh(freshness({ 'Cache-Control': 'max-age=0' }), now), false);
    assert.equal(isFresh(freshness({}), now), false);
  });

  it('Age counts against the lifetime (RFC 9111 §4.2.3)', () => {
    assert.equal(isFresh(freshness({ Date: at(0), 'Cache-Control': 'max-age=3600', Age: '7200' }), now), false);
    assert.equal(isFresh(freshness({ Date: at(-10), Expires: at(10), Age: '25' }), now), false);
    assert.equal(isFresh(freshness({ Date: at(10), Expires: at(20), Age: '15' }), now), false);
  });

  it('so does the time since Date (RFC 9111 §4.2.3)', () => {
    assert.equal(isFresh(freshness({ Date: at(-7200), 'Cache-Control': 'max-age=3600' }), now), false);
  });

  it('the remaining lifetime is negative once a response is stale (RFC 9211 §2.3)', () => {
    assert.equal(remainingLifetime(stored, later(20)), 40);
    assert.equal(remainingLifetime(stored, later(90)), -30);
  });
});

describe('freshness, of any response', () => {
  const value = fc.oneof(fc.string(), fc.integer({ min: -1e6, max: 1e6 }).map(at), fc.integer().map(String));
  const record = fc.record(
    {
      Date: value,
      Expires: value,
      Age: value,
      'Last-Modified': value,
      'Cache-Control': value.map((v) => `max-age=${v}`),
    },
    { requiredKeys: [] },
  );

  it('is never negative nor anything but a number, and age only grows', () => {
    fc.assert(
      fc.property(record, fc.integer({ min: -1e7, max: 1e7 }), fc.nat(1e7), (given, delay, passed) => {
        const result = freshness(given, { delay });
        assert.ok(result.lifetime >= 0 && Number.isFinite(result.lifetime), String(result.lifetime));
        assert.ok(result.initialAge >= 0 && Number.isFinite(result.initialAge), String(result.initialAge));
        assert.ok(
          currentAge(result, later(passed)) >= currentAge(result, now),
          String(currentAge(result, later(passed))),
        );
        if (!isFresh(result, now)) assert.equal(isFresh(result, later(passed)), false);
      }),
    );
  });
});
