import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fromBase64url, toBase64url } from '../../../wlis/trust/base64url.js';
import { digestOfText, type Digest } from '../../../wlis/trust/digest.js';
import { NotBelieved } from '../../../wlis/trust/not-believed.js';
import { checkAbsence, checkPresence, prove } from '../../../wlis/trust/proof.js';
import { parseProof, proofText } from '../../../wlis/trust/proof-format.js';
import { Trie } from '../../../wlis/trust/trie.js';
import { EMPTY } from '../../../wlis/trust/trie-hash.js';
import { vectors } from '../vectors.js';
import { disbelief } from './disbelief.js';
import { contents, entriesOf, keys, numbered } from './trie-example.js';

interface Vectors {
  readonly proofs: readonly {
    readonly count: number;
    readonly key: Digest;
    readonly record: Digest | null;
    readonly end: string;
    readonly proof: string;
  }[];
}

const { proofs } = vectors('trie') as Vectors;

/** Whether a proof as it was sent shows this of a key: a record, or that there is none. */
function shows(root: Digest, key: Digest, record: Digest | null, text: string): boolean {
  try {
    if (record === null) checkAbsence(root, key, parseProof(text));
    else checkPresence(root, { key, record }, parseProof(text));
    return true;
  } catch (error) {
    assert.ok(error instanceof NotBelieved, String(error));
    return false;
  }
}

