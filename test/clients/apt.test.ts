import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { TempDir } from '../support/temp-dir.js';
import { filesOf, pattern } from './document-tree.js';
import { startNginx, type NginxOrigin } from './nginx-origin.js';
import { startNode, type NodeForClients } from './node-for-clients.js';
import { needPrograms, succeed } from './programs.js';

const packages = ['left', 'right', 'middle+extra'];

describe('apt through the node', function () {
  this.timeout(60_000);
  let directory: TempDir;
  let origin: NginxOrigin;
  let node: NodeForClients;
  before(async function () {
    needPrograms(this, 'apt-get', 'dpkg-deb', 'nginx');
    directory = await TempDir.create();
    await writeRepository(directory);
    origin = await startNginx(join(directory.path, 'repository'));
    node = await startNode();
  });
  after(async () => {
    await (node as NodeForClients | undefined)?.stop();
    await (origin as NginxOrigin | undefined)?.close();
    await (directory as TempDir | undefined)?.remove();
  });

  /** Updates and downloads on a machine that has done neither. @returns the files that it got */
  const machine = async (name: string): Promise<Map<string, Buffer>> => {
    const at = (path: string): string => join(directory.path, name, path);
    for (const path of ['state/lists/partial', 'cache/archives/partial', 'etc', 'got'])
      await mkdir(at(path), { recursive: true });
    await directory.write(`${name}/etc/sources.list`, `deb [trusted=yes] ${origin.url()} stable main\n`);
    await directory.write(`${name}/status`, '');
    const settings = {
      'Dir::State': at('state'),
      'Dir::State::status': at('status'),
      'Dir::Cache': at('cache'),
      'Dir::Etc::sourcelist': at('etc/sources.list'),
      'Dir::Etc::sourceparts': '-',
      'Dir::Etc::main': '-',
      'Dir::Etc::parts': '-',
      'APT::Sandbox::User': 'root',
      'APT::Architecture': 'amd64',
      'Acquire::Languages': 'none',
      'Acquire::http::Proxy': node.proxy,
    };
    const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
    await succeed('apt-get', [...options, '-q', 'update'], { cwd: at('got') });
    await succeed('apt-get', [...options, '-q', 'download', ...packages], { cwd: at('got') });
    return filesOf(at('got'));
  };

  it('a second machine downloads the same packages without the origin server (RFC 9111 §4)', async () => {
    const pool = await filesOf(join(directory.path, 'repository/pool'));
    const sorted = (files: Map<string, Buffer>): Buffer[] => [...files.values()].sort((a, b) => Buffer.compare(a, b));
    assert.deepEqual(sorted(await machine('first')), sorted(pool));
    assert.deepEqual(sorted(await machine('second')), sorted(pool));
    const asked = (await origin.requests()).filter((line) => line.includes('/pool/'));
    assert.equal(asked.length, packages.length);
  });

  it('an update validates the release, and gets it only once (RFC 9111 §4.3)', async () => {
    const asked = (await origin.requests()).filter((line) => /\/Release 200/.test(line));
    await machine('third');
    const now = (await origin.requests()).filter((line) => /\/Release /.test(line));
    assert.equal(asked.length, 1);
    assert.match(now.at(-1) ?? '', / 304 /);
  });
});

/** A repository as `deb [trusted=yes] … stable main` asks for: Release, Packages and a pool of packages. */
async function writeRepository(directory: TempDir): Promise<void> {
  const root = join(directory.path, 'repository');
  await mkdir(join(root, 'pool'), { recursive: true });
  const entries: string[] = [];
  for (const name of packages) {
    const control = `Package: ${name}\nVersion: 1.0-1\nArchitecture: all\nMaintainer: Test <test@example.org>\nDescription: test\n`;
    await directory.write(`build/${name}/DEBIAN/control`, control);
    await directory.write(`build/${name}/usr/share/${name}/data`, pattern(300_000).subarray(name.length * 400));
    const file = `pool/${name}_1.0-1_all.deb`;
    const built = join(directory.path, 'build', name);
    await succeed('dpkg-deb', ['--build', '--root-owner-group', '-Znone', built, join(root, file)]);
    const content = await readFile(join(root, file));
    entries.push(`${control}Filename: ${file}\nSize: ${content.length}\nSHA256: ${sha256(content)}\n`);
  }
  const index = Buffer.from(entries.join('\n'));
  await directory.write('repository/dists/stable/main/binary-amd64/Packages', index);
  const release = [
    'Suite: stable\nCodename: stable\nComponents: main\nArchitectures: amd64',
    'Date: Wed, 01 Jan 2020 00:00:00 UTC\nAcquire-By-Hash: no',
    `SHA256:\n ${sha256(index)} ${index.length} main/binary-amd64/Packages`,
  ];
  await directory.write('repository/dists/stable/Release', `${release.join('\n')}\n`);
  const longAgo = new Date('2020-01-01T00:00:00Z');
  const entriesBelow = await readdir(root, { recursive: true });
  for (const path of entriesBelow) await utimes(join(root, path), longAgo, longAgo);
}

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
