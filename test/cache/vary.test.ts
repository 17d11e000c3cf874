import assert from 'node:assert/strict';
import { epochMs } from '../../config/units.js';
import type { StoredResponse } from '../../proxy/cache/stored-response.js';
import { selectingFieldsOf, selects, selectStored, varyNames } from '../../proxy/cache/vary.js';
import { Fields } from '../../proxy/http/fields.js';
import { receivedAt, stored, type Example } from './stored-example.js';

type Lines = Record<string, string | string[]>;

const varying = (vary: string | string[], request: Lines, example: Example = {}): StoredResponse => {
  const selecting = selectingFieldsOf(Fields.of({ Vary: vary }), Fields.of(request));
  assert.notEqual(selecting, null);
  return stored({ ...example, selecting: selecting!, fields: { Vary: vary, ...example.fields } });
};

const matches = (vary: string | string[], original: Lines, presented: Lines): boolean =>
  selects(varying(vary, original).selecting, Fields.of(presented));

const select = (candidates: StoredResponse[], request: Lines, now = receivedAt): StoredResponse | null =>
  selectStored(candidates, Fields.of(request), now).selected;

const at = (hour: number): Lines => ({ Date: `Sat, 21 Nov 2026 0${hour}:00:00 GMT` });

describe('vary', () => {
  describe('what a response nominates', () => {
    const names = (...values: string[]): readonly string[] | '*' => varyNames(Fields.of({ Vary: values }));

    it('nothing without Vary, or with an empty one (RFC 9110 §12.5.5)', () => {
      assert.deepEqual(varyNames(Fields.none), []);
      assert.deepEqual(names(''), []);
      assert.deepEqual(names(' , ,'), []);
    });

    it('the names of all Vary lines, whatever their case, order, repetition and white space (RFC 9110 §5.3, §5.6.1)', () => {
      assert.deepEqual(names('Foo'), ['foo']);
      assert.deepEqual(names('Foo,Bar'), ['bar', 'foo']);
      assert.deepEqual(names(' BAR ,\tfoo', 'baz', '', 'Foo, ,'), ['bar', 'baz', 'foo']);
    });

    for (const values of [['*'], ['*, *'], ['*', '*'], [', *'], ['', '*'], ['*, Foo'], ['Foo, *'], ['Foo', 'Bar,*']]) {
      it(`anything at all with a member * as in ${JSON.stringify(values)} (RFC 9111 §4.1)`, () => {
        assert.equal(names(...values), '*');
        assert.equal(selectingFieldsOf(Fields.of({ Vary: values }), Fields.none), null);
      });
    }

    it('anything at all with a member that is no field name', () => {
      for (const value of ['Foo Bar', '"Foo"', 'Foo;x', 'Foo, (Bar)', 'Fo\u00f6', '"a, b"'])
        assert.equal(names(value), '*', value);
    });
  });

  describe('which requests match (RFC 9111 §4.1)', () => {
    it('without nominated fields every request does', () => {
      assert.equal(matches('', { Foo: '1' }, { Bar: '2' }), true);
    });

    it('the values of all nominated fields have to match those of the original request', () => {
      assert.equal(matches('Foo', { Foo: '1' }, { Foo: '1', Other: '2' }), true);
      assert.equal(matches('Foo', { Foo: '1' }, { Foo: '2' }), false);
      assert.equal(matches('Foo, Bar', { Foo: '1', Bar: 'a' }, { bar: 'a', foo: '1' }), true);
      assert.equal(matches('Foo, Bar', { Foo: '1', Bar: 'a' }, { Foo: '1', Bar: 'b' }), false);
    });

    it('a field that is absent matches only where it is absent too', () => {
      assert.equal(matches('Foo', {}, {}), true);
      assert.equal(matches('Foo', {}, { Foo: '1' }), false);
      assert.equal(matches('Foo', { Foo: '1' }, {}), false);
      assert.equal(matches('Foo', {}, { Foo: '' }), false);
      assert.equal(matches('Foo', { Foo: '' }, {}), false);
    });

    it('several lines of a field match their combination', () => {
      assert.equal(matches('Foo', { Foo: '1, 2' }, { Foo: ['1', '2'] }), true);
      assert.equal(matches('Foo', { Foo: '1, 2' }, { Foo: ['2', '1'] }), false);
    });

    it('white space matches where the syntax leaves it free', () => {
      assert.equal(matches('Foo', { Foo: '1,2' }, { Foo: ' 1, 2 ' }), true);
    });

    it('values of an unknown field are compared with regard to case', () => {
      assert.equal(matches('Foo', { Foo: 'a' }, { Foo: 'A' }), false);
    });

    it('Accept-Encoding and Accept-Language match by what they mean', () => {
      assert.equal(
        matches('Accept-Encoding', { 'Accept-Encoding': 'gzip, br' }, { 'Accept-Encoding': 'br,x-gzip' }),
        true,
      );
      assert.equal(matches('Accept-Language', { 'Accept-Language': 'en, de' }, { 'Accept-Language': 'DE,en' }), true);
      assert.equal(matches('Accept-Encoding', { 'Accept-Encoding': 'gzip' }, {}), false);
    });
  });

  describe('which stored response is selected', () => {
    it('none of none, and there are no others', () => {
      assert.deepEqual(selectStored([], Fields.none, receivedAt), { selected: null, othersExist: false });
    });

    it('none where none matches, and others are told of for fwd=vary-miss (RFC 9211 §2.2)', () => {
      const one = varying('Foo', { Foo: '1' });
      const another = varying('Foo', { Foo: '2' });
      assert.deepEqual(selectStored([one], Fields.none, receivedAt), { selected: null, othersExist: true });
      assert.deepEqual(selectStored([one, another], Fields.none, receivedAt), { selected: null, othersExist: true });
    });

    it('the one that matches', () => {
      const one = varying('Foo', { Foo: '1' });
      const another = varying('Foo', { Foo: '2' });
      assert.equal(select([one, another], { Foo: '2' }), another);
      assert.equal(selectStored([one, another], Fields.of({ Foo: '2' }), receivedAt).othersExist, true);
      assert.deepEqual(selectStored([one], Fields.of({ Foo: '1' }), receivedAt), { selected: one, othersExist: false });
    });

    it('the most recent by Date of several that match (RFC 9111 §4)', () => {
      const older = varying('Foo', {}, { fields: at(1) });
      const newer = varying('Foo, Bar', {}, { fields: at(2) });
      assert.equal(select([older, newer], {}), newer);
      assert.equal(select([newer, older], {}), newer);
    });

    it('the one received last where Date is the same, missing or invalid', () => {
      const earlier = stored({ responseTime: epochMs(receivedAt - 1000), fields: at(1) });
      const later = stored({ fields: at(1) });
      assert.equal(select([earlier, later], {}), later);
      assert.equal(select([later, earlier], {}), later);
      const undated = stored({ fields: { Date: 'yesterday' } });
      assert.equal(select([later, undated], {}), undated);
    });

    it('one with Vary before a later one without (RFC 9111 §4.1)', () => {
      const chosen = varying('Accept-Language', { 'Accept-Language': 'de' }, { fields: at(1) });
      const fallback = stored({ fields: at(2) });
      assert.equal(select([fallback, chosen], { 'Accept-Language': 'de' }), chosen);
      assert.equal(select([fallback, chosen], { 'Accept-Language': 'en' }), fallback);
    });

    it('but not once it is stale, so that a server that gave up Vary gets rid of it', () => {
      const given = varying('Accept-Language', {}, { fields: at(1) });
      const fallback = stored({ fields: at(2) });
      assert.equal(select([given, fallback], {}, epochMs(receivedAt + 61_000)), fallback);
    });
  });
});
