import type { NamespaceReport } from '../../replication/namespace-report.js';
import type { NamespaceView } from '../../proxy/admin/namespace-view.js';
import type { FakeClock } from './fake-clock.js';
import { NodeFront } from './node-front.js';
import { RawClient, type RawResponse } from './raw-client.js';
import { TempDir } from './temp-dir.js';
import { until } from './waiting.js';
import { startProcess, type WillisProcess } from './willis-process.js';
import { startWillis, type LoggedEvent, type Sections, type Willis } from './willis.js';

export interface SiteNodeOptions {
  readonly name: string;
  /** In its sections, besides what every node has. */
  readonly config: Sections;
  readonly clock: FakeClock;
  /** Whether it runs as a process of its own, so that it can be killed. */
  readonly isProcess: boolean;
  /** Where others find it, on this machine; 127.0.0.1 if it is not said. */
  readonly address?: string;
}

/**
 * A node of a group: in this process, or in one of its own. Others reach it by its front, wherever it listens now; what it
 * stores outlasts it till `close`.
 */
export class SiteNode {
  readonly #clients: RawClient[] = [];
  #running: Willis | WillisProcess | null = null;

  private constructor(
    readonly options: SiteNodeOptions,
    readonly front: NodeFront,
    readonly data: TempDir,
  ) {}

  /** Nothing runs yet. */
  static async make(options: SiteNodeOptions): Promise<SiteNode> {
    return new SiteNode(options, await NodeFront.open(options.address), await TempDir.create());
  }

  /** What it has logged since its last start. */
  get events(): readonly LoggedEvent[] {
    return this.running.events;
  }

  get running(): Willis | WillisProcess {
    if (this.#running === null) throw new Error(`${this.options.name} does not run`);
    return this.#running;
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** The process, for signals. */
  get process(): WillisProcess {
    const { running } = this;
    if (!('signal' in running)) throw new Error(`${this.options.name} has no process of its own`);
    return running;
  }

  /** @param changes sections in which it differs from now on from what it was made with */
  async start(changes: Sections = {}): Promise<void> {
    const { name, config, clock, isProcess } = this.options;
    const sections: Sections = {
      node: { name, data: this.data.path, url: this.front.url },
      listen: { proxy: '127.0.0.1:0', site: '127.0.0.1:0', admin: '127.0.0.1:0' },
      access: { destinations: { allow: ['127.0.0.1'] } },
      limits: { drainTimeout: '1s' },
      sites: [],
      log: { level: 'debug', access: { format: 'off' } },
      ...config,
      ...changes,
    };
    this.#running = isProcess ? await startProcess(sections) : await startWillis({ config: sections, clock });
    this.front.leadTo(this.#running.port('site'));
  }

  /** Ends it in order. Idempotent. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#leave();
    await running?.stop();
  }

  /** Ends its process without a warning. */
  async kill(): Promise<void> {
    const { process } = this;
    this.#leave();
    await process.kill();
    await process.stop();
  }

  /** Ends it, and with it what it stored. Idempotent. */
  async close(): Promise<void> {
    await this.stop();
    await this.front.close();
    await this.data.remove();
  }

  /** One request on a connection of its own, past the front, and its answer. */
  async ask(request: VisitorRequest): Promise<RawResponse> {
    const client = await this.connect(request.side);
    const response = await send(client, request);
    client.close();
    return response;
  }

  /** Closed at the latest with the node. */
  async connect(side: VisitorRequest['side'] = 'site'): Promise<RawClient> {
    const client = await RawClient.connect(this.running.port(side));
    this.#clients.push(client);
    return client;
  }

  /** How its namespace fares. */
  async report(): Promise<NamespaceReport> {
    const [report] = await this.#told<NamespaceReport[]>('/api/namespaces');
    if (report === undefined) throw new Error(`${this.options.name} has no namespace`);
    return report;
  }

  async status(namespace: string): Promise<NamespaceView> {
    return this.#told(`/api/namespaces/status?namespace=${encodeURIComponent(namespace)}`);
  }

  /** Waits for an event of its log. */
  async logged(code: string): Promise<LoggedEvent> {
    const find = (): LoggedEvent | undefined => this.events.find((event) => event['code'] === code);
    await until(() => find() !== undefined);
    return find() as LoggedEvent;
  }

  async #told<T>(path: string): Promise<T> {
    const { body, status } = await this.ask({ method: 'GET', target: path, host: 'localhost', side: 'admin' });
    if (status !== 200) throw new Error(`${path}: ${status} ${body.toString()}`);
    return JSON.parse(body.toString()) as T;
  }

  #leave(): void {
    for (const client of this.#clients.splice(0)) client.close();
    this.front.leadTo(null);
    this.front.breakAll();
    this.#running = null;
  }
}

export interface VisitorRequest {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly side: 'site' | 'proxy' | 'admin';
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends it on a connection, and receives its answer. */
export async function send(
  client: RawClient,
  { method, target, host, fields, body = '' }: Omit<VisitorRequest, 'side'>,
): Promise<RawResponse> {
  const framing: Record<string, string> = body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  client.request(method, target, { Host: host, ...framing, ...fields }, body);
  return client.receive(method);
}
