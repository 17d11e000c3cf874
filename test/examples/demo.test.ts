import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import { root } from '../support/willis-program.js';

interface ShownNode {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  /** How far its line is indented: by its level in the tree. */
  readonly indent: number;
}

/** The demonstration as a process, with what it prints. */
class Demonstration {
  text = '';
  nodes: readonly ShownNode[] = [];
  readonly #exited: Promise<unknown>;

  private constructor(
    readonly child: ChildProcess,
    readonly temporary: TempDir,
  ) {
    this.#exited = once(child, 'exit');
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (piece: string) => (this.text += piece));
    }
  }

  /** @param sign what it prints when it has begun */
  static async start(words: readonly string[] = [], sign = 'Ctrl-C ends'): Promise<Demonstration> {
    const temporary = await TempDir.create();
    const child = spawn(process.execPath, ['--import=tsx', 'examples/demo/main.ts', ...words], {
      cwd: root,
      env: { ...process.env, TMPDIR: temporary.path },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const started = new Demonstration(child, temporary);
    await until(() => started.text.includes(sign) || started.hasEnded);
    if (started.hasEnded) {
      await started.close();
      throw new Error(started.text);
    }
    started.nodes = [...started.text.matchAll(/^( +)(\S+) +(http:\S+)\/ +process (\d+)$/gm)].map(
      ([, indent = '', name = '', url = '', pid]) => ({ name, url, pid: Number(pid), indent: indent.length }),
    );
    return started;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** What it has written to the disk. */
  async written(): Promise<readonly string[]> {
    return (await readdir(this.temporary.path)).filter((name) => name.startsWith('willis-demo-'));
  }

  async site(): Promise<string> {
    const [directory = ''] = await this.written();
    return join(this.temporary.path, directory, 'primary', 'site');
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    await this.#exited;
    return this.child.exitCode;
  }

  /** Until no process, port and file is left. */
  async gone(): Promise<void> {
    await until(() => this.nodes.every(({ pid }) => !isRunning(pid)));
    for (const { url } of this.nodes) assert.equal(await isListening(url), false, `${url} is still open`);
    await until(async () => (await this.written()).length === 0);
  }

  async close(): Promise<void> {
    if (!this.hasEnded) await this.end('SIGKILL');
    for (const { pid } of this.nodes) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    await this.temporary.remove();
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Of the nodes whose directories are there. */
async function pidsBelow(directory: string): Promise<readonly number[]> {
  const texts = (await readdir(directory)).map((name) => readFile(join(directory, name, 'pid'), 'utf8'));
  return (await Promise.all(texts)).map(Number);
}

function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });
}

/** What the README has its reader type beside the demonstration. */
const tourBlocks = (): readonly string[] =>
  [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/<!-- tour -->\n```sh\n(.*?)```/gs)].map(
    ([, lines = '']) => lines,
  );

const run = promisify(execFile);

