import assert from 'node:assert/strict';
import fc from 'fast-check';
import { epochMs, milliseconds, type EpochMs } from '../../config/units.js';
import { Fields } from '../../proxy/http/fields.js';
import { parseDictionary, type InnerList } from '../../proxy/http/structured-fields.js';
import type { TargetUri } from '../../proxy/http/target-uri.js';
import { CallKey, isSignedBy } from '../../wlis/call-key.js';
import { CallReplays } from '../../wlis/call-replays.js';
import { contentDigest, isContentDigest } from '../../wlis/content-digest.js';
import { signatureBase } from '../../wlis/signature-base.js';
import { callSignature, callWindow, verifyCall, type UnsignedCall } from '../../wlis/signed-request.js';
import type { PrivateJwk } from '../../wlis/trust/jws.js';
import type { PublicKey } from '../../wlis/trust/public-key.js';
import { disbelief } from './trust/disbelief.js';
import { vectors } from './vectors.js';

/** RFC 9421 Appendix B.1.4 */
const key = new CallKey({
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU',
  x: 'JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs',
});
const other = new CallKey({
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
});

const now = epochMs(1_700_000_000_000);
const nonce = 'AAAAAAAAAAAAAAAAAAAAAA';
const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const joining = text('{"urls":["https://m1.example"]}');

const targetOf = (over: Partial<TargetUri> = {}): TargetUri => ({
  scheme: 'https',
  host: 'docs.example.org',
  port: 443,
  authority: 'docs.example.org',
  path: '/.well-known/wlis/replicas/x?namespace=https://docs.example.org/',
  ...over,
});

const callOf = (over: Partial<UnsignedCall> = {}): UnsignedCall => ({
  method: 'PUT',
  target: targetOf(),
  content: joining,
  ...over,
});

interface Received {
  readonly call?: Partial<UnsignedCall>;
  readonly fields?: Fields;
  readonly at?: number;
  readonly origins?: readonly string[];
  readonly replays?: CallReplays;
}

/** What becomes of a call that was signed as `callOf()` and came as is said. */
function received({ call, fields, at = now, origins, replays }: Received = {}): string {
  const { method, target, content } = callOf(call);
  const verified = verifyCall({ method, target, fields: fields ?? signed() }, content, {
    keyFor: (id) => (id === key.id ? key.publicKey : null),
    origins: origins ?? ['https://docs.example.org'],
    replays: replays ?? new CallReplays(callWindow),
    now: epochMs(at),
  });
  return 'key' in verified ? verified.key : verified.reason;
}

const signed = (call: Partial<UnsignedCall> = {}, by = key, at: EpochMs = now): Fields =>
  new Fields(callSignature(callOf(call), by, nonce, at));

/** With a part of the Signature-Input written otherwise. */
const altered = (from: string | RegExp, to: string, fields = signed()): Fields => {
  const input = fields.first('signature-input')!;
  assert.notEqual(input.replace(from, to), input);
  return fields.with('Signature-Input', input.replace(from, to));
};

/** With other components and parameters, by somebody who may call and signs what he says. */
function signedAs(list: string): Fields {
  const input = parseDictionary(`wlis=${list}`)?.get('wlis') as InnerList;
  const values = new Map([
    ['@method', 'PUT'],
    ['@target-uri', 'https://docs.example.org/.well-known/wlis/replicas/x?namespace=https://docs.example.org/'],
    ['content-digest', contentDigest(joining)],
  ]);
  const components = input.value.map(({ value }) => [value as string, values.get(value as string) ?? ''] as const);
  const signature = Buffer.from(key.sign(signatureBase(components, input))).toString('base64');
  const lines = ['Content-Digest', contentDigest(joining), 'Signature-Input', `wlis=${list}`];
  return new Fields([...lines, 'Signature', `wlis=:${signature}:`]);
}

const params = `;created=1700000000;nonce="${nonce}";keyid="${key.id}";alg="ed25519";tag="wlis-call"`;
const allOfIt = '("@method" "@target-uri" "content-digest")';

