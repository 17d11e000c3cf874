import assert from 'node:assert/strict';
import fc from 'fast-check';
import { epochMs } from '../../../config/units.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import { toBase64url } from '../../../wlis/trust/base64url.js';
import { digestOfText } from '../../../wlis/trust/digest.js';
import { parseEpoch } from '../../../wlis/trust/epoch.js';
import { isCurrent, judgeHead, openHead, signHead, type Head } from '../../../wlis/trust/head.js';
import { newPrivateJwk, openJws, openSigningKey, type PrivateJwk, type SigningKey } from '../../../wlis/trust/jws.js';
import { keyIdOf, parsePublicKey, type KeyId, type PublicKey } from '../../../wlis/trust/public-key.js';
import { vectors } from '../vectors.js';
import { disbelief } from './disbelief.js';
import { keyNamed } from './keys-example.js';
import { firstEpoch, manual } from './record-example.js';

interface Vectors {
  readonly key: PrivateJwk;
  readonly keyId: string;
  readonly heads: readonly { readonly head: Head; readonly jws: string }[];
}

const table = vectors('head') as Vectors;
const publicKey = table.key.x as PublicKey;

const only =
  (key: SigningKey) =>
  (id: KeyId): PublicKey | null =>
    id === key.id ? key.publicKey : null;

const headAt = (seq: number, over: Partial<Head> = {}): Head => ({
  namespace: manual,
  epoch: firstEpoch,
  seq,
  root: digestOfText(`root ${seq}`),
  issued: epochMs(1_700_000_000_000 + seq),
  refreshAfter: epochMs(1_700_000_060_000 + seq),
  expires: epochMs(1_700_000_300_000 + seq),
  atomic: false,
  ...over,
});

const parts = (jws: string): [string, string, string] => jws.split('.') as [string, string, string];
const encoded = (text: string): string => toBase64url(new TextEncoder().encode(text));

