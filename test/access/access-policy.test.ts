import assert from 'node:assert/strict';
import { loadConfig } from '../../config/load.js';
import { AccessPolicy } from '../../proxy/access/access-policy.js';
import { Authenticator } from '../../proxy/access/authenticator.js';
import { parseUsers } from '../../proxy/access/users-file.js';
import { createLogger } from '../../proxy/base/logger.js';
import { emptyRecord } from '../../proxy/http/exchange-record.js';
import { Fields } from '../../proxy/http/fields.js';
import type { Client, Request } from '../../proxy/http/message.js';
import type { ConnectRequest } from '../../proxy/http/request-handler.js';
import { hrefOf } from '../../proxy/http/target-uri.js';
import { FakeClock } from '../support/fake-clock.js';
import { basic, passwordLine } from './known-users.js';

const clientAt = (address: string): Client => ({ address, port: 1024, secure: false });

/** As much of a request as is judged. */
function request(overrides: Partial<Request> = {}): Request {
  const target = { scheme: 'http', host: 'www.example.org', port: 80, authority: 'www.example.org', path: '/' };
  const judged = { method: 'GET', target, fields: Fields.none, client: clientAt('127.0.0.1'), record: emptyRecord() };
  return { ...judged, ...overrides } as Request;
}

const tunnel = (host: string, port: number): ConnectRequest =>
  ({ authority: { host, port }, fields: Fields.none, client: clientAt('127.0.0.1') }) as ConnectRequest;

function policy(access: Readonly<Record<string, unknown>>, users: string | null = null): AccessPolicy {
  const authentication = { usersFile: users === null ? null : '/users' };
  const config = loadConfig(JSON.stringify({ access: { ...access, authentication } }), 'access.yaml', {});
  const read = parseUsers(users ?? '');
  assert.ok('users' in read, JSON.stringify(read));
  const logger = createLogger({ level: 'silent', write: () => undefined });
  const { clientPrefix: prefix } = config.limits;
  const options = { users: read.users, realm: 'Willis', prefix, clock: new FakeClock(), logger };
  return new AccessPolicy(config.access, users === null ? null : new Authenticator(options));
}

const alice = passwordLine('alice', 'wonderland');
const asAlice = Fields.of({ 'Proxy-Authorization': basic('alice', 'wonderland') });

