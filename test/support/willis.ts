import { loadConfig } from '../../config/load.js';
import { createLogger } from '../../proxy/base/logger.js';
import { buildNode, type Node } from '../../proxy/roles/build-node.js';
import { FakeClock } from './fake-clock.js';
import { answer } from './origin-scripts.js';
import { RawClient, type RawResponse } from './raw-client.js';
import { startOrigin, type OriginHandler, type ScriptedOrigin } from './scripted-origin.js';

export interface WillisOptions {
  /** Sections of the configuration that differ from what a scenario has by default. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly clock?: FakeClock;
  readonly origin?: ScriptedOrigin;
}

/** Starts a node in this process, with an origin server behind its reverse side; both stop with `stop`. */
export async function startWillis(options: WillisOptions = {}): Promise<Willis> {
  const clock = options.clock ?? new FakeClock();
  const origin = options.origin ?? (await startOrigin(answer(404, {}, 'not in the script'), { clock }));
  const config = {
    node: { name: 'willis' },
    listen: { proxy: '127.0.0.1:0', site: '127.0.0.1:0', admin: null },
    access: { destinations: { allow: ['127.0.0.1'] } },
    limits: { drainTimeout: '1s' },
    sites: [{ host: '*', origin: origin.url('/') }],
    log: { level: 'silent', access: { format: 'off' } },
    ...options.config,
  };
  const logger = createLogger({ level: 'silent', write: () => undefined });
  const node = buildNode(loadConfig(JSON.stringify(config), 'scenario.yaml', {}), { logger, clock });
  await node.start();
  return new Willis(node, origin, clock);
}

/** A running node, its origin server and its clock. */
export class Willis {
  readonly sitePort: number;
  readonly proxyPort: number;
  readonly #clients: RawClient[] = [];

  constructor(
    private readonly node: Node,
    readonly origin: ScriptedOrigin,
    readonly clock: FakeClock,
  ) {
    const port = (side: string): number =>
      Number(new URL(node.listening.find(({ name }) => name === side)?.url ?? 'http://none').port);
    this.sitePort = port('site');
    this.proxyPort = port('proxy');
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
  }
}

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
