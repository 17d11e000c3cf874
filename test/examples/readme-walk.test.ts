import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import { root, willisProgram } from '../support/willis-program.js';

/** What the README has its reader type, block by block. */
const blocks = (): readonly string[] =>
  [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/<!-- walk -->\n```sh\n(.*?)```/gs)].map(
    ([, lines = '']) => lines,
  );

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
      .on('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

/** The beginning of four ports that nobody uses: with 1 to 4 behind it. */
async function freeTens(from: number): Promise<number> {
  for (let tens = from; tens < from + 1000; tens++) {
    const free = await Promise.all([1, 2, 3, 4].map((last) => isFree(tens * 10 + last)));
    if (free.every(Boolean)) return tens;
  }
  throw new Error('no ports are free');
}

describe('the walk "three machines, one site" of the README', function () {
  // five processes of the program are started, and some more for a moment each
  this.timeout(120_000);

  let clone: TempDir;

  beforeEach(async () => {
    clone = await TempDir.create();
  });

  afterEach(async () => {
    for (const pid of pids()) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    await clone.remove();
  });

  const pids = (): readonly number[] => {
    const walk = join(clone.path, 'var/walk');
    const files = readdirSync(walk).filter((name) => name.endsWith('.pid'));
    return files.map((name) => Number(readFileSync(join(walk, name), 'utf8')));
  };

  it('does line by line what it says', async () => {
    const [public_, operator] = [await freeTens(1100), await freeTens(2200)];
    const script = blocks()
      .map((block, index) => `echo '== ${index}'\n${block}`)
      .join('')
      .replaceAll('node ../../dist/proxy/main.js', willisProgram.join(' '))
      .replaceAll('844', String(public_))
      .replaceAll('318', String(operator));
    const child = spawn('bash', ['-e', '-c', script], { cwd: clone.path, stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (piece: string) => (out += piece));
    child.stderr.setEncoding('utf8').on('data', (piece: string) => (err += piece));
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 0, out + err);

    const told = out.split(/^== \d+\n/m).slice(1);
    const [, , , taking = '', visit = '', edit = '', found = '', alone = ''] = told;
    assert.equal(taking.match(/ is in step, at change 2: 2 documents/g)?.length, 2, taking);
    assert.match(visit, /^HTTP\/1\.1 200 OK\r\n.*Cache-Status: m3; hit.*<h1>Hello<\/h1>\n$/s);
    // on a busy machine the directory is looked at before the command has started
    assert.match(edit, /^https.*: (2 documents published|nothing has changed); it is at change \d+\n/);
    assert.match(edit, /Cache-Status: m3; hit.*<h1>Hello again<\/h1>\n/s);
    assert.match(edit, /https:\/\/localhost:\d+2 +listed +in step/);
    assert.match(found, /^HTTP\/1\.1 200 OK\r\n.*Cache-Status: m4; .*<h1>Hello again<\/h1>\n/s);
    assert.match(found, /^https:\/\/localhost:\d+1\/ +https:\/\/localhost:\d+1 +2 /m);
    const [visited = '', browsed = '', explained = ''] = alone.split('<h1>Hello again</h1>\n');
    assert.match(visited, /^HTTP\/1\.1 200 OK\r\n.*Cache-Status: m2; hit/s);
    assert.match(browsed, /HTTP\/1\.1 200 OK\r\n.*Cache-Status: m4; /s);
    assert.match(explained, /https:\/\/localhost:\d+2 +replica /);
    assert.equal(pids().length, 4);
    await until(() => pids().every((pid) => !isRunning(pid)));
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
