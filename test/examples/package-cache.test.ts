import assert from 'node:assert/strict';
import { answer, byPath } from '../support/origin-scripts.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { TempDir } from '../support/temp-dir.js';
import { outcomeOf } from '../support/willis.js';
import { startExample, type ExampleNode } from './example-node.js';

const old = { 'Last-Modified': 'Wed, 01 Jan 2020 00:00:00 GMT' };
const tarball = Buffer.alloc(300_000, 'npm');
const archive = Buffer.alloc(500_000, 'deb');

describe('the example package-cache', () => {
  let registry: ScriptedOrigin;
  let mirror: ScriptedOrigin;
  let node: ExampleNode;
  let directory: TempDir;

  beforeEach(async () => {
    registry = await startOrigin(
      byPath({
        '/@scope%2fnamed': answer(
          200,
          { 'Cache-Control': 'public, max-age=300', ETag: '"m"' },
          '{"name":"@scope/named"}',
        ),
        '/@scope/named/-/named-1.0.0.tgz': answer(
          200,
          { 'Cache-Control': 'public, immutable, max-age=31557600' },
          tarball,
        ),
      }),
    );
    // Servers of Debian packages name no lifetime: the heuristic gives one (RFC 9111 §4.2.2).
    mirror = await startOrigin(byPath({ '/debian/pool/main/h/hello.deb': answer(200, old, archive) }));
    directory = await TempDir.create();
    node = await start();
  });

  afterEach(async () => {
    await node.stop();
    await registry.close();
    await mirror.close();
    await directory.remove();
  });

  const start = (origin = registry.url('/')): Promise<ExampleNode> =>
    startExample(
      'package-cache.yaml',
      (sections) => {
        for (const site of sections.sites ?? []) site.origin = origin;
        sections.access = { ...sections.access, destinations: { allow: ['127.0.0.1'] } };
      },
      { data: directory.path },
    );

  it('has packages of npm under the prefix of the registry, and asks for each once', async () => {
    for (const outcome of ['uri-miss', 'hit']) {
      const metadata = await node.ask('site', 'GET', '/npm/@scope%2fnamed');
      assert.equal(metadata.body.toString(), '{"name":"@scope/named"}');
      const content = await node.ask('site', 'GET', '/npm/@scope/named/-/named-1.0.0.tgz');
      assert.ok(content.body.equals(tarball), 'other bytes');
      assert.deepEqual([outcomeOf(metadata), outcomeOf(content)], [outcome, outcome]);
    }
    assert.equal(registry.count(), 2);
    // The registry is asked by its own name: it has others beside it on the same address.
    assert.equal(registry.last.headers.host, registry.authority);
  });

  it('brings Debian packages through the forward proxy, and asks for each once', async () => {
    for (const outcome of ['uri-miss', 'hit']) {
      const response = await node.ask('proxy', 'GET', mirror.url('/debian/pool/main/h/hello.deb'));
      assert.ok(response.body.equals(archive), 'other bytes');
      assert.equal(outcomeOf(response), outcome);
    }
    assert.equal(mirror.count(), 1);
  });

  it('keeps what never changes under its name, though its server says nothing about that', async () => {
    const mute = answer(200, {}, archive);
    mirror.handle(byPath({ '/debian/pool/main/h/hello.deb': mute, '/debian/dists/Release': mute }));
    registry.handle(byPath({ '/plain/-/plain-1.0.0.tgz': answer(200, {}, tarball) }));
    const outcomes = async (): Promise<string[]> => [
      outcomeOf(await node.ask('proxy', 'GET', mirror.url('/debian/pool/main/h/hello.deb'))),
      outcomeOf(await node.ask('site', 'GET', '/npm/plain/-/plain-1.0.0.tgz')),
      outcomeOf(await node.ask('proxy', 'GET', mirror.url('/debian/dists/Release'))),
    ];
    await outcomes();
    assert.deepEqual(await outcomes(), ['hit', 'hit', 'uri-miss']);
  });

  it('has them still after a restart, though registry and mirror are down', async () => {
    const deb = mirror.url('/debian/pool/main/h/hello.deb');
    const ask = async (): Promise<[string, string]> => [
      outcomeOf(await node.ask('site', 'GET', '/npm/@scope/named/-/named-1.0.0.tgz', { Host: 'cache.example' })),
      outcomeOf(await node.ask('proxy', 'GET', deb)),
    ];
    await ask();
    await node.stop();
    const sites = registry.url('/');
    await registry.close();
    await mirror.close();
    node = await start(sites);
    assert.deepEqual(await ask(), ['hit', 'hit']);
  });

  it('serves nothing outside of the prefix', async () => {
    const { status } = await node.ask('site', 'GET', '/@scope%2fnamed');
    assert.ok(status >= 400, String(status));
    assert.equal(registry.count(), 0);
  });
});
