import assert from 'node:assert/strict';
import { cp, readFile, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { TempDir } from '../support/temp-dir.js';
import { AptMachine, writeRepository, type RepositoryOptions } from './debian-repository.js';
import { filesOf } from './document-tree.js';
import { startNginx, type NginxOrigin } from './nginx-origin.js';
import { startNode, type NodeForClients } from './node-for-clients.js';
import { needPrograms } from './programs.js';

describe('apt through the node, from a repository that has mirrors', function () {
  this.timeout(60_000);
  let directory: TempDir;
  let original: NginxOrigin;
  let mirrors: NginxOrigin[];
  let node: NodeForClients;
  let url: string;

  before(function () {
    needPrograms(this, 'apt-get', 'dpkg-deb', 'nginx');
  });
  const serve = async (options: RepositoryOptions = {}): Promise<void> => {
    directory = await TempDir.create();
    await writeRepository(directory, options);
    original = await startNginx(join(directory.path, 'repository'));
    url = original.url();
    mirrors = [];
  };
  afterEach(async () => {
    await (node as NodeForClients | undefined)?.stop();
    for (const server of [original, ...mirrors]) await server.close();
    await directory.remove();
  });

  /** A server with a copy of the repository, dates of the files and all, under another path. */
  const mirror = async (name: string, change?: (root: string) => Promise<void>): Promise<string> => {
    const root = join(directory.path, name);
    const copy = join(root, 'pub/linux');
    await cp(join(directory.path, 'repository'), copy, { recursive: true, preserveTimestamps: true });
    await change?.(copy);
    const server = await startNginx(root);
    mirrors.push(server);
    return server.url('/pub/linux/');
  };

  /** A node that stores nothing. */
  const begin = async (at: readonly string[]): Promise<void> => {
    node = await startNode({
      cache: { rules: [{ match: url, store: false }] },
      clientSide: { choice: 'random', attempts: 4, mirrors: [{ of: url, at }] },
    });
  };

  /** Updates and downloads on a machine that has done neither. */
  const got = async (name: string, settings: Readonly<Record<string, string>> = {}): Promise<Buffer[]> =>
    sorted(await new AptMachine(directory, name, url).download(node.proxy, settings));
  const sorted = (files: Map<string, Buffer>): Buffer[] => [...files.values()].sort((a, b) => Buffer.compare(a, b));
  const pool = async (): Promise<Buffer[]> => sorted(await filesOf(join(directory.path, 'repository/pool')));
  const asked = async (server: NginxOrigin): Promise<number> => (await server.requests()).length;

  it('updates and downloads while the original and one of the mirrors are dead', async () => {
    await serve();
    await begin([await mirror('one'), await mirror('two')]);
    assert.deepEqual(await got('first'), await pool());
    await original.close();
    await mirrors[0]?.close();
    const before = await asked(mirrors[1] as NginxOrigin);
    assert.deepEqual(await got('second'), await pool());
    // Packages, and the packages; what is said of Release and InRelease may differ with the version of apt
    assert.ok((await asked(mirrors[1] as NginxOrigin)) - before >= 4, 'the mirror that is left has answered');
  });

  it('never mixes the files of a mirror that has fallen behind with those of the original', async () => {
    await serve();
    const behind = async (root: string): Promise<void> => {
      const index = join(root, 'dists/stable/main/binary-amd64/Packages');
      const older = (await readFile(index, 'utf8')).replaceAll('Version: 1.0-1', 'Version: 0.9-1');
      await directory.write('older', older);
      await cp(join(directory.path, 'older'), index);
      const lately = new Date('2019-01-01T00:00:00Z');
      await utimes(index, lately, lately);
      const left = join(root, 'pool/left_1.0-1_all.deb');
      const bytes = Buffer.alloc((await readFile(left)).length, 'x');
      await directory.write('older', bytes);
      await cp(join(directory.path, 'older'), left);
      await utimes(left, lately, lately);
    };
    await begin([await mirror('behind', behind), await mirror('in-step')]);
    assert.deepEqual(await got('first'), await pool());
    await original.close();
    assert.deepEqual(await got('second'), await pool());
    assert.ok((await asked(mirrors[0] as NginxOrigin)) > 0, 'the mirror that is behind was asked');
    await mirrors[1]?.close();
    await assert.rejects(got('third', { 'Acquire::Retries': '0' }), /apt-get .* ended with 100/);
  });

  it('gets the list of packages by its digest from a mirror that has that one, and no other', async () => {
    await serve({ byHash: true });
    const without = async (root: string): Promise<void> => {
      await rm(join(root, 'dists/stable/main/binary-amd64/by-hash'), { recursive: true });
    };
    await begin([await mirror('behind', without), await mirror('in-step')]);
    assert.deepEqual(await got('first'), await pool());
    await original.close();
    assert.deepEqual(await got('second'), await pool());
    const requests = await (mirrors[1] as NginxOrigin).requests();
    assert.ok(
      requests.some((line) => /by-hash\/SHA256\/[0-9a-f]{64} 200/.test(line)),
      'it was got by its digest',
    );
  });
});
