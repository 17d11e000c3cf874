import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { TempDir } from './temp-dir.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('the reporter', () => {
  let directory: TempDir;
  before(async () => (directory = await TempDir.create()));
  after(() => directory.remove());

  async function run(script: string, ...options: string[]): Promise<{ status: number | null; lines: string[] }> {
    const file = await directory.write('script.test.mjs', script);
    const { status, stdout } = spawnSync(
      process.execPath,
      ['node_modules/mocha/bin/mocha.js', '--no-config', '--reporter', './test/support/reporter.mjs', ...options, file],
      { cwd: root, encoding: 'utf8', env: { PATH: process.env['PATH'] } },
    );
    return { status, lines: stdout.trimEnd().split('\n') };
  }

  it('ends with one line that counts what passed and what failed', async () => {
    const { status, lines } = await run("it('a', () => {}); it('b', () => {});");
    assert.equal(lines.at(-1), '2 passed, 0 failed');
    assert.equal(status, 0);
  });

  it('prints every failure in full before that line, and mocha exits with their number', async () => {
    const { status, lines } = await run(
      "describe('x', () => { it('ok', () => {}); it('wrong', () => { throw new Error('the reason'); }); });",
    );
    assert.equal(lines.at(-1), '1 passed, 1 failed');
    assert.equal(
      lines.some((line) => line.includes('the reason')),
      true,
    );
    assert.equal(
      lines.some((line) => line.includes('wrong')),
      true,
    );
    assert.equal(status, 1);
  });

  it('counts and names skipped tests', async () => {
    const { lines } = await run("describe('x', () => { it('ok', () => {}); it.skip('not now', () => {}); });");
    assert.equal(lines.at(-1), '1 passed, 0 failed, 1 skipped');
    assert.equal(lines.includes('  skipped: x › not now'), true);
  });

  it('counts a skipped test as a failure where nothing may be skipped', async () => {
    const { status, lines } = await run(
      "it('ok', () => {}); it('no', function () { this.skip(); });",
      '--forbid-pending',
    );
    assert.equal(lines.at(-1), '1 passed, 1 failed');
    assert.equal(status, 1);
  });

  it('counts what the tests have left open as a failure, says what it is, and ends the process', async () => {
    const { status, lines } = await run(
      "import { createServer } from 'node:net'; it('a', (done) => createServer().listen(0, '127.0.0.1', done));",
      ...['--reporter-option', 'patience=50'],
    );
    assert.match(lines.at(-3) ?? '', /left open by the tests: .*TCPServerWrap/);
    assert.equal(lines.at(-1), '1 passed, 1 failed');
    assert.equal(status, 1);
  });

  it('counts a failing hook as a failure', async () => {
    const { status, lines } = await run("before(() => { throw new Error('hook'); }); it('a', () => {});");
    assert.equal(lines.at(-1), '0 passed, 1 failed');
    assert.equal(status, 1);
  });
});
