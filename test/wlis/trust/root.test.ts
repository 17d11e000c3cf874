import assert from 'node:assert/strict';
import { epochMs } from '../../../config/units.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import { canonicalJson, type JsonObject } from '../../../wlis/trust/canonical-json.js';
import type { SigningKey } from '../../../wlis/trust/jws.js';
import { openRootChain, rootChainText, signRoot, type RootChain } from '../../../wlis/trust/root-chain.js';
import { judgeRoot, type LearnedBy, type RootPin } from '../../../wlis/trust/root-pin.js';
import {
  keyForNamespace,
  parseRootPayload,
  rootPayload,
  signerFor,
  type RootStatement,
} from '../../../wlis/trust/root-statement.js';
import { vectors } from '../vectors.js';
import { disbelief } from './disbelief.js';
import { keyNamed } from './keys-example.js';
import { manual } from './record-example.js';

interface Vectors {
  readonly origin: string;
  readonly chain: string;
  readonly statements: readonly { readonly statement: RootStatement; readonly digest: string }[];
}

const table = vectors('root') as Vectors;
const origin = 'https://docs.example.org';
const now = epochMs(1_700_000_000_000);

let roots: SigningKey[];
let signers: SigningKey[];

before(async () => {
  roots = await Promise.all(['root key 1', 'root key 2', 'root key 3'].map(keyNamed));
  signers = await Promise.all(['signer 1', 'signer 2'].map(keyNamed));
});

/** A statement by root key `by`, counted from 0, that names the one behind it. */
const statementOf = (serial: number, by = 0, over: Partial<RootStatement> = {}): RootStatement => ({
  origin,
  serial,
  issued: epochMs(now + serial),
  rootKey: roots[by]!.publicKey,
  nextRootKey: roots[(by + 1) % 3]!.id,
  namespaces: [
    {
      namespace: manual,
      signers: [{ key: signers[0]!.publicKey, serial: 1, notAfter: epochMs(now + 1000) }],
      aliases: [],
    },
  ],
  ...over,
});

/** A chain whose statements are signed by these root keys in turn. */
async function chainBy(...by: number[]): Promise<RootChain> {
  let chain: RootChain = [];
  for (const [i, key] of by.entries()) {
    const before = by[i - 1] ?? key;
    const keys = before === key ? [roots[key]!] : [roots[key]!, roots[before]!];
    chain = await signRoot(statementOf(i + 1, key), chain, keys);
  }
  return chain;
}

const forged = (change: JsonObject): string =>
  canonicalJson({ ...(JSON.parse(rootPayload(statementOf(1))) as JsonObject), ...change });

