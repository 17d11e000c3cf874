import assert from 'node:assert/strict';
import { once } from 'node:events';
import { truncateSync } from 'node:fs';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { filesUnder } from '../cache/disk/disk-example.js';
import { pattern } from '../clients/document-tree.js';
import { Connections, type Given } from '../faults/nodes/ask.js';
import { gate } from '../support/gate.js';
import { answer, answerBrokenOff, answerInPieces } from '../support/origin-scripts.js';
import { startOrigin, type OriginHandler, type ScriptedOrigin } from '../support/scripted-origin.js';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import { WillisProcess } from '../support/willis-process.js';

const content = pattern(300_000);
const other = Buffer.from(content).reverse();
const fieldsOf = (tag: string): Record<string, string> => ({ 'Cache-Control': 'max-age=600', ETag: tag });
const first = content.subarray(0, 200_000);
const whole = { 'Content-Length': String(content.length) };

/** A server that knows ranges and If-Range. */
const rangeServer =
  (body: Buffer, tag: string): OriginHandler =>
  (request, response, index) => {
    const { range, 'if-range': condition } = request.headers;
    const [, from, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
    if (from === undefined || (condition !== undefined && condition !== tag))
      return answer(200, fieldsOf(tag), body)(request, response, index);
    const end = last === '' ? body.length : Number(last) + 1;
    const contentRange = `bytes ${from}-${end - 1}/${body.length}`;
    const fields = { ...fieldsOf(tag), 'Content-Range': contentRange };
    return answer(206, fields, body.subarray(Number(from), end))(request, response, index);
  };

describe('a part of a response, after the process of the node was killed', function () {
  this.timeout(30_000);
  let directory: TempDir;
  let origin: ScriptedOrigin;
  let node: WillisProcess;
  let clients: Connections;

  const start = async (): Promise<void> => {
    const config = {
      node: { name: 'willis', data: directory.path },
      ...{ roles: [], listen: { proxy: null, site: '127.0.0.1:0', admin: null } },
      ...{ sites: [{ host: '*', origin: origin.url() }], cache: { disk: '64MiB' }, log: { access: { format: 'off' } } },
    };
    node = await WillisProcess.start(await directory.write('proxy.config.yaml', JSON.stringify(config)));
  };
  const killAndStart = async (): Promise<void> => {
    await node.kill();
    await start();
  };
  const get = async (fields: Record<string, string> = {}): Promise<Given> => {
    const given = await clients.ask({ port: node.port('site'), method: 'GET', path: '/a', fields });
    return given ?? assert.fail('no answer');
  };
  /** Whether these bytes are stored. */
  const isStored = async (range: string): Promise<boolean> =>
    (await get({ Range: `bytes=${range}`, 'Cache-Control': 'only-if-cached' })).status === 206;
  /** Has the origin server break off behind its first 200,000 bytes. */
  const breakOff = async (): Promise<void> => {
    origin.handle(answerBrokenOff(200, { ...fieldsOf('"1"'), ...whole }, first));
    assert.equal((await get()).isWhole, false);
    await until(() => isStored('0-199999'));
  };
  const asked = (): unknown[] => {
    const { range, 'if-range': condition } = origin.last.headers;
    return [range, condition];
  };

  beforeEach(async () => {
    directory = await TempDir.create();
    clients = new Connections();
    origin = await startOrigin(rangeServer(content, '"1"'));
    await start();
  });
  afterEach(async () => {
    clients.close();
    await node.stop();
    await origin.close();
    await directory.remove();
  });

  it('is completed with If-Range, when the origin server had broken off (RFC 9111 §3.3, §3.4)', async () => {
    await breakOff();
    await killAndStart();
    origin.handle(rangeServer(content, '"1"'));
    const given = await get();
    assert.deepEqual(asked(), ['bytes=200000-', '"1"']);
    assert.ok(given.isWhole && given.body.equals(content), 'other bytes were given');
    await until(() => isStored('0-299999'));
    await killAndStart();
    await origin.close();
    const again = await get();
    assert.ok(again.body.equals(content), 'other bytes were given from the store');
  });

  it('is completed by a client who asks for the rest of it (RFC 9111 §3.4)', async () => {
    await breakOff();
    await killAndStart();
    origin.handle(rangeServer(content, '"1"'));
    const given = await get({ Range: 'bytes=150000-' });
    assert.deepEqual(asked(), ['bytes=200000-', '"1"']);
    assert.ok(given.body.equals(content.subarray(150_000)), 'other bytes were given');
    await until(() => isStored('0-299999'));
  });

  it('is dropped when the validator has changed (RFC 9111 §3.4)', async () => {
    await breakOff();
    await killAndStart();
    origin.handle(rangeServer(other, '"2"'));
    const given = await get();
    assert.deepEqual(asked(), ['bytes=200000-', '"1"']);
    assert.ok(given.isWhole && given.body.equals(other), 'other bytes were given');
    await until(() => isStored('0-299999'));
    const part = await get({ Range: 'bytes=0-9', 'Cache-Control': 'only-if-cached' });
    assert.ok(part.body.equals(other.subarray(0, 10)), 'old bytes were given');
  });

  it('is forgotten, and all of it fetched anew, when its file is damaged', async () => {
    await breakOff();
    await node.kill();
    const [path = ''] = filesUnder(join(directory.path, 'store', 'bodies'));
    truncateSync(path, 100_000);
    await start();
    origin.handle(rangeServer(content, '"1"'));
    const given = await get();
    assert.ok(content.subarray(0, given.body.length).equals(given.body), 'other bytes were given');
    const again = await get();
    assert.ok(again.isWhole && again.body.equals(content), 'other bytes were given');
  });

  it('that was asked for piece by piece is put together with others (RFC 9111 §3.4)', async () => {
    for (const range of ['0-99999', '200000-299999']) {
      await get({ Range: `bytes=${range}` });
      await until(() => isStored(range));
    }
    await killAndStart();
    const given = await get();
    assert.deepEqual(asked(), ['bytes=100000-199999', '"1"']);
    assert.ok(given.body.equals(content), 'other bytes were given');
  });

  it('is not there if its transfer was under way, and all of it is fetched anew', async () => {
    const held = gate();
    origin.handle(answerInPieces(200, { ...fieldsOf('"1"'), ...whole }, first, held));
    const request = httpGet({ host: '127.0.0.1', port: node.port('site'), path: '/a', headers: { Host: 'site.test' } });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.on('error', () => undefined);
    for (let received = 0; received < first.length;) {
      const [chunk] = (await once(response, 'data')) as [Buffer];
      received += chunk.length;
    }
    await node.kill();
    held.open();
    await start();
    origin.handle(rangeServer(content, '"1"'));
    const given = await get();
    assert.deepEqual(asked(), [undefined, undefined]);
    assert.ok(given.isWhole && given.body.equals(content), 'other bytes were given');
  });
});
