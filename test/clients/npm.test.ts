import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startOrigin, type OriginHandler, type ScriptedOrigin } from '../support/scripted-origin.js';
import { TempDir } from '../support/temp-dir.js';
import { startNode, type NodeForClients } from './node-for-clients.js';
import { needPrograms, succeed } from './programs.js';

const packages = ['plain', '@scope/named'];

describe('npm with a registry under a prefix', function () {
  this.timeout(60_000);
  let directory: TempDir;
  let registry: ScriptedOrigin;
  let node: NodeForClients;
  before(async function () {
    needPrograms(this, 'npm');
    directory = await TempDir.create();
    const tarballs = new Map<string, Buffer>();
    for (const name of packages) tarballs.set(name, await pack(directory, name));
    registry = await startOrigin(registryOf(tarballs));
    node = await startNode({ sites: [{ host: '*', prefix: '/npm/', origin: registry.url() }] });
  });
  after(async () => {
    await (node as NodeForClients | undefined)?.stop();
    await (registry as ScriptedOrigin | undefined)?.close();
    await (directory as TempDir | undefined)?.remove();
  });

  const npm = (cwd: string, cache: string, ...args: string[]): Promise<string> =>
    succeed(
      'npm',
      [...args, '--no-audit', '--no-fund', '--no-update-notifier', `--cache=${join(directory.path, cache)}`],
      {
        cwd,
        env: { npm_config_registry: `${node.site}/npm/`, npm_config_userconfig: '/dev/null' },
      },
    );

  it('installs scoped and other packages; the next one comes from the cache (RFC 9111 §4)', async () => {
    const dependencies = Object.fromEntries(packages.map((name) => [name, '1.0.0']));
    await directory.write('project/package.json', JSON.stringify({ name: 'project', version: '1.0.0', dependencies }));
    const project = join(directory.path, 'project');
    // addresses in the lock file, without which npm loses the prefix
    await npm(project, 'cache-0', 'install', '--package-lock-only', '--omit-lockfile-registry-resolved=false');
    for (const round of [1, 2]) {
      await npm(project, `cache-${round}`, 'ci', '--replace-registry-host=always');
      for (const name of packages) {
        assert.equal(await readFile(join(project, 'node_modules', name, 'index.js'), 'utf8'), `'${name}';\n`);
      }
    }
    const targets = registry.requests.map(({ url }) => url);
    assert.deepEqual(targets.toSorted(), [
      '/@scope%2fnamed',
      '/@scope/named/-/1.0.0.tgz',
      '/plain',
      '/plain/-/1.0.0.tgz',
    ]);
  });
});

async function pack(directory: TempDir, name: string): Promise<Buffer> {
  const at = `packages/${name}`;
  await directory.write(`${at}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
  await directory.write(`${at}/index.js`, `'${name}';\n`);
  const cwd = join(directory.path, at);
  const printed = await succeed('npm', ['pack', '--json', `--cache=${join(directory.path, 'cache-pack')}`], { cwd });
  const file = /"filename": "([^"]+)"/.exec(printed)?.[1] ?? '';
  return readFile(join(cwd, file));
}

/** Answers with the fields of the public registry. */
function registryOf(tarballs: ReadonlyMap<string, Buffer>): OriginHandler {
  return (request, response) => {
    const [name = '', tarball] = decodeURIComponent(request.url.slice(1)).split('/-/');
    const content = tarballs.get(name);
    if (content === undefined) {
      response.writeHead(404).end();
      return;
    }
    const dist = {
      tarball: `http://${request.headers.host ?? ''}/${name}/-/1.0.0.tgz`,
      integrity: `sha512-${createHash('sha512').update(content).digest('base64')}`,
    };
    const version = { name, version: '1.0.0', main: 'index.js', dist };
    const metadata = JSON.stringify({ name, 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } });
    const body = tarball === undefined ? Buffer.from(metadata) : content;
    response.setHeader('ETag', `"${createHash('md5').update(body).digest('hex')}"`);
    response.setHeader(
      'Cache-Control',
      tarball === undefined ? 'public, max-age=300' : 'public, immutable, max-age=31557600',
    );
    response.setHeader('Content-Type', tarball === undefined ? 'application/json' : 'application/octet-stream');
    if (tarball === undefined) response.setHeader('Vary', 'accept-encoding, accept');
    response.end(body);
  };
}
