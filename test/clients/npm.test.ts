import assert from 'node:assert/strict';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { TempDir } from '../support/temp-dir.js';
import { startNode, type NodeForClients } from './node-for-clients.js';
import { NpmProject, registryOf } from './npm-registry.js';
import { needPrograms } from './programs.js';

describe('npm with a registry under a prefix', function () {
  this.timeout(60_000);
  let directory: TempDir;
  let registry: ScriptedOrigin;
  let node: NodeForClients;
  before(async function () {
    needPrograms(this, 'npm');
    directory = await TempDir.create();
    registry = await startOrigin(await registryOf(directory));
    node = await startNode({ sites: [{ host: '*', prefix: '/npm/', origin: registry.url() }] });
  });
  after(async () => {
    await (node as NodeForClients | undefined)?.stop();
    await (registry as ScriptedOrigin | undefined)?.close();
    await (directory as TempDir | undefined)?.remove();
  });

  it('installs scoped and other packages; the next one comes from the cache (RFC 9111 §4)', async () => {
    const project = await NpmProject.create(directory, 'project');
    const url = `${node.site}/npm/`;
    await project.lock(url, 'cache-0');
    for (const round of [1, 2]) assert.deepEqual(await project.install(url, `cache-${round}`), project.expected);
    const targets = registry.requests.map(({ url }) => url);
    assert.deepEqual(targets.toSorted(), [
      '/@scope%2fnamed',
      '/@scope/named/-/1.0.0.tgz',
      '/plain',
      '/plain/-/1.0.0.tgz',
    ]);
  });
});
