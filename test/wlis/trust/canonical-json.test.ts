import assert from 'node:assert/strict';
import fc from 'fast-check';
import { canonicalJson, parseCanonicalJson, type Json } from '../../../wlis/trust/canonical-json.js';
import { Members } from '../../../wlis/trust/members.js';
import { disbelief } from './disbelief.js';

const values = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.maxSafeInteger(),
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value'), { maxKeys: 4 }),
  ),
})).value;

describe('canonical JSON', () => {
  it('has its members in the order of UTF-16 code units, and no white space (RFC 8785 §3.2.3)', () => {
    const members = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    assert.equal(canonicalJson(members), '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}');
    assert.equal(canonicalJson([{ b: [], a: undefined, c: {} }, null, true]), '[{"b":[],"c":{}},null,true]');
  });

  it('says what it was made of, in one line', () => {
    fc.assert(
      fc.property(values, (value) => {
        const text = canonicalJson(value);
        assert.doesNotMatch(text, /[\n\r]/);
        assert.equal(canonicalJson(parseCanonicalJson(text, 'value', 1e6)), text);
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  const others = [
    '{"b":1,"a":2}',
    '{"a":1,"a":1}',
    '[1, 2]',
    ' 1',
    '1\n',
    '"\\u0061"',
    '"\\/"',
    '1.0',
    '1e2',
    '-0',
    '0.5',
  ];
  for (const text of [...others, '9007199254740993', '"\\ud800"', '{', '', 'undefined', '{"__proto__":1, "a":1}']) {
    it(`${JSON.stringify(text)} is refused`, () => {
      assert.throws(() => parseCanonicalJson(text, 'value', 100), disbelief('malformed'));
    });
  }

  it('is read no longer than its limit and no deeper than 16', () => {
    assert.throws(() => parseCanonicalJson('"12345"', 'record', 6), disbelief('too-large', /^record: longer than 6/));
    assert.equal(parseCanonicalJson('"1234"', 'record', 6), '1234');
    assert.notEqual(parseCanonicalJson('['.repeat(17) + ']'.repeat(17), 'list', 100), null);
    assert.throws(() => parseCanonicalJson('['.repeat(18) + ']'.repeat(18), 'list', 100), disbelief('malformed'));
    const deep = '['.repeat(50_000) + ']'.repeat(50_000);
    assert.throws(() => parseCanonicalJson(deep, 'list', 1e6), disbelief('malformed'));
  });
});

describe('the members of an object', () => {
  const members = (value: Json): Members => new Members(value, 'head');

  it('are taken as what they have to be, or named with their fault', () => {
    assert.throws(() => members([]), disbelief('malformed', /^head: no object$/));
    assert.throws(() => members({}).text('root', 9), disbelief('malformed', /^head: no 'root'$/));
    assert.throws(() => members({}).text('toString', 9), disbelief('malformed', /^head: no 'toString'$/));
    assert.throws(() => members({ a: 1 }).text('a', 9), disbelief('malformed', /'a' is no string/));
    assert.throws(() => members({ a: '123' }).text('a', 2), disbelief('too-large', /'a' is longer than 2/));
    for (const a of ['1', -1, 11, null, true, [1]]) {
      assert.throws(() => members({ a }).integer('a', 0, 10), disbelief('malformed', /'a' is no integer from 0 to 10/));
    }
    assert.throws(() => members({ a: {} }).list('a', 2), disbelief('malformed', /'a' is no list/));
    assert.throws(() => members({ a: [1, 2, 3] }).list('a', 2), disbelief('too-large', /more than 2 'a'/));
    assert.throws(() => members({ a: false }).flag('a'), disbelief('malformed', /'a' is not true/));
    assert.throws(() => members({ a: 'x' }).word('a', 'y'), disbelief('malformed', /'a' is not "y"/));
    assert.throws(() => members({ a: 'x' }).digest('a'), disbelief('malformed', /'a': "x" is no SHA-256 digest/));
  });

  it('none is left over', () => {
    const some = members({ a: 1, b: 2 });
    assert.equal(some.integer('a', 1), 1);
    assert.throws(() => some.end(), disbelief('malformed', /unknown member "b"/));
    assert.equal(
      some.optional('c', (name) => some.integer(name, 1)),
      undefined,
    );
    assert.equal(
      some.optional('b', (name) => some.integer(name, 1)),
      2,
    );
    some.end();
  });

  it('a foreign text is shown short and harmless', () => {
    const hostile = `\u001b[2J\u202e\u009b${'x'.repeat(500)}`;
    assert.throws(
      () => members({ [hostile]: 1 }).end(),
      (error: Error) => error.message.length < 150 && !/[\p{Cc}\u202e]/u.test(error.message),
    );
  });
});