describe('signatures', () => {
  it('name the key by its thumbprint (RFC 8037 Appendix A.3)', () => {
    assert.equal(keyIdOf(parsePublicKey(publicKey, 'key')), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
    assert.equal(table.keyId, keyIdOf(publicKey));
  });

  it('give what was signed, to those who know the key', async () => {
    const key = await openSigningKey(await newPrivateJwk());
    const jws = await key.sign('wlis-group', '{"a":1}');
    assert.equal(await openJws('wlis-group', jws, only(key)), '{"a":1}');
  });

  it('of one kind never pass for another', async () => {
    const key = await keyNamed('a');
    const jws = await key.sign('wlis-group', '{}');
    await assert.rejects(openJws('wlis-head', jws, only(key)), disbelief('wrong-subject', /another type/));
  });

  it('of another key are refused, be it under the name of the right one', async () => {
    const [key, other] = [await keyNamed('a'), await keyNamed('b')];
    const jws = await other.sign('wlis-head', '{}');
    await assert.rejects(openJws('wlis-head', jws, only(key)), disbelief('wrong-signature', /may not sign/));
    const [, payload, signature] = parts(jws);
    const [head] = parts(await key.sign('wlis-head', '{}'));
    const forged = [head, payload, signature].join('.');
    await assert.rejects(openJws('wlis-head', forged, only(key)), disbelief('wrong-signature', /does not fit/));
  });

  it('with any character changed are refused', async () => {
    const key = await keyNamed('a');
    const jws = await key.sign('wlis-head', '{"a":"what is said"}');
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/';
    await fc.assert(
      fc.asyncProperty(fc.nat(jws.length - 1), fc.constantFrom(...Array.from(alphabet)), async (at, character) => {
        const altered = jws.slice(0, at) + character + jws.slice(at + 1);
        fc.pre(altered !== jws);
        await assert.rejects(openJws('wlis-head', altered, only(key)), (error: Error) => error.name === 'NotBelieved');
      }),
      { numRuns: 300 },
    );
    // the last character of a signature has bits to spare
    for (const character of alphabet) {
      const altered = jws.slice(0, -1) + character;
      if (altered !== jws) await assert.rejects(openJws('wlis-head', altered, only(key)), /statement/);
    }
  });

  it('with anything but alg EdDSA, kid and typ in their head are refused', async () => {
    const key = await keyNamed('a');
    const [, payload, signature] = parts(await key.sign('wlis-head', '{}'));
    const kid = key.id;
    const heads = [
      `{"alg":"none","kid":"${kid}","typ":"wlis-head"}`,
      `{"alg":"HS256","kid":"${kid}","typ":"wlis-head"}`,
      `{"alg":"Ed25519","kid":"${kid}","typ":"wlis-head"}`,
      `{"alg":"EdDSA","crit":["x"],"kid":"${kid}","typ":"wlis-head"}`,
      `{"alg":"EdDSA","b64":false,"kid":"${kid}","typ":"wlis-head"}`,
      `{"alg":"EdDSA","jwk":{},"kid":"${kid}","typ":"wlis-head"}`,
      `{"kid":"${kid}","alg":"EdDSA","typ":"wlis-head"}`,
      `{"alg":"EdDSA","typ":"wlis-head"}`,
      `{"alg":"EdDSA","kid":"x","typ":"wlis-head"}`,
      'x',
      '',
    ];
    for (const head of heads) {
      const jws = [encoded(head), payload, signature].join('.');
      await assert.rejects(
        openJws('wlis-head', jws, () => key.publicKey),
        disbelief('malformed'),
        head,
      );
    }
    for (const jws of ['', '.', '..', `${payload}.${signature}`, `${payload}.${payload}.${payload}.${signature}`]) {
      await assert.rejects(
        openJws('wlis-head', jws, () => key.publicKey),
        disbelief('malformed'),
        jws,
      );
    }
    const long = 'A'.repeat(1_048_577);
    await assert.rejects(
      openJws('wlis-head', long, () => key.publicKey),
      disbelief('too-large'),
    );
  });

  it('a key pair whose halves do not fit is refused, without a word of the secret', async () => {
    const [a, b] = [await newPrivateJwk(), await newPrivateJwk()];
    await assert.rejects(openSigningKey({ ...a, x: b.x }), (error: Error) => !error.message.includes(a.d));
    await assert.rejects(openSigningKey({ ...a, d: 'AA' }), disbelief('malformed', /no private Ed25519 key/));
    await assert.rejects(openSigningKey({ ...a, x: 'AA' }), disbelief('malformed', /no Ed25519 public key/));
  });
});

describe('heads', () => {
  for (const { head, jws } of table.heads) {
    it(`of docs/vectors/head.json: seq ${head.seq}`, async () => {
      assert.deepEqual((await openHead(jws, manual, () => publicKey)).head, head);
      assert.equal((await signHead(head, await openSigningKey(table.key))).jws, jws);
    });
  }

  it('are of the namespace that was asked for', async () => {
    const key = await keyNamed('a');
    const { jws } = await signHead(headAt(1), key);
    const other = parseNamespace('https://docs.example.org/other/');
    await assert.rejects(openHead(jws, other, only(key)), disbelief('wrong-subject', /another namespace/));
  });

  it('that no reader would take are not signed', async () => {
    const key = await keyNamed('a');
    const wrong: Partial<Head>[] = [
      { seq: -1 },
      { expires: epochMs(1) },
      { refreshAfter: epochMs(1_800_000_000_000) },
      { issued: epochMs(0.5) },
    ];
    for (const over of wrong) await assert.rejects(signHead(headAt(1, over), key), disbelief('malformed'));
  });

  it('signed by somebody who may, but not in their form, are refused', async () => {
    const key = await keyNamed('a');
    const payload = JSON.parse(
      Buffer.from(parts((await signHead(headAt(1), key)).jws)[1], 'base64url').toString(),
    ) as object;
    for (const over of [{ extra: 1 }, { atomic: false }, { root: 'x' }, { epoch: 'x' }, { seq: '1' }]) {
      const sorted = Object.fromEntries(Object.entries({ ...payload, ...over }).sort(([a], [b]) => (a < b ? -1 : 1)));
      const jws = await key.sign('wlis-head', JSON.stringify(sorted));
      await assert.rejects(openHead(jws, manual, only(key)), disbelief('malformed', /^head/), JSON.stringify(over));
    }
  });

  it('prove what is so until they expire', () => {
    const head = headAt(1);
    assert.equal(isCurrent(head, epochMs(head.expires - 1)), true);
    assert.equal(isCurrent(head, head.expires), false);
  });
});

describe('a head beside the newest one that is known', () => {
  const now = epochMs(1_700_000_000_000);
  const later = parseEpoch('1700000000001-0000000000000000');
  const known = headAt(5);
  const cases: readonly (readonly [string, Head, string])[] = [
    ['of a later change is newer', headAt(6), 'newer'],
    ['of an earlier change is older', headAt(4), 'older'],
    ['is the same', headAt(5), 'same'],
    ['of the same change, stated anew, is newer', headAt(5, { issued: epochMs(known.issued + 1) }), 'newer'],
    ['of the same change, stated before, is older', headAt(5, { issued: epochMs(known.issued - 1) }), 'older'],
    ['of a later epoch is newer, whatever its number', headAt(0, { epoch: later }), 'newer'],
    ['of the same change with another root is an equivocation', headAt(5, { root: digestOfText('x') }), 'equivocation'],
    [
      'of more than a day ahead would make all that is true look old',
      headAt(9, { issued: epochMs(now + 86_400_001) }),
      'ahead',
    ],
    ['of a day ahead may be of a clock that is wrong', headAt(9, { issued: epochMs(now + 86_400_000) }), 'newer'],
    [
      'of an epoch more than a day ahead is not taken',
      headAt(9, { epoch: parseEpoch('1800000000000-0000000000000000') }),
      'ahead',
    ],
  ];
  for (const [what, offered, judgement] of cases) {
    it(what, () => assert.equal(judgeHead(known, offered, now), judgement));
  }

  it('of an epoch that has ended proves nothing', () => {
    assert.equal(judgeHead(headAt(0, { epoch: later }), headAt(9), now), 'ended-epoch');
  });

  it('where none is known, is newer', () => assert.equal(judgeHead(null, headAt(0), now), 'newer'));

  it('taken whenever they are newer, make the newest known never go back', () => {
    const heads = fc
      .record({ seq: fc.nat(4), issued: fc.nat(3), ended: fc.boolean() })
      .map(({ seq, issued, ended }) =>
        headAt(seq, { issued: epochMs(now - issued), epoch: ended ? firstEpoch : later }),
      );
    fc.assert(
      fc.property(fc.array(heads), (offered) => {
        let newest: Head | null = null;
        for (const head of offered) {
          const before: Head | null = newest;
          if (judgeHead(newest, head, now) !== 'newer') continue;
          newest = head;
          if (before !== null) assert.notEqual(judgeHead(newest, before, now), 'newer');
        }
      }),
    );
  });
});
