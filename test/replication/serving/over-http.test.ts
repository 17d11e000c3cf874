import assert from 'node:assert/strict';
import { bytes } from '../../../config/units.js';
import { BlobStoreError } from '../../../replication/blob-store-error.js';
import { DocumentHandler } from '../../../replication/serving/document-handler.js';
import { systemClock } from '../../../proxy/base/clock.js';
import { closeServers, startServer, type TestServer } from '../../http/test-server.js';
import { gate } from '../../support/gate.js';
import { RawClient } from '../../support/raw-client.js';
import { settled, until } from '../../support/waiting.js';
import { ContentExample, HeldExample, reprDigest } from './held-example.js';

const Host = 'docs.example.org';

interface Serving extends TestServer {
  readonly held: HeldExample;
  readonly content: ContentExample;
}

async function serving(): Promise<Serving> {
  const content = new ContentExample();
  const held = new HeldExample(`http://${Host}/`, content);
  const handler = new DocumentHandler({ name: 'node-1', clock: systemClock, memory: bytes(1_000_000) });
  return { ...(await startServer((request) => handler.answer(request, held))), held, content };
}

describe('answers to visitors over HTTP', () => {
  afterEach(closeServers);

  it('pages, ranges, 304s and HEAD leave on one connection', async () => {
    const on = await serving();
    on.held.put('page', { variants: [on.content.add('0123456789', { etag: '"p"' })] });
    const client = await RawClient.connect(on.port);
    client.request('GET', '/page', { Host });
    const whole = await client.receive();
    assert.deepEqual([whole.status, whole.body.toString(), whole.framing], [200, '0123456789', 'length']);
    client.request('GET', `http://${Host}/page`, { Host, Range: 'bytes=0-1,-2' });
    assert.deepEqual([(await client.receive()).status], [206]);
    client.request('HEAD', '/page', { Host });
    const head = await client.receive('HEAD');
    assert.deepEqual([head.status, head.contentLength], [200, 10]);
    client.request('GET', '/page', { Host, 'If-None-Match': '"p"' });
    assert.equal((await client.receive()).status, 304);
    client.request('OPTIONS', '/page', { Host });
    assert.equal((await client.receive('OPTIONS')).status, 204);
    assert.equal(client.leftover.length, 0);
    assert.deepEqual(on.refused, []);
    client.close();
  });

  it('a long content is streamed as fast as its client reads, and is what its digest says', async () => {
    const on = await serving();
    const long = Buffer.alloc(12_000_000, 'abcdefghij0');
    on.held.put('long', { variants: [on.content.add(long)] });
    const client = await RawClient.connect(on.port);
    client.stopReading();
    client.request('GET', '/long', { Host });
    await until(() => on.content.blocks > 0);
    const read = await settled(() => on.content.blocks);
    assert.ok(read < 150, `${read} of 184 blocks were read for nobody`);
    client.goOnReading();
    const { body, fields } = await client.receive();
    const digest = fields.find(([name]) => name.toLowerCase() === 'repr-digest')?.[1];
    assert.equal(digest, reprDigest(body));
    assert.ok(body.equals(long), 'other bytes');
    client.close();
  });

  it('a content that is lost before its first byte is an error; one that breaks off breaks the connection', async () => {
    const on = await serving();
    on.held.put('long', { variants: [on.content.add(Buffer.alloc(1_000_000))] });
    let lostAt = 0;
    on.content.beforeBlock = (block) => {
      if (block === lostAt) throw new BlobStoreError('damaged', 'damaged');
    };
    const client = await RawClient.connect(on.port);
    client.request('GET', '/long', { Host });
    assert.equal((await client.receive()).status, 503);
    lostAt = 2;
    client.request('GET', '/long', { Host });
    assert.equal((await client.receiveHead()).contentLength, 1_000_000);
    const rest = await client.rest();
    assert.ok(rest.length < 1_000_000, 'as if nothing had happened');
    client.close();
    await on.finishedCount(2);
    assert.equal(on.finished[1]?.outcome.failure?.code, 'content-unavailable');
  });

  it('a client that goes away ends the reading for it', async () => {
    const on = await serving();
    on.held.put('long', { variants: [on.content.add(Buffer.alloc(20_000_000))] });
    const slow = gate();
    const ended = gate();
    on.content.beforeBlock = async (block) => {
      if (block === 1) await slow.promise;
    };
    const client = await RawClient.connect(on.port);
    client.request('GET', '/long', { Host });
    await client.receiveHead();
    client.reset();
    await on.finishedCount(1);
    slow.open();
    setImmediate(() => ended.open());
    await ended.promise;
    assert.equal(on.content.returns, 1);
    assert.ok(on.content.blocks <= 2, `${on.content.blocks} blocks`);
  });
});
