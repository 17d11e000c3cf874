import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../config/load.js';
import { createLogger } from '../../proxy/base/logger.js';
import { buildNode } from '../../proxy/roles/build-node.js';
import type { ListenerName } from '../../proxy/roles/listeners.js';
import type { Node } from '../../proxy/roles/running-node.js';
import { FakeClock } from '../support/fake-clock.js';
import type { LogLine } from '../support/kept-books.js';
import { RawClient, type RawClientOptions, type RawResponse } from '../support/raw-client.js';
import { TempDir } from '../support/temp-dir.js';

type Fields = Readonly<Record<string, string>>;

const running = new Set<RunningNode>();

/** For `afterEach`. */
export async function stopNodes(): Promise<void> {
  for (const one of running) await one.stop();
}

/** Starts a node in this process, all listeners on free ports, with an access log to be read. */
export async function startNode(config: Readonly<Record<string, unknown>> = {}): Promise<RunningNode> {
  const dir = await TempDir.create();
  const logPath = join(dir.path, 'access.log');
  const whole = {
    node: { name: 'willis' },
    listen: { proxy: '127.0.0.1:0', site: '127.0.0.1:0', admin: '127.0.0.1:0' },
    limits: { drainTimeout: '1s' },
    log: { level: 'silent', access: { format: 'json', path: logPath } },
    ...config,
  };
  const logger = createLogger({ level: 'silent', write: () => undefined });
  const node = buildNode(loadConfig(JSON.stringify(whole), 'test.yaml', {}), { logger, clock: new FakeClock() });
  const started = new RunningNode(node, dir, logPath);
  running.add(started);
  await node.start();
  return started;
}

export class RunningNode {
  readonly #clients: RawClient[] = [];
  readonly #dir: TempDir;
  readonly #logPath: string;

  constructor(
    readonly node: Node,
    dir: TempDir,
    logPath: string,
  ) {
    this.#dir = dir;
    this.#logPath = logPath;
  }

  url(side: ListenerName): URL {
    return new URL(this.node.listening.find(({ name }) => name === side)?.url ?? 'http://not-listening.invalid');
  }

  port(side: ListenerName): number {
    return Number(this.url(side).port);
  }

  /** A connection, closed at the latest with the node. */
  async connect(side: ListenerName, options: RawClientOptions = {}): Promise<RawClient> {
    const client = await RawClient.connect(this.port(side), options);
    this.#clients.push(client);
    return client;
  }

  /** One request on a connection of its own, and its answer. */
  async ask(side: ListenerName, method: string, target: string, fields: Fields = {}): Promise<RawResponse> {
    const client = await this.connect(side);
    client.request(method, target, { Host: 'site.test', ...fields });
    const response = await client.receive(method);
    client.close();
    return response;
  }

  /** Stops the node, its clients gone, and gives what it has written to its access log. */
  async finalLog(): Promise<LogLine[]> {
    for (const client of this.#clients) client.close();
    await this.node.stop();
    const text = await readFile(this.#logPath, 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    running.delete(this);
    for (const client of this.#clients) client.close();
    await this.node.stop();
    await this.#dir.remove();
  }
}
