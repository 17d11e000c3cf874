import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../../config/units.js';
import { Fields } from '../../../proxy/http/fields.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import { groupField, parseGroupField } from '../../../wlis/piggyback/group-field.js';
import { haveField, parseHaveField } from '../../../wlis/piggyback/have-field.js';
import { withoutToldLinks } from '../../../wlis/failover/told-links.js';
import { isOwnLink, linkValues, ownLink } from '../../../wlis/piggyback/link-field.js';
import { loadField, parseLoadField } from '../../../wlis/piggyback/load-field.js';
import { minSeqField, parseMinSeqField } from '../../../wlis/piggyback/min-seq-field.js';
import { namespaceField, parseNamespaceField } from '../../../wlis/piggyback/namespace-field.js';
import { withoutOwnFields } from '../../../wlis/piggyback/own-fields.js';
import { LONGEST_PROOF_FIELD, parseProofField, proofField } from '../../../wlis/piggyback/proof-field.js';
import { ToldLoads } from '../../../wlis/piggyback/told-load.js';
import { parseEpoch } from '../../../wlis/trust/epoch.js';
import { vectors } from '../vectors.js';

interface Vectors {
  readonly fields: readonly { readonly name: string; readonly value: string; readonly is: unknown }[];
  readonly nonsense: readonly { readonly name: string; readonly value: string }[];
}

const table = vectors('piggyback') as Vectors;

const namespace = parseNamespace('http://docs.example.org/manual/');
const epoch = parseEpoch('1700000000000-0123456789abcdef');
const version = { epoch, seq: 812 };

const readers: Readonly<Record<string, (value: string | undefined) => unknown>> = {
  'WLIS-Group': parseGroupField,
  'WLIS-Have': parseHaveField,
  'WLIS-Load': parseLoadField,
  'WLIS-Min-Seq': parseMinSeqField,
  'WLIS-Namespace': parseNamespaceField,
  'WLIS-Proof': parseProofField,
};