describe('signatures of messages', () => {
  it('are those of the example with Ed25519 (RFC 9421 Appendix B.2.6)', () => {
    const list =
      '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"';
    const input = parseDictionary(`sig-b26=${list}`)?.get('sig-b26') as InnerList;
    const base = signatureBase(
      [
        ['date', 'Tue, 20 Apr 2021 02:07:55 GMT'],
        ['@method', 'POST'],
        ['@path', '/foo'],
        ['@authority', 'example.com'],
        ['content-type', 'application/json'],
        ['content-length', '18'],
      ],
      input,
    );
    assert.equal(base.split('\n').at(-1), `"@signature-params": ${list}`);
    const signature = 'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==';
    assert.equal(Buffer.from(key.sign(base)).toString('base64'), signature);
    assert.equal(isSignedBy(key.publicKey, base, Buffer.from(signature, 'base64')), true);
    assert.equal(isSignedBy(key.publicKey, `${base} `, Buffer.from(signature, 'base64')), false);
    assert.equal(isSignedBy(other.publicKey, base, Buffer.from(signature, 'base64')), false);
  });

  it('are not made with a key pair whose halves do not belong together', () => {
    const d = 'n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU';
    const make = (x: string, secret: string): CallKey => new CallKey({ kty: 'OKP', crv: 'Ed25519', x, d: secret });
    assert.throws(() => make(other.publicKey, d), disbelief('malformed', /^(?!.*n4Ni)/));
    assert.throws(() => make(key.publicKey, 'AA'), disbelief('malformed', /no private Ed25519 key/));
  });
});

