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

  /** Kills the node, and starts another in its place, to which no origin server answers. */
  const killAndStart = async (): Promise<void> => {
    await node?.restart();
    await origin?.close();
  };

  /** All requests since then were answered from the store. @returns how many there were */
  const expectHits = async (): Promise<number> => {
    const outcomes = (await node?.outcomes()) ?? [];
    assert.deepEqual([...new Set(outcomes)], ['hit']);
    return outcomes.length;
  };

  it('is there for apt at once, whatever became of the mirror', async function () {
    needPrograms(this, 'apt-get', 'dpkg-deb', 'nginx');
    await writeRepository(directory);
    origin = await startNginx(join(directory.path, 'repository'));
    node = await KilledNode.start(directory);
    const download = (name: string): Promise<Map<string, Buffer>> =>
      // by default apt wants the lists of a repository to be validated
      new AptMachine(directory, name, (origin as NginxOrigin).url()).download(node?.proxy ?? '', {
        'Acquire::http::Max-Age': '86400',
      });
    const before = await download('first');
    await killAndStart();
    assert.deepEqual(await download('second'), before);
    // the lists are Release and Packages; what the mirror does not have, apt asks for too
    assert.ok((await expectHits()) >= packages.length + 2, 'there were fewer requests than files');
  });

  it('is there for npm at once, whatever became of the registry', async function () {
    needPrograms(this, 'npm');
    origin = await startOrigin(await registryOf(directory));
    node = await KilledNode.start(directory, { sites: [{ host: '*', prefix: '/npm/', origin: origin.url() }] });
    const install = async (name: string): Promise<void> => {
      const project = await NpmProject.create(directory, name);
      const registry = `${node?.site ?? ''}/npm/`;
      await project.lock(registry, `${name}-cache`);
      assert.deepEqual(await project.install(registry, `${name}-other-cache`), project.expected);
    };
    await install('first');
    await killAndStart();
    await install('second');
    assert.equal(await expectHits(), 4);
  });

  it('is there for a copy of a tree of documents at once, whatever became of the site', async function () {
    needPrograms(this, 'wget', 'nginx');
    const tree = await writeTree(directory);
    origin = await startNginx(tree);
    node = await KilledNode.start(directory, { sites: [{ host: '*', origin: origin.url() }] });
    const copy = async (name: string): Promise<Map<string, Buffer>> => {
      const target = join(directory.path, name);
      await succeed('wget', ['-q', '-r', '-nH', '-e', 'robots=off', '-P', target, `${node?.site ?? ''}/`]);
      return filesOf(target);
    };
    const original = await filesOf(tree);
    assert.deepEqual(await copy('first'), original);
    await killAndStart();
    assert.deepEqual(await copy('second'), original);
    assert.ok((await expectHits()) >= original.size, 'there were fewer requests than documents');
  });
});