describe('fields in which nodes speak of themselves and their groups', () => {
  for (const { name, value, is } of table.fields) {
    it(`of docs/vectors/piggyback.json: ${name}: ${value.slice(0, 60)}`, () => {
      assert.deepEqual(readers[name]?.(value), is);
    });
  }

  for (const { name, value } of table.nonsense) {
    it(`of docs/vectors/piggyback.json, passed over: ${name}: ${value.slice(0, 60)}`, () => {
      assert.equal(readers[name]?.(value), null);
    });
  }

  it('are read as they were written', () => {
    const holdings = [
      { namespace, role: 'replica' as const, head: version, nonce: 'abcdefgh' },
      { namespace, role: 'primary' as const, head: null, nonce: null },
    ];
    for (const told of holdings) assert.deepEqual(parseNamespaceField(namespaceField(told)), told);
    for (const group of [17, null]) {
      for (const head of [version, null]) {
        const told = { namespace, group, head, nonce: 'abcdefgh' };
        assert.deepEqual(parseHaveField(haveField(told)), told);
      }
    }
    assert.deepEqual(parseGroupField(groupField({ namespace, version: 17 })), { namespace, version: 17 });
    assert.deepEqual(parseMinSeqField(minSeqField({ namespace, version })), { namespace, version });
    const load = { load: 0.42, rps: 120, bps: bytes(8_100_000), capacity: 4 };
    assert.deepEqual(parseLoadField(loadField(load)), load);
    assert.equal(loadField({ ...load, load: 5000, rps: 1e30 }).startsWith('1000.00;rps=999999999999999;'), true);
    assert.equal(parseProofField(proofField('{"a":"ä"}') ?? ''), '{"a":"ä"}');
  });

  it('that are missing, or whatever else, are read without an error', () => {
    const anything = fc.oneof(fc.string(), fc.constantFrom(...table.fields.map(({ value }) => value)));
    const broken = fc.tuple(anything, fc.nat(), fc.string({ maxLength: 3 }));
    for (const read of Object.values(readers)) assert.equal(read(undefined), null);
    fc.assert(
      fc.property(broken, ([value, at, put]) => {
        const cut = at % (value.length + 1);
        for (const read of Object.values(readers)) read(value.slice(0, cut) + put + value.slice(cut));
      }),
    );
  });

  it('are passed over where they are longer than any sensible one', () => {
    const long = parseNamespace(`http://docs.example.org/${'a'.repeat(5000)}/`);
    assert.equal(parseGroupField(groupField({ namespace: long, version: 1 })), null);
    assert.equal(proofField('a'.repeat(LONGEST_PROOF_FIELD * 0.75)), null);
    const most = proofField('a'.repeat(Math.floor((LONGEST_PROOF_FIELD - 2) * 0.75) - 2)) ?? '';
    assert.ok(most.length > LONGEST_PROOF_FIELD - 8, `${most.length}`);
    assert.equal(parseProofField(`${most.slice(0, 1)}AAAAAAAA${most.slice(1)}`), null);
  });

  describe('links to copies', () => {
    const own = ownLink({ url: 'http://m1.example/a,b', rel: 'duplicate', params: ['pri=1', 'geo=de'] });
    const foreign = '</style.css>; rel=preload; title="a, b; wlis"';

    it('have the parameter wlis, by which they are known whoever has joined them to others', () => {
      assert.equal(own, '<http://m1.example/a,b>; rel=duplicate; pri=1; geo=de; wlis');
      assert.deepEqual([own, foreign, '<x>; wlis=1', '<x>; a="; wlis"', '<;wlis>'].map(isOwnLink), [
        ...[true, false, true],
        ...[false, false],
      ]);
      assert.deepEqual(linkValues(`${foreign} , ${own},${own}`), [foreign, own, own]);
    });

    it('a line that is made to take for ever is read in no time', () => {
      // each took seconds for every length that a head may have, while nothing else could be answered
      for (const evil of [
        `<a>; wlis; x="${'\\"'.repeat(250_000)}`,
        `wlis${'<'.repeat(500_000)}`,
        '"'.repeat(500_001),
      ]) {
        const [first = ''] = linkValues(evil);
        assert.equal(first.length, evil.length, 'nothing is lost');
        assert.doesNotMatch(withoutToldLinks(`${own}, ${evil}`) ?? '', /rel=duplicate/);
      }
      assert.equal(withoutToldLinks(`<x>; title="no end, <y>; wlis`), `<x>; title="no end`);
    });

    it('are taken off before an answer is stored, with what else is of one answer; others stay as they are', () => {
      const ofDocument = ['ETag', '"a"', 'Link', foreign, 'link', '<b>; rel="next"', 'WLIS-Head', '"h";age=1'];
      const said = ['WLIS-Namespace', '"x"', 'wlis-group', '"x"', 'WLIS-Load', '1', 'Link', own, 'Link', `<c>, ${own}`];
      const left = withoutOwnFields(new Fields([...ofDocument, ...said]));
      assert.deepEqual(left.lines, [
        ...['ETag', '"a"', 'Link', foreign, 'link', '<b>; rel="next"', 'WLIS-Head', '"h";age=1', 'Link', '<c>'],
      ]);
      const plain = new Fields(ofDocument);
      assert.equal(withoutOwnFields(plain), plain);
    });
  });

  it('the load is told in each tenth answer, and when it has changed by more than a tenth', () => {
    let load = 0.5;
    const told = new ToldLoads(() => ({ load, rps: 1, bps: bytes(2) }));
    const next = (): string | null => told.next(3);
    assert.equal(next(), '0.50;rps=1;bps=2;capacity=3');
    load = 0.54;
    assert.deepEqual(
      Array.from({ length: 9 }, next),
      Array.from({ length: 9 }, () => null),
    );
    assert.equal(next(), '0.54;rps=1;bps=2;capacity=3');
    assert.equal(next(), null);
    load = 0.6;
    assert.equal(next(), '0.60;rps=1;bps=2;capacity=3');
    assert.equal(next(), null);
    load = 0.53;
    assert.equal(next(), '0.53;rps=1;bps=2;capacity=3');
  });
});
