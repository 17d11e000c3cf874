import assert from 'node:assert/strict';
import { epochMs } from '../../config/units.js';
import { Fields } from '../../proxy/http/fields.js';
import {
  ifRangeHolds,
  isNotModified,
  isStrongLastModified,
  preconditionFails,
} from '../../proxy/http/preconditions.js';

const now = epochMs(Date.UTC(2025, 0, 1));
const earlier = 'Mon, 01 Jan 2024 00:00:00 GMT';
const modified = 'Tue, 02 Jan 2024 00:00:00 GMT';
const later = 'Wed, 03 Jan 2024 00:00:00 GMT';
const current = { etag: '"a"', lastModified: modified, date: null };

const isAnsweredNotModified = (
  fields: Record<string, string | string[]>,
  method = 'GET',
  representation = {},
): boolean => isNotModified({ method, fields: Fields.of(fields) }, { ...current, ...representation }, now);

describe('preconditions (RFC 9110 §13)', () => {
  it('a request without preconditions is answered in full (RFC 9110 §13.2.2)', () => {
    assert.equal(isAnsweredNotModified({}), false);
  });

  it('If-None-Match is false for a tag by weak comparison, for GET and HEAD (RFC 9110 §13.1.2)', () => {
    for (const value of ['"a"', 'W/"a"', '"b", W/"a"', '*']) {
      assert.equal(isAnsweredNotModified({ 'If-None-Match': value }), true);
      assert.equal(isAnsweredNotModified({ 'If-None-Match': value }, 'HEAD'), true);
      assert.equal(isAnsweredNotModified({ 'If-None-Match': value }, 'PUT'), false);
    }
    assert.equal(isAnsweredNotModified({ 'If-None-Match': '"b"' }), false);
    assert.equal(isAnsweredNotModified({ 'If-None-Match': ['"b"', 'W/"a"'] }), true);
  });

  it('If-None-Match: * is false for a representation without a tag (RFC 9110 §13.1.2)', () => {
    assert.equal(isAnsweredNotModified({ 'If-None-Match': '*' }, 'GET', { etag: null }), true);
    assert.equal(isAnsweredNotModified({ 'If-None-Match': '"a"' }, 'GET', { etag: null }), false);
  });

  it('a tag without quotes matches only the very same one (RFC 9110 §8.8.3)', () => {
    assert.equal(isAnsweredNotModified({ 'If-None-Match': 'a' }, 'GET', { etag: 'a' }), true);
    assert.equal(isAnsweredNotModified({ 'If-None-Match': 'a' }), false);
    assert.equal(isAnsweredNotModified({ 'If-None-Match': '"a"' }, 'GET', { etag: 'a' }), false);
  });

  it('If-Modified-Since is false if there was no change since (RFC 9110 §13.1.3)', () => {
    assert.equal(isAnsweredNotModified({ 'If-Modified-Since': earlier }), false);
    assert.equal(isAnsweredNotModified({ 'If-Modified-Since': modified }), true);
    assert.equal(isAnsweredNotModified({ 'If-Modified-Since': later }, 'HEAD'), true);
  });

  it('If-Modified-Since is ignored with If-None-Match, another method, or an invalid date (RFC 9110 §13.1.3)', () => {
    assert.equal(isAnsweredNotModified({ 'If-None-Match': '"b"', 'If-Modified-Since': later }), false);
    assert.equal(isAnsweredNotModified({ 'If-Modified-Since': later }, 'POST'), false);
    assert.equal(isAnsweredNotModified({ 'If-Modified-Since': '0' }), false);
    assert.equal(isAnsweredNotModified({ 'If-Modified-Since': [later, later] }), false);
    assert.equal(isAnsweredNotModified({ 'If-Modified-Since': later }, 'GET', { lastModified: null }), false);
    assert.equal(isAnsweredNotModified({ 'If-Modified-Since': later }, 'GET', { lastModified: 'once' }), false);
  });

  it('a cache does not evaluate If-Match and If-Unmodified-Since (RFC 9111 §4.3.2)', () => {
    const fields = { 'If-Match': '"b"', 'If-Unmodified-Since': earlier };
    assert.equal(isAnsweredNotModified({ ...fields, 'If-None-Match': '"a"' }), true);
    assert.equal(isAnsweredNotModified(fields), false);
  });

  it('a stored Date stands in for a missing Last-Modified (RFC 9111 §4.3.2)', () => {
    const stored = { etag: null, lastModified: null };
    const fields = { 'If-Modified-Since': modified };
    assert.equal(isAnsweredNotModified(fields, 'GET', { ...stored, date: modified }), true);
    assert.equal(isAnsweredNotModified(fields, 'GET', { ...stored, date: later }), false);
    assert.equal(isAnsweredNotModified(fields, 'GET', stored), false);
  });
});

describe('what fails at an origin server (RFC 9110 §13.1.1, §13.1.4)', () => {
  const fails = (fields: Record<string, string | string[]>, representation = {}): boolean =>
    preconditionFails({ method: 'GET', fields: Fields.of(fields) }, { ...current, ...representation }, now);

  it('If-Match fails unless a tag matches by strong comparison, or it is * (RFC 9110 §13.1.1)', () => {
    for (const value of ['"b"', 'W/"a"', '', 'a']) assert.equal(fails({ 'If-Match': value }), true, value);
    for (const value of ['"a"', '"b", "a"', '*']) assert.equal(fails({ 'If-Match': value }), false, value);
    assert.equal(fails({ 'If-Match': ['"b"', '"a"'] }), false);
    assert.equal(fails({ 'If-Match': 'W/"a"' }, { etag: 'W/"a"' }), true);
    assert.equal(fails({ 'If-Match': '"a"' }, { etag: null }), true);
    assert.equal(fails({ 'If-Match': '*' }, { etag: null }), false);
  });

  it('If-Unmodified-Since fails after a later change, without If-Match alone (RFC 9110 §13.1.4)', () => {
    assert.equal(fails({ 'If-Unmodified-Since': earlier }), true);
    assert.equal(fails({ 'If-Unmodified-Since': modified }), false);
    assert.equal(fails({ 'If-Unmodified-Since': later }), false);
    assert.equal(fails({ 'If-Unmodified-Since': earlier, 'If-Match': '"a"' }), false);
    assert.equal(fails({ 'If-Unmodified-Since': 'once' }), false);
    assert.equal(fails({ 'If-Unmodified-Since': earlier }, { lastModified: null }), false);
  });

  it('nothing fails without conditions', () => {
    assert.equal(fails({ 'If-None-Match': '"a"', 'If-Modified-Since': later }), false);
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
