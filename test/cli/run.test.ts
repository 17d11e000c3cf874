import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { createServer } from 'node:net';
import { systemClock } from '../../proxy/base/clock.js';
import { createLogger } from '../../proxy/base/logger.js';
import { run, type RunOptions } from '../../proxy/cli/run.js';
import { NodeMetrics } from '../../proxy/roles/node-metrics.js';
import { RefusedConfiguration } from '../../proxy/roles/refused-configuration.js';
import { gate } from '../support/gate.js';
import { TempDir } from '../support/temp-dir.js';
import { Terminal } from './terminal.js';

type Node = ReturnType<RunOptions['build']>;

/** The events of a process that does not end when it is told to. */
class Process extends EventEmitter {
  readonly exits: number[] = [];

  exit(code: number): void {
    this.exits.push(code);
  }

  get subscriptions(): number {
    return this.eventNames().reduce((sum, name) => sum + this.listenerCount(name), 0);
  }
}

describe('willis run', () => {
  let directory: TempDir;
  let terminal: Terminal;
  let process: Process;
  let log: string[];
  let calls: string[];
  beforeEach(async () => {
    directory = await TempDir.create();
    terminal = new Terminal(directory.path);
    process = new Process();
    log = [];
    calls = [];
  });
  afterEach(() => directory.remove());

  const node = (overrides: Partial<Node>): Node => ({
    start: () => {
      calls.push('start');
      return Promise.resolve();
    },
    stop: () => {
      calls.push('stop');
      return Promise.resolve();
    },
    reload: () => {
      calls.push('reload');
      return Promise.resolve({ changes: [] });
    },
    reopenLogs: () => {
      calls.push('reopen');
      return Promise.resolve();
    },
    noteUnreadable: () => void calls.push('unreadable'),
    metrics: new NodeMetrics({ clock: systemClock, logger: createLogger({ level: 'silent' }), program: undefined }),
    listening: [
      { name: 'proxy', url: 'http://127.0.0.1:3128/' },
      { name: 'admin', url: 'http://[::]:3180/' },
    ],
    ...overrides,
  });

  const start = (overrides: Partial<Node> = {}, file?: string): Promise<number> =>
    run({
      file,
      version: '1.2.3',
      console: terminal,
      events: process,
      build: () => node(overrides),
      logger: createLogger({ level: 'debug', readable: true, write: (line) => log.push(line.slice(13)) }),
    });

  /** Starts a node and waits until it has printed what it listens on. */
  const begin = async (overrides: Partial<Node> = {}): Promise<{ ended: Promise<number> }> => {
    const greeted = gate();
    const out = terminal.out.bind(terminal);
    terminal.out = (text) => {
      out(text);
      greeted.open();
    };
    const ended = start(overrides);
    await Promise.race([greeted.promise, ended]);
    return { ended };
  };

  it('prints what listens where and what to try', async () => {
    const { ended } = await begin();
    process.emit('SIGTERM');
    await ended;
    assert.match(terminal.stdout, /^Willis 1\.2\.3, node cache-1\n/);
    assert.match(terminal.stdout, /forward proxy +http:\/\/127\.0\.0\.1:3128\/\n/);
    assert.match(terminal.stdout, /public \(reverse\) side +not open\n/);
    assert.match(terminal.stdout, /operator side +http:\/\/\[::\]:3180\/\n/);
    assert.match(terminal.stdout, /curl -x http:\/\/127\.0\.0\.1:3128 /);
    assert.match(terminal.stdout, /curl http:\/\/127\.0\.0\.1:3180\/healthz\n/);
  });

  for (const signal of ['SIGTERM', 'SIGINT']) {
    it(`${signal} stops the node and ends with 0 once it has stopped`, async () => {
      const stopped = gate();
      const { ended } = await begin({
        stop: () => {
          calls.push('stop');
          return stopped.promise;
        },
      });
      process.emit(signal);
      await Promise.resolve();
      stopped.open();
      assert.equal(await ended, 0);
      assert.deepEqual(calls, ['start', 'stop']);
      assert.deepEqual(process.exits, []);
      assert.equal(process.subscriptions, 0);
    });
  }

  it('a second signal ends the process at once', async () => {
    const stopped = gate();
    const { ended } = await begin({ stop: () => stopped.promise });
    process.emit('SIGTERM');
    process.emit('SIGINT');
    assert.deepEqual(process.exits, [1]);
    stopped.open();
    await ended;
  });

  it('a signal while the node starts stops it once it has started', async () => {
    const ready = gate();
    const ended = start({ start: () => ready.promise });
    process.emit('SIGTERM');
    ready.open();
    assert.equal(await ended, 0);
    assert.deepEqual(calls, ['stop']);
  });

  it('SIGHUP reads the configuration again; the node goes on if it is refused', async () => {
    const reloaded = gate();
    const refusals = [[], [{ key: 'limits.headers', expected: 'less', got: 'more' }]];
    await directory.write('proxy.config.yaml', 'limits:\n  headers: 100\n');
    const { ended } = await begin({
      reload: (config) => {
        calls.push(`headers ${config.limits.headers}`);
        const problems = refusals.shift() ?? [];
        if (refusals.length === 0) setImmediate(() => reloaded.open());
        if (problems.length > 0) return Promise.reject(new RefusedConfiguration(problems));
        return Promise.resolve({ changes: [{ key: 'limits.headers', from: 200, to: 100 }] });
      },
    });
    process.emit('SIGHUP');
    process.emit('SIGHUP');
    await reloaded.promise;
    process.emit('SIGTERM');
    assert.equal(await ended, 0);
    assert.deepEqual(calls, ['start', 'headers 100', 'headers 100', 'stop']);
    assert.match(
      log.join(''),
      /info {2}configuration reloaded changed=limits.headers config=proxy.config.yaml trigger=signal\n/,
    );
    assert.match(
      log.join(''),
      /error configuration not reloaded; the old one stays in force .*\n {4}proxy.config.yaml:2:12 limits.headers: expected less, got more.\n/,
    );
  });

  it('SIGUSR2 opens the log files anew', async () => {
    const { ended } = await begin();
    process.emit('SIGUSR2');
    process.emit('SIGTERM');
    await ended;
    assert.deepEqual(calls, ['start', 'reopen', 'stop']);
  });

  it('what nobody caught is logged and ends the process with 1', async () => {
    const { ended } = await begin();
    process.emit('uncaughtException', new Error('boom'));
    process.emit('unhandledRejection', new Error('bang'));
    assert.deepEqual(process.exits, [1, 1]);
    assert.match(
      log.join(''),
      /error uncaughtException code=crashed\n {4}Error: boom\n[^]*error unhandledRejection code=crashed\n {4}Error: bang/,
    );
    process.emit('SIGTERM');
    await ended;
  });

  it('a node that fails to stop ends with 1', async () => {
    const { ended } = await begin({ stop: () => Promise.reject(new Error('stuck')) });
    process.emit('SIGTERM');
    assert.equal(await ended, 1);
  });

  it('a configuration that cannot stand ends with 2, and no node is built', async () => {
    await directory.write('proxy.config.yaml', 'x: 1');
    assert.equal(await start(), 2);
    assert.deepEqual(calls, []);
    assert.match(terminal.stderr, /^proxy\.config\.yaml:1:1 x: /);
  });

  it('a missing certificate ends with 2; a log file that cannot be written does not keep it from starting', async () => {
    await directory.write('proxy.config.yaml', 'upstream: {ca: [none.pem]}\nlog: {access: {path: none/x}}');
    assert.equal(await start(), 2);
    assert.match(terminal.stderr, /^proxy\.config\.yaml:1:17 upstream\.ca\[0\]: expected a readable file, [^\n]*\n$/);
  });

  it('a port that is taken ends with 1 and one line that names key, address, file and remedy', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    await directory.write('proxy.config.yaml', `listen: {site: 127.0.0.1:${port}}`);
    const listen = (): Promise<void> =>
      new Promise((resolve, reject) => {
        createServer().once('error', reject).listen(port, '127.0.0.1', resolve);
      });
    try {
      assert.equal(await start({ start: listen }), 1);
    } finally {
      taken.close();
    }
    const expected = `listen.site: 127.0.0.1:${port} is already in use. Stop the program that listens there, or change listen.site in proxy.config.yaml.\n`;
    assert.equal(terminal.stderr, expected);
    assert.deepEqual(calls, ['stop']);
    assert.equal(process.subscriptions, 0);
  });

  const failures: [string, RegExp][] = [
    ['EACCES', /^listen\.admin: 127\.0\.0\.1:3180 may not be opened by this user\. .*CAP_NET_BIND_SERVICE/],
    ['EADDRNOTAVAIL', /^listen\.admin: 127\.0\.0\.1:3180 is not an address of this machine\. /],
    ['EAFNOSUPPORT', /^listen\.admin: 127\.0\.0\.1:3180 is of a kind that this machine does not have\. /],
    ['EOTHER', /^willis: could not start: admin: EOTHER\n$/],
  ];
  for (const [code, expected] of failures) {
    it(`${code} of a listener is told in words`, async () => {
      const error = Object.assign(new Error(`admin: ${code}`), { code });
      assert.equal(await start({ start: () => Promise.reject(error) }), 1);
      assert.match(terminal.stderr, expected);
    });
  }
});
