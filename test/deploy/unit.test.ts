import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../config/load.js';
import { needPrograms } from '../clients/programs.js';
import { skipWithout } from '../support/skip-without.js';
import { TempDir } from '../support/temp-dir.js';
import { runWillis } from '../support/willis-program.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const text = readFileSync(join(root, 'deploy/willis.service'), 'utf8');

/** All values of a key, in order. */
const values = (key: string): string[] =>
  text.split('\n').flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));

const command = (): string[] => values('ExecStart')[0]?.split(' ') ?? [];

describe('the systemd unit', () => {
  let directory: TempDir;

  before(async () => {
    directory = await TempDir.create();
  });

  after(() => directory.remove());

  it('starts the program by the name that the package has for it, and as its first line says', () => {
    const [, flags = ''] = /^#!\S+ -S node (.*)$/m.exec(readFileSync(join(root, 'proxy/main.ts'), 'utf8')) ?? [];
    const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: { willis: string } };
    const [, ...rest] = command();
    const program = rest.findIndex((word) => word.endsWith('.js'));
    assert.deepEqual(rest.slice(0, program), flags.split(' '));
    assert.equal(rest[program], resolve('/opt/willis', bin.willis));
  });

  it('uses a command and options that the program has', async () => {
    const words = command();
    const [subcommand = '', ...options] = words.slice(words.findIndex((word) => word.endsWith('.js')) + 1);
    const help = await runWillis(root, [subcommand, '--help']);
    assert.equal(help.code, 0, help.stderr);
    assert.ok(help.stdout.startsWith(`Usage: willis ${subcommand} `), help.stdout);
    for (const option of options.filter((word) => word.startsWith('-')))
      assert.ok(help.stdout.includes(option), option);
  });

  it('reloads by SIGHUP, is not started again with a wrong configuration, and waits until all is drained', () => {
    assert.deepEqual(values('ExecReload'), ['/bin/kill -HUP $MAINPID']);
    assert.deepEqual(values('RestartPreventExitStatus'), ['2']);
    const { limits } = loadConfig('{}', 'empty.yaml', {}, { hostName: 'unit' });
    const patience = Number(/^(\d+)s$/.exec(values('TimeoutStopSec')[0] ?? '')?.[1]) * 1000;
    assert.ok(patience > limits.drainTimeout, String(patience));
  });

  it('lets the program make machine code, without which JavaScript does not run', () => {
    assert.deepEqual(values('MemoryDenyWriteExecute'), []);
  });

  describe('by systemd-analyze', () => {
    let unit: string;

    before(async function () {
      needPrograms(this, 'systemd-analyze');
      // It looks whether the program exists, which may lie elsewhere here.
      const here = existsSync('/usr/bin/node') ? text : text.replaceAll('/usr/bin/node', process.execPath);
      unit = await directory.write('willis.service', here);
    });

    it('has no mistakes', () => {
      const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
      assert.equal(`${stdout}${stderr}`, '');
      assert.equal(status, 0);
    });

    it('is exposed no more than 2.0 of 10', function () {
      const rate = ['security', '--offline=true', '--no-pager', '--threshold=20', unit];
      const { status, stdout, stderr } = spawnSync('systemd-analyze', rate, { encoding: 'utf8' });
      // Older ones rate only what runs.
      if (stderr.includes('unrecognized option')) skipWithout(this, 'systemd-analyze that rates files');
      assert.equal(status, 0, stdout);
    });
  });
});
