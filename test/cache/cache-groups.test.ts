import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cacheGroups, groupsToInvalidate } from '../../proxy/cache/cache-groups.js';
import { Fields } from '../../proxy/http/fields.js';

const groups = (...lines: string[]): readonly string[] => cacheGroups(Fields.of({ 'Cache-Groups': lines }));
const touched = (value: string, method: string, status = 200): readonly string[] =>
  groupsToInvalidate(Fields.of({ 'Cache-Group-Invalidation': value }), method, status);

describe('cache-groups', () => {
  it('Cache-Groups is a List of Strings, over all its lines (RFC 9875 §2)', () => {
    assert.deepEqual(cacheGroups(Fields.none), []);
    assert.deepEqual(groups('"scripts"'), ['scripts']);
    assert.deepEqual(groups('"a", "b"', '"c \\"d\\""'), ['a', 'b', 'c "d"']);
  });

  it('groups are compared character by character, with regard to case (RFC 9875 §2.1)', () => {
    assert.deepEqual(groups('"A", "a", "a", "a "'), ['A', 'a', 'a ']);
  });

  it('parameters are ignored (RFC 9875 §2)', () => {
    assert.deepEqual(groups('"a";x=1, "b";y'), ['a', 'b']);
  });

  it('a field that is not a List of Strings is ignored whole (RFC 9651 §4.2)', () => {
    for (const value of ['a', '"a", b', '"a", 1', '("a" "b")', '"a', '"a",', '"a" "b"', '"\u00e9"']) {
      assert.deepEqual(groups(value), [], value);
    }
  });

  it('at least 32 groups of 32 characters are supported (RFC 9875 §2), and no endless list', () => {
    const names = Array.from({ length: 1000 }, (_, i) => `${i}`.padStart(32, 'x'));
    const found = groups(names.map((name) => `"${name}"`).join(', '));
    assert.deepEqual(found.slice(0, 32), names.slice(0, 32));
    assert.ok(found.length <= 64, String(found.length));
    assert.deepEqual(groups(`"${'y'.repeat(5000)}", "z"`), ['z']);
  });

  it('Cache-Group-Invalidation names groups to invalidate after an unsafe method (RFC 9875 §3)', () => {
    assert.deepEqual(touched('"eurovision-results", "australia"', 'POST'), ['eurovision-results', 'australia']);
    assert.deepEqual(touched('"a"', 'DELETE', 303), ['a']);
    assert.deepEqual(touched('"a"', 'UNHEARD-OF'), ['a']);
  });

  it('it is ignored on responses to safe methods (RFC 9875 §3)', () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND']) assert.deepEqual(touched('"a"', method), []);
  });

  it('an error invalidates no group (RFC 9111 §4.4)', () => {
    for (const status of [400, 404, 500, 503]) assert.deepEqual(touched('"a"', 'POST', status), []);
  });

  it('a malformed Cache-Group-Invalidation is ignored (RFC 9651 §4.2)', () => {
    assert.deepEqual(touched('a, "b"', 'POST'), []);
  });

  it('no value makes it throw', () => {
    fc.assert(fc.property(fc.string(), (value) => assert.equal(Array.isArray(groups(value)), true)));
  });
});
