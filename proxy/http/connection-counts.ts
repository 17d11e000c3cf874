import { clientKey, type ClientPrefix } from './client-prefix.js';

/** A client's part in the counts: one connection, from `enter` to `leave`. */
export interface CountedConnection {
  readonly address: string;
  /** Of the client it counts for; null once it has left. */
  key: string | null;
}

/** How many connections each client has. A client without any takes no room. */
export class ConnectionCounts {
  #prefix: ClientPrefix;
  readonly #counts = new Map<string, number>();
  readonly #connections = new Set<CountedConnection>();

  constructor(prefix: ClientPrefix) {
    this.#prefix = prefix;
  }

  /** Clients with at least one connection. */
  get clients(): number {
    return this.#counts.size;
  }

  /** Counts a connection, unless its client has `most` already: null then. */
  enter(address: string, most: number): CountedConnection | null {
    const key = clientKey(address, this.#prefix);
    const count = this.#counts.get(key) ?? 0;
    if (count >= most) return null;
    this.#counts.set(key, count + 1);
    const connection = { address, key };
    this.#connections.add(connection);
    return connection;
  }

  /** The connection is over. Idempotent. */
  leave(connection: CountedConnection): void {
    const { key } = connection;
    if (key === null) return;
    connection.key = null;
    this.#connections.delete(connection);
    const count = this.#counts.get(key) ?? 0;
    if (count > 1) this.#counts.set(key, count - 1);
    else this.#counts.delete(key);
  }

  /** Counts by another prefix from now on, the connections that are open too. */
  configure(prefix: ClientPrefix): void {
    if (prefix.ipv4 === this.#prefix.ipv4 && prefix.ipv6 === this.#prefix.ipv6) return;
    this.#prefix = prefix;
    this.#counts.clear();
    for (const connection of this.#connections) {
      const key = clientKey(connection.address, prefix);
      connection.key = key;
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    }
  }
}
