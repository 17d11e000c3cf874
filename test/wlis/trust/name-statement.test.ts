import assert from 'node:assert/strict';
import fc from 'fast-check';
import { epochMs } from '../../../config/units.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import { fromBase32, toBase32 } from '../../../wlis/trust/base32.js';
import { toBase64url } from '../../../wlis/trust/base64url.js';
import { canonicalJson } from '../../../wlis/trust/canonical-json.js';
import {
  isLaterName,
  isListedName,
  isOwnName,
  mayName,
  openName,
  ownerOf,
  ownLabel,
  signName,
  type NameStatement,
} from '../../../wlis/trust/name-statement.js';
import { disbelief } from './disbelief.js';
import { keyNamed } from './keys-example.js';

const said: Omit<NameStatement, 'key'> = {
  ...{ name: 'manual', namespace: parseNamespace('http://docs.example/manual/'), serial: 3 },
  ...{ issued: epochMs(1_700_000_000_000), expires: epochMs(1_731_536_000_000) },
};

describe('a statement of a name', () => {
  it('is read as it was signed', async () => {
    const key = await keyNamed('naming');
    const { jws, statement } = await signName(said, key);
    assert.deepEqual((await openName(jws)).statement, statement);
    assert.deepEqual(statement, { ...said, key: key.publicKey });
    const ended = await signName({ ...said, namespace: null, serial: 4 }, key);
    assert.equal((await openName(ended.jws)).statement.namespace, null);
  });

  it('is refused where it was changed, signed by another key than it says, or is of another kind', async () => {
    const [key, other] = [await keyNamed('naming'), await keyNamed('other')];
    const { jws } = await signName(said, key);
    const [head = '', payload = '', signature = ''] = jws.split('.');
    const changed = toBase64url(new TextEncoder().encode(canonicalJson({ ...said, serial: 4, key: key.publicKey })));
    await assert.rejects(openName(`${head}.${changed}.${signature}`), disbelief('wrong-signature'));
    const byOther = await other.sign('wlis-name', canonicalJson({ ...said, key: key.publicKey }));
    await assert.rejects(openName(byOther), disbelief('wrong-signature'));
    const ofHead = await key.sign('wlis-head', new TextDecoder().decode(Buffer.from(payload, 'base64url')));
    await assert.rejects(openName(ofHead), disbelief('wrong-subject'));
  });

  it('is refused if it is malformed', async () => {
    const key = await keyNamed('naming');
    const refused: readonly object[] = [
      { name: 'Manual' },
      { name: 'a..b' },
      { name: '*' },
      { name: 'a.*' },
      { name: 'x'.repeat(300) },
      { serial: 0 },
      { issued: said.expires + 1 },
      { namespace: 'http://DOCS.example/' },
      { namespace: 'http://docs.example/page' },
      { more: 1 },
    ];
    for (const over of refused) {
      const jws = await key.sign('wlis-name', canonicalJson({ ...said, key: key.publicKey, ...over }));
      await assert.rejects(openName(jws), (error: Error) => error.name === 'NotBelieved', JSON.stringify(over));
    }
    await assert.rejects(openName('x'.repeat(20_000)), disbelief('too-large'));
    await assert.rejects(openName('a.b'), disbelief('malformed'));
    await assert.rejects(signName({ ...said, name: 'A' }, key), disbelief('malformed'));
  });

  it('counts by a naming key, or by the key that is in the name itself', async () => {
    const [key, other] = [await keyNamed('naming'), await keyNamed('other')];
    const label = ownLabel(key.id);
    assert.match(label, /^k-[a-z2-7]{52}$/);
    assert.ok(isListedName(`*.${label}`), 'it is a label of a name');
    assert.deepEqual(
      [mayName(key.id, 'manual', [key.id]), mayName(key.id, 'manual', [other.id]), mayName(key.id, 'manual', [])],
      [true, false, false],
    );
    for (const name of [label, `manual.${label}`, `*.${label}`]) {
      assert.deepEqual(
        [isOwnName(key.id, name), mayName(key.id, name, []), isOwnName(other.id, name)],
        [true, true, false],
      );
    }
    assert.equal(isOwnName(key.id, `${label}.manual`), false);
    assert.deepEqual(
      [label, `*.${label}`, `a.b.${label}`, 'manual', `${label}.manual`, `x${label}`, `k-${'7'.repeat(52)}`].map(
        ownerOf,
      ),
      [key.id, key.id, key.id, null, null, null, null],
    );
  });

  it('nobody gives a name that certifies another key, be his word trusted otherwise', async () => {
    const [key, other] = [await keyNamed('naming'), await keyNamed('other')];
    assert.equal(mayName(other.id, `manual.${ownLabel(key.id)}`, [other.id]), false);
    assert.equal(mayName(other.id, `manual.k-${'7'.repeat(52)}`, [other.id]), false);
  });

  it('a higher serial takes the place of a lower one; of two under one serial all take the same', async () => {
    const key = await keyNamed('naming');
    const [low, high] = [await signName(said, key), await signName({ ...said, serial: 4 }, key)];
    assert.deepEqual([isLaterName(high, low), isLaterName(low, high), isLaterName(low, low)], [true, false, false]);
    const twin = await signName({ ...said, namespace: null }, key);
    assert.notEqual(isLaterName(twin, low), isLaterName(low, twin));
  });
});

describe('base 32', () => {
  for (const text of ['a', 'my1', 'MY', 'mz', 'm=', 'my======']) {
    it(`${text} is not what it makes`, () => assert.equal(fromBase32(text), null));
  }

  it('is that of RFC 4648 §10 in lower case and without padding', () => {
    const vectors = { f: 'my', fo: 'mzxq', foo: 'mzxw6', foob: 'mzxw6yq', fooba: 'mzxw6ytb', foobar: 'mzxw6ytboi' };
    for (const [text, coded] of Object.entries(vectors)) assert.equal(toBase32(Buffer.from(text)), coded);
    assert.equal(toBase32(new Uint8Array()), '');
  });

  it('tells all bytes apart', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), (a, b) => {
        assert.equal(toBase32(a) === toBase32(b), Buffer.from(a).equals(b));
        assert.equal(toBase32(a).length, Math.ceil((a.length * 8) / 5));
        assert.deepEqual(fromBase32(toBase32(a)), Uint8Array.from(a));
      }),
    );
  });
});
