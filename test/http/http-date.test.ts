import assert from 'node:assert/strict';
import fc from 'fast-check';
import { epochMs, type EpochMs } from '../../config/units.js';
import { formatHttpDate, parseHttpDate } from '../../proxy/http/http-date.js';

const now = epochMs(Date.UTC(2025, 5, 1));
const parse = (value: string, at: EpochMs = now): string | null => {
  const time = parseHttpDate(value, at);
  return time === null ? null : new Date(time).toISOString();
};

describe('HTTP-date (RFC 9110 §5.6.7)', () => {
  it('the three formats name the same time (RFC 9110 §5.6.7)', () => {
    const expected = '1994-11-06T08:49:37.000Z';
    assert.equal(parse('Sun, 06 Nov 1994 08:49:37 GMT'), expected);
    assert.equal(parse('Sunday, 06-Nov-94 08:49:37 GMT'), expected);
    assert.equal(parse('Sun Nov  6 08:49:37 1994'), expected);
    assert.equal(parse('Sun Nov 16 08:49:37 1994'), '1994-11-16T08:49:37.000Z');
  });

  it('a time is always sent as an IMF-fixdate (RFC 9110 §5.6.7)', () => {
    assert.equal(formatHttpDate(epochMs(784111777_999)), 'Sun, 06 Nov 1994 08:49:37 GMT');
    assert.equal(formatHttpDate(epochMs(784111778_000)), 'Sun, 06 Nov 1994 08:49:38 GMT');
    assert.equal(formatHttpDate(epochMs(1e17)), 'Fri, 31 Dec 9999 23:59:59 GMT');
  });

  it('every second from 1970 to 2200 survives formatting and parsing (RFC 9110 §5.6.7)', () => {
    const last = Date.UTC(2200, 11, 31) / 1000;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: last }), (second) => {
        const time = epochMs(second * 1000);
        assert.equal(parseHttpDate(formatHttpDate(time), now), time);
      }),
      { numRuns: 2000 },
    );
  });

  it('years below 100 are years of the first century in a four-digit format (RFC 9110 §5.6.7)', () => {
    assert.equal(parse('Sun, 06 Nov 0094 08:49:37 GMT'), '0094-11-06T08:49:37.000Z');
    assert.equal(parse('Tue, 29 Feb 0000 00:00:00 GMT'), '0000-02-29T00:00:00.000Z');
  });

  it('a two-digit year is at most 50 years in the future (RFC 9110 §5.6.7)', () => {
    assert.equal(parse('Saturday, 01-Jun-75 00:00:00 GMT'), '2075-06-01T00:00:00.000Z');
    assert.equal(parse('Saturday, 01-Jun-75 00:00:01 GMT'), '1975-06-01T00:00:01.000Z');
    assert.equal(parse('Saturday, 01-Jun-76 00:00:00 GMT'), '1976-06-01T00:00:00.000Z');
    assert.equal(parse('Saturday, 01-Jun-24 00:00:00 GMT'), '2024-06-01T00:00:00.000Z');
    assert.equal(parse('Friday, 01-Jan-10 00:00:00 GMT', epochMs(Date.UTC(2090, 0))), '2110-01-01T00:00:00.000Z');
    assert.equal(parse('Friday, 29-Feb-00 00:00:00 GMT', epochMs(Date.UTC(2099, 0))), null);
    assert.equal(parse('Friday, 29-Feb-00 00:00:00 GMT'), '2000-02-29T00:00:00.000Z');
  });

  it('any two-digit year falls into the hundred years around now (RFC 9110 §5.6.7)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 0, max: 4e12 }), (year, at) => {
        const value = `Monday, 15-Jul-${String(year).padStart(2, '0')} 12:00:00 GMT`;
        const time = parseHttpDate(value, epochMs(at));
        assert.ok(time !== null, 'no time');
        const distance = new Date(time).getUTCFullYear() - new Date(at).getUTCFullYear();
        assert.ok(distance > -51 && distance <= 50, String(distance));
      }),
    );
  });

  it('letters are compared without regard to case (RFC 9111 §4.2)', () => {
    assert.equal(parse('SUN, 06 nov 1994 08:49:37 gmt'), '1994-11-06T08:49:37.000Z');
  });

  it('a leap second is the first second of the next minute (RFC 9110 §5.6.7)', () => {
    assert.equal(parse('Sat, 31 Dec 2016 23:59:60 GMT'), '2017-01-01T00:00:00.000Z');
  });

  it('a weekday that is not the right one is tolerated (RFC 9110 §5.6.7)', () => {
    assert.equal(parse('Mon, 06 Nov 1994 08:49:37 GMT'), '1994-11-06T08:49:37.000Z');
  });

  for (const value of [
    '',
    '0',
    '-1',
    'Thu, 18 Aug 2050 02:01:18 UTC',
    'Thu, 18 Aug 2050 02:01:18 AEST',
    'Thu, 18 Aug 2050 02:01:18 +0000',
    'Thu, 18 Aug 50 02:01:18 GMT',
    'Thu 18 Aug 2050 02:01:18 GMT',
    'Thu, 18  Aug  2050 02:01:18 GMT',
    'Thu, 18-Aug-2050 02:01:18 GMT',
    'Thu, 18 Aug 2050 02.01.18 GMT',
    'Thu, 18 Aug 2050 2:01:18 GMT',
    'Thu, 18 Aug 2050 02:01:18',
    'Thu, 31 Feb 2050 02:01:18 GMT',
    'Thu, 29 Feb 2051 02:01:18 GMT',
    'Thu, 00 Feb 2050 02:01:18 GMT',
    'Thu, 31 Apr 2050 02:01:18 GMT',
    'Thu, 18 Aug 2050 24:00:00 GMT',
    'Thu, 18 Aug 2050 00:60:00 GMT',
    'Thu, 18 Aug 2050 00:00:61 GMT',
    'Thu, 18 Abc 2050 00:00:00 GMT',
    'Xyz, 18 Aug 2050 00:00:00 GMT',
    'Thu, 18-Aug-50 02:01:18 GMT',
    'Thu Aug 8 02:01:18 2050',
    'Thu Aug 08 02:01:18 2050 GMT',
    ' Thu, 18 Aug 2050 02:01:18 GMT',
    'Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:18 GMT',
    '2050-08-18T02:01:18Z',
  ]) {
    it(`“${value}” is no HTTP-date (RFC 9110 §5.6.7)`, () => assert.equal(parse(value), null));
  }

  it('nothing makes the parser throw or give a time that is none (RFC 9110 §5.6.7)', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (value) => {
        const time = parseHttpDate(value, now);
        assert.ok(time === null || Number.isInteger(time), String(time));
      }),
    );
  });
});
