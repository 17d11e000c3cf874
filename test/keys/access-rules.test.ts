import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { basic, passwordLine } from '../access/known-users.js';
import { answer } from '../support/origin-scripts.js';
import { startOrigin } from '../support/scripted-origin.js';
import { TempDir } from '../support/temp-dir.js';
import { startWillis, type Willis } from '../support/willis.js';
import { flips } from './flips.js';

type Written = Readonly<Record<string, unknown>>;

const asAlice = { 'Proxy-Authorization': basic('alice', 'wonderland') };

describe('the keys of access rules and users', () => {
  let directory: TempDir;
  let usersFile: string;
  let willis: Willis;

  beforeEach(async () => {
    directory = await TempDir.create();
    usersFile = await directory.write('users', passwordLine('alice', 'wonderland'));
  });
  afterEach(async () => {
    await willis.stop();
    await directory.remove();
  });

  const start = async (access: Written): Promise<void> => {
    const origin = await startOrigin(answer(200, {}, 'ok'));
    const destinations = { allow: ['127.0.0.1', 'localhost'] };
    willis = await startWillis({
      origin,
      config: { access: { destinations, connectPorts: [origin.port], ...access } },
    });
  };

  /** What the forward proxy, or the public side, answers. */
  const status = async (
    {
      side = 'proxy',
      method = 'GET',
      host = '127.0.0.1',
      path = '/',
    }: Partial<Record<'side' | 'method' | 'host' | 'path', string>>,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<number> => {
    const authority = `${host}:${willis.origin.port}`;
    const client = await willis.connect(side === 'site' ? willis.sitePort : willis.proxyPort);
    const target = method === 'CONNECT' ? authority : side === 'site' ? path : `http://${authority}${path}`;
    client.request(method, target, { Host: authority, 'Content-Length': '0', ...fields });
    const response = await client.receive(method);
    client.close();
    return response.status;
  };

  /** Reloads with one rule that denies under those conditions. */
  const deny = async (...conditions: readonly Written[]): Promise<void> => {
    await willis.reload({ access: { rules: conditions.map((one) => ({ action: 'deny', ...one })) } });
  };

  flips('access.rules', 'the first rule that holds decides', async () => {
    await start({ rules: [{ action: 'allow' }, { action: 'deny' }] });
    assert.equal(await status({}), 200);
    await willis.reload({ access: { rules: [{ action: 'deny' }, { action: 'allow' }] } });
    assert.equal(await status({}), 403);
    await willis.reload({ access: { rules: [] } });
    assert.equal(await status({}), 200);
  });

  flips('access.rules[].action', 'what becomes of a request', async () => {
    await start({ rules: [{ action: 'allow' }] });
    assert.equal(await status({}), 200);
    await willis.reload({ access: { rules: [{ action: 'deny' }] } });
    assert.equal(await status({}), 403);
  });

  flips('access.rules[].sides', 'which listeners a rule is for', async () => {
    await start({ rules: [{ action: 'deny' }] });
    assert.deepEqual([await status({ side: 'proxy' }), await status({ side: 'site' })], [403, 200]);
    await deny({ sides: ['site'] });
    assert.deepEqual([await status({ side: 'proxy' }), await status({ side: 'site' })], [200, 403]);
  });

  flips('access.rules[].clients', 'which clients a rule is for', async () => {
    await start({ rules: [{ action: 'deny', clients: ['192.0.2.0/24'] }] });
    assert.equal(await status({}), 200);
    await deny({ clients: ['127.0.0.0/8'] });
    assert.equal(await status({}), 403);
  });

  flips('access.rules[].users', 'which users a rule is for', async () => {
    await start({ authentication: { usersFile }, rules: [{ action: 'deny', users: ['bob'] }] });
    assert.equal(await status({}, asAlice), 200);
    await deny({ users: ['alice'] });
    assert.equal(await status({}, asAlice), 403);
    await deny({ users: ['*'] });
    assert.equal(await status({}, asAlice), 403);
    assert.equal(await status({}), 407);
  });

  flips('access.rules[].methods', 'which methods a rule is for; PURGE by name has it performed', async () => {
    await start({ rules: [{ action: 'deny', methods: ['POST', 'CONNECT'] }] });
    const all = async (): Promise<number[]> => [
      await status({ method: 'GET' }),
      await status({ method: 'POST' }),
      await status({ method: 'CONNECT' }),
    ];
    assert.deepEqual(await all(), [200, 403, 403]);
    await deny({ methods: ['GET'] });
    assert.deepEqual(await all(), [403, 200, 200]);
    const before = willis.origin.requests.length;
    await willis.reload({ access: { rules: [{ action: 'allow', methods: ['PURGE'] }] } });
    assert.equal(await status({ method: 'PURGE' }), 200);
    assert.equal(willis.origin.requests.length, before);
    await willis.reload({ access: { rules: [{ action: 'allow' }] } });
    assert.equal(await status({ method: 'PURGE' }), 200);
    assert.equal(willis.origin.requests.at(-1)?.method, 'PURGE');
  });

  flips('access.rules[].hosts', 'which hosts, as they are named, a rule is for', async () => {
    await start({ rules: [{ action: 'deny', hosts: ['localhost'] }] });
    assert.deepEqual([await status({ host: '127.0.0.1' }), await status({ host: 'localhost' })], [200, 403]);
    await deny({ hosts: ['127.0.0.0/8'] });
    assert.deepEqual([await status({ host: '127.0.0.1' }), await status({ host: 'localhost' })], [403, 200]);
  });

  flips('access.rules[].ports', 'which ports a rule is for', async () => {
    await start({ rules: [{ action: 'deny', ports: [1] }] });
    assert.deepEqual([await status({}), await status({ method: 'CONNECT' })], [200, 200]);
    await deny({ ports: [willis.origin.port] });
    assert.deepEqual([await status({}), await status({ method: 'CONNECT' })], [403, 403]);
  });

  flips('access.rules[].paths', 'which paths a rule is for, however they are spelt', async () => {
    await start({ rules: [{ action: 'deny', paths: ['/a/'] }] });
    assert.deepEqual([await status({ path: '/b/../%61/x' }), await status({ path: '/b/x' })], [403, 200]);
    await deny({ paths: ['/b/**'] });
    assert.deepEqual([await status({ path: '/a/x' }), await status({ path: '//b/x' })], [200, 403]);
    assert.equal(await status({ method: 'CONNECT' }), 200);
  });

  flips('access.authentication.usersFile', 'whether clients are asked who they are, and who they may be', async () => {
    await start({});
    assert.equal(await status({}), 200);
    await willis.reload({ access: { authentication: { usersFile } } });
    assert.deepEqual([await status({}), await status({}, asAlice)], [407, 200]);
    await writeFile(usersFile, passwordLine('bob', 'builder'));
    await willis.reload({});
    const asBob = { 'Proxy-Authorization': basic('bob', 'builder') };
    assert.deepEqual([await status({}, asAlice), await status({}, asBob)], [407, 200]);
  });

  flips('access.authentication.realm', 'what a person who is asked is told it is for', async () => {
    await start({ authentication: { usersFile, realm: 'Office' } });
    const challenge = async (): Promise<string | undefined> => {
      const client = await willis.connect(willis.proxyPort);
      client.request('GET', willis.origin.url('/'), { Host: willis.origin.authority });
      return (await client.receive()).get('proxy-authenticate');
    };
    assert.equal(await challenge(), 'Basic realm="Office", charset="UTF-8"');
    await willis.reload({ access: { authentication: { usersFile, realm: 'Lab' } } });
    assert.equal(await challenge(), 'Basic realm="Lab", charset="UTF-8"');
  });

  it('a users file with lines that cannot stand is refused by line, and what was in force stays', async () => {
    await start({ authentication: { usersFile } });
    await writeFile(usersFile, `# all of them\nbob\n${passwordLine('carol', 'x')}\ndave:plain\n`);
    await assert.rejects(willis.reload({}), (error: Error) => {
      assert.match(error.message, /access\.authentication\.usersFile: .*users:2/);
      assert.match(error.message, /users:4/);
      assert.doesNotMatch(error.message, /plain/);
      return true;
    });
    assert.equal(await status({}, asAlice), 200);
  });

  it('who has logged in stays so through a reload that changes nothing about users', async () => {
    await start({ authentication: { usersFile } });
    assert.equal(await status({}, asAlice), 200);
    // a clock that stands still forgives no failure: if the ten were spent, nothing could be verified any more
    for (let i = 0; i < 10; i++) await status({}, { 'Proxy-Authorization': basic('alice', `guess ${i}`) });
    assert.equal(await status({}, { 'Proxy-Authorization': basic('alice', 'another') }), 429);
    await willis.reload({ access: { rules: [{ action: 'deny', hosts: ['nowhere.example'] }] } });
    assert.equal(await status({}, asAlice), 200);
    assert.equal(await status({}, { 'Proxy-Authorization': basic('alice', 'another') }), 429);
  });
});