describe('Content-Digest', () => {
  it('is that of the example (RFC 9530 Appendix D)', () => {
    const content = text('{"hello": "world"}\n');
    assert.equal(contentDigest(content), 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:');
    assert.equal(isContentDigest(`sha-512=:AAAA:, ${contentDigest(content)}`, content), true);
  });

  it('of other content, of another kind alone, or in another form is none', () => {
    const content = text('x');
    for (const value of [
      contentDigest(text('y')),
      'sha-512=:AAAA:',
      'sha-256=:AAAA:',
      'sha-256=1',
      'sha-256',
      '(',
      '',
    ]) {
      assert.equal(isContentDigest(value, content), false, value);
    }
  });
});

interface Vectors {
  readonly key: PrivateJwk;
  readonly created: EpochMs;
  readonly nonce: string;
  readonly calls: readonly {
    readonly method: string;
    readonly target: string;
    readonly content: string | null;
    readonly fields: readonly string[];
  }[];
}

describe('a signed call', () => {
  const table = vectors('signed-call') as Vectors;
  for (const { method, target, content, fields } of table.calls) {
    it(`of docs/vectors/signed-call.json: ${method}`, () => {
      const own = new CallKey(table.key);
      assert.equal(target.startsWith('https://docs.example.org/'), true);
      const call = {
        method,
        target: targetOf({ path: target.slice('https://docs.example.org'.length) }),
        content: content === null ? null : text(content),
      };
      assert.deepEqual(callSignature(call, own, table.nonce, table.created), fields);
      const verified = verifyCall({ ...call, fields: new Fields(fields) }, call.content, {
        keyFor: (id) => (id === own.id ? own.publicKey : null),
        origins: ['https://docs.example.org'],
        replays: new CallReplays(callWindow),
        now: table.created,
      });
      assert.deepEqual(verified, { key: own.publicKey });
    });
  }

  it('is believed to be of the one who signed it', () => {
    assert.equal(received(), key.publicKey);
    assert.equal(received({ fields: signedAs(`${allOfIt}${params}`) }), key.publicKey);
    assert.equal(received({ fields: signedAs(`("content-digest" "@target-uri" "@method")${params}`) }), key.publicKey);
    const bare = { method: 'DELETE', content: null };
    assert.equal(received({ call: bare, fields: signed(bare) }), key.publicKey);
    assert.equal(received({ call: bare, fields: signed({ ...bare, content: text('') }) }), key.publicKey);
  });

  it('may have signatures for other purposes beside it', () => {
    const fields = signed();
    const both = new Fields([
      ...fields.lines,
      'Signature-Input',
      'other=("@method");created=1',
      'Signature',
      'other=:AA==:',
    ]);
    assert.equal(received({ fields: both }), key.publicKey);
  });

  it('without a signature, or with one for another purpose, is unsigned', () => {
    assert.equal(received({ fields: Fields.none }), 'unsigned');
    assert.equal(received({ fields: signed().without('signature') }), 'unsigned');
    assert.equal(received({ fields: signed().without('signature-input') }), 'unsigned');
    assert.equal(received({ fields: altered('wlis-call', 'wlis-other') }), 'unsigned');
    assert.equal(received({ fields: altered(';tag="wlis-call"', '') }), 'unsigned');
  });

  it('in any other form than that of docs/protocol.md is refused, be it signed', () => {
    const lists = [
      `("@method" "@target-uri" "content-digest" "date")${params}`,
      `("@method";req "@target-uri" "content-digest")${params}`,
      `("@method" "@method" "@target-uri" "content-digest")${params}`,
      `(@method)${params}`.replace('@', ''),
      `${allOfIt}${params};expires=1800000000`,
      `${allOfIt}${params.replace('"ed25519"', '"hmac-sha256"')}`,
      `${allOfIt}${params.replace('created=1700000000', 'created=1.5')}`,
      `${allOfIt}${params.replace('created=1700000000', 'created=-1')}`,
      `${allOfIt}${params.replace(';created=1700000000', '')}`,
      `${allOfIt}${params.replace(nonce, 'short')}`,
      `${allOfIt}${params.replace(nonce, 'A'.repeat(65))}`,
      `${allOfIt}${params.replace(`;nonce="${nonce}"`, '')}`,
      `${allOfIt}${params.replace(key.id, 'test-key')}`,
    ];
    for (const list of lists) assert.equal(received({ fields: signedAs(list) }), 'malformed-signature', list);
    const fields = signed();
    for (const [name, value] of [
      ['Signature-Input', 'wlis='],
      ['Signature', '('],
      ['Signature', 'wlis=1'],
      ['Signature', 'other=:AA==:'],
      ['Signature-Input', `wlis=1${params}`],
      ['Signature-Input', 'x'.repeat(2049)],
      ['Signature-Input', `wlis=${allOfIt}${params}, second=${allOfIt}${params}`],
    ] as const) {
      assert.equal(received({ fields: fields.with(name, value) }), 'malformed-signature', value);
    }
  });

  it('that leaves out its method, target or content is refused', () => {
    assert.equal(received({ fields: signedAs(`("@method" "content-digest")${params}`) }), 'not-covered');
    assert.equal(received({ fields: signedAs(`("@target-uri" "content-digest")${params}`) }), 'not-covered');
    assert.equal(received({ fields: signedAs(`("@method" "@target-uri")${params}`) }), 'not-covered');
    assert.equal(received({ fields: signedAs(`()${params}`) }), 'not-covered');
  });

  it('with another method, target, digest, time, nonce, key or signature than was signed is refused', () => {
    assert.equal(received({ call: { method: 'DELETE' } }), 'wrong-signature');
    assert.equal(received({ call: { target: targetOf({ path: '/' }) } }), 'wrong-signature');
    assert.equal(received({ fields: altered('1700000000', '1700000001') }), 'wrong-signature');
    assert.equal(received({ fields: altered(nonce, `${nonce}A`) }), 'wrong-signature');
    assert.equal(received({ fields: altered(';alg="ed25519"', '') }), 'wrong-signature');
    assert.equal(received({ fields: altered(key.id, other.id) }), 'unknown-key');
    assert.equal(received({ fields: signed({}, other) }), 'unknown-key');
    const forged = altered(other.id, key.id, signed({}, other));
    assert.equal(received({ fields: forged }), 'wrong-signature');
    assert.equal(received({ fields: signed().with('Signature', 'wlis=:AAAA:') }), 'wrong-signature');
  });

  it('with other content than was signed, or with content that was not, is refused', () => {
    assert.equal(received({ call: { content: text('x') } }), 'wrong-content');
    assert.equal(received({ call: { content: null } }), 'wrong-content');
    assert.equal(received({ fields: signed().without('content-digest') }), 'wrong-content');
    assert.equal(received({ fields: signed({ content: null }) }), 'not-covered');
    const swapped = signed().with('Content-Digest', contentDigest(text('x')));
    assert.equal(received({ call: { content: text('x') }, fields: swapped }), 'wrong-signature');
  });

  it('for another node is refused, whatever Host it comes with', () => {
    assert.equal(received({ origins: ['https://m2.example'] }), 'wrong-target');
    const elsewhere = targetOf({ host: 'm2.example', authority: 'm2.example' });
    assert.equal(received({ call: { target: elsewhere }, origins: ['https://m2.example'] }), 'wrong-signature');
    assert.equal(received({ origins: [] }), 'wrong-target');
  });

  it('is for the URL that the node is called by, whatever has ended its TLS', () => {
    const plain = targetOf({ scheme: 'http', port: 80 });
    assert.equal(received({ call: { target: plain } }), key.publicKey);
    const both = ['http://docs.example.org', 'https://docs.example.org'];
    assert.equal(received({ call: { target: plain }, origins: both }), key.publicKey);
    assert.equal(received({ call: { target: plain }, origins: ['http://docs.example.org'] }), 'wrong-signature');
  });

  it('is taken a minute before and after it was made, and no longer', () => {
    assert.equal(received({ at: now + 60_000 }), key.publicKey);
    assert.equal(received({ at: now + 60_001 }), 'out-of-window');
    assert.equal(received({ at: now - 60_000 }), key.publicKey);
    assert.equal(received({ at: now - 60_001 }), 'out-of-window');
  });

  it('is told by how much the clocks differ', () => {
    const { method, target, content } = callOf();
    const context = { keyFor: (): PublicKey => key.publicKey, origins: [], replays: new CallReplays(callWindow) };
    const refused = verifyCall({ method, target, fields: signed() }, content, {
      ...context,
      now: epochMs(now - 3.6e6),
    });
    assert.ok('detail' in refused, 'it was taken');
    assert.match(refused.detail, /made 3600 s ahead by the clock of this node/);
  });

  it('is taken once, and one that is refused does not count', () => {
    const replays = new CallReplays(callWindow);
    assert.equal(received({ replays, call: { method: 'DELETE' } }), 'wrong-signature');
    assert.equal(received({ replays }), key.publicKey);
    assert.equal(received({ replays }), 'replayed');
    assert.equal(received({ replays, at: now + 60_000 }), 'replayed');
    assert.equal(replays.size, 1);
  });
});

describe('the memory of calls', () => {
  const window = milliseconds(60_000);
  const at = (offset: number): EpochMs => epochMs(now + offset);

  it('forgets what nobody could send again', () => {
    const replays = new CallReplays(window);
    for (let i = 0; i < 1000; i++) assert.equal(replays.take(key.id, `${i}`, at(i * 1000), at(i * 1000)), true);
    assert.equal(replays.size, 61);
  });

  it('has a bound, and lets nothing in again that it had to forget', () => {
    const replays = new CallReplays(window, 10);
    for (let i = 0; i < 100; i++) assert.equal(replays.take(key.id, `${i}`, at(i), at(100)), true);
    assert.equal(replays.size, 10);
    for (let i = 0; i < 100; i++) assert.equal(replays.take(key.id, `${i}`, at(i), at(100)), false);
  });

  it('makes those who flood it pay, and nobody else', () => {
    const replays = new CallReplays(window, 10);
    assert.equal(replays.take(other.id, 'a', at(0), at(0)), true);
    for (let i = 0; i < 100; i++) replays.take(key.id, `${i}`, at(1000), at(1000));
    assert.equal(replays.take(key.id, 'late', at(0), at(1000)), false);
    assert.equal(replays.take(other.id, 'b', at(0), at(1000)), true);
    assert.equal(replays.take(other.id, 'a', at(0), at(1000)), false);
    assert.equal(replays.size, 10);
  });

  it('lets nothing in twice, whatever the clock does', () => {
    const calls = fc.record({
      from: fc.constantFrom(key.id, other.id),
      nonce: fc.integer({ min: 0, max: 12 }).map(String),
      created: fc.nat(200).map((seconds) => seconds * 1000),
    });
    const step = fc.record({ call: calls, now: fc.nat(200).map((seconds) => seconds * 1000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const replays = new CallReplays(window, 5);
        const taken = new Set<string>();
        for (const { call, now: then } of steps) {
          if (Math.abs(then - call.created) > window) continue;
          const name = JSON.stringify(call);
          if (!replays.take(call.from, call.nonce, at(call.created), at(then))) continue;
          assert.equal(taken.has(name), false, name);
          taken.add(name);
          assert.equal(replays.size <= 5, true);
        }
      }),
    );
  });
});
