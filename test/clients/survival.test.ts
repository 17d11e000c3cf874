import assert from 'node:assert/strict';
import { join } from 'node:path';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { TempDir } from '../support/temp-dir.js';
import { AptMachine, packages, writeRepository } from './debian-repository.js';
import { filesOf, writeTree } from './document-tree.js';
import { KilledNode } from './killed-node.js';
import { startNginx, type NginxOrigin } from './nginx-origin.js';
import { NpmProject, registryOf } from './npm-registry.js';
import { needPrograms, succeed } from './programs.js';

describe('what a node has stored when its process is killed', function () {
  this.timeout(60_000);
  let directory: TempDir;
  let node: KilledNode | null;
  let origin: NginxOrigin | ScriptedOrigin | null;
  beforeEach(async () => {
    directory = await TempDir.create();
    node = origin = null;
  });
  afterEach(async () => {
    await node?.stop();
    await origin?.close();
    await directory.remove();
  });

  /**
   * Has a client do its work twice, so that all it was given is stored for certain; kills the node; and has it done again,
   * which takes nothing but what is stored: no origin server answers any more. @returns how many requests that took
   */
  const survives = async (work: (name: string) => Promise<void>): Promise<number> => {
    for (const name of ['first', 'second']) await work(name);
    await node?.restart();
    await origin?.close();
    await work('third');
    const outcomes = (await node?.outcomes()) ?? [];
    assert.deepEqual([...new Set(outcomes)], ['hit']);
    return outcomes.length;
  };

  it('is there for apt at once, whatever became of the mirror', async function () {
    needPrograms(this, 'apt-get', 'dpkg-deb', 'nginx');
    await writeRepository(directory);
    origin = await startNginx(join(directory.path, 'repository'));
    node = await KilledNode.start(directory);
    const url = origin.url();
    const contents = (files: Map<string, Buffer>): string[] => [...files.values()].map(String).sort();
    const pool = contents(await filesOf(join(directory.path, 'repository/pool')));
    // by default apt wants the lists of a repository to be validated
    const settings = { 'Acquire::http::Max-Age': '86400' };
    const requests = await survives(async (name) => {
      const files = await new AptMachine(directory, name, url).download(node?.proxy ?? '', settings);
      assert.deepEqual(contents(files), pool);
    });
    // the lists are Release and Packages; what the mirror does not have, apt asks for too
    assert.ok(requests >= packages.length + 2, `${requests} requests`);
  });

  it('is there for npm at once, whatever became of the registry', async function () {
    needPrograms(this, 'npm');
    origin = await startOrigin(await registryOf(directory));
    node = await KilledNode.start(directory, { sites: [{ host: '*', prefix: '/npm/', origin: origin.url() }] });
    const requests = await survives(async (name) => {
      const project = await NpmProject.create(directory, name);
      const registry = `${node?.site ?? ''}/npm/`;
      await project.lock(registry, `${name}-cache`);
      assert.deepEqual(await project.install(registry, `${name}-other-cache`), project.expected);
    });
    assert.equal(requests, 4);
  });

  it('is there for a copy of a tree of documents at once, whatever became of the site', async function () {
    needPrograms(this, 'wget', 'nginx');
    const tree = await writeTree(directory);
    origin = await startNginx(tree);
    node = await KilledNode.start(directory, { sites: [{ host: '*', origin: origin.url() }] });
    const original = await filesOf(tree);
    const requests = await survives(async (name) => {
      const target = join(directory.path, name);
      await succeed('wget', ['-q', '-r', '-nH', '-e', 'robots=off', '-P', target, `${node?.site ?? ''}/`]);
      assert.deepEqual(await filesOf(target), original);
    });
    assert.ok(requests >= original.size, `${requests} requests`);
  });
});
