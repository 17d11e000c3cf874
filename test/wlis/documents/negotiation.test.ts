import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Fields } from '../../../proxy/http/fields.js';
import { negotiate, selectingFields, type Offered } from '../../../wlis/documents/negotiation.js';

const offered = (over: Partial<Offered>): Offered => ({ coding: null, language: null, type: 'text/html', ...over });
const codings = (...list: (string | null)[]): Offered[] => list.map((coding) => offered({ coding }));
const languages = (...list: (string | null)[]): Offered[] => list.map((language) => offered({ language }));

/** The coding, language or type that a request gets. */
function chosen(
  variants: readonly Offered[],
  fields: Record<string, string>,
  of: keyof Offered = 'coding',
): string | null {
  return variants[negotiate(variants, Fields.of(fields))]?.[of] ?? null;
}

const usual = codings('br', 'gzip', null);

describe('negotiation', () => {
  describe('of codings by Accept-Encoding (RFC 9110 §12.5.3)', () => {
    const table: readonly (readonly [accept: string, coding: string | null])[] = [
      ['br', 'br'],
      ['gzip', 'gzip'],
      ['GZIP, deflate', 'gzip'],
      ['x-gzip', 'gzip'],
      ['gzip, deflate, br', 'br'],
      ['gzip;q=1, br;q=0.9', 'gzip'],
      ['gzip;q=0.001', 'gzip'],
      ['*', 'br'],
      ['*, br;q=0', 'gzip'],
      ['*;q=0.5, gzip', 'gzip'],
      ['gzip;q=0.5, *;q=0', 'gzip'],
      ['identity', null],
      ['identity, gzip;q=0.5', null],
      ['identity;q=0.3, gzip;q=0.5', 'gzip'],
      ['deflate', null],
      ['', null],
      ['br;q=0, gzip;q=0', null],
      ['*;q=0', null],
      ['gzip;q=2', null],
      ['gzip;level=9', null],
      ['gzip;q=0.5;x=1, br', 'br'],
      ['identity;q=0, zstd', null],
      ['identity;q=0, gzip;q=0.1', 'gzip'],
    ];
    for (const [accept, coding] of table) {
      it(`${JSON.stringify(accept)}: ${coding ?? 'none'}`, () => {
        assert.equal(chosen(usual, { 'Accept-Encoding': accept }), coding);
      });
    }

    it('without the field none, where it can be left out', () => {
      assert.equal(chosen(usual, {}), null);
      assert.equal(chosen(codings('br', 'gzip'), {}), 'br');
    });

    it('what nothing satisfies is disregarded (§12.4.1)', () => {
      assert.equal(chosen(codings('br', 'gzip'), { 'Accept-Encoding': 'identity' }), 'br');
      assert.equal(chosen(codings(null), { 'Accept-Encoding': 'identity;q=0' }), null);
    });

    it('of several codings one upon the other each has to be acceptable', () => {
      const both = codings('gzip, br', null);
      assert.equal(chosen(both, { 'Accept-Encoding': 'gzip' }), null);
      assert.equal(chosen(both, { 'Accept-Encoding': 'gzip, br' }), 'gzip, br');
    });

    it('what is liked equally stands in the order of the record', () => {
      assert.equal(chosen(codings(null, 'gzip', 'br'), { 'Accept-Encoding': 'br, gzip' }), 'gzip');
      assert.equal(chosen(codings(null, 'gzip'), { 'Accept-Encoding': 'gzip, identity' }), null);
    });
  });

  describe('of languages by Accept-Language (RFC 9110 §12.5.4, RFC 4647 §3.3.1)', () => {
    const table: readonly (readonly [accept: string, language: string])[] = [
      ['de', 'de-CH'],
      ['DE-ch', 'de-CH'],
      ['de-AT', 'en'],
      ['fr, de;q=0.5', 'fr'],
      ['en;q=0.4, *;q=0.5', 'de-CH'],
      ['*;q=0.5, en', 'en'],
      ['it', 'en'],
      ['', 'en'],
      ['de, de-CH;q=0', 'en'],
      ['d', 'en'],
    ];
    for (const [accept, language] of table) {
      it(`${JSON.stringify(accept)}: ${language}`, () => {
        assert.equal(chosen(languages('en', 'de-CH', 'fr'), { 'Accept-Language': accept }, 'language'), language);
      });
    }

    it('without the field the first', () => {
      assert.equal(chosen(languages('en', 'de'), {}, 'language'), 'en');
    });

    it('a document in several languages is liked as the best of them', () => {
      assert.equal(chosen(languages('en', 'de, fr'), { 'Accept-Language': 'fr' }, 'language'), 'de, fr');
    });
  });

  it('of types by Accept (RFC 9110 §12.5.1)', () => {
    const types = ['text/html; charset=utf-8', 'application/json', null].map((type) => offered({ type }));
    const of = (Accept: string): string | null => chosen(types, { Accept }, 'type');
    assert.equal(of('application/json'), 'application/json');
    assert.equal(of('text/*;q=0.9, application/json;q=0.5'), 'text/html; charset=utf-8');
    assert.equal(of('application/octet-stream'), null);
    assert.equal(of('image/png'), 'text/html; charset=utf-8');
    assert.equal(chosen(types, {}, 'type'), 'text/html; charset=utf-8');
  });

  it('the language comes before the coding: no visitor gets another one for being sent fewer bytes', () => {
    const both = [offered({ language: 'en', coding: 'br' }), offered({ language: 'de' })];
    assert.equal(chosen(both, { 'Accept-Language': 'de', 'Accept-Encoding': 'br, identity;q=0' }, 'language'), 'de');
  });

  it('selecting fields are those about which the variants differ', () => {
    assert.deepEqual(selectingFields(usual), ['accept-encoding']);
    assert.deepEqual(selectingFields(codings('br')), []);
    assert.deepEqual(selectingFields([]), []);
    assert.deepEqual(selectingFields([...usual, offered({ language: 'de', type: 'text/plain' })]), [
      'accept-language',
      'accept',
      'accept-encoding',
    ]);
  });

  it('any variants and any fields: one of them, and never a coding that was not accepted while another could be sent', () => {
    const coding = fc.constantFrom(null, 'br', 'gzip', 'zstd');
    const variants = fc.uniqueArray(
      fc.record({ coding, language: fc.constantFrom(null, 'en', 'de'), type: fc.constant('a/b') }),
      {
        minLength: 1,
        maxLength: 8,
        selector: ({ coding: c, language }) => `${c} ${language}`,
      },
    );
    const member = fc.tuple(
      fc.constantFrom('br', 'gzip', 'zstd', 'identity', '*', 'x', 'e n', '"'),
      fc.constantFrom('', ';q=0', ';q=0.5', ';q=1', ';q=x'),
    );
    const accept = fc
      .array(
        member.map((parts) => parts.join('')),
        { maxLength: 5 },
      )
      .map((list) => list.join(', '));
    fc.assert(
      fc.property(variants, accept, fc.string(), (list, encoding, language) => {
        const index = negotiate(list, Fields.of({ 'Accept-Encoding': encoding, 'Accept-Language': language }));
        const one = list[index];
        assert.ok(one !== undefined, `no variant ${index}`);
        const said = encoding.split(', ').map((text) => text.split(';'));
        const isNamed = (name: string | null): boolean => said.some(([known]) => known === name || known === '*');
        const hasIdentity = list.some((other) => other.coding === null && other.language === one.language);
        assert.ok(one.coding === null || isNamed(one.coding) || !hasIdentity, `${one.coding} for ${encoding}`);
      }),
    );
  });
});
