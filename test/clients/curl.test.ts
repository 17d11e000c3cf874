import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answer } from '../support/origin-scripts.js';
import { startOrigin } from '../support/scripted-origin.js';
import { pattern } from './document-tree.js';
import { runProgram, succeed } from './programs.js';
import { serveTree } from './served-tree.js';

describe('curl through the node', () => {
  const served = serveTree('curl');

  const curl = (...args: string[]) => runProgram('curl', ['-sS', '-x', served.node.proxy, ...args]);

  it('resumes and takes parts from what is stored (RFC 9110 §14, RFC 9111 §3.4)', async () => {
    const whole = await readFile(join(served.tree, 'large.bin'));
    assert.deepEqual((await curl(served.origin.url('/large.bin'))).stdout, whole);
    const asked = (await served.origin.requests()).length;
    const part = join(served.directory.path, 'resumed.bin');
    await served.directory.write('resumed.bin', whole.subarray(0, 3_000_000));
    assert.equal((await curl('-C', '-', '-o', part, served.origin.url('/large.bin'))).code, 0);
    assert.deepEqual(await readFile(part), whole);
    assert.deepEqual((await curl('-r', '100-199', served.origin.url('/large.bin'))).stdout, whole.subarray(100, 200));
    assert.deepEqual((await curl('-r', '-500', served.origin.url('/large.bin'))).stdout, whole.subarray(-500));
    const several = await curl('-i', '-r', '0-9,1000-1009', served.origin.url('/large.bin'));
    assert.match(several.stdout.toString('latin1'), /^HTTP\/1\.1 206 [^]*multipart\/byteranges; boundary=/);
    assert.equal((await served.origin.requests()).length, asked);
  });

  it('decodes what was stored with gzip, and gets it plain if it asks so (RFC 9111 §4.1)', async () => {
    const plain = await readFile(join(served.tree, 'style/site.css'));
    for (const compressed of [['--compressed'], ['--compressed'], [], []]) {
      assert.deepEqual((await curl(...compressed, served.origin.url('/style/site.css'))).stdout, plain);
    }
    const sent = (await served.origin.requests()).filter((line) => line.startsWith('GET /style/site.css 200'));
    assert.equal(sent.length, 2);
  });

  it('uploads with and without a known length, and waits for 100 (RFC 9110 §10.1.1)', async () => {
    const upload = pattern(3 * 1024 * 1024);
    const file = await served.directory.write('upload.bin', upload);
    const receiver = await startOrigin(answer(201));
    try {
      for (const more of [
        ['-T', file],
        ['-T', file, '-H', 'Transfer-Encoding: chunked'],
      ]) {
        const { code, stderr } = await curl(
          '-v',
          '--expect100-timeout',
          '60',
          '-H',
          'Expect: 100-continue',
          ...more,
          receiver.url('/in'),
        );
        assert.equal(code, 0);
        assert.match(stderr, /< HTTP\/1\.1 100 Continue\r?\n[^]*< HTTP\/1\.1 201 /);
        assert.deepEqual(receiver.last.body, upload);
      }
    } finally {
      await receiver.close();
    }
  });

  it('sees that an answer was broken off (RFC 9112 §8)', async () => {
    const liar = await startOrigin((_request, response) => {
      response.writeHead(200, { 'Content-Length': '1000' });
      response.write('short', () => response.destroy());
    });
    try {
      assert.equal((await curl(liar.url('/short'))).code, 18);
      assert.equal((await curl(liar.url('/short'))).code, 18);
      assert.equal(liar.count(), 2);
    } finally {
      await liar.close();
    }
  });

  it('gets 502 from the forward proxy for an origin server that is not there (RFC 9110 §15.6.3)', async () => {
    const status = await succeed('curl', [
      '-sS',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '-x',
      served.node.proxy,
      'http://127.0.0.1:1/',
    ]);
    assert.equal(status, '502');
  });
});
