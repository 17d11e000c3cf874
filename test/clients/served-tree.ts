import { TempDir } from '../support/temp-dir.js';
import { writeTree } from './document-tree.js';
import { startNginx, type NginxOrigin } from './nginx-origin.js';
import { startNode, type NodeForClients } from './node-for-clients.js';
import { needPrograms } from './programs.js';

/** A tree of documents, served by nginx, and a node before it that has nothing stored when a test begins. */
export interface ServedTree {
  readonly directory: TempDir;
  /** The path of the tree. */
  readonly tree: string;
  readonly origin: NginxOrigin;
  readonly node: NodeForClients;
}

/** For a `describe`, which is skipped where the program or nginx is not installed; what it gives is there within tests. */
export function serveTree(program: string): ServedTree {
  const served: { -readonly [Part in keyof ServedTree]?: ServedTree[Part] } = {};
  before(async function () {
    needPrograms(this, program, 'nginx');
    served.directory = await TempDir.create();
    served.tree = await writeTree(served.directory);
    served.origin = await startNginx(served.tree);
  });
  beforeEach(async () => {
    served.node = await startNode({ sites: [{ host: '*', origin: served.origin!.url() }] });
  });
  afterEach(() => served.node?.stop());
  after(async () => {
    await served.origin?.close();
    await served.directory?.remove();
  });
  return served as ServedTree;
}
