import type { Socket } from 'node:net';
import type { Milliseconds } from '../../config/units.js';
import type { TargetUri } from '../http/target-uri.js';
import { dial, dialThrough, type Destination } from './dial.js';
import { DialGuard } from './dial-guard.js';
import type { DirectReads } from './direct-reads.js';
import { noProxyTest } from './no-proxy.js';
import type { ParentProxy } from './parent-proxy.js';

export interface DiallerOptions {
  readonly guard: DialGuard;
  /** PEM texts of authorities that are believed beside the system's. */
  readonly ca: readonly string[];
  /** For name resolution, connection, CONNECT and TLS handshakes together. */
  readonly connectTimeout: Milliseconds;
  /** Null if everything is reached directly. */
  readonly parent: ParentProxy | null;
  /** Where the parent proxy may be; anywhere by default, since the operator has named it. */
  readonly parentGuard?: DialGuard;
  /** What is reached directly although there is a parent proxy. */
  readonly noProxy: readonly string[];
  /** This node's member of `Via`, by which a loop of CONNECTs is noticed (RFC 9110 §7.6.3). */
  readonly via: string;
}

export interface TunnelDialling {
  /** What the client's CONNECT had in `Via`. */
  readonly via: string;
  /** Attached to the connection, unless that is one of TLS. */
  readonly reads: DirectReads;
}

/** Makes connections on behalf of clients: directly, or through the parent proxy. */
export class Dialler {
  readonly #options: DiallerOptions;
  readonly #noProxy: (host: string) => boolean;

  constructor(options: DiallerOptions) {
    this.#options = options;
    this.#noProxy = noProxyTest(options.noProxy);
  }

  /**
   * The parent proxy that requests for a target are sent to in absolute form; null if they go to the origin server, on a
   * connection that `dial` makes.
   */
  relayFor({ scheme, host }: TargetUri): ParentProxy | null {
    return scheme === 'https' ? null : this.#parentFor(host);
  }

  /** Whether such a request may go there is judged before it is sent. @throws WillisError destination-refused */
  judgeRelayed(target: TargetUri): void {
    this.#options.guard.judgeUnresolved(target);
  }

  /**
   * A connection at whose other end is the destination, with TLS if it asks for it; `tunnel` for one that a client asked
   * for by CONNECT. @throws WillisError destination-refused, dns-…, connect-…, tls-…, parent-…; or the signal's reason
   */
  async dial(destination: Destination, signal: AbortSignal, tunnel?: TunnelDialling): Promise<Socket> {
    const { guard, ca, connectTimeout: timeout } = this.#options;
    const parent = this.#parentFor(destination.host);
    const reads = tunnel?.reads ?? null;
    if (parent === null) return dial(destination, { guard, ca, signal, timeout, reads });
    guard.judgeUnresolved(destination);
    const before = tunnel === undefined || tunnel.via === '' ? '' : `${tunnel.via}, `;
    const via = before + this.#options.via;
    const parentGuard = this.#options.parentGuard ?? anywhere;
    return dialThrough(parent, destination, { guard: parentGuard, ca, signal, timeout, via, reads });
  }

  /** A connection at whose other end is the parent proxy itself. @throws WillisError parent-…; or the signal's reason */
  async dialParent(parent: ParentProxy, signal: AbortSignal): Promise<Socket> {
    const { ca, connectTimeout: timeout, parentGuard = anywhere } = this.#options;
    return dialThrough(parent, null, { guard: parentGuard, ca, signal, timeout, via: this.#options.via });
  }

  #parentFor(host: string): ParentProxy | null {
    return this.#options.parent === null || this.#noProxy(host) ? null : this.#options.parent;
  }
}

/** A parent proxy that the operator configured is dialled wherever it is. */
const anywhere = new DialGuard({ allow: [], deny: [] });