describe('the access policy', () => {
  it('admits to the forward proxy whom access.clients names, whatever rules allow', () => {
    const judged = policy({ clients: ['127.0.0.1'], rules: [{ action: 'allow' }] });
    assert.deepEqual(judged.admit(request()), { kind: 'allow', rule: 0, purges: false });
    assert.throws(() => judged.admit(request({ client: clientAt('127.0.0.2') })), { code: 'client-not-allowed' });
    assert.throws(() => judged.admitClient(clientAt('127.0.0.2')), { code: 'client-not-allowed' });
    judged.admitClient(clientAt('127.0.0.1'));
  });

  it('admits anybody to the public side whom no rule denies', () => {
    const judged = policy({ rules: [{ action: 'deny', sides: ['site'], clients: ['192.0.2.0/24'] }] });
    assert.deepEqual(judged.admitToSite(request({ client: clientAt('198.51.100.1') })), { kind: 'no-rule' });
    assert.throws(() => judged.admitToSite(request({ client: clientAt('192.0.2.1') })), {
      code: 'access-denied',
      message: 'access.rules[0] denies it',
    });
  });

  it('answers in the same turn where there is nothing to be verified', async () => {
    assert.deepEqual(policy({}).admit(request()), { kind: 'no-rule' });
    const judged = policy({}, alice);
    const first = judged.admit(request({ fields: asAlice }));
    assert.ok(first instanceof Promise, 'not a Promise');
    assert.deepEqual(await first, { kind: 'no-rule' });
    assert.deepEqual(judged.admit(request({ fields: asAlice })), { kind: 'no-rule' });
  });

  it('asks who it is, where there are users and no rule decides', () => {
    const judged = policy(
      {
        rules: [
          { action: 'allow', hosts: ['free.example'] },
          { action: 'deny', ports: [25] },
        ],
      },
      alice,
    );
    assert.throws(() => judged.admit(request()), { code: 'authentication-required' });
    assert.throws(() => judged.admit(tunnel('www.example.org', 443)), { code: 'authentication-required' });
    assert.throws(() => judged.admit(tunnel('www.example.org', 25)), { code: 'access-denied' });
    assert.deepEqual(judged.admit(tunnel('free.example', 443)), { kind: 'allow', rule: 0, purges: false });
  });

  it('looks at credentials only where they are asked for', () => {
    const judged = policy({ rules: [{ action: 'allow', hosts: ['free.example'] }] }, alice);
    const fields = Fields.of({ 'Proxy-Authorization': 'Bearer' });
    assert.throws(() => judged.admit(request({ fields })), { code: 'bad-request' });
    const target = { ...request().target, host: 'free.example' };
    assert.deepEqual(judged.admit(request({ fields, target })), { kind: 'allow', rule: 0, purges: false });
  });

  it('judges again once it knows who it is', async () => {
    const rules = [
      { action: 'deny', users: ['alice'], hosts: ['games.example'] },
      { action: 'allow', users: ['alice'], hosts: ['*.example'] },
      { action: 'deny' },
    ];
    const judged = policy({ rules }, `${alice}\n${passwordLine('bob', 'builder')}`);
    const asked = (host: string, fields: Fields): ReturnType<AccessPolicy['admit']> =>
      judged.admit(request({ fields, target: { ...request().target, host } }));
    const asBob = Fields.of({ 'Proxy-Authorization': basic('bob', 'builder') });
    assert.deepEqual(await asked('news.example', asAlice), { kind: 'allow', rule: 1, purges: false });
    assert.throws(() => asked('games.example', asAlice), { message: 'access.rules[0] denies it' });
    await assert.rejects(Promise.resolve(asked('news.example', asBob)), { message: 'access.rules[2] denies it' });
    assert.throws(() => asked('other.test', Fields.none), { message: 'access.rules[2] denies it' });
    assert.throws(() => asked('news.example', Fields.none), { code: 'authentication-required' });
  });

  it('has it on record who a request has proved to come from', async () => {
    const judged = policy({ rules: [{ action: 'allow', hosts: ['free.example'] }] }, alice);
    const proved = request({ fields: asAlice });
    await judged.admit(proved);
    assert.equal(proved.record.user, 'alice');
    const again = request({ fields: asAlice });
    void judged.admit(again);
    assert.equal(again.record.user, 'alice');
    const unasked = request({ fields: asAlice, target: { ...request().target, host: 'free.example' } });
    void judged.admit(unasked);
    assert.equal(unasked.record.user, null);
  });

  it('never asks on the public side, where a rule for users holds for nobody', () => {
    const rules = [
      { action: 'allow', sides: ['proxy', 'site'], users: ['*'] },
      { action: 'deny', sides: ['site'] },
    ];
    const judged = policy({ rules }, alice);
    assert.throws(() => judged.admitToSite(request({ fields: asAlice })), { message: 'access.rules[1] denies it' });
    assert.deepEqual(policy({}, alice).admitToSite(request()), { kind: 'no-rule' });
  });

  it('judges clients behind trusted proxies by their own address, on the public side only (RFC 7239)', () => {
    const rules = [{ action: 'deny', sides: ['proxy', 'site'], clients: ['192.0.2.0/24'] }];
    const judged = policy({ rules, trustedProxies: ['127.0.0.0/8'] });
    const fields = Fields.of({ 'X-Forwarded-For': '198.51.100.1, 192.0.2.7' });
    assert.throws(() => judged.admitToSite(request({ fields })), { code: 'access-denied' });
    assert.deepEqual(judged.admitToSite(request({ fields, client: clientAt('203.0.113.1') })), { kind: 'no-rule' });
    assert.deepEqual(judged.admit(request({ fields })), { kind: 'no-rule' });
    assert.equal(judged.clientOf(request({ fields })), '192.0.2.7');
    assert.equal(policy({}).clientOf(request({ fields })), '127.0.0.1');
  });

  it('knows the target as clients do whose TLS a trusted proxy ends', () => {
    const judged = policy({ trustedProxies: ['127.0.0.0/8'] });
    const fields = Fields.of({ 'X-Forwarded-Proto': 'https' });
    assert.equal(hrefOf(judged.targetOf(request({ fields }))), 'https://www.example.org/');
    assert.equal(hrefOf(judged.targetOf(request({ fields, form: 'absolute' }))), 'http://www.example.org/');
    assert.equal(
      hrefOf(judged.targetOf(request({ fields, client: clientAt('203.0.113.1') }))),
      'http://www.example.org/',
    );
    assert.equal(hrefOf(policy({}).targetOf(request({ fields }))), 'http://www.example.org/');
  });

  it('a rule that allows PURGE by name permits to perform it, on either side', () => {
    const judged = policy({ rules: [{ action: 'allow', sides: ['proxy', 'site'], methods: ['PURGE'] }] });
    for (const permission of [
      judged.admit(request({ method: 'PURGE' })),
      judged.admitToSite(request({ method: 'PURGE' })),
    ]) {
      assert.deepEqual(permission, { kind: 'allow', rule: 0, purges: true });
    }
  });
});
