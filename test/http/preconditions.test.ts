import assert from 'node:assert/strict';
import { epochMs } from '../../config/units.js';
import { Fields } from '../../proxy/http/fields.js';
import {
  evaluatePreconditions,
  ifRangeHolds,
  isNotModified,
  isStrongLastModified,
} from '../../proxy/http/preconditions.js';

const now = epochMs(Date.UTC(2025, 0, 1));
const earlier = 'Mon, 01 Jan 2024 00:00:00 GMT';
const modified = 'Tue, 02 Jan 2024 00:00:00 GMT';
const later = 'Wed, 03 Jan 2024 00:00:00 GMT';
const current = { exists: true, etag: '"a"', lastModified: modified };

function evaluate(fields: Record<string, string | string[]>, method = 'GET', representation = current as object) {
  return evaluatePreconditions({ method, fields: Fields.of(fields) }, { ...current, ...representation }, now);
}

describe('preconditions (RFC 9110 §13)', () => {
  it('a request without preconditions passes (RFC 9110 §13.2.2)', () => {
    assert.equal(evaluate({}), 'pass');
  });

  it('If-Match holds for a tag by strong comparison (RFC 9110 §13.1.1)', () => {
    assert.equal(evaluate({ 'If-Match': '"b", "a"' }, 'PUT'), 'pass');
    assert.equal(evaluate({ 'If-Match': '"b"' }, 'PUT'), 'failed');
    assert.equal(evaluate({ 'If-Match': 'W/"a"' }, 'PUT'), 'failed');
    assert.equal(evaluate({ 'If-Match': '"a"' }, 'PUT', { etag: 'W/"a"' }), 'failed');
    assert.equal(evaluate({ 'If-Match': '"a"' }, 'PUT', { etag: null }), 'failed');
  });

  it('If-Match: * holds if there is any representation (RFC 9110 §13.1.1)', () => {
    assert.equal(evaluate({ 'If-Match': '*' }, 'PUT'), 'pass');
    assert.equal(evaluate({ 'If-Match': '*' }, 'PUT', { etag: null }), 'pass');
    assert.equal(evaluate({ 'If-Match': '*' }, 'PUT', { exists: false, etag: null }), 'failed');
  });

  it('If-Unmodified-Since fails if there was a change since (RFC 9110 §13.1.4)', () => {
    assert.equal(evaluate({ 'If-Unmodified-Since': earlier }, 'PUT'), 'failed');
    assert.equal(evaluate({ 'If-Unmodified-Since': modified }, 'PUT'), 'pass');
    assert.equal(evaluate({ 'If-Unmodified-Since': later }, 'PUT'), 'pass');
  });

  it('If-Unmodified-Since is ignored with If-Match, an invalid date or no modification date (RFC 9110 §13.1.4)', () => {
    assert.equal(evaluate({ 'If-Match': '"a"', 'If-Unmodified-Since': earlier }, 'PUT'), 'pass');
    assert.equal(evaluate({ 'If-Unmodified-Since': 'yesterday' }, 'PUT'), 'pass');
    assert.equal(evaluate({ 'If-Unmodified-Since': earlier }, 'PUT', { lastModified: null }), 'pass');
  });

  it('If-None-Match is false for a tag by weak comparison: 304 to GET and HEAD, 412 to others (RFC 9110 §13.1.2)', () => {
    for (const value of ['"a"', 'W/"a"', '"b", W/"a"', '*']) {
      assert.equal(evaluate({ 'If-None-Match': value }), 'not-modified');
      assert.equal(evaluate({ 'If-None-Match': value }, 'HEAD'), 'not-modified');
      assert.equal(evaluate({ 'If-None-Match': value }, 'PUT'), 'failed');
    }
    assert.equal(evaluate({ 'If-None-Match': '"b"' }), 'pass');
    assert.equal(evaluate({ 'If-None-Match': ['"b"', 'W/"a"'] }), 'not-modified');
  });

  it('If-None-Match: * passes where there is no representation (RFC 9110 §13.1.2)', () => {
    assert.equal(evaluate({ 'If-None-Match': '*' }, 'PUT', { exists: false, etag: null, lastModified: null }), 'pass');
  });

  it('a tag without quotes matches only the very same one (RFC 9110 §8.8.3)', () => {
    assert.equal(evaluate({ 'If-None-Match': 'a' }, 'GET', { etag: 'a' }), 'not-modified');
    assert.equal(evaluate({ 'If-None-Match': 'a' }), 'pass');
    assert.equal(evaluate({ 'If-None-Match': '"a"' }, 'GET', { etag: 'a' }), 'pass');
    assert.equal(evaluate({ 'If-Match': 'a' }, 'PUT', { etag: 'a' }), 'failed');
  });

  it('If-Modified-Since is false if there was no change since (RFC 9110 §13.1.3)', () => {
    assert.equal(evaluate({ 'If-Modified-Since': earlier }), 'pass');
    assert.equal(evaluate({ 'If-Modified-Since': modified }), 'not-modified');
    assert.equal(evaluate({ 'If-Modified-Since': later }, 'HEAD'), 'not-modified');
  });

  it('If-Modified-Since is ignored with If-None-Match, another method, or an invalid date (RFC 9110 §13.1.3)', () => {
    assert.equal(evaluate({ 'If-None-Match': '"b"', 'If-Modified-Since': later }), 'pass');
    assert.equal(evaluate({ 'If-Modified-Since': later }, 'POST'), 'pass');
    assert.equal(evaluate({ 'If-Modified-Since': '0' }), 'pass');
    assert.equal(evaluate({ 'If-Modified-Since': [later, later] }), 'pass');
    assert.equal(evaluate({ 'If-Modified-Since': later }, 'GET', { lastModified: null }), 'pass');
    assert.equal(evaluate({ 'If-Modified-Since': later }, 'GET', { lastModified: 'once' }), 'pass');
  });

  it('a failed If-Match or If-Unmodified-Since comes before a false If-None-Match (RFC 9110 §13.2.2)', () => {
    assert.equal(evaluate({ 'If-Match': '"b"', 'If-None-Match': '"a"' }), 'failed');
    assert.equal(evaluate({ 'If-Unmodified-Since': earlier, 'If-None-Match': '"a"' }), 'failed');
    assert.equal(evaluate({ 'If-Match': '"a"', 'If-None-Match': '"a"' }), 'not-modified');
  });

  it('a cache does not evaluate If-Match and If-Unmodified-Since (RFC 9111 §4.3.2)', () => {
    const fields = Fields.of({ 'If-Match': '"b"', 'If-Unmodified-Since': earlier, 'If-None-Match': '"a"' });
    assert.equal(isNotModified({ method: 'GET', fields }, current, now), true);
  });

  it('a stored Date stands in for a missing Last-Modified (RFC 9111 §4.3.2)', () => {
    const fields = Fields.of({ 'If-Modified-Since': modified });
    const stored = { exists: true, etag: null, lastModified: null };
    assert.equal(isNotModified({ method: 'GET', fields }, { ...stored, date: modified }, now), true);
    assert.equal(isNotModified({ method: 'GET', fields }, { ...stored, date: later }, now), false);
    assert.equal(isNotModified({ method: 'GET', fields }, stored, now), false);
  });
});

