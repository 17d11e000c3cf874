import { loadConfig } from '../../config/load.js';
import type { Config } from '../../config/schema.js';
import { createLogger } from '../../proxy/base/logger.js';
import type { ReplicationControl } from '../../replication/replication-control.js';
import { buildNode } from '../../proxy/roles/build-node.js';
import type { ListenerName } from '../../proxy/roles/listeners.js';
import type { Reload } from '../../proxy/admin/operator-control.js';
import type { Node } from '../../proxy/roles/running-node.js';
import { FakeClock } from './fake-clock.js';
import { answer } from './origin-scripts.js';
import { RawClient, type RawResponse } from './raw-client.js';
import { TempDir } from './temp-dir.js';
import { startOrigin, type OriginHandler, type ScriptedOrigin } from './scripted-origin.js';

export interface WillisOptions {
  /** Keys that differ from what a scenario has by default, in their sections. */
  readonly config?: Sections;
  readonly clock?: FakeClock;
  readonly origin?: ScriptedOrigin;
  /** What its operator is told of replication, in place of what the configuration says. */
  readonly replication?: ReplicationControl;
  /** How its operator has the configuration read anew. */
  readonly reread?: () => Promise<Reload>;
}

/** Starts a node in this process, with an origin server behind its reverse side; both stop with `stop`. */
export async function startWillis(options: WillisOptions = {}): Promise<Willis> {
  const clock = options.clock ?? new FakeClock();
  const origin = options.origin ?? (await startOrigin(answer(404, {}, 'not in the script'), { clock }));
  const data = isOnDisk ? await TempDir.create() : null;
  const usual = {
    node: { name: 'willis', ...(data && { data: data.path }) },
    ...(data && { cache: { disk: '256MiB' } }),
    listen: { proxy: '127.0.0.1:0', site: '127.0.0.1:0', admin: null },
    access: { destinations: { allow: ['127.0.0.1'] } },
    limits: { drainTimeout: '1s' },
    sites: [{ host: '*', origin: origin.url('/') }],
    log: { level: 'silent', access: { format: 'off' } },
  };
  const config = merged(usual, options.config ?? {});
  const events: LoggedEvent[] = [];
  const write = (line: string): void => void events.push(JSON.parse(line) as LoggedEvent);
  try {
    const { replication, reread } = options;
    const logger = createLogger({ level: 'silent', write });
    const node = buildNode(loaded(config), {
      ...{ logger, clock },
      ...(replication && { replication }),
      ...(reread && { reread }),
    });
    await node.start();
    return new Willis({ node, origin, clock, config, events, data });
  } catch (error) {
    if (options.origin === undefined) await origin.close();
    await data?.remove();
    throw error;
  }
}

/** A configuration as an operator writes it, or a part of it. */
export type Sections = Readonly<Record<string, unknown>>;

/** An event of the log, as its JSON line has it. */
export type LoggedEvent = Readonly<Record<string, unknown>>;

interface Parts {
  readonly node: Node;
  readonly origin: ScriptedOrigin;
  readonly clock: FakeClock;
  readonly config: Sections;
  readonly events: readonly LoggedEvent[];
  /** Where it stores, if it does so on disk unasked. */
  readonly data: TempDir | null;
}

/** A running node, its origin server and its clock. */
export class Willis {
  readonly node: Node;
  readonly origin: ScriptedOrigin;
  readonly clock: FakeClock;
  /** What it has written to its event log, from `log.level` on. */
  readonly events: readonly LoggedEvent[];
  readonly #clients: RawClient[] = [];
  readonly #data: TempDir | null;
  #config: Sections;

  constructor({ node, origin, clock, config, events, data }: Parts) {
    this.#data = data;
    this.node = node;
    this.origin = origin;
    this.clock = clock;
    this.events = events;
    this.#config = config;
  }

  get sitePort(): number {
    return this.port('site');
  }

  get proxyPort(): number {
    return this.port('proxy');
  }

  /** By default nobody listens on the operator side; give it an address in `listen.admin`. */
  get adminPort(): number {
    return this.port('admin');
  }

  /** Where it listens now; 0 if it does not. */
  port(side: ListenerName): number {
    return Number(new URL(this.node.listening.find(({ name }) => name === side)?.url ?? 'http://none').port);
  }

  /** Changes keys of its configuration while it runs, the others as they were; fulfilled when the change is in force. */
  async reload(changes: Sections): Promise<Reload> {
    const config = merged(this.#config, changes);
    const reload = await this.node.reload(loaded(config));
    this.#config = config;
    return reload;
  }

  /** The origin server answers so from now on. */
  serve(handler: OriginHandler): void {
    this.origin.handle(handler);
  }

  /** A connection to the public side, closed at the latest with the node. */
  async connect(port: number = this.sitePort): Promise<RawClient> {
    const client = await RawClient.connect(port);
    this.#clients.push(client);
    return client;
  }

  get(path: string, fields: Readonly<Record<string, string>> = {}): Promise<RawResponse> {
    return this.ask('GET', path, fields);
  }

  /** One request on a connection of its own, and its answer. */
  async ask(
    method: string,
    path: string,
    fields: Readonly<Record<string, string>> = {},
    body = '',
  ): Promise<RawResponse> {
    const client = await this.begin(method, path, fields, body);
    const response = await client.receive(method);
    client.close();
    return response;
  }

  /** Sends a request on a connection of its own; the answer is to be received by whoever calls. */
  async begin(
    method: string,
    path: string,
    fields: Readonly<Record<string, string>> = {},
    body = '',
  ): Promise<RawClient> {
    const client = await this.connect();
    const framing: Record<string, string> = body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    client.request(method, path, { Host: 'site.test', ...framing, ...fields }, body);
    return client;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.origin.close();
    await this.node.stop();
    await this.#data?.remove();
  }
}

/** `STORE=disk` in the environment: whatever a scenario does not say otherwise is stored on disk, too. */
const isOnDisk = process.env['STORE'] === 'disk';

const loaded = (config: Sections): Config => loadConfig(JSON.stringify(config), 'scenario.yaml', {});

/** Maps are merged key by key; anything else takes the place of what was there. */
function merged(config: Sections, changes: Sections): Sections {
  const both = Object.entries(changes).map(([key, value]): [string, unknown] => {
    const before = config[key];
    return [key, isMap(before) && isMap(value) ? merged(before, value) : value];
  });
  return { ...config, ...Object.fromEntries(both) };
}

const isMap = (value: unknown): value is Sections =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What this node's member of `Cache-Status` says, parameters by name, flags as true; the last of several members. */
export function cacheStatusOf(response: Pick<RawResponse, 'get'>): Readonly<Record<string, string | true>> {
  const value = response.get('cache-status') ?? '';
  const said: Record<string, string | true> = {};
  for (const [, name = '', quoted, token] of value
    .slice(value.lastIndexOf('willis;'))
    .matchAll(/; ?([a-z-]+)(?:="((?:[^"\\]|\\.)*)"|=([^;,]*))?/g)) {
    said[name] = quoted ?? token ?? true;
  }
  return said;
}

/** `hit`, or the reason for which the request was forwarded (RFC 9211 §2.1, §2.2). */
export const outcomeOf = (response: Pick<RawResponse, 'get'>): string => {
  const { hit, fwd } = cacheStatusOf(response);
  return hit === true ? 'hit' : String(fwd);
};

/** Lets everything that is ready to run do so. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
