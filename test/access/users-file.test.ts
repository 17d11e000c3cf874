import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatCredential, parseCredential, parseUsers, type Credential } from '../../proxy/access/users-file.js';

const salt = 'c2FsdHNhbHRzYWx0cw';
const key = 'A'.repeat(43);
const digest = '0f'.repeat(32);

const letter = (letters: string): fc.Arbitrary<string> => fc.constantFrom(...Array.from(letters));

describe('a file of users', () => {
  it('has one credential a line, among empty lines and comments', () => {
    const text = `# users of the office\n\nalice:scrypt$16384$8$5$${salt}$${key}\r\n  \nbuild-7:bearer$${digest}\nalice:bearer$${'1'.repeat(64)}`;
    assert.deepEqual(parseUsers(text), {
      users: {
        passwords: new Map([['alice', { N: 16384, r: 8, p: 5, salt, key }]]),
        tokens: new Map([
          [digest, 'build-7'],
          ['1'.repeat(64), 'alice'],
        ]),
      },
    });
  });

  it('that is empty has nobody', () => {
    assert.deepEqual(parseUsers(''), { users: { passwords: new Map(), tokens: new Map() } });
  });

  const good = `scrypt$16384$8$5$${salt}$${key}`;
  const faults: readonly (readonly [line: string, expected: RegExp, got: string])[] = [
    ['alice', /^a name, a colon/, 'no colon'],
    [':' + good, /^the name of a user/, '""'],
    ['a b:' + good, /^the name of a user/, '"a b"'],
    ['*:' + good, /^the name of a user/, '"*"'],
    ['alice:$apr1$x$y', /'willis user' writes it/, 'something else'],
    ['alice:bcrypt$2b$10$x', /'willis user' writes it/, "'bcrypt'"],
    ['alice:my-password', /'willis user' writes it/, 'something else'],
    ['alice:bearer$abc', /^a SHA-256 in hexadecimal/, 'something else for alice'],
    ['alice:scrypt$16384$8$5$abc', /^N, r, p, salt and a key/, 'something else for alice'],
    [`alice:scrypt$1000$8$5$${salt}$${key}`, /^an N that is a power of 2/, 'something else for alice'],
    [`alice:scrypt$512$8$5$${salt}$${key}`, /^an N that is a power of 2/, 'something else for alice'],
    [`alice:scrypt$1048576$8$5$${salt}$${key}`, /N·r·p at most/, 'something else for alice'],
    [`alice:scrypt$16384$0$5$${salt}$${key}`, /^an r and a p from 1/, 'something else for alice'],
  ];
  for (const [line, expected, got] of faults) {
    it(`is told its line and what is wrong with '${line.slice(0, 30)}', without the secret`, () => {
      const read = parseUsers(`# one\n${line}\nbob:${good}\n`);
      assert.ok('faults' in read, JSON.stringify(read));
      const [fault, ...others] = read.faults;
      assert.deepEqual([fault?.line, fault?.got, others.length], [2, got, 0]);
      assert.match(fault?.expected ?? '', expected);
    });
  }

  it('has one password and one token for each user at most', () => {
    const read = parseUsers(
      `a:${good}\nb:${good}\na:bearer$${digest}\na:${good}\nb:bearer$${digest}\na:bearer$${digest}`,
    );
    assert.ok('faults' in read, JSON.stringify(read));
    assert.deepEqual(
      read.faults.map(({ line, got }) => [line, got]),
      [
        [4, 'another for a'],
        [5, 'the token of a again'],
        [6, 'another for a'],
      ],
    );
  });

  it('takes the same characters for the same name, however they are composed', () => {
    const read = parseUsers(`Zo\u0065\u0308:${good}\nZo\u00eb:${good}`);
    assert.ok('faults' in read, JSON.stringify(read));
    assert.equal(read.faults[0]?.line, 2);
  });

  it('reads back what it writes', () => {
    const name = fc
      .string({ unit: letter('aZ09.-_@#ü€'), minLength: 1, maxLength: 20 })
      .filter((one) => !one.startsWith('#'));
    const text = (length: number): fc.Arbitrary<string> =>
      fc.string({ unit: letter('azAZ09-_'), minLength: length, maxLength: length });
    const credential: fc.Arbitrary<Credential> = fc.oneof(
      fc.record({
        kind: fc.constant('password' as const),
        name,
        hash: fc.record({
          N: fc.constantFrom(1024, 16384, 65536),
          r: fc.integer({ min: 1, max: 8 }),
          p: fc.integer({ min: 1, max: 8 }),
          salt: text(22),
          key: text(43),
        }),
      }),
      fc.record({
        kind: fc.constant('token' as const),
        name,
        digest: fc.string({ unit: letter('0123456789abcdef'), minLength: 64, maxLength: 64 }),
      }),
    );
    fc.assert(
      fc.property(credential, (one) => {
        const back = parseCredential(formatCredential(one));
        assert.ok('kind' in back, JSON.stringify(back));
        assert.equal(formatCredential(back), formatCredential(one).normalize('NFC'));
      }),
    );
  });

  it('is read or refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const read = parseUsers(text);
        assert.ok('users' in read || read.faults.length > 0, JSON.stringify(read));
      }),
    );
  });
});
