import assert from 'node:assert/strict';
import { basic, passwordLine, tokenLine } from '../access/known-users.js';
import { answer } from '../support/origin-scripts.js';
import { rawOrigin, type RawOrigin } from '../support/raw-origin.js';
import type { RawResponse } from '../support/raw-client.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { TempDir } from '../support/temp-dir.js';
import { startNode, stopNodes } from './node-fixture.js';

type Written = Readonly<Record<string, unknown>>;

const handshake = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

describe('access to a node', () => {
  let directory: TempDir;
  let origin: ScriptedOrigin;
  let usersFile: string;

  beforeEach(async () => {
    directory = await TempDir.create();
    origin = await startOrigin(answer(200, { 'Cache-Control': 'max-age=60' }, 'ok'));
    const users = [passwordLine('alice', 'wonderland'), passwordLine('bob', 'builder'), tokenLine('ci', 'a-token')];
    usersFile = await directory.write('users', users.join('\n'));
  });
  afterEach(async () => {
    await stopNodes();
    await origin.close();
    await directory.remove();
  });

  const access = (rules: readonly Written[] = [], users = true): Written => ({
    destinations: { allow: ['127.0.0.1'] },
    connectPorts: [origin.port],
    rules,
    authentication: users ? { usersFile } : {},
  });
  const asAlice = { 'Proxy-Authorization': basic('alice', 'wonderland') };

  it('that needs a user is answered with 407 and a challenge: requests, tunnels and upgrades (RFC 9110 §15.5.8)', async () => {
    const node = await startNode({ access: access() });
    const requests: readonly (readonly [string, string, Record<string, string>])[] = [
      ['GET', origin.url('/'), {}],
      ['POST', origin.url('/'), { 'Content-Length': '0' }],
      ['CONNECT', origin.authority, {}],
      ['GET', origin.url('/'), handshake],
    ];
    for (const [method, target, fields] of requests) {
      for (const more of [
        {},
        { 'Proxy-Authorization': basic('alice', 'guess') },
        { 'Proxy-Authorization': 'Bearer guess' },
      ]) {
        const response = await node.ask('proxy', method, target, { Host: origin.authority, ...fields, ...more });
        assert.equal(response.status, 407, `${method} ${target}`);
        const challenges = response.fields.filter(([name]) => name === 'Proxy-Authenticate').map(([, value]) => value);
        assert.equal(challenges[0], 'Basic realm="Willis", charset="UTF-8"');
        assert.match(challenges[1] ?? '', /^Bearer realm="Willis"/);
        assert.match(response.get('proxy-status') ?? '', /^willis;error=http_request_denied/);
      }
    }
    assert.equal(origin.connections, 0);
  });

  it('is given to who proves to be a user, on each kind of request; nobody further in learns how', async () => {
    const node = await startNode({ access: access() });
    for (const value of [basic('alice', 'wonderland'), 'Bearer a-token', basic('alice', 'wonderland')]) {
      const fields = { Host: origin.authority, 'Proxy-Authorization': value };
      const response = await node.ask('proxy', 'GET', origin.url(`/${value.length}`), fields);
      assert.deepEqual([response.status, response.body.toString()], [200, 'ok']);
      const tunnel = await node.connect('proxy');
      tunnel.request('CONNECT', origin.authority, fields);
      assert.equal((await tunnel.receive('CONNECT')).status, 200);
      tunnel.request('GET', '/inside', { Host: origin.authority });
      assert.equal((await tunnel.receive()).status, 200);
      tunnel.close();
    }
    for (const request of origin.requests) assert.equal(request.headers['proxy-authorization'], undefined);
    const log = await node.finalLog();
    assert.deepEqual(log.map(({ user }) => user).sort(), ['alice', 'alice', 'alice', 'alice', 'ci', 'ci']);
  });

  it('is asked for by an upgrade too, which passes no credentials on', async () => {
    const heads: string[] = [];
    const raw: RawOrigin = await rawOrigin((socket, text) => {
      heads.push(text);
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
    });
    try {
      const node = await startNode({ access: access() });
      const target = `http://127.0.0.1:${raw.port}/`;
      const response = await node.ask('proxy', 'GET', target, {
        Host: `127.0.0.1:${raw.port}`,
        ...handshake,
        ...asAlice,
      });
      assert.equal(response.status, 403);
      assert.equal(heads.length, 1);
      assert.doesNotMatch(heads.join(''), /proxy-authorization/i);
    } finally {
      await raw.close();
    }
  });

  it('to what is stored is needed as well', async () => {
    const node = await startNode({ access: access() });
    const target = origin.url('/stored');
    assert.equal((await node.ask('proxy', 'GET', target, asAlice)).status, 200);
    const client = await node.connect('proxy');
    const statuses: number[] = [];
    for (const fields of [asAlice, {}, asAlice, { 'Proxy-Authorization': basic('alice', 'no') }]) {
      client.request('GET', target, { Host: origin.authority, ...fields });
      statuses.push((await client.receive()).status);
    }
    assert.deepEqual(statuses, [200, 407, 200, 407]);
    assert.equal(origin.requests.length, 1);
  });

  it('is asked for on a connection that goes on, the content of the request read or not', async () => {
    const node = await startNode({ access: access() });
    const client = await node.connect('proxy');
    const content = 'x'.repeat(5000);
    const fields = { Host: origin.authority, 'Content-Length': String(content.length) };
    client.request('POST', origin.url('/'), fields, content);
    assert.equal((await client.receive()).status, 407);
    client.request('POST', origin.url('/'), { ...fields, ...asAlice }, content);
    assert.equal((await client.receive()).status, 200);
    assert.equal(origin.requests[0]?.body.toString(), content);
  });

  it('is explained to people on a page', async () => {
    const node = await startNode({ access: access([{ action: 'deny', hosts: ['games.example'] }]) });
    const html = { Accept: 'text/html' };
    const asked = await node.ask('proxy', 'GET', origin.url('/'), html);
    assert.equal(asked.get('content-type'), 'text/html; charset=utf-8');
    assert.match(asked.body.toString(), /<h1>The proxy wants to know who you are\.<\/h1>/);
    const denied = await node.ask('proxy', 'GET', 'http://games.example/', html);
    assert.equal(denied.status, 403);
    assert.match(denied.body.toString(), /access\.rules\[0\] denies it/);
  });

  it('malformed credentials are answered with 400, and never reach the origin server (RFC 6750 §3.1)', async () => {
    const node = await startNode({ access: access() });
    const twice = await node.connect('proxy');
    const field = `Proxy-Authorization: ${asAlice['Proxy-Authorization']}\r\n`;
    twice.send(`GET ${origin.url('/')} HTTP/1.1\r\nHost: ${origin.authority}\r\n${field}${field}\r\n`);
    assert.equal((await twice.receive()).status, 400);
    const empty = await node.ask('proxy', 'GET', origin.url('/'), { 'Proxy-Authorization': 'Bearer' });
    assert.equal(empty.status, 400);
    assert.equal(origin.connections, 0);
  });

  it('guessing is answered with 429 after a while (RFC 6585 §4)', async () => {
    const node = await startNode({ access: access() });
    const statuses: number[] = [];
    let last: RawResponse | undefined;
    for (let i = 0; i < 12; i++) {
      last = await node.ask('proxy', 'GET', origin.url('/'), { 'Proxy-Authorization': basic('alice', `guess ${i}`) });
      statuses.push(last.status);
    }
    assert.deepEqual(statuses, [...Array<number>(10).fill(407), 429, 429]);
    assert.equal(last?.get('retry-after'), '10');
  });

  it('rules decide in order, for users and those who are not asked', async () => {
    const rules = [
      { action: 'deny', paths: ['/secret/'] },
      { action: 'allow', paths: ['/public/'] },
      { action: 'deny', users: ['bob'], methods: ['POST'] },
    ];
    const node = await startNode({ access: access(rules) });
    const status = async (method: string, path: string, fields: Record<string, string> = {}): Promise<number> =>
      (await node.ask('proxy', method, origin.url(path), { 'Content-Length': '0', ...fields })).status;
    const asBob = { 'Proxy-Authorization': basic('bob', 'builder') };
    assert.equal(await status('GET', '/secret/x', asAlice), 403);
    assert.equal(await status('GET', '/public/../%73ecret/x', asAlice), 403);
    assert.equal(await status('GET', '/public/x'), 200);
    assert.equal(await status('GET', '/other'), 407);
    assert.equal(await status('POST', '/other', asBob), 403);
    assert.equal(await status('GET', '/other', asBob), 200);
    assert.equal(await status('POST', '/other', asAlice), 200);
  });

  it('that a rule allows opens no tunnel to another port, and leads nowhere that is refused', async () => {
    const node = await startNode({ access: { rules: [{ action: 'allow' }] } });
    const tunnel = await node.ask('proxy', 'CONNECT', 'www.example:25');
    assert.match(tunnel.body.toString(), /access\.connectPorts/);
    const response = await node.ask('proxy', 'GET', origin.url('/'));
    assert.match(response.get('proxy-status') ?? '', /destination_ip_prohibited/);
  });

  it('to the public side is denied with 403, which does not tell the rule', async () => {
    const rules = [{ action: 'deny', sides: ['site'], paths: ['/admin/'] }];
    const sites = [{ host: '*', origin: origin.url('/') }];
    const node = await startNode({ access: access(rules), sites });
    const denied = await node.ask('site', 'GET', '/x/../admin/');
    assert.equal(denied.status, 403);
    assert.doesNotMatch(`${denied.body.toString()} ${denied.get('proxy-status') ?? ''}`, /access\.rules/);
    assert.equal((await node.ask('site', 'GET', '/')).status, 200);
    const upgrade = await node.ask('site', 'GET', '/admin/', handshake);
    assert.equal(upgrade.status, 403);
    assert.equal(origin.requests.length, 1);
  });

  it('to the public side is judged by the client that a trusted proxy names (RFC 7239 §5.2)', async () => {
    const rules = [{ action: 'deny', sides: ['site'], clients: ['192.0.2.0/24'] }];
    const sites = [{ host: '*', origin: origin.url('/') }];
    const status = async (trustedProxies: readonly string[]): Promise<number> => {
      const node = await startNode({ access: { ...access(rules), trustedProxies }, sites });
      return (await node.ask('site', 'GET', '/', { Forwarded: 'for=192.0.2.7' })).status;
    };
    assert.equal(await status(['127.0.0.1']), 403);
    assert.equal(await status([]), 200);
  });

  it('the help page is for whoever may use the proxy, without a password', async () => {
    const node = await startNode({ access: access([{ action: 'deny' }]) });
    assert.equal((await node.ask('proxy', 'GET', '/')).status, 200);
  });

  describe('by PURGE', () => {
    const purging = { action: 'allow', sides: ['proxy', 'site'], methods: ['PURGE'], clients: ['127.0.0.1'] };
    const sites = (): readonly Written[] => [{ host: '*', origin: origin.url('/') }];

    it('is performed if a rule allows it by name: what is stored counts as expired', async () => {
      origin.handle(answer(200, { 'Cache-Control': 'max-age=60', ETag: '"1"' }, 'ok'));
      const node = await startNode({ access: access([purging], false), sites: sites() });
      for (const [side, target] of [
        ['site', '/a'],
        ['proxy', origin.url('/b')],
      ] as const) {
        await node.ask(side, 'GET', target);
        const before = origin.requests.length;
        const purged = await node.ask(side, 'PURGE', target);
        assert.deepEqual([purged.status, JSON.parse(purged.body.toString())], [200, { purged: 1, mode: 'soft' }]);
        assert.equal(origin.requests.length, before);
        await node.ask(side, 'GET', target);
        assert.equal(origin.requests.at(-1)?.headers['if-none-match'], '"1"');
      }
    });

    it('forgets if it is to be hard, and says so if there was nothing', async () => {
      const node = await startNode({ access: access([purging], false), sites: sites() });
      await node.ask('site', 'GET', '/a');
      const hard = { 'Purge-Mode': 'hard' };
      const purged = await node.ask('site', 'PURGE', '/x/../a', hard);
      assert.deepEqual(JSON.parse(purged.body.toString()), { purged: 1, mode: 'hard' });
      const again = await node.ask('site', 'PURGE', '/a', hard);
      assert.deepEqual(JSON.parse(again.body.toString()), { purged: 0, mode: 'hard' });
      assert.equal((await node.ask('site', 'PURGE', '/a', { 'Purge-Mode': 'gently' })).status, 400);
    });

    it('is denied by a rule that denies it, and forwarded like any method if no rule names it', async () => {
      const node = await startNode({
        access: access(
          [{ action: 'deny', methods: ['PURGE'], paths: ['/no/'], sides: ['site'] }, { action: 'allow' }],
          false,
        ),
        sites: sites(),
      });
      assert.equal((await node.ask('site', 'PURGE', '/no/')).status, 403);
      assert.equal((await node.ask('site', 'PURGE', '/')).body.toString(), 'ok');
      assert.equal((await node.ask('proxy', 'PURGE', origin.url('/'))).body.toString(), 'ok');
      assert.deepEqual(
        origin.requests.map(({ method }) => method),
        ['PURGE', 'PURGE'],
      );
    });
  });
});