describe('root statements', () => {
  it('say what they were made of', () => {
    const second = parseNamespace('https://docs.example.org/other/');
    const aliases = [
      parseNamespace('http://docs.example.org/other/'),
      parseNamespace('https://docs.example.org:8443/other/'),
    ];
    const statement = statementOf(3);
    const full = {
      ...statement,
      namespaces: [...statement.namespaces, { ...statement.namespaces[0]!, namespace: second, aliases }],
    };
    assert.deepEqual(parseRootPayload(rootPayload(full)), full);
  });

  it('give the signer of the highest serial alone, until its time is over', () => {
    const [one, two] = signers as [SigningKey, SigningKey];
    const statement = statementOf(1, 0, {
      namespaces: [
        {
          namespace: manual,
          signers: [
            { key: one.publicKey, serial: 1, notAfter: epochMs(now + 5000) },
            { key: two.publicKey, serial: 4, notAfter: epochMs(now + 1000) },
          ],
          aliases: [],
        },
      ],
    });
    assert.equal(signerFor(statement, manual, epochMs(now + 1000))?.key, two.publicKey);
    // the lower one ended when the higher was named
    assert.equal(signerFor(statement, manual, epochMs(now + 1001)), null);
    assert.equal(signerFor(statement, parseNamespace('https://docs.example.org/'), now), null);
    assert.equal(keyForNamespace(statement, manual, now)(two.id), two.publicKey);
    assert.equal(keyForNamespace(statement, manual, now)(one.id), null);
    assert.equal(keyForNamespace(statement, manual, epochMs(now + 1001))(two.id), null);
  });

  it('speak of their own authority only, in one spelling and order', () => {
    const stated = (JSON.parse(rootPayload(statementOf(1))) as { namespaces: JsonObject[] }).namespaces[0]!;
    const cases: readonly (readonly [string, RegExp])[] = [
      [forged({ namespaces: [{ ...stated, namespace: 'https://bank.example/' }] }), /is not of https:\/\/docs/],
      [forged({ namespaces: [{ ...stated, namespace: 'http://docs.example.org/' }] }), /is not of https:\/\/docs/],
      [forged({ namespaces: [{ ...stated, namespace: 'https://docs.example.org.evil.example/' }] }), /is not of/],
      [forged({ namespaces: [{ ...stated, namespace: 'https://DOCS.example.org/' }] }), /canonical spelling/],
      [forged({ namespaces: [stated, stated] }), /namespaces out of order/],
      [forged({ namespaces: [{ ...stated, signers: [] }] }), /without a signer/],
      [forged({ namespaces: [{ ...stated, aliases: ['https://bank.example/'] }] }), /alias on another host/],
      [forged({ namespaces: [{ ...stated, aliases: [] }] }), /empty list of aliases/],
      [forged({ namespaces: [{ ...stated, aliases: [7] }] }), /no http or https URI/],
      [forged({ origin: 'https://docs.example.org/' }), /no origin/],
      [forged({ origin: 'https://docs.example.org:443' }), /canonical spelling/],
      [forged({ serial: 0 }), /'serial'/],
      [forged({ rootKey: 'x' }), /'rootKey': "x" is no Ed25519 public key/],
      [forged({ nextRootKey: roots[0]!.id }), /the next root key is the present one/],
      [forged({ extra: 1 }), /unknown member/],
    ];
    for (const [text, message] of cases) assert.throws(() => parseRootPayload(text), disbelief('malformed', message));
    const [signer] = stated['signers'] as JsonObject[];
    const twice = forged({ namespaces: [{ ...stated, signers: [signer!, signer!] }] });
    assert.throws(() => parseRootPayload(twice), disbelief('malformed', /signers of .* out of order/));
  });
});

describe('root chains', () => {
  it('of docs/vectors/root.json is read and written as it is', async () => {
    const chain = await openRootChain(table.chain, table.origin);
    assert.deepEqual(
      chain.map(({ statement, digest }) => ({ statement, digest })),
      table.statements,
    );
    assert.equal(rootChainText(chain), table.chain);
  });

  it('lead from the first statement over changes of the root key to the newest', async () => {
    const chain = await chainBy(0, 0, 1, 1, 2);
    assert.deepEqual(await openRootChain(rootChainText(chain), origin), chain);
  });

  it('take a new root key only if it was named before, and both have signed', async () => {
    const chain = await chainBy(0);
    const skips = signRoot(statementOf(2, 2), chain, [roots[2]!, roots[0]!]);
    await assert.rejects(skips, disbelief('wrong-signature', /not named before/));
    await assert.rejects(signRoot(statementOf(2, 1), chain, [roots[1]!]), disbelief('malformed', /1 signatures/));
    await assert.rejects(signRoot(statementOf(2, 1), chain, [roots[1]!, roots[2]!]), disbelief('wrong-signature'));
    await assert.rejects(signRoot(statementOf(2, 1), chain, [roots[2]!, roots[0]!]), disbelief('wrong-signature'));
    await assert.rejects(
      signRoot(statementOf(2, 0), chain, [roots[0]!, roots[0]!]),
      disbelief('malformed', /2 signatures/),
    );
  });

  it('have no gap, and serials that never go back', async () => {
    const chain = await chainBy(0);
    for (const serial of [1, 3]) {
      const next = signRoot(statementOf(serial), chain, [roots[0]!]);
      await assert.rejects(next, disbelief('malformed', new RegExp(`serial ${serial} where 2 has to follow`)));
    }
    const cut = rootChainText((await chainBy(0, 0)).slice(1));
    await assert.rejects(openRootChain(cut, origin), disbelief('malformed', /serial 2 where 1 has to follow/));
  });

  it('of another authority, empty, or with a statement that was touched are refused', async () => {
    const text = rootChainText(await chainBy(0, 1));
    await assert.rejects(openRootChain(text, 'https://other.example'), disbelief('wrong-subject'));
    await assert.rejects(openRootChain('{"statements":[]}', origin), disbelief('malformed', /no statement/));
    const { statements } = JSON.parse(text) as { statements: { payload: string; signatures: JsonObject[] }[] };
    const payload = Buffer.from(statements[0]!.payload, 'base64url').toString();
    const touched = Buffer.from(payload.replace('"serial":1}', '"serial":2}')).toString('base64url');
    assert.notEqual(touched, statements[0]!.payload);
    const other = canonicalJson({ statements: [{ ...statements[0]!, payload: touched }] });
    await assert.rejects(openRootChain(other, origin), disbelief('wrong-signature', /does not fit/));
    const binary = canonicalJson({ statements: [{ ...statements[0]!, payload: '=' }] });
    await assert.rejects(openRootChain(binary, origin), disbelief('malformed', /base64url/));
  });
});