describe('proofs', () => {
  for (const { count, key, record, end, proof } of proofs) {
    it(`of docs/vectors/trie.json: ${end} among ${count} documents`, () => {
      const trie = Trie.of(numbered(0, count));
      assert.deepEqual(prove(trie, key), { record, proof: parseProof(proof) });
      assert.equal(proofText(parseProof(proof)), proof);
      assert.equal(shows(trie.root, key, record, proof), true);
    });
  }

  it('show of every document that it is there, and of every other key that it is not', () => {
    fc.assert(
      fc.property(contents, keys, (map, other) => {
        const trie = Trie.of(entriesOf(map));
        for (const key of [...map.keys(), other]) {
          const { record, proof } = prove(trie, key);
          assert.equal(record, map.get(key) ?? null);
          assert.deepEqual(parseProof(proofText(proof)), proof);
          assert.equal(shows(trie.root, key, record, proofText(proof)), true);
        }
      }),
    );
  });

  it('show nothing else: no other record, no absence of what is there, no presence of what is not', () => {
    fc.assert(
      fc.property(contents, keys, keys, (map, key, other) => {
        const trie = Trie.of(entriesOf(map));
        const forged = digestOfText('forged');
        for (const one of [key, other]) {
          const text = proofText(prove(trie, one).proof);
          assert.equal(shows(trie.root, key, forged, text), false);
          if (map.has(key)) assert.equal(shows(trie.root, key, null, text), false);
          else for (const record of map.values()) assert.equal(shows(trie.root, key, record, text), false);
        }
      }),
    );
  });

  it('with any bit changed show nothing', () => {
    fc.assert(
      fc.property(contents, keys, fc.nat(), (map, key, n) => {
        const trie = Trie.of(entriesOf(map));
        const { record, proof } = prove(trie, key);
        const data = fromBase64url(proofText(proof))!;
        const bit = n % (8 * data.length);
        data[bit >> 3]! ^= 1 << (bit & 7);
        assert.equal(shows(trie.root, key, record, toBase64url(data)), false);
      }),
      { numRuns: 2000 },
    );
  });

  it('with any one of all bits changed show nothing, for each kind of end', () => {
    for (const { count, key, record, proof } of proofs) {
      const { root } = Trie.of(numbered(0, count));
      const data = fromBase64url(proof)!;
      for (let bit = 0; bit < 8 * data.length; bit++) {
        const altered = data.slice();
        altered[bit >> 3]! ^= 1 << (bit & 7);
        assert.ok(!shows(root, key, record, toBase64url(altered)), `bit ${bit} of ${proof}`);
      }
    }
  });

  it('of another trie show nothing, unless it is the same set', () => {
    fc.assert(
      fc.property(contents, contents, keys, (a, b, key) => {
        const [own, other] = [Trie.of(entriesOf(a)), Trie.of(entriesOf(b))];
        const { record, proof } = prove(other, key);
        assert.equal(shows(own.root, key, record, proofText(proof)), own.root === other.root);
      }),
    );
  });

  it('made longer or shorter are refused as malformed', () => {
    for (const { proof } of proofs) {
      const data = fromBase64url(proof)!;
      for (let length = 0; length < data.length; length += 7) {
        assert.throws(() => parseProof(toBase64url(data.subarray(0, length))), disbelief('malformed'));
      }
      assert.throws(() => parseProof(toBase64url(Uint8Array.of(...data, 0))), disbelief('malformed'));
    }
  });

  it('that any bytes make are proofs in their only spelling, or refused', () => {
    const headed = fc.tuple(fc.constantFrom(0, 1, 2), fc.nat(3), fc.uint8Array({ maxLength: 200 }));
    fc.assert(
      fc.property(headed, ([end, count, rest]) => {
        const text = toBase64url(Uint8Array.of(1, end, 0, count, ...rest));
        try {
          assert.equal(proofText(parseProof(text)), text);
        } catch (error) {
          assert.ok(disbelief('malformed')(error), String(error));
        }
      }),
      { numRuns: 1000 },
    );
    assert.throws(() => parseProof('!'), disbelief('malformed', /base64url/));
    assert.throws(() => parseProof(toBase64url(Uint8Array.of(2, 0, 0, 0))), disbelief('malformed', /version 2/));
    assert.throws(() => parseProof(toBase64url(Uint8Array.of(1, 3, 0, 0))), disbelief('malformed', /kind of end/));
    const spare = Uint8Array.of(1, 1, 0, 1, 0xc0, ...new Uint8Array(64).fill(1));
    assert.throws(() => parseProof(toBase64url(spare)), disbelief('malformed', /bits to spare/));
    assert.throws(() => parseProof(toBase64url(Uint8Array.of(1, 1, 1, 1))), disbelief('malformed', /257 siblings/));
    assert.throws(() => parseProof('A'.repeat(11_057)), disbelief('too-large'));
    const nothing = Uint8Array.of(1, 1, 0, 1, 0x80, ...new Uint8Array(32));
    assert.throws(() => parseProof(toBase64url(nothing)), disbelief('malformed', /nothing given as something/));
  });

  it('cannot put a document where it is not alone, nor name another that belongs elsewhere', () => {
    const trie = Trie.of(numbered(0, 50));
    const [{ key, record }] = numbered(0, 1) as [{ key: Digest; record: Digest }];
    const { proof } = prove(trie, key);
    const beside = { ...proof, siblings: [...proof.siblings, EMPTY] };
    assert.throws(() => checkPresence(trie.root, { key, record }, beside), disbelief('wrong-proof', /beside nothing/));
    const absent = digestOfText('absent');
    const foreign = { siblings: proof.siblings, end: { key, record } };
    assert.throws(() => checkAbsence(trie.root, absent, foreign), disbelief('wrong-proof', /belongs elsewhere/));
    assert.throws(() => checkAbsence(trie.root, key, foreign), disbelief('wrong-proof', /the document itself/));
    assert.throws(() => checkAbsence(trie.root, key, proof), disbelief('wrong-proof', /it is of presence/));
  });

  it('reach down to two keys that differ in their last bit alone', () => {
    const key = (last: string): Digest => `${'0'.repeat(63)}${last}` as Digest;
    const record = digestOfText('record');
    const trie = Trie.of([key('0'), key('1')].map((one) => ({ key: one, record })));
    const { proof } = prove(trie, key('1'));
    assert.equal(proof.siblings.length, 256);
    assert.equal(shows(trie.root, key('1'), record, proofText(proof)), true);
    assert.equal(shows(trie.root, key('2'), null, proofText(prove(trie, key('2')).proof)), true);
  });

  it('are about as long as the depth of the trie: under 700 bytes among 20,000 documents', () => {
    const trie = Trie.of(numbered(0, 20_000));
    for (const { key } of numbered(0, 50)) {
      assert.equal(fromBase64url(proofText(prove(trie, key).proof))!.length < 700, true);
    }
  });
});
