import { formatListenAddress, type ListenAddress } from '../../config/network-name.js';
import type { Milliseconds } from '../../config/units.js';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { listenerCounters, type ListenerCounters } from '../http/listener-counters.js';
import { HttpServer, type ServerSettings } from '../http/server.js';
import { RefusedConfiguration, type KeyProblem } from './refused-configuration.js';

export type ListenerName = 'proxy' | 'site' | 'admin';

/** A listener as it is to be. */
export interface WantedListener {
  readonly name: ListenerName;
  readonly address: ListenAddress;
  readonly settings: ServerSettings;
}

/** Where a listener can be reached. */
export interface Listening {
  readonly name: ListenerName;
  readonly url: string;
}

/** Listeners that are open, but not yet in use: exactly one of the two is to be called. */
export interface PreparedListeners {
  /** Puts them in use, and retires those that are no longer wanted. */
  commit(): void;
  /** Leaves everything as it was. */
  abandon(): Promise<void>;
}

interface Parts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly countersOf: (name: ListenerName) => ListenerCounters;
}

interface Open {
  readonly server: HttpServer;
  /** As bound. */
  readonly host: string;
  readonly port: number;
  readonly wanted: WantedListener;
}

/**
 * The listeners of a node. One that keeps its address keeps its socket, whatever else about it changes; the connections of
 * one that goes may end in their own time.
 */
export class Listeners {
  readonly #parts: Parts;
  /** Since the start, whichever servers did the counting. */
  readonly #counters = new Map<ListenerName, ListenerCounters>();
  #open = new Map<string, Open>();
  /** Servers of addresses that are no longer wanted, until their last connection ends. */
  readonly #retired = new Map<HttpServer, ListenerName>();

  constructor({ clock, logger }: Omit<Parts, 'countersOf'>) {
    this.#parts = { clock, logger, countersOf: (name) => this.#countersOf(name) };
  }

  get listening(): Listening[] {
    return [...this.#open.values()].map(({ host, port, wanted: { name, settings } }) => {
      const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
      return { name, url: `${settings.tls === null ? 'http' : 'https'}://${authority}/` };
    });
  }

  /** Open connections, tunnels included. */
  get connections(): number {
    let count = 0;
    for (const { server } of this.#open.values()) count += server.connections;
    for (const server of this.#retired.keys()) count += server.connections;
    return count;
  }

  /** What was counted since the start, and the connections that are open now. */
  *views(): Iterable<[ListenerName, { readonly connections: number; readonly counters: ListenerCounters }]> {
    const named = [...this.#open.values()].map(({ server, wanted }) => [server, wanted.name] as const);
    const servers = [...named, ...this.#retired];
    for (const [name, counters] of this.#counters) {
      const own = servers.filter(([, of]) => of === name);
      yield [name, { connections: own.reduce((sum, [{ connections }]) => sum + connections, 0), counters }];
    }
  }

  /** Opens what is not open yet. @throws RefusedConfiguration that names the key; then nothing has changed */
  async prepare(wanted: readonly WantedListener[]): Promise<PreparedListeners> {
    const opening = new Opening(this.#open, wanted, this.#parts);
    try {
      await opening.run();
    } catch (error) {
      await opening.abandon();
      throw error;
    }
    return { commit: () => this.#commit(opening.result), abandon: () => opening.abandon() };
  }

  /** Closes all, and what is left of earlier ones. */
  async close(drainTimeout: Milliseconds): Promise<void> {
    const servers = [...[...this.#open.values()].map(({ server }) => server), ...this.#retired.keys()];
    await Promise.all(servers.map((server) => server.close(drainTimeout)));
    this.#open.clear();
  }

  #commit(result: ReadonlyMap<string, Open>): void {
    const before = this.#open;
    this.#open = new Map(result);
    for (const { server, wanted } of result.values()) server.configure(wanted.settings);
    const kept = new Set([...result.values()].map(({ server }) => server));
    for (const { server, wanted } of before.values()) if (!kept.has(server)) this.#retire(server, wanted.name);
  }

  #countersOf(name: ListenerName): ListenerCounters {
    const counters = this.#counters.get(name) ?? listenerCounters();
    this.#counters.set(name, counters);
    return counters;
  }

  #retire(server: HttpServer, name: ListenerName): void {
    this.#retired.set(server, name);
    void server.retire().then(() => this.#retired.delete(server));
  }
}

/** The way from the listeners that are open to those that are wanted. */
class Opening {
  /** In the order in which they are wanted. */
  readonly result = new Map<string, Open>();
  readonly #before: ReadonlyMap<string, Open>;
  readonly #parts: Parts;
  readonly #wanted: ReadonlyMap<string, WantedListener>;
  readonly #opened: HttpServer[] = [];
  /** Those that gave their port to one with another address of it. */
  readonly #released: Open[] = [];

  constructor(before: ReadonlyMap<string, Open>, wanted: readonly WantedListener[], parts: Parts) {
    this.#before = before;
    this.#wanted = new Map(wanted.map((one) => [keyOf(one), one]));
    this.#parts = parts;
  }

  /** @throws RefusedConfiguration */
  async run(): Promise<void> {
    for (const [key, wanted] of this.#wanted) {
      const present = this.#before.get(key);
      this.result.set(key, present === undefined ? await this.#openNew(wanted) : { ...present, wanted });
    }
  }

  async abandon(): Promise<void> {
    await Promise.all(this.#opened.map((server) => server.retire()));
    for (const { server, wanted } of this.#released) {
      await server.listen().catch((error: unknown) => {
        this.#parts.logger.error(
          { code: 'listener-lost', error, listener: wanted.name },
          'the old address could not be opened again',
        );
      });
    }
  }

  async #openNew(wanted: WantedListener): Promise<Open> {
    const { clock, logger, countersOf } = this.#parts;
    const server = new HttpServer({ clock, logger, address: wanted.address, counters: countersOf(wanted.name) });
    try {
      const bound = await server.listen().catch((error: unknown) => this.#listenInstead(server, wanted, error));
      this.#opened.push(server);
      return { server, wanted, ...bound };
    } catch (error) {
      throw new RefusedConfiguration([unopened(wanted, error)], { cause: error });
    }
  }

  /** Listeners that are to go have the port: they leave it to the new one. */
  async #listenInstead(server: HttpServer, wanted: WantedListener, error: unknown): ReturnType<HttpServer['listen']> {
    const going = [...this.#before].filter(([key, { port }]) => port === wanted.address.port && !this.#wanted.has(key));
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || going.length === 0) throw error;
    for (const [, open] of going) {
      open.server.release();
      this.#released.push(open);
    }
    return server.listen();
  }
}

/** What makes two listeners the same one. A port that the system chooses is as good as any other. */
const keyOf = ({ name, address }: WantedListener): string =>
  address.port === 0 ? `${name} ${formatListenAddress(address)}` : formatListenAddress(address);

function unopened({ name, address }: WantedListener, error: unknown): KeyProblem {
  const reason = error instanceof Error ? error.message : String(error);
  const expected = 'an address that can be opened';
  return { key: `listen.${name}`, expected, got: `${formatListenAddress(address)} (${reason})` };
}
