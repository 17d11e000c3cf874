import assert from 'node:assert/strict';
import { join } from 'node:path';
import { TempDir } from '../support/temp-dir.js';
import { AptMachine, packages, writeRepository } from './debian-repository.js';
import { filesOf } from './document-tree.js';
import { startNginx, type NginxOrigin } from './nginx-origin.js';
import { startNode, type NodeForClients } from './node-for-clients.js';
import { needPrograms } from './programs.js';

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
  const machine = (name: string): Promise<Map<string, Buffer>> =>
    new AptMachine(directory, name, origin.url()).download(node.proxy);

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
