import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filesOf } from './document-tree.js';
import { runProgram, succeed } from './programs.js';
import { serveTree } from './served-tree.js';

describe('wget through the node', () => {
  const served = serveTree('wget');

  const mirror = async (to: string, url: string, proxy?: string, ...more: string[]) => {
    const target = join(served.directory.path, to);
    const env = proxy === undefined ? {} : { http_proxy: proxy };
    await succeed('wget', ['-q', '-r', '-nH', '-e', 'robots=off', '-P', target, ...more, url], { env });
    return filesOf(target);
  };

  it('copies a tree byte for byte, the second time without a word to the origin server', async () => {
    const original = await filesOf(served.tree);
    assert.deepEqual(await mirror('forward-1', served.origin.url(), served.node.proxy), original);
    const asked = (await served.origin.requests()).length;
    assert.deepEqual(await mirror('forward-2', served.origin.url(), served.node.proxy), original);
    assert.equal((await served.origin.requests()).length, asked);
  });

  for (const [coding, ...args] of [['identity'], ['gzip', '--compression=gzip']] as const) {
    it(`copies it from the public side, the coding being ${coding}, and the second time from the cache`, async () => {
      const original = await filesOf(served.tree);
      assert.deepEqual(await mirror(`site-${coding}-1`, `${served.node.site}/`, undefined, ...args), original);
      const asked = (await served.origin.requests()).length;
      assert.deepEqual(await mirror(`site-${coding}-2`, `${served.node.site}/`, undefined, ...args), original);
      assert.equal((await served.origin.requests()).length, asked);
    });
  }

  it('continues a transfer that was broken off (RFC 9110 §14)', async () => {
    const whole = await readFile(join(served.tree, 'large.bin'));
    const target = await served.directory.write('continued/large.bin', whole.subarray(0, 1_234_567));
    const args = ['-q', '-c', '-O', target, `${served.node.site}/large.bin`];
    await succeed('wget', args);
    assert.deepEqual(await readFile(target), whole);
    assert.match((await served.origin.requests()).at(-1) ?? '', /^GET \/large\.bin 206 bytes=1234567-/);
  });

  it('goes away in the middle and comes back: what was received is used (RFC 9111 §3.3)', async () => {
    const whole = await readFile(join(served.tree, 'large.bin'));
    const target = join(served.directory.path, 'interrupted.bin');
    const env = { http_proxy: served.node.proxy };
    const args = ['-q', '-c', '-O', target, served.origin.url('/large.bin')];
    const interrupted = runProgram('wget', ['--limit-rate=1m', ...args], { env, signal: AbortSignal.timeout(700) });
    assert.notEqual((await interrupted).code, 0);
    await succeed('wget', args, { env });
    assert.deepEqual(await readFile(target), whole);
  });
});
