import assert from 'node:assert/strict';
import { Authenticator, type Proof } from '../../proxy/access/authenticator.js';
import { parseUsers } from '../../proxy/access/users-file.js';
import { createLogger } from '../../proxy/base/logger.js';
import { Fields } from '../../proxy/http/fields.js';
import type { Client } from '../../proxy/http/message.js';
import { FakeClock } from '../support/fake-clock.js';
import { basic, passwordLine, tokenLine } from './known-users.js';

const clientAt = (address = '192.0.2.1'): Client => ({ address, port: 1024, secure: false });
const fieldsWith = (value: string): Fields => Fields.of({ 'Proxy-Authorization': value });

describe('the authenticator', () => {
  let clock: FakeClock;
  let events: string[];
  beforeEach(() => {
    clock = new FakeClock();
    events = [];
  });

  const withUsers = (...lines: readonly string[]): Authenticator => {
    const read = parseUsers(lines.join('\n'));
    assert.ok('users' in read, JSON.stringify(read));
    const logger = createLogger({ level: 'info', readable: false, write: (line) => events.push(line) });
    return new Authenticator({
      users: read.users,
      realm: 'the "office"',
      prefix: { ipv4: 32, ipv6: 64 },
      clock,
      logger,
    });
  };
  const alice = passwordLine('alice', 'wonderland');
  const userOf = async (proof: Proof | Promise<Proof>): Promise<string | null> => (await proof).user;

  it('believes a name with its password (RFC 7617)', async () => {
    const known = withUsers(alice, passwordLine('bob', 'builder'));
    assert.equal(await userOf(known.prove(clientAt(), fieldsWith(basic('alice', 'wonderland')))), 'alice');
    for (const wrong of [basic('alice', 'builder'), basic('alice', ''), basic('carol', 'wonderland'), basic('', '')]) {
      assert.equal(await userOf(known.prove(clientAt(), fieldsWith(wrong))), null, wrong);
    }
  });

  it('believes a token, at once (RFC 6750)', () => {
    const known = withUsers(tokenLine('build-7', 'a-token'));
    assert.deepEqual(known.prove(clientAt(), fieldsWith('Bearer a-token')), { user: 'build-7' });
    const unknown = known.prove(clientAt(), fieldsWith('Bearer A-token'));
    assert.ok(!(unknown instanceof Promise) && unknown.user === null && unknown.invalidToken, JSON.stringify(unknown));
  });

  it('takes the same characters for the same password, however they are composed', async () => {
    const known = withUsers(passwordLine('alice', 'se\u00f1or'));
    assert.equal(await userOf(known.prove(clientAt(), fieldsWith(basic('alice', 'sen\u0303or')))), 'alice');
  });

  it('verifies a password once, and answers at once from then on, on any connection', async () => {
    const known = withUsers(alice);
    const fields = fieldsWith(basic('alice', 'wonderland'));
    const client = clientAt();
    const first = known.prove(client, fields);
    assert.ok(first instanceof Promise, 'not a Promise');
    await first;
    for (const one of [client, client, clientAt('198.51.100.7')]) {
      assert.deepEqual(known.prove(one, fields), { user: 'alice' });
    }
  });

  it('what failed is verified again each time', async () => {
    const known = withUsers(alice);
    const fields = fieldsWith(basic('alice', 'no'));
    assert.equal(await userOf(known.prove(clientAt(), fields)), null);
    assert.ok(known.prove(clientAt(), fields) instanceof Promise, 'not a Promise');
  });

  it('verifies the same credentials once for all who send them at the same time', async () => {
    const known = withUsers(alice);
    const proofs = Array.from({ length: 50 }, (_, i) =>
      known.prove(clientAt(`10.0.0.${i}`), fieldsWith(basic('alice', 'wonderland'))),
    );
    assert.equal(new Set(proofs).size, 1);
    assert.equal(await userOf(proofs[0] as Proof), 'alice');
  });

  it('verifies two passwords at a time, lets 64 wait, and is too busy for more', async () => {
    const known = withUsers(alice);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 70 }, (_, i) =>
        Promise.resolve(known.prove(clientAt(`10.0.0.${i}`), fieldsWith(basic('alice', String(i))))),
      ),
    );
    const codes = outcomes.map((one) => (one.status === 'rejected' ? (one.reason as { code: string }).code : 'judged'));
    assert.deepEqual(codes, [...Array<string>(66).fill('judged'), ...Array<string>(4).fill('too-busy')]);
  });

  it('lets a client fail ten times, then makes it wait, but not those who have logged in', async () => {
    const known = withUsers(alice, tokenLine('build-7', 'a-token'));
    const right = fieldsWith(basic('alice', 'wonderland'));
    await known.prove(clientAt(), right);
    for (let i = 0; i < 9; i++) await known.prove(clientAt(), fieldsWith(basic('alice', String(i))));
    known.prove(clientAt(), fieldsWith('Bearer guess'));
    for (const value of [basic('alice', 'another'), 'Bearer guess']) {
      assert.throws(() => known.prove(clientAt(), fieldsWith(value)), {
        code: 'too-many-attempts',
        answerFields: ['Retry-After', '10'],
      });
    }
    assert.deepEqual(known.prove(clientAt(), right), { user: 'alice' });
    assert.equal(await userOf(known.prove(clientAt('192.0.2.2'), fieldsWith(basic('alice', 'x')))), null);
    clock.advance(10_000);
    assert.equal(await userOf(known.prove(clientAt(), fieldsWith(basic('alice', 'x')))), null);
  });

  it('hashes the password of an unknown user too', async () => {
    const known = withUsers(alice);
    const unknown = known.prove(clientAt(), fieldsWith(basic('nobody', 'guess')));
    assert.ok(unknown instanceof Promise, 'not a Promise');
    // a hash comes from another thread, anything less would have settled by then
    let settled = false;
    void unknown.then(() => (settled = true));
    for (let i = 0; i < 20; i++) await Promise.resolve();
    assert.equal(settled, false);
    await unknown;
  });

  it('asks for what it can verify', async () => {
    const challenge = async (known: Authenticator, fields: Fields): Promise<readonly string[]> => {
      const proof = await known.prove(clientAt(), fields);
      assert.equal(proof.user, null);
      return known.challenge(proof).answerFields;
    };
    const basicOnly = ['Proxy-Authenticate', 'Basic realm="the \\"office\\"", charset="UTF-8"'];
    const bearer = ['Proxy-Authenticate', 'Bearer realm="the \\"office\\""'];
    const invalid = ['Proxy-Authenticate', 'Bearer realm="the \\"office\\"", error="invalid_token"'];
    const token = tokenLine('build-7', 'a-token');
    assert.deepEqual(await challenge(withUsers(alice), Fields.none), basicOnly);
    assert.deepEqual(await challenge(withUsers(), Fields.none), basicOnly);
    assert.deepEqual(await challenge(withUsers(token), fieldsWith(basic('a', 'b'))), bearer);
    assert.deepEqual(await challenge(withUsers(alice, token), fieldsWith('Bearer x')), [...basicOnly, ...invalid]);
  });

  it('refuses malformed credentials, and asks again for those that prove nothing', async () => {
    const known = withUsers(alice);
    assert.throws(() => known.prove(clientAt(), fieldsWith('Bearer')), { code: 'bad-request' });
    assert.equal(await userOf(known.prove(clientAt(), fieldsWith('Digest x=y'))), null);
  });

  it('logs who failed, but a name only if there is such a user', async () => {
    const known = withUsers(alice);
    await known.prove(clientAt(), fieldsWith(basic('alice', 'no')));
    await known.prove(clientAt(), fieldsWith(basic('wonderland', 'no')));
    const said = events.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      said.map(({ code, client, user }) => ({ code, client, user })),
      [
        { code: 'authentication-failed', client: '192.0.2.1', user: 'alice' },
        { code: 'authentication-failed', client: '192.0.2.1', user: null },
      ],
    );
  });
});
