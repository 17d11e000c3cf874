import type { Milliseconds } from '../../config/units.js';
import { originOf, type TargetUri } from '../http/target-uri.js';
import type { OriginConnection } from './origin-connection.js';
import { OriginPlaces } from './origin-places.js';
import type { ParentProxy } from './parent-proxy.js';

export interface PoolOptions {
  /** Most connections to one origin server at a time. */
  readonly connections: number;
  /** Most idle connections to all of them together. */
  readonly idleConnections: number;
  /** Most origin servers with open connections at a time; a parent proxy counts for one. */
  readonly origins: number;
  /** How long a request waits for one of them to be done with. */
  readonly placeTimeout: Milliseconds;
  /** Connects to the origin server, or to the relay if there is one. */
  readonly open: (target: TargetUri, relay: ParentProxy | null, signal: AbortSignal) => Promise<OriginConnection>;
}

/**
 * Connections to origin servers, and to a parent proxy that relays to many of them: idle ones are used again, the last used
 * first; requests wait in order for a turn.
 */
export class ConnectionPool {
  readonly #options: PoolOptions;
  readonly #places: OriginPlaces;
  readonly #origins = new Map<string, Origin>();
  /** The parent proxy, in its part of a relay. */
  readonly #relay: Peer = { key: 'relay', shared: true, total: 0, idle: [] };
  /** In order of last use. */
  readonly #idle = new Set<Kept>();
  #open = 0;
  #closed = false;
  #emptied: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    const { origins, placeTimeout: timeout } = options;
    this.#places = new OriginPlaces({ origins, timeout, makeRoom: () => this.#makeRoom() });
  }

  /** Connections that are open or being opened. */
  get open(): number {
    return this.#open;
  }

  get idle(): number {
    return this.#idle.size;
  }

  /** Requests that wait for a connection to their origin server, or for a place among the origin servers. */
  get waiting(): number {
    let waiting = this.#places.waiting;
    for (const origin of this.#origins.values()) waiting += origin.waiting.length;
    return waiting;
  }

  /** Origin servers with open connections; a parent proxy counts for one. */
  get origins(): number {
    return this.#places.size;
  }

  /**
   * A connection for one exchange, after which it comes back by itself: to the origin server, or to a parent proxy that
   * relays to it. `fresh` asks for a new one. @throws what `open` throws, too-busy, or the signal's reason
   */
  async acquire(target: TargetUri, { signal, fresh, relay }: AcquireOptions): Promise<OriginConnection> {
    const key = originOf(target);
    let waited = false;
    for (;;) {
      const origin = this.#origins.get(key) ?? this.#add(key, relay);
      if (signal.aborted) {
        this.#yield(origin);
        throw signal.reason as Error;
      }
      const idle = this.#takeIdle(origin, fresh);
      if (idle !== null) return idle;
      if (origin.busy < this.#options.connections) {
        if (this.#places.take(origin.peer.key)) return await this.#connect(origin, target, relay, signal);
        await this.#place(origin, signal);
      } else {
        await this.#turn(origin, signal, waited);
        waited = true;
      }
    }
  }

  /** As `acquire`, at once: a connection to the origin server that waits for its next exchange; null if there is none. */
  takeKept(target: TargetUri): OriginConnection | null {
    const origin = this.#origins.get(originOf(target));
    return origin === undefined ? null : this.#takeIdle(origin, false);
  }

  /**
   * Closes idle connections at once and the others when their exchange is over, those that are acquired later included;
   * resolves when none is left. Idempotent.
   */
  close(): Promise<void> {
    this.#closed = true;
    for (const kept of [...this.#idle]) kept.connection.close();
    if (this.#origins.size === 0) return Promise.resolve();
    return (this.#emptied ??= new Promise((resolve) => (this.#onEmpty = resolve)));
  }

  #add(key: string, relay: ParentProxy | null): Origin {
    const peer = relay === null ? { key, shared: false, total: 0, idle: [] } : this.#relay;
    const origin: Origin = { key, peer, busy: 0, waiting: [] };
    this.#origins.set(key, origin);
    return origin;
  }

  #takeIdle(origin: Origin, fresh: boolean): OriginConnection | null {
    const { idle } = origin.peer;
    if (origin.busy >= this.#options.connections) return null;
    if (fresh) {
      if (origin.busy + idle.length >= this.#options.connections) this.#replaceIdle(origin);
      return null;
    }
    const kept = idle.pop();
    if (kept === undefined) return null;
    this.#idle.delete(kept);
    kept.origin = origin;
    origin.busy++;
    return kept.connection;
  }

  /** Closes the connection that has been idle for the longest time, so that a new one takes its place. */
  #replaceIdle(origin: Origin): void {
    // meanwhile nothing of the origin server is given to others
    origin.busy++;
    origin.peer.idle[0]?.connection.close();
    origin.busy--;
  }

  async #connect(
    origin: Origin,
    target: TargetUri,
    relay: ParentProxy | null,
    signal: AbortSignal,
  ): Promise<OriginConnection> {
    origin.busy++;
    origin.peer.total++;
    this.#open++;
    try {
      const connection = await this.#options.open(target, relay, signal);
      const kept: Kept = { connection, origin };
      connection.onIdle = () => this.#release(kept);
      connection.onClosed = () => this.#forget(kept);
      if (connection.closed) this.#forget(kept);
      return connection;
    } catch (error) {
      origin.busy--;
      this.#gone(origin);
      throw error;
    }
  }

  #release(kept: Kept): void {
    const { connection, origin } = kept;
    if (this.#closed) {
      connection.close();
      return;
    }
    const { peer } = origin;
    origin.busy--;
    peer.idle.push(kept);
    this.#idle.add(kept);
    this.#yield(origin);
    if (this.#idle.size <= this.#options.idleConnections) return;
    const [oldest] = this.#idle;
    oldest?.connection.close();
  }

  #forget(kept: Kept): void {
    const { origin } = kept;
    const { idle } = origin.peer;
    if (this.#idle.delete(kept)) idle.splice(idle.indexOf(kept), 1);
    else origin.busy--;
    this.#gone(origin);
  }

  #gone(origin: Origin): void {
    origin.peer.total--;
    this.#open--;
    this.#yield(origin);
  }

  /** Lets others have what an origin server has no use for any more: first those who wait for it itself. */
  #yield(origin: Origin): void {
    if (this.#next(origin)) return;
    const { key, peer } = origin;
    const unused = origin.busy === 0 && (peer.shared || peer.total === 0);
    const current = unused && this.#origins.get(key) === origin;
    if (current) this.#origins.delete(key);
    if (peer.total === 0 && (current || peer.shared)) this.#places.free(peer.key);
    else if (this.#places.waiting > 0 && isIdle(peer)) closeAll(peer);
    if (current && this.#origins.size === 0) this.#onEmpty?.();
  }

  /** Closes the connections of the peer that has been idle for the longest time. @returns whether there was one */
  #makeRoom(): boolean {
    for (const { origin } of this.#idle) {
      if (!isIdle(origin.peer)) continue;
      closeAll(origin.peer);
      return true;
    }
    return false;
  }

  /** Waits for a place among the origin servers. */
  async #place(origin: Origin, signal: AbortSignal): Promise<void> {
    try {
      await this.#places.wait(origin.peer.key, signal);
    } catch (error) {
      this.#yield(origin);
      throw error;
    }
  }

  /** Wakes who waits longest. @returns whether anybody does */
  #next(origin: Origin): boolean {
    const wake = origin.waiting.shift();
    wake?.();
    return wake !== undefined;
  }

  /** Waits for its turn; who has waited already stays in front. */
  async #turn(origin: Origin, signal: AbortSignal, waited: boolean): Promise<void> {
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

export interface AcquireOptions {
  readonly signal: AbortSignal;
  readonly fresh: boolean;
  readonly relay: ParentProxy | null;
}

/** What is under way for one origin server. */
interface Origin {
  readonly key: string;
  readonly peer: Peer;
  /** Connections in use for it, or being opened. */
  busy: number;
  readonly waiting: (() => void)[];
}

/** Who is at the other end of connections: the origin server, or a parent proxy that relays to many. */
interface Peer {
  readonly key: string;
  readonly shared: boolean;
  /** Open and opening ones. */
  total: number;
  readonly idle: Kept[];
}

interface Kept {
  readonly connection: OriginConnection;
  /** For which it is used, or was last. */
  origin: Origin;
}

const isIdle = ({ idle, total }: Peer): boolean => idle.length > 0 && idle.length === total;

function closeAll({ idle }: Peer): void {
  for (const { connection } of [...idle]) connection.close();
}