describe('whether a root is believed', () => {
  const pinOf = (chain: RootChain, learnedBy: LearnedBy): RootPin => {
    const judged = judgeRoot(null, chain, learnedBy, true);
    assert.ok(judged.take, judged.reason);
    return judged.pin;
  };

  const reason = (known: RootPin | null, chain: RootChain, by: LearnedBy, firstUse = true): string => {
    const judged = judgeRoot(known, chain, by, firstUse);
    return `${judged.take ? 'take' : 'leave'}: ${judged.reason}`;
  };

  it('the first one that the operator gave or that came over TLS is, one over plain HTTP only if that is allowed', async () => {
    const chain = await chainBy(0);
    assert.equal(reason(null, chain, 'configured', false), 'take: first');
    assert.equal(reason(null, chain, 'tls', false), 'take: first');
    assert.equal(reason(null, chain, 'first-use', true), 'take: first');
    assert.equal(reason(null, chain, 'first-use', false), 'leave: first-use-off');
    assert.equal(reason(null, [], 'configured'), 'leave: conflict');
  });

  it('one that follows from what is known is, however it came', async () => {
    const pin = pinOf(await chainBy(0), 'configured');
    const judged = judgeRoot(pin, await chainBy(0, 0, 1), 'first-use', false);
    assert.ok(judged.take, judged.reason);
    assert.deepEqual([judged.reason, judged.pin.serial, judged.pin.rootKey], ['newer', 3, roots[1]!.id]);
    assert.equal(judged.pin.learnedBy, 'configured');
    assert.equal(reason(pin, await chainBy(0), 'tls'), 'take: same');
  });

  it('an older one is not, nor one that says something else under a serial that is known', async () => {
    const chain = await chainBy(0, 0);
    const pin = pinOf(chain, 'tls');
    assert.equal(reason(pin, chain.slice(0, 1), 'tls'), 'leave: older');
    const rewritten = await signRoot(statementOf(2, 0, { issued: epochMs(5) }), chain.slice(0, 1), [roots[0]!]);
    assert.equal(reason(pin, rewritten, 'tls'), 'leave: conflict');
    assert.equal(reason(pin, await chainBy(2, 2), 'configured'), 'leave: conflict');
  });

  it('one of a first use yields to one learned by TLS or from the operator, and to no other', async () => {
    const pin = pinOf(await chainBy(2), 'first-use');
    const chain = await chainBy(0);
    assert.equal(reason(pin, chain, 'first-use'), 'leave: conflict');
    assert.equal(reason(pin, chain, 'tls'), 'take: yields');
    assert.equal(reason(pin, chain, 'configured'), 'take: yields');
    assert.equal(reason(pinOf(chain, 'tls'), await chainBy(2), 'first-use'), 'leave: conflict');
  });

  it('one of which the operator named the key is, if that key has signed any statement of the chain', async () => {
    const named: RootPin = { origin, learnedBy: 'configured', rootKey: roots[0]!.id, serial: 0, digest: null };
    assert.equal(reason(named, await chainBy(0, 1), 'tls'), 'take: newer');
    assert.equal(reason({ ...named, rootKey: roots[1]!.id }, await chainBy(0, 1), 'first-use', false), 'take: newer');
    assert.equal(reason({ ...named, rootKey: roots[2]!.id }, await chainBy(0, 1), 'tls'), 'leave: conflict');
  });
});
