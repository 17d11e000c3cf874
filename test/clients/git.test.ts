import assert from 'node:assert/strict';
import { join } from 'node:path';
import { startOrigin, type OriginHandler, type ScriptedOrigin } from '../support/scripted-origin.js';
import { TempDir } from '../support/temp-dir.js';
import { pattern } from './document-tree.js';
import { startNode, type NodeForClients } from './node-for-clients.js';
import { needPrograms, runProgram, succeed } from './programs.js';

describe('git through the node', () => {
  let directory: TempDir;
  let origin: ScriptedOrigin;
  let node: NodeForClients;
  before(function () {
    needPrograms(this, 'git');
  });
  beforeEach(async () => {
    directory = await TempDir.create();
    origin = await startOrigin(gitBackend(directory.path));
    node = await startNode({ sites: [{ host: '*', prefix: '/code/', origin: origin.url() }] });
    await git('.', 'init', '-q', '--bare', 'bare.git');
    await git('bare.git', 'config', 'http.receivepack', 'true');
  });
  afterEach(async () => {
    await (node as NodeForClients | undefined)?.stop();
    await (origin as ScriptedOrigin | undefined)?.close();
    await (directory as TempDir | undefined)?.remove();
  });

  const git = (where: string, ...args: string[]): Promise<string> => {
    const env = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' };
    const who = ['-c', 'user.name=Reader', '-c', 'user.email=reader@example.org', '-c', 'init.defaultBranch=main'];
    return succeed('git', [...who, '-c', 'protocol.version=2', ...args], { cwd: join(directory.path, where), env });
  };

  const commit = async (name: string, content: Buffer): Promise<void> => {
    await directory.write(`work/${name}`, content);
    await git('work', 'add', '.');
    await git('work', 'commit', '-q', '-m', name);
  };

  const sides: [string, () => { url: string; proxy: string[] }][] = [
    ['the forward proxy', () => ({ url: origin.url('/bare.git'), proxy: ['-c', `http.proxy=${node.proxy}`] })],
    ['the public side', () => ({ url: `${node.site}/code/bare.git`, proxy: [] })],
  ];
  for (const [side, settings] of sides) {
    it(`pushes, clones and fetches by ${side}, a pack of several MiB in chunks (RFC 9112 §7.1)`, async () => {
      const { url, proxy } = settings();
      await git('.', 'init', '-q', 'work');
      await commit('large', pattern(3 * 1024 * 1024));
      await git('work', ...proxy, 'push', '-q', url, 'HEAD:refs/heads/main');
      assert.equal(origin.last.headers['transfer-encoding'], 'chunked');
      await git('bare.git', 'symbolic-ref', 'HEAD', 'refs/heads/main');

      await git('.', ...proxy, 'clone', '-q', url, 'clone');
      assert.equal(await git('clone', 'rev-parse', 'HEAD'), await git('work', 'rev-parse', 'HEAD'));

      await commit('small', Buffer.from('more\n'));
      await git('work', ...proxy, 'push', '-q', url, 'HEAD:refs/heads/main');
      await git('clone', ...proxy, 'fetch', '-q', 'origin', 'main');
      assert.equal(await git('clone', 'rev-parse', 'FETCH_HEAD'), await git('work', 'rev-parse', 'HEAD'));
      await git('clone', 'fsck', '--no-progress');
    });
  }
});

/** Git's own server program, by CGI (RFC 3875). */
function gitBackend(root: string): OriginHandler {
  return async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://origin');
    const field = (name: string): string => String(request.headers[name] ?? '');
    const env = {
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname,
      QUERY_STRING: searchParams.toString(),
      CONTENT_TYPE: field('content-type'),
      CONTENT_LENGTH: String(request.body.length),
      HTTP_CONTENT_ENCODING: field('content-encoding'),
      GIT_PROTOCOL: field('git-protocol'),
    };
    const { stdout } = await runProgram('git', ['http-backend'], { env, input: request.body });
    const end = stdout.indexOf('\r\n\r\n');
    for (const line of stdout.subarray(0, end).toString('latin1').split('\r\n')) {
      const [name = '', value = ''] = line.split(/: */, 2);
      if (name === 'Status') response.statusCode = Number(value.slice(0, 3));
      else response.setHeader(name, value);
    }
    response.end(stdout.subarray(end + 4));
  };
}