describe('npm run demo', function () {
  // six processes are started and ended
  this.timeout(90_000);

  let demonstration: Demonstration | null = null;

  afterEach(async () => {
    await demonstration?.close();
    demonstration = null;
  });

  it('shows an edit on all nodes, tells how long it took, and leaves nothing behind after Ctrl-C', async () => {
    demonstration = await Demonstration.start();
    const { nodes } = demonstration;
    assert.deepEqual(
      nodes.map(({ name }) => name).sort(),
      ['primary', 'proxy', 'replica-1', 'replica-2', 'replica-3', 'wlis'],
      demonstration.text,
    );
    const indents = new Map(nodes.map(({ name, indent }) => [name, indent]));
    assert.deepEqual(
      ['primary', 'replica-1', 'replica-2', 'replica-3'].map((name) => indents.get(name)),
      [2, 4, 4, 6],
      'the tree has two levels of replicas',
    );

    const page = join(await demonstration.site(), 'index.html');
    const edited = `${await readFile(page, 'utf8')}<p>An edit</p>`;
    await writeFile(`${page}~`, edited);
    await rename(`${page}~`, page);
    await until(() => /change \d+ {2}index\.html/.test(demonstration?.text ?? ''));
    assert.match(
      demonstration.text,
      /change \d+ {2}index\.html {2}primary \d+ ms {2}replica-1 \+\d+ ms {2}replica-2 \+\d+ ms {2}replica-3 \+\d+ ms\n/,
    );
    for (const { name, url } of nodes.filter(({ name }) => name !== 'proxy' && name !== 'wlis')) {
      const answer = await fetch(`${url}/`);
      assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
      assert.equal(await answer.text(), edited, name);
    }

    assert.equal(await demonstration.end('SIGINT'), 0, demonstration.text);
    await demonstration.gone();
  });

  it('is what the five minutes of the README walk through', async () => {
    demonstration = await Demonstration.start();
    const { temporary, nodes } = demonstration;
    const proxy = nodes.find(({ name }) => name === 'proxy')?.url ?? '';
    const seen: string[] = [];
    for (const lines of tourBlocks()) {
      const script = lines.replaceAll('http://127.0.0.1:8400', proxy);
      const options = { env: { ...process.env, TMPDIR: temporary.path }, timeout: 20_000 };
      seen.push((await run('bash', ['-e', '-o', 'pipefail', '-c', script], options)).stdout);
    }
    const [first = '', pac = '', links = '', killed = '', after = ''] = seen;
    // the very first page may come before the proxy knows who else has the site
    assert.match(first, /^Cache-Status: proxy; /m);
    assert.doesNotMatch(first, /<p>/);
    assert.match(pac, /FindProxyForURL/);
    // the last replica may have joined too late for the proxy to have heard of it
    const named = links.match(/<link rel="duplicate" href="http:[^"]*\/raw\/[^"]*">/g)?.length ?? 0;
    assert.ok(named === 3 || named === 4, links);
    assert.equal(killed, '');
    assert.match(after, /^HTTP\/1\.1 200 OK\r\nCache-Status: proxy; .*detail="replica http:/);
    assert.equal(seen.length, 5);
  });

  it('leaves nothing behind when it is killed', async () => {
    demonstration = await Demonstration.start();
    await demonstration.end('SIGKILL');
    await demonstration.gone();
  });

  it('lets nodes fail with --chaos while readers go on, says what came of it, and ends with 0 if nothing failed', async () => {
    demonstration = await Demonstration.start(['--chaos', '--for', '10s'], '00:0');
    await until(() => demonstration?.hasEnded === true);
    const { text, child } = demonstration;
    assert.equal(child.exitCode, 0, text);
    assert.match(text, /^00:\d\d {2}(primary|replica-\d|wlis) (killed|frozen|black-holed|restarted)$/m);
    assert.match(text, /^ {2}requests +\d[\d,]* \(.*\d whole/m);
    assert.match(text, /^ {2}failed +0$/m);
    assert.deepEqual(await demonstration.written(), []);
  });

  it('with --chaos leaves nothing behind when it is killed, however its nodes are just then', async () => {
    demonstration = await Demonstration.start(['--chaos', '--for', '60s', '--seed', '4'], ' frozen');
    const [directory = ''] = await demonstration.written();
    const pids = await pidsBelow(join(demonstration.temporary.path, directory));
    assert.equal(pids.length, 6, demonstration.text);
    await demonstration.end('SIGKILL');
    await until(() => pids.every((pid) => !isRunning(pid)));
    await until(async () => (await demonstration?.written())?.length === 0);
  });

  it('says what is wrong with its options', async () => {
    const child = spawn(process.execPath, ['--import=tsx', 'examples/demo/main.ts', '--chaos', '--for', 'ever'], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (piece: string) => (said += piece));
    assert.deepEqual(await once(child, 'close'), [2, null]);
    assert.match(said, /^--for wants a time from 10s to 1d, such as 10m, not ever\n\nnpm run demo/);
  });

  it('leaves nothing behind when it is terminated before all nodes have started', async () => {
    const temporary = await TempDir.create();
    const child = spawn(process.execPath, ['--import=tsx', 'examples/demo/main.ts'], {
      cwd: root,
      env: { ...process.env, TMPDIR: temporary.path },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(child.stdout, 'data');
      child.kill('SIGTERM');
      assert.deepEqual(await once(child, 'exit'), [0, null]);
      const left = (await readdir(temporary.path)).filter((name) => name.startsWith('willis-demo-'));
      assert.deepEqual(left, []);
    } finally {
      child.kill('SIGKILL');
      await temporary.remove();
    }
  });
});
