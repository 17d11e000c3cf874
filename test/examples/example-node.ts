import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { loadConfig } from '../../config/load.js';
import { systemClock } from '../../proxy/base/clock.js';
import { createLogger } from '../../proxy/base/logger.js';
import { buildNode } from '../../proxy/roles/build-node.js';
import { TempDir } from '../support/temp-dir.js';
import { RawClient, type RawResponse } from '../support/raw-client.js';

/** What is written in an example, where the tests put something else than the example has. */
export interface ExampleSections {
  access?: { clients?: string[]; connectPorts?: number[]; destinations?: { allow: string[] } };
  listen: Record<'proxy' | 'site' | 'admin', string | { address: string; tls: unknown } | null>;
  node?: { url?: string };
  primary?: { namespaces: { url: string; directory: string; replicas: { tokenFile: string } }[] };
  replicated?: { namespaces: { url: string; from: string; tokenFile: string }[] };
  sites?: { origin: string }[];
  wlis?: { names?: Record<string, string> };
  upstream?: { ca?: string[]; proxy?: { url: string }; noProxy?: string[] };
}

type Side = keyof ExampleSections['listen'];

/** A node of an example configuration, on free ports of loopback. */
export interface ExampleNode {
  /** @throws Error if the example leaves that side closed */
  port(side: Side): number;
  connect(side: Side): Promise<RawClient>;
  /** One request on a connection of its own, and its answer. */
  ask(
    side: Side,
    method: string,
    target: string,
    fields?: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<RawResponse>;
  stop(): Promise<void>;
}

const folder = new URL('../../examples/', import.meta.url);

/**
 * Starts the example as it is shipped, but for ports, for its log, for where its data are, and for what `replace` changes:
 * addresses of others. Files that it names are looked for where `directory` is.
 * @param data a directory that outlives the node; otherwise it has one of its own
 */
export async function startExample(
  name: string,
  replace: (sections: ExampleSections) => void = () => undefined,
  { directory = fileURLToPath(folder), data }: { readonly directory?: string; readonly data?: string } = {},
): Promise<ExampleNode> {
  const sections = parse(readFileSync(new URL(name, folder), 'utf8')) as ExampleSections;
  for (const side of ['proxy', 'site', 'admin'] as const) {
    const listener = sections.listen[side];
    if (listener !== null) sections.listen[side] = isPlain(listener) ? free : { ...listener, address: free };
  }
  replace(sections);
  const own = data === undefined ? await TempDir.create() : null;
  const text = JSON.stringify({
    ...sections,
    node: { ...sections.node, name: 'willis', data: data ?? own?.path },
    log: { access: { format: 'off' } },
  });
  const config = loadConfig(text, `${directory}/${name}`, {}, { hostName: 'example' });
  const logger = createLogger({ level: 'silent', write: () => undefined });
  const node = buildNode(config, { logger, clock: systemClock });
  await node.start();
  return new Running(node, own);
}

const free = '127.0.0.1:0';

const isPlain = (listener: NonNullable<ExampleSections['listen']['site']>): listener is string =>
  typeof listener === 'string';

class Running implements ExampleNode {
  readonly #clients: RawClient[] = [];

  constructor(
    private readonly node: ReturnType<typeof buildNode>,
    private readonly own: TempDir | null,
  ) {}

  port(side: Side): number {
    const url = this.node.listening.find(({ name }) => name === side)?.url;
    if (url === undefined) throw new Error(`the example does not open ${side}`);
    return Number(new URL(url).port);
  }

  async connect(side: Side): Promise<RawClient> {
    const client = await RawClient.connect(this.port(side));
    this.#clients.push(client);
    return client;
  }

  async ask(
    side: Side,
    method: string,
    target: string,
    fields: Readonly<Record<string, string>> = {},
    body = '',
  ): Promise<RawResponse> {
    const client = await this.connect(side);
    const host = /^http:\/\/([^/]+)/.exec(target)?.[1] ?? `127.0.0.1:${this.port(side)}`;
    const framing: Record<string, string> = body === '' ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    client.request(method, target, { Host: host, ...framing, ...fields }, body);
    const response = await client.receive(method);
    client.close();
    return response;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.node.stop();
    await this.own?.remove();
  }
}
