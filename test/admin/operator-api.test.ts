import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { bytes } from '../../config/units.js';
import { OperatorAccess } from '../../proxy/admin/operator-access.js';
import { OperatorApi, type OperatorApiOptions } from '../../proxy/admin/operator-api.js';
import type { Stats } from '../../proxy/cli/stats-view.js';
import { readAll } from '../../proxy/http/body.js';
import type { Request } from '../../proxy/http/message.js';
import { FakeClock } from '../support/fake-clock.js';
import { answer } from '../support/origin-scripts.js';
import { TempDir } from '../support/temp-dir.js';
import type { RawResponse } from '../support/raw-client.js';
import { OperatedWillis } from './operator-fixture.js';

const problemOf = (response: RawResponse): { code: string; detail: string; status: number; requestId: string } => {
  assert.equal(response.get('content-type'), 'application/problem+json');
  return JSON.parse(response.body.toString()) as { code: string; detail: string; status: number; requestId: string };
};

describe('the operator side', () => {
  let node: OperatedWillis;

  before(async () => {
    node = await OperatedWillis.start();
    node.willis.serve(answer(200, { 'Cache-Control': 'max-age=60' }, 'content'));
  });
  after(() => node.stop());

  it('has a page that tells what there is, without any script', async () => {
    const page = await node.ask('GET', '/');
    assert.equal(page.status, 200);
    assert.match(page.get('content-security-policy') ?? '', /^default-src 'none'/);
    const text = page.body.toString();
    assert.doesNotMatch(text, /<script/);
    for (const path of ['/healthz', '/readyz', '/metrics', '/api/stats', '/api/purge', '/api/explain', '/api/reload']) {
      assert.ok(text.includes(path), path);
      assert.notEqual((await node.ask('GET', path)).status, 404, path);
    }
  });

  it('says to anybody who reaches it that the node is well and ready', async () => {
    for (const host of ['127.0.0.1', 'probe.example']) {
      const [health, ready] = [
        await node.ask('GET', '/healthz', { Host: host }),
        await node.ask('GET', '/readyz', { Host: host }),
      ];
      assert.deepEqual([health.status, health.body.toString()], [200, 'ok\n']);
      assert.deepEqual([ready.status, ready.body.toString()], [200, 'ready\n']);
    }
    assert.equal((await node.ask('HEAD', '/readyz')).get('content-length'), '6');
  });

  for (const phase of ['starting', 'stopping'] as const) {
    it(`says with 503 that the node is not ready while it is ${phase}, and well all the same`, async () => {
      const api = new OperatorApi({
        ...({
          name: 'n',
          clock: new FakeClock(),
          control: { phase },
          cache: null,
          logger: null,
        } as unknown as OperatorApiOptions),
        access: new OperatorAccess({ token: null, hosts: [] }),
      });
      const asked = (path: string): Request => ({ method: 'GET', target: { path } }) as Request;
      const [ready, health] = [await api.request(asked('/readyz')), await api.request(asked('/healthz'))];
      assert.deepEqual([ready.status, health.status], [503, 200]);
      assert.equal((await readAll(ready.body!, bytes(100))).toString(), `${phase}\n`);
    });
  }

  it('gives metrics as Prometheus reads them, and the same numbers as JSON', async () => {
    await node.willis.get('/');
    const metrics = await node.ask('GET', '/metrics');
    assert.match(metrics.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    const [, text] = /^willis_store_responses\{store="memory"\} (\d+)$/m.exec(metrics.body.toString()) ?? [];
    const stats = JSON.parse((await node.ask('GET', '/api/stats')).body.toString()) as Stats;
    const family = stats.families.find(({ name }) => name === 'willis_store_responses');
    assert.equal(JSON.stringify(family?.samples[0]?.value), text);
    assert.deepEqual(stats.node, { name: 'willis', phase: 'running' });
  });

  it('logs a purge with who asked for it, what it was about and the id that the answer would name', async () => {
    await node.willis.reload({ log: { level: 'info', redact: ['token'] } });
    await node.purge({ prefix: 'http://logged.test/?token=secret', hard: true });
    const event = node.willis.events.find(({ code }) => code === 'purged');
    const { client, detail, mode, purged } = event ?? {};
    assert.deepEqual(
      { client, detail, mode, purged },
      {
        ...{ client: '127.0.0.1', detail: 'whatever begins with http://logged.test/?token=…', mode: 'hard', purged: 0 },
      },
    );
    await node.willis.reload({ log: { level: 'silent' } });
  });

  it('says with 422 why the configuration cannot be read again, and takes no arguments for it', async () => {
    const refused = await node.post('/api/reload', {});
    assert.equal(refused.status, 422);
    assert.match(problemOf(refused).detail, /no file to read its configuration from/);
    assert.equal((await node.post('/api/reload', { file: '/etc/passwd' })).status, 400);
  });

  it('answers nothing that is to be stored', async () => {
    for (const path of ['/', '/healthz', '/readyz', '/nothing']) {
      assert.equal((await node.ask('GET', path)).get('cache-control'), 'no-store', path);
    }
  });

  for (const [method, path, allow] of [
    ['POST', '/', 'GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['DELETE', '/readyz', 'GET, HEAD'],
    ['GET', '/api/purge', 'POST'],
    ['PUT', '/api/explain', 'POST'],
    ['OPTIONS', '/api/reload', 'POST'],
  ] as const) {
    it(`answers ${method} ${path} with 405 and the methods that are allowed (RFC 9110 §15.5.6)`, async () => {
      const response = await node.ask(method, path);
      assert.deepEqual([response.status, response.all('allow')], [405, [allow]]);
    });
  }

  it('answers 404 for what there is not', async () => {
    assert.equal(problemOf(await node.ask('GET', '/api')).code, 'not-found');
    assert.equal((await node.ask('GET', '/api/purge/')).status, 404);
  });

  it('names the request in problems, as the logs do', async () => {
    const problem = problemOf(await node.post('/api/purge', {}));
    assert.match(problem.requestId, /^\S+$/);
    assert.equal(problem.status, 400);
  });

  describe('is no way in', () => {
    it('for a page that has bound its name to this address', async () => {
      const response = await node.ask('POST', '/api/purge', { Host: 'attacker.example' });
      assert.deepEqual([response.status, problemOf(response).code], [421, 'misdirected']);
    });

    it('for a page of another origin, and allows none to read', async () => {
      const response = await node.ask('POST', '/api/reload', { Origin: 'http://attacker.example' });
      assert.deepEqual([response.status, problemOf(response).code], [403, 'operator-refused']);
      assert.equal(response.get('access-control-allow-origin'), undefined);
    });

    it('through the forward proxy of the same machine', async () => {
      const client = await node.willis.connect(node.willis.proxyPort);
      const authority = `127.0.0.1:${node.port}`;
      client.request('GET', `http://${authority}/`, { Host: authority });
      assert.equal((await client.receive()).status, 403);
    });

    it('for content that a form can send', async () => {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx']) {
        const response = await node.ask('POST', '/api/purge', { 'Content-Type': type }, '{"uri":"http://a.test/"}');
        assert.deepEqual([response.status, problemOf(response).code], [415, 'media-type']);
      }
    });
  });

  describe('with a token', () => {
    let dir: TempDir;
    let guarded: OperatedWillis;

    before(async () => {
      dir = await TempDir.create();
      await writeFile(`${dir.path}/token`, 'c2VjcmV0\n');
      guarded = await OperatedWillis.start({
        access: { operator: { tokenFile: `${dir.path}/token`, hosts: ['willis.test'] } },
      });
    });
    after(async () => {
      await guarded.stop();
      await dir.remove();
    });

    it('is open to who has it, as to this machine', async () => {
      const fields = { Authorization: 'Bearer c2VjcmV0', Via: '1.1 elsewhere', Host: 'willis.test' };
      assert.equal((await guarded.ask('GET', '/', fields)).status, 200);
      assert.equal((await guarded.ask('GET', '/')).status, 200);
    });

    it('asks for it with 401 (RFC 6750 §3)', async () => {
      const without = await guarded.ask('GET', '/', { Via: '1.1 elsewhere' });
      assert.deepEqual([without.status, without.get('www-authenticate')], [401, 'Bearer realm="Willis operator"']);
      const wrong = await guarded.ask('GET', '/', { Authorization: 'Bearer wrong' });
      assert.equal(wrong.status, 401);
      assert.equal(wrong.get('www-authenticate'), 'Bearer realm="Willis operator", error="invalid_token"');
      assert.equal(wrong.body.toString().includes('c2VjcmV0'), false);
    });
  });

  describe('content', () => {
    const refused = async (body: string, fields: Readonly<Record<string, string>> = {}): Promise<string> => {
      const response = await node.ask('POST', '/api/purge', { 'Content-Type': 'application/json', ...fields }, body);
      const { status, detail } = problemOf(response);
      assert.equal(response.status, status);
      return `${status} ${detail}`;
    };

    it('that is no JSON object is refused, and the answer says why', async () => {
      assert.match(await refused('{"uri":'), /^400 .*not JSON in UTF-8/);
      assert.match(await refused('{"uri":"\xff"}', { 'Content-Length': '11' }), /^400 .*not JSON in UTF-8/);
      assert.match(await refused('[]'), /^400 .*the content is \[\]; an object was expected/);
      assert.match(await refused('null'), /^400 .*an object was expected/);
      assert.match(await refused('"http://a.test/"'), /^400 .*an object was expected/);
    });

    it('beyond 64 KiB is refused with 413, announced or not', async () => {
      const large = JSON.stringify({ uri: `http://a.test/${'x'.repeat(64 * 1024)}` });
      assert.match(await refused(large), /^413 /);
      const client = await node.willis.connect(node.port);
      const head = [
        'POST /api/purge HTTP/1.1',
        'Host: localhost',
        'Content-Type: application/json',
        'Transfer-Encoding: chunked',
      ];
      client.send(`${head.join('\r\n')}\r\n\r\n${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`);
      assert.equal((await client.receive()).status, 413);
    });

    it('may say its character set, which is UTF-8', async () => {
      for (const type of ['application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"']) {
        assert.match(await refused('{}', { 'Content-Type': type }), /^400 /);
      }
      assert.match(await refused('{}', { 'Content-Type': 'application/json; charset=latin1' }), /^415 /);
    });

    for (const [body, why] of [
      [{}, 'exactly one of uri, prefix, host, group is wanted, and 0 are given'],
      [{ uri: 'http://a.test/', host: 'a.test' }, 'and 2 are given'],
      [{ url: 'http://a.test/' }, 'exactly one of'],
      [
        { uri: 'http://a.test/', soft: true },
        'there is no member "soft"; known are uri, prefix, host, group, origin, hard',
      ],
      [{ uri: 7 }, 'uri: expected a string, got 7'],
      [{ uri: 'http://a.test/', hard: 'yes' }, 'hard: expected true or false, got "yes"'],
      [{ uri: 'ftp://a.test/' }, "only http and https URIs are stored: 'ftp://a.test/'"],
      [{ uri: 'http://a.test/a b' }, "'http://a.test/a b': character in the request target not allowed there"],
      [{ uri: 'http://a.test/#part' }, 'not allowed there'],
      [{ uri: 'http://user@a.test/' }, 'invalid host'],
      [{ uri: '' }, "'http://'"],
      [{ prefix: 'http://' }, 'invalid host'],
      [{ host: 'a.test/path' }, "'a.test/path' is neither a host nor host:port"],
      [{ host: 'a.test:99999' }, 'neither a host nor host:port'],
      [{ group: 'g' }, 'group and origin go together'],
      [{ uri: 'http://a.test/', origin: 'http://a.test' }, 'group and origin go together'],
      [{ group: 'g', origin: 'http://a.test/path' }, "an origin was expected, without a path: 'http://a.test/path'"],
    ] as const) {
      it(`${JSON.stringify(body)} is refused with 400`, async () => {
        const answered = await refused(JSON.stringify(body));
        assert.ok(answered.startsWith('400 ') && answered.includes(why), answered);
      });
    }
  });
});
