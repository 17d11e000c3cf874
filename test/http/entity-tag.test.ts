import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  formatEntityTag,
  parseEntityTag,
  parseEntityTagList,
  stronglyEqual,
  weaklyEqual,
} from '../../proxy/http/entity-tag.js';

const strong = (opaque: string) => ({ weak: false, opaque });
const weak = (opaque: string) => ({ weak: true, opaque });

const anyTag = fc.record(
  {
    weak: fc.boolean(),
    opaque: fc
      .array(
        fc.integer({ min: 0x21, max: 0xff }).filter((code) => code !== 0x22 && code !== 0x7f),
        { maxLength: 12 },
      )
      .map((codes) => String.fromCharCode(...codes)),
  },
  { noNullPrototype: true },
);

describe('entity-tags (RFC 9110 §8.8.3)', () => {
  it('a tag is quoted, and weak only with W/ in upper case (RFC 9110 §8.8.3)', () => {
    assert.deepEqual(parseEntityTag('"xyzzy"'), strong('xyzzy'));
    assert.deepEqual(parseEntityTag('W/"xyzzy"'), weak('xyzzy'));
    assert.deepEqual(parseEntityTag('""'), strong(''));
    assert.deepEqual(parseEntityTag('"ü\\"'), strong('ü\\'));
    for (const value of ['', 'xyzzy', '"xyzzy', 'xyzzy"', 'w/"xyzzy"', 'W/xyzzy', '"a b"', '"a"b"', '*', '"a", "b"']) {
      assert.equal(parseEntityTag(value), null, value);
    }
  });

  it('strong and weak comparison give the results of the table (RFC 9110 §8.8.3.2)', () => {
    const table = [
      [weak('1'), weak('1'), false, true],
      [weak('1'), weak('2'), false, false],
      [weak('1'), strong('1'), false, true],
      [strong('1'), strong('1'), true, true],
      [strong('1'), strong('2'), false, false],
    ] as const;
    for (const [a, b, stronglySame, weaklySame] of table) {
      assert.equal(stronglyEqual(a, b), stronglySame);
      assert.equal(weaklyEqual(a, b), weaklySame);
    }
  });

  it('the asterisk stands alone (RFC 9110 §13.1.2)', () => {
    assert.equal(parseEntityTagList('*'), '*');
    assert.deepEqual(parseEntityTagList('*, "a"'), [strong('a')]);
  });

  it('commas and backslashes between quotes belong to the tag (RFC 9110 §8.8.3)', () => {
    assert.deepEqual(parseEntityTagList('"a,b", W/"c\\", "d"'), [strong('a,b'), weak('c\\'), strong('d')]);
  });

  it('empty members are skipped (RFC 9110 §5.6.1)', () => {
    assert.deepEqual(parseEntityTagList(' , "a",, \t,"b" ,'), [strong('a'), strong('b')]);
    assert.deepEqual(parseEntityTagList(''), []);
  });

  it('members that are no tags are left out and harm no others (RFC 9110 §13.1.2)', () => {
    assert.deepEqual(parseEntityTagList('abc, "a"x, "b" "c", "d e,f", w/"g", "h"'), [strong('h')]);
    assert.deepEqual(parseEntityTagList('"a", "b'), [strong('a')]);
    assert.deepEqual(parseEntityTagList('"a", b", "c"'), [strong('a')]);
  });

  it('any list survives being written and parsed (RFC 9110 §8.8.3, §5.6.1)', () => {
    fc.assert(
      fc.property(fc.array(anyTag), fc.constantFrom(',', ', ', ' ,\t', ',,'), (tags, separator) => {
        assert.deepEqual(parseEntityTagList(tags.map(formatEntityTag).join(separator)), tags);
      }),
    );
  });

  it('whatever a list holds, its members are tags, found in linear time (RFC 9110 §13.1.2)', () => {
    const alphabet = fc.constantFrom('"', ',', ' ', 'W/', 'a', '\\', '\t', '*', 'é');
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 60 }), (pieces) => {
        const tags = parseEntityTagList(pieces.join(''));
        for (const tag of tags === '*' ? [] : tags) assert.deepEqual(parseEntityTag(formatEntityTag(tag)), tag);
      }),
    );
    assert.deepEqual(parseEntityTagList('"a" '.repeat(20_000)), []);
    assert.deepEqual(parseEntityTagList(' \t,'.repeat(20_000) + '"'), []);
  });
});