describe('If-Range (RFC 9110 §13.1.5)', () => {
  const stored = { etag: '"a"', lastModified: modified, date: later, now };
  const holds = (value: string | string[], representation: object = {}) =>
    ifRangeHolds(Fields.of({ 'If-Range': value }), { ...stored, ...representation });

  it('without the field the range applies (RFC 9110 §13.1.5)', () => {
    assert.equal(ifRangeHolds(Fields.none, stored), true);
  });

  it('a tag is compared strongly (RFC 9110 §13.1.5)', () => {
    assert.equal(holds('"a"'), true);
    assert.equal(holds('"b"'), false);
    assert.equal(holds('W/"a"'), false);
    assert.equal(holds('W/"a"', { etag: 'W/"a"' }), false);
    assert.equal(holds('"a"', { etag: null }), false);
  });

  it('lists and anything invalid make it false (RFC 9110 §13.1.5)', () => {
    for (const value of ['', '*', 'a', '"a", "b"', '"a", "a"', 'bytes']) assert.equal(holds(value), false, value);
    assert.equal(holds(['"a"', '"a"']), false);
    assert.equal(holds('a', { etag: 'a' }), false);
  });

  it('a date must be exactly the Last-Modified (RFC 9110 §13.1.5)', () => {
    assert.equal(holds(modified), true);
    assert.equal(holds(later), false);
    assert.equal(holds(earlier), false);
    assert.equal(holds(modified, { lastModified: null }), false);
  });

  it('a Last-Modified too close to Date, or without one, is weak (RFC 9110 §8.8.2.2)', () => {
    assert.equal(holds(modified, { date: modified }), false);
    assert.equal(holds(modified, { date: 'Tue, 02 Jan 2024 00:00:59 GMT' }), false);
    assert.equal(holds(modified, { date: 'Tue, 02 Jan 2024 00:01:00 GMT' }), true);
    assert.equal(holds(modified, { date: earlier }), false);
    assert.equal(holds(modified, { date: null }), false);
    assert.equal(isStrongLastModified({ lastModified: 'once', date: later, now }), false);
  });
});
