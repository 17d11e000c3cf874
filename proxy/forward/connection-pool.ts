import { originOf, type TargetUri } from '../http/target-uri.js';
import type { OriginConnection } from './origin-connection.js';

export interface PoolOptions {
  /** Most connections to one origin server at a time. */
  readonly connections: number;
  /** Most idle connections to all of them together. */
  readonly idleConnections: number;
  readonly open: (target: TargetUri, signal: AbortSignal) => Promise<OriginConnection>;
}

/** Connections to origin servers: idle ones are used again, the last used first; requests wait in order for a turn. */
export class ConnectionPool {
  readonly #options: PoolOptions;
  readonly #origins = new Map<string, OriginConnections>();
  /** In order of last use. */
  readonly #idle = new Map<OriginConnection, OriginConnections>();
  #closed = false;
  #emptied: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * A connection for one exchange, after which it comes back by itself. `fresh` asks for a new one.
   * @throws what `open` throws, or the signal's reason
   */
  async acquire(
    target: TargetUri,
    { signal, fresh }: { signal: AbortSignal; fresh: boolean },
  ): Promise<OriginConnection> {
    const key = originOf(target);
    let waited = false;
    for (;;) {
      const origin = this.#origins.get(key) ?? this.#add(key);
      if (signal.aborted) {
        if (!this.#next(origin)) this.#dropIfUnused(origin);
        throw signal.reason as Error;
      }
      const idle = this.#takeIdle(origin, fresh);
      if (idle !== null) return idle;
      if (origin.total < this.#options.connections) return await this.#open(origin, target, signal);
      await this.#turn(origin, signal, waited);
      waited = true;
    }
  }

  /**
   * Closes idle connections at once and the others when their exchange is over; resolves when none is left. Nothing may
   * be acquired any more. Idempotent.
   */
  close(): Promise<void> {
    this.#closed = true;
    for (const connection of [...this.#idle.keys()]) connection.close();
    if (this.#origins.size === 0) return Promise.resolve();
    return (this.#emptied ??= new Promise((resolve) => (this.#onEmpty = resolve)));
  }

  #release(connection: OriginConnection, origin: OriginConnections): void {
    if (this.#closed) {
      connection.close();
      return;
    }
    origin.idle.push(connection);
    this.#idle.set(connection, origin);
    this.#next(origin);
    if (this.#idle.size <= this.#options.idleConnections) return;
    const [oldest] = this.#idle.keys();
    oldest?.close();
  }

  #add(key: string): OriginConnections {
    const origin: OriginConnections = { key, total: 0, idle: [], waiting: [] };
    this.#origins.set(key, origin);
    return origin;
  }

  #takeIdle(origin: OriginConnections, fresh: boolean): OriginConnection | null {
    if (fresh) {
      // One that waits makes room for the new one.
      if (origin.total >= this.#options.connections) origin.idle[0]?.close();
      return null;
    }
    const connection = origin.idle.pop();
    if (connection === undefined) return null;
    this.#idle.delete(connection);
    return connection;
  }

  async #open(origin: OriginConnections, target: TargetUri, signal: AbortSignal): Promise<OriginConnection> {
    origin.total++;
    try {
      const connection = await this.#options.open(target, signal);
      connection.onIdle = () => this.#release(connection, origin);
      connection.onClosed = () => this.#forget(connection, origin);
      if (connection.closed) this.#forget(connection, origin);
      return connection;
    } catch (error) {
      this.#leave(origin);
      throw error;
    }
  }

  #forget(connection: OriginConnection, origin: OriginConnections): void {
    if (this.#idle.delete(connection)) origin.idle.splice(origin.idle.indexOf(connection), 1);
    this.#leave(origin);
  }

  #leave(origin: OriginConnections): void {
    origin.total--;
    // who is woken takes the place
    if (!this.#next(origin)) this.#dropIfUnused(origin);
  }

  #dropIfUnused(origin: OriginConnections): void {
    if (origin.total > 0 || origin.waiting.length > 0) return;
    this.#origins.delete(origin.key);
    if (this.#origins.size === 0) this.#onEmpty?.();
  }

  /** Wakes who waits longest. @returns whether anybody does */
  #next(origin: OriginConnections): boolean {
    const wake = origin.waiting.shift();
    wake?.();
    return wake !== undefined;
  }

  /** Waits for its turn; who has waited already stays in front. */
  async #turn(origin: OriginConnections, signal: AbortSignal, waited: boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        const at = origin.waiting.indexOf(wake);
        if (at >= 0) origin.waiting.splice(at, 1);
        resolve();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      if (waited) origin.waiting.unshift(wake);
      else origin.waiting.push(wake);
    });
  }
}

interface OriginConnections {
  readonly key: string;
  /** Open and opening ones. */
  total: number;
  readonly idle: OriginConnection[];
  readonly waiting: (() => void)[];
}
