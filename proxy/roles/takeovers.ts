import type { Duplex } from 'node:stream';
import { bytes } from '../../config/units.js';
import type { Config } from '../../config/schema.js';
import type { Clock } from '../base/clock.js';
import { asWillisError, WillisError } from '../base/errors.js';
import type { DialGuard } from '../forward/dial-guard.js';
import { passUpgrade } from '../forward/pass-through.js';
import type { RelayedBytes } from '../forward/relay.js';
import { openTunnel } from '../forward/tunnel.js';
import type { Fields } from '../http/fields.js';
import type { Request } from '../http/message.js';
import type { ConnectRequest } from '../http/request-handler.js';
import { answerAndEnd } from '../http/answer-and-end.js';
import type { TargetUri } from '../http/target-uri.js';
import type { Exchanges } from './exchanges.js';

export interface TakeoversOptions {
  readonly guard: DialGuard;
  /** PEM texts of authorities that are believed beside the system's. */
  readonly ca: readonly string[];
  readonly clock: Clock;
  readonly exchanges: Exchanges;
  readonly upstream: Config['upstream'];
  readonly idleTimeout: Config['limits']['idleTimeout'];
  readonly connectPorts: readonly number[];
  /** This node's member of `Via`. */
  readonly via: string;
}

/** Connections that cease to be HTTP: tunnels (RFC 9110 §9.3.6) and upgrades (§7.8). */
export class Takeovers {
  readonly #underWay = new Set<Promise<void>>();

  constructor(private readonly options: TakeoversOptions) {}

  /** Fulfilled when all that were begun are over, and recorded. They end with their connections. */
  async ended(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Opens a tunnel. `admit` throws a WillisError for who may not have one. */
  tunnel(request: ConnectRequest, socket: Duplex, head: Buffer, admit: () => void): void {
    const open = async (): Promise<void> => {
      admit();
      const { authority } = request;
      const { connectPorts, guard, upstream, idleTimeout } = this.options;
      if (!connectPorts.includes(authority.port)) {
        throw new WillisError('port-refused', `port ${authority.port} is not among access.connectPorts`);
      }
      const { connectTimeout } = upstream;
      const options = { guard, connectTimeout, idleTimeout, signal: neverAborted() };
      const carried = await openTunnel({ ...authority, client: socket, head, ...options });
      this.options.exchanges.onTakenOverEnded(request, { status: 200, ...carried, outcome: 'tunnel' });
    };
    this.#follow(open(), request, socket);
  }

  /** Passes an upgrade on. `route` says where to, or throws a WillisError. */
  upgrade(
    request: Request,
    socket: Duplex,
    head: Buffer,
    route: () => { readonly target: TargetUri; readonly fields: Fields },
  ): void {
    const pass = async (): Promise<void> => {
      const { target, fields } = route();
      const { guard, ca, upstream, via, exchanges } = this.options;
      const { connectTimeout, firstByteTimeout } = upstream;
      const upgrading = fields.plus('Connection', 'Upgrade', 'Upgrade', 'websocket');
      const outgoing = { method: request.method, target, fields: upgrading, body: null };
      const dialling = { guard, ca, connectTimeout, firstByteTimeout, via, signal: neverAborted() };
      let onClosed!: (passed: RelayedBytes) => void;
      const closed = new Promise<RelayedBytes>((resolve) => (onClosed = resolve));
      const opened = await passUpgrade(outgoing, socket, head, { ...dialling, onClosed });
      const status = opened === 'open' ? 101 : opened.status;
      exchanges.onTakenOverEnded(request, { status, ...(await closed), outcome: 'upgrade' });
    };
    this.#follow(pass(), request, socket);
  }

  #follow(course: Promise<void>, request: ConnectRequest | Request, socket: Duplex): void {
    const ended = course
      .catch((error: unknown) => this.refuse(request, socket, asWillisError(error)))
      .finally(() => this.#underWay.delete(ended));
    this.#underWay.add(ended);
  }

  /** Answers with an error on a connection that was taken over, and ends it. */
  refuse(request: ConnectRequest | Request, socket: Duplex, error: WillisError): void {
    const { exchanges, clock } = this.options;
    const { client, receivedAt, id } = request;
    const answer = exchanges.onRefused(error, {
      request: 'authority' in request ? null : request,
      client,
      receivedAt,
      id,
    });
    if (!socket.destroyed) answerAndEnd(socket, answer, clock);
    const sent = {
      status: answer.status,
      bytesIn: bytes(0),
      bytesOut: answer.body?.length ?? bytes(0),
      outcome: error.code,
    };
    exchanges.onTakenOverEnded(request, sent);
  }
}

/** The connections are the server's to end. One signal each, for a shared one would gather listeners. */
const neverAborted = (): AbortSignal => new AbortController().signal;
