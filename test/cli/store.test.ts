import assert from 'node:assert/strict';
import { execFile, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StoreReport } from '../../proxy/admin/store-control.js';
import { storeCompact, storeRebuild, storeStats, storeVerify, type Watch } from '../../proxy/cli/store.js';
import { plainStyle } from '../../proxy/cli/text-style.js';
import type { StoreOptions } from '../../proxy/cli/with-store.js';
import { OperatedWillis } from '../admin/operator-fixture.js';
import { answer } from '../support/origin-scripts.js';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import { outcomeOf } from '../support/willis.js';
import { Terminal } from './terminal.js';

const text = { style: plainStyle, width: 200 };
const unwatched: Watch = { width: null, onEnd: () => () => undefined };

describe('the commands for what is stored on disk', () => {
  let directory: TempDir;
  let node: OperatedWillis;
  let terminal: Terminal;

  const config = (): Readonly<Record<string, unknown>> => ({
    node: { data: join(directory.path, 'data') },
    cache: { disk: '64MiB' },
  });

  beforeEach(async () => {
    directory = await TempDir.create();
    terminal = new Terminal(directory.path);
    node = await OperatedWillis.start(config());
    node.willis.serve((request, response, index) =>
      answer(200, { 'Cache-Control': 'max-age=600' }, Buffer.alloc(1_000_000, request.url))(request, response, index),
    );
  });
  afterEach(async () => {
    await node.stop();
    await directory.remove();
  });

  const there = (): { admin: string } => ({ admin: `http://127.0.0.1:${node.port}` });

  const report = async (): Promise<StoreReport['disk']> =>
    (JSON.parse((await node.ask('GET', '/api/store')).body.toString()) as StoreReport).disk;

  async function store(...paths: readonly string[]): Promise<void> {
    for (const path of paths) await node.willis.get(path);
    await until(async () => (await report())?.responses === paths.length);
  }

  /** The configuration file of the node, which stops. */
  async function stopped(over: Readonly<Record<string, unknown>> = {}): Promise<{ config: string }> {
    const listen = { admin: `127.0.0.1:${node.port}` };
    await directory.write('c.yaml', JSON.stringify({ ...config(), listen, ...over }));
    await node.willis.node.stop();
    return { config: 'c.yaml' };
  }

  function damageOne(): void {
    const bodies = join(directory.path, 'data/store/bodies');
    const file = readdirSync(bodies, { recursive: true, withFileTypes: true }).find((entry) => entry.isFile());
    const path = join(file?.parentPath ?? '', file?.name ?? '');
    const content = readFileSync(path);
    content[500_000]! ^= 1;
    writeFileSync(path, content);
  }

  type Command = (options: StoreOptions) => Promise<number>;
  const commands: Readonly<Record<'stats' | 'verify' | 'rebuild' | 'compact', Command>> = {
    stats: (options) => storeStats(options, terminal, text),
    verify: (options) => storeVerify(options, terminal, unwatched),
    rebuild: (options) => storeRebuild(options, terminal, unwatched),
    compact: (options) => storeCompact(options, terminal, unwatched),
  };

  /** What a command printed, and how it ended. */
  async function ran(
    command: keyof typeof commands,
    options: StoreOptions & { readonly json?: boolean; readonly rate?: string },
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    terminal.stdout = '';
    terminal.stderr = '';
    const code = await commands[command](options);
    return { code, stdout: terminal.stdout, stderr: terminal.stderr };
  }

  describe('of a node that runs', () => {
    it('tell what is stored, and how the disk fares', async () => {
      await store('/a', '/b');
      const { code, stdout } = await ran('stats', there());
      assert.equal(code, 0);
      assert.match(stdout, /^In memory\n\n {2}responses +\d+; 0 evicted\n {2}in use /);
      assert.match(
        stdout,
        /\nOn disk, in \S+\/data\/store\n\n {2}responses +2, 0 of them in part; 0 evicted, 0 lost since the start\n/,
      );
      assert.match(
        stdout,
        /\n {2}in use +1\.9 MiB of 64 MiB \(3\.\d %\)\n {4}bodies +1\.9 MiB\n {4}index +\S+ KiB with short/,
      );
      assert.match(
        stdout,
        /\n {2}goes first +http:\/\/site\.test\/a \(\d+ KiB, last used 2026-01-01 00 h UTC\)\n {2}largest +http:\/\/site\.test\/[ab] \(\d+ KiB\)\n +http:\/\/site\.test\/[ab] \(\d+ KiB\)\n {2}state +well\n/,
      );
      const json = JSON.parse((await ran('stats', { ...there(), json: true })).stdout) as StoreReport;
      assert.deepEqual([json.disk?.responses, json.disk?.isWell], [2, true]);
    });

    it('verify, tell how far they are, and end with 0 where all is well', async () => {
      await store('/a', '/b');
      const { code, stdout, stderr } = await ran('verify', { ...there(), rate: '1500kB' });
      assert.equal(stdout, '2 stored responses with 1.9 MiB of content: all as they were stored.\n');
      assert.match(stderr, /^verify: \d+ %, \S+ [KM]iB of 1\.9 MiB/);
      assert.equal(code, 0);
    });

    it('end with 1 where something is damaged, name it, and it is fetched anew', async () => {
      await store('/a', '/b');
      damageOne();
      const { code, stdout } = await ran('verify', there());
      assert.equal(code, 1);
      assert.match(
        stdout,
        /^1 damaged, and forgotten; of 2 stored responses with [\d.]+ [KM]iB of content:\n {2}http:\/\/site\.test\/[ab]: its bytes are not what was stored\n$/,
      );
      assert.equal((await report())?.lost, 1);
      const outcomes = [outcomeOf(await node.willis.get('/a')), outcomeOf(await node.willis.get('/b'))];
      assert.deepEqual(outcomes.sort(), ['hit', 'uri-miss']);
      await until(async () => (await report())?.responses === 2);
      assert.equal((await ran('verify', there())).code, 0);
    });

    it('name all that was lost with --json', async () => {
      await store('/a');
      damageOne();
      const { stdout, code } = await ran('verify', { ...there(), json: true });
      const { damaged, lost } = JSON.parse(stdout) as { damaged: number; lost: unknown };
      assert.deepEqual(
        [code, damaged, lost],
        [1, 1, [{ uri: 'http://site.test/a', fault: 'its bytes are not what was stored' }]],
      );
    });

    it('compact, and say what that gave back', async () => {
      await store('/a', '/b');
      assert.equal(await node.purge({ uri: 'http://site.test/a', hard: true }), 1);
      const { code, stdout, stderr } = await ran('compact', there());
      assert.match(stderr, /^(compact: (deleting body files|compacting the index)\n)?$/);
      assert.match(stdout, /^\d+ KiB given back; 1 body file deleted\.\n$/);
      assert.equal(code, 0);
      assert.equal((await ran('compact', { ...there(), json: true })).stdout, '{\n  "freed": 0,\n  "files": 0\n}\n');
    });

    it('make the index anew, while the node answers, and everything is validated then', async () => {
      await store('/a', '/b');
      const { code, stdout } = await ran('rebuild', there());
      assert.equal(
        stdout,
        'The index is made anew: 2 stored responses kept, 0 lost. Each is validated with its origin server before its next use.\n',
      );
      assert.equal(code, 0);
      await node.willis.reload({ cache: { memory: '64KiB' } });
      assert.equal(outcomeOf(await node.willis.get('/a')), 'stale');
      assert.deepEqual(JSON.parse((await ran('rebuild', { ...there(), json: true })).stdout), {
        ...{ before: 2, kept: 2, adopted: 0 },
      });
    });

    it('tell of rules that pin, or give a share', async () => {
      await node.willis.reload({
        cache: {
          rules: [
            { match: '*://*/pinned*', pin: true },
            { match: '*://*/share*', maxBytes: '10MiB' },
            { match: '*://*/other*', lifetime: '1h' },
          ],
        },
      });
      await store('/pinned', '/share', '/a');
      const { stdout } = await ran('stats', there());
      assert.match(stdout, /\n {2}rule +\*:\/\/\*\/pinned\*: 1 response, \d+ KiB, pinned, 0 refused\n/);
      assert.match(stdout, /\n {2}rule +\*:\/\/\*\/share\*: 1 response, \d+ KiB of 10 MiB \(9\.\d %\), 0 evicted\n/);
      assert.doesNotMatch(stdout, /other/);
      assert.match(stdout, /goes first +http:\/\/site\.test\/a /);
    });

    it('end when somebody wants them to, and so does the work of the node', async () => {
      await store('/a');
      let isCalledOff = false;
      const code = await storeVerify({ ...there(), rate: '64KiB' }, terminal, {
        width: null,
        onEnd: (end) => {
          void until(async () => (await report())?.work === 'verify').then(end);
          return () => {
            isCalledOff = true;
          };
        },
      });
      assert.deepEqual([code, isCalledOff, terminal.stdout], [2, true, '']);
      assert.match(terminal.stderr, /willis: ended before all was read: 0 responses, 0 damaged\n$/);
      await until(async () => (await report())?.work === null);
    });

    it('are refused while another is under way, with its name', async () => {
      await store('/a');
      let end = (): void => undefined;
      const onEnd: Watch['onEnd'] = (given) => {
        end = given;
        return () => undefined;
      };
      const first = storeVerify({ ...there(), rate: '64KiB' }, terminal, { width: null, onEnd });
      await until(async () => (await report())?.work === 'verify');
      for (const [command, code] of [
        ['verify', 2],
        ['compact', 1],
      ] as const) {
        const second = await ran(command, there());
        assert.equal(second.code, code);
        assert.match(second.stderr, /everything in the store is being checked; wait for its end, or end it \(request /);
      }
      assert.match((await ran('stats', there())).stdout, /state +well; is being verified\n/);
      end();
      await first;
    });

    it('say so where nothing is stored on disk', async () => {
      await node.willis.reload({ cache: { disk: null } });
      assert.match((await ran('stats', there())).stdout, /Nothing is stored on disk: cache\.disk is null\.\n$/);
      const { code, stderr } = await ran('verify', there());
      assert.match(
        stderr,
        /^willis: There is nothing here\. nothing is stored on disk: cache\.disk is null \(request \S+\)\n$/,
      );
      assert.equal(code, 2);
      assert.equal((await ran('compact', there())).code, 1);
    });

    it('refuse a rate that is none', async () => {
      const { code, stderr } = await ran('verify', { ...there(), rate: 'fast' });
      assert.equal(code, 2);
      assert.match(
        stderr,
        /rate: expected a size such as 50MiB \(for a second; at least 64KiB\), got 'fast' \(request/,
      );
    });
  });

  describe('of a node that does not run', () => {
    it('open its directory, and leave it as the node left it', async () => {
      await store('/a', '/b');
      const by = await stopped();
      const stats = await ran('stats', by);
      assert.match(stats.stdout, /^On disk, in \S+\n\n {2}responses +2, /);
      const verified = await ran('verify', by);
      assert.deepEqual(
        [verified.code, verified.stdout],
        [0, '2 stored responses with 1.9 MiB of content: all as they were stored.\n'],
      );
      assert.match(verified.stderr, /^verify: looking through the index\n/);
      const compacted = await ran('compact', by);
      assert.deepEqual([compacted.code, compacted.stderr], [0, 'compact: deleting body files\n']);
      assert.deepEqual([stats.code, stats.stderr], [0, '']);
      const again = await OperatedWillis.start(config(), { origin: node.willis.origin, clock: node.willis.clock });
      try {
        assert.equal(outcomeOf(await again.willis.get('/a')), 'hit');
      } finally {
        await again.willis.node.stop();
      }
    });

    it('make the index anew from what is in the directory', async () => {
      await store('/a', '/b');
      const by = await stopped();
      const { code, stdout } = await ran('rebuild', by);
      assert.match(stdout, /^The index is made anew: 2 stored responses kept, 0 lost\. /);
      assert.deepEqual([code, (await ran('verify', by)).code], [0, 0]);
    });

    it('find what is damaged, and the node does not have it any more', async () => {
      await store('/a');
      const by = await stopped();
      damageOne();
      const { code, stdout } = await ran('verify', by);
      assert.equal(code, 1);
      assert.match(stdout, /http:\/\/site\.test\/a: its bytes are not what was stored\n/);
      assert.match((await ran('stats', by)).stdout, /responses +0, /);
    });

    it('take a directory in place of a configuration: that of the node, or of its store', async () => {
      await store('/a');
      await stopped();
      for (const path of ['data', 'data/store', join(directory.path, 'data')]) {
        const { code, stdout } = await ran('stats', { directory: path });
        assert.match(stdout, /responses +1, .*\n {2}in use +\d+ KiB\n/);
        assert.equal(code, 0);
      }
    });

    it('refuse one that is in use, and say what to do', async () => {
      await store('/a');
      await directory.write('c.yaml', JSON.stringify({ ...config(), listen: { admin: null } }));
      for (const by of [{ config: 'c.yaml' }, { directory: 'data' }]) {
        const { code, stderr } = await ran('verify', by);
        assert.match(
          stderr,
          /^willis: the store in \S+ is used by another process\. If that is a node, ask it: .* --admin URL\. Or stop it first\n$/,
        );
        assert.equal(code, 2);
      }
      assert.equal(outcomeOf(await node.willis.get('/a')), 'hit');
    });

    it('make nothing where there is no store', async () => {
      const by = await stopped({ node: { data: join(directory.path, 'none') }, cache: { disk: null } });
      const { code, stderr } = await ran('stats', by);
      assert.match(
        stderr,
        /^willis: no node runs, and there is no store in \S+\/none \(node\.data of c\.yaml\); cache\.disk of c\.yaml is null: nothing is stored on disk\n$/,
      );
      assert.equal(code, 1);
      assert.match((await ran('verify', { directory: '.' })).stderr, /^willis: there is no store in \S+\n$/);
      assert.deepEqual(readdirSync(directory.path).sort(), ['c.yaml', 'data']);
    });

    it('leave alone what belongs to another user, who could not read it afterwards', async () => {
      await store('/a');
      const by = await stopped();
      const self = process.getuid?.() ?? 0;
      const getuid = process.getuid;
      process.getuid = () => self + 1;
      try {
        const { code, stderr } = await ran('verify', by);
        assert.match(stderr, /^willis: the store in \S+ belongs to the user \d+: run this as that user, not as \d+\n$/);
        assert.equal(code, 2);
      } finally {
        if (getuid !== undefined) process.getuid = getuid;
      }
    });

    it('do not take a directory and a node', async () => {
      assert.match(
        (await ran('stats', { ...there(), directory: 'data' })).stderr,
        /--directory and --admin cannot go together/,
      );
    });

    it('end with 2 for a configuration that cannot stand', async () => {
      await directory.write('c.yaml', 'lisen: {}\n');
      for (const command of ['stats', 'verify', 'rebuild', 'compact'] as const) {
        assert.equal((await ran(command, { config: 'c.yaml' })).code, 2);
      }
    });
  });

  describe('as programs', () => {
    const program = [
      ...['--import', createRequire(import.meta.url).resolve('tsx')],
      fileURLToPath(new URL('../../proxy/main.ts', import.meta.url)),
    ];

    interface Ended {
      readonly code: number | null;
      readonly stdout: string;
      readonly stderr: string;
    }

    function willis(...words: string[]): { child: ChildProcess; ended: Promise<Ended> } {
      let child: ChildProcess | undefined;
      const ended = new Promise<Ended>((resolve) => {
        child = execFile(
          process.execPath,
          [...program, 'store', ...words],
          { cwd: directory.path },
          (_, stdout, stderr) => resolve({ code: child?.exitCode ?? null, stdout, stderr }),
        );
      });
      assert.ok(child !== undefined, 'it was started');
      return { child, ended };
    }

    it('end cleanly by Ctrl-C, on the side of the node as well, and then may be asked for again', async () => {
      await store('/a');
      const { child, ended } = willis('verify', '--admin', there().admin, '--rate', '64KiB');
      await until(async () => (await report())?.work === 'verify');
      child.kill('SIGINT');
      const { code, stderr } = await ended;
      assert.match(stderr, /^(verify: .*\n)*willis: ended before all was read: 0 responses, 0 damaged\n$/);
      assert.equal(code, 2);
      await until(async () => (await report())?.work === null);
      const again = await willis('verify', '--admin', there().admin, '--json', '--rate', '600kB').ended;
      assert.match(again.stderr, /^verify: \d+ %, /);
      assert.deepEqual([again.code, (JSON.parse(again.stdout) as { responses: number }).responses], [0, 1]);
    });

    it('end cleanly by Ctrl-C where no node runs, and leave the store in order', async () => {
      await store('/a');
      const by = await stopped();
      const { child, ended } = willis('verify', '-c', by.config, '--rate', '64KiB');
      await new Promise<void>((resolve) => child.stderr?.once('data', () => resolve()));
      child.kill('SIGINT');
      const { code, stdout } = await ended;
      assert.match(stdout, /Ended before all was read\.\n$/);
      assert.equal(code, 2);
      const { stderr } = await willis('stats', '-c', by.config).ended;
      assert.equal(stderr, '');
    });
  });
});
