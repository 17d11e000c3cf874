import type { Duplex } from 'node:stream';
import { bytes, elapsedMonotonic, type Milliseconds } from '../../config/units.js';
import type { Config } from '../../config/schema.js';
import type { Clock } from '../base/clock.js';
import { asWillisError, WillisError } from '../base/errors.js';
import type { Dialler } from '../forward/dialler.js';
import { passUpgrade } from '../forward/pass-through.js';
import type { Carried } from '../forward/relay.js';
import { openTunnel } from '../forward/tunnel.js';
import type { Fields } from '../http/fields.js';
import type { Request } from '../http/message.js';
import type { ConnectRequest } from '../http/request-handler.js';
import { answerAndEnd, type AnswerSent } from '../http/answer-and-end.js';
import type { TargetUri } from '../http/target-uri.js';
import { isLoop, viaEntry, type NodeIdentity } from '../http/via.js';
import type { Exchanges } from './exchanges.js';
import type { TakenOver } from './taken-over.js';

export interface TakeoversOptions {
  readonly dialler: Dialler;
  readonly identity: NodeIdentity;
  readonly clock: Clock;
  readonly exchanges: Exchanges;
  readonly takenOver: TakenOver;
  readonly firstByteTimeout: Config['upstream']['firstByteTimeout'];
  readonly limits: Pick<Config['limits'], 'idleTimeout' | 'tunnels'>;
  readonly connectPorts: readonly number[];
}

interface UpgradeRoute {
  readonly target: TargetUri;
  readonly fields: Fields;
}

/** Connections that cease to be HTTP: tunnels (RFC 9110 §9.3.6) and upgrades (§7.8). */
export class Takeovers {
  constructor(private readonly options: TakeoversOptions) {}

  /**
   * Opens a tunnel. `admit` throws, or rejects with, a WillisError for who may not have one; it says `any-port` where the port
   * need not be among those that clients may choose.
   */
  tunnel(request: ConnectRequest, socket: Duplex, head: Buffer, admit: () => unknown): void {
    const watch = this.#watch();
    const open = async (): Promise<void> => {
      const { authority, fields } = request;
      const { connectPorts, dialler, identity, limits, exchanges, takenOver } = this.options;
      if (isLoop(fields, identity)) throw new WillisError('loop', 'a CONNECT came back to this node');
      const admitted = await admit();
      if (admitted !== 'any-port' && !connectPorts.includes(authority.port)) {
        throw new WillisError('port-refused', `port ${authority.port} is not among access.connectPorts`);
      }
      const via = fields.get('via') ?? '';
      let firstByteTime: Milliseconds | null = null;
      const onOpen = (): void => void (firstByteTime = watch());
      const options = { dialler, via, idleTimeout: limits.idleTimeout, signal: neverAborted(), onOpen };
      const carried = await takenOver.within(limits.tunnels, () =>
        openTunnel({ ...authority, client: socket, head, ...options }),
      );
      const end = { status: 200, outcome: 'tunnel', firstByteTime, duration: watch() };
      exchanges.onTakenOverEnded(request, { ...end, ...wellCarried(request, carried) });
    };
    this.#follow(open(), request, socket, watch);
  }

  /** Passes an upgrade on. `route` says where to, or throws, or rejects with, a WillisError. */
  upgrade(request: Request, socket: Duplex, head: Buffer, route: () => UpgradeRoute | Promise<UpgradeRoute>): void {
    const watch = this.#watch();
    const pass = async (): Promise<void> => {
      const { target, fields } = await route();
      const { dialler, firstByteTimeout, identity, limits, exchanges, takenOver } = this.options;
      const upgrading = fields.plus('Connection', 'Upgrade', 'Upgrade', 'websocket');
      const outgoing = { method: request.method, target, fields: upgrading, body: null };
      const dialling = { dialler, firstByteTimeout, via: viaEntry('1.1', identity), signal: neverAborted() };
      let onClosed!: (passed: Carried) => void;
      const closed = new Promise<Carried>((resolve) => (onClosed = resolve));
      await takenOver.within(limits.tunnels, async () => {
        const opened = await passUpgrade(outgoing, socket, head, { ...dialling, onClosed });
        const firstByteTime = watch();
        const carried = await closed;
        const end = { status: opened === 'open' ? 101 : opened.status, outcome: 'upgrade', firstByteTime };
        exchanges.onTakenOverEnded(request, { ...end, duration: watch(), ...wellCarried(request, carried) });
      });
    };
    this.#follow(pass(), request, socket, watch);
  }

  /** Answers with an error on a connection that was taken over, and ends it. */
  refuse(request: ConnectRequest | Request, socket: Duplex, error: WillisError): void {
    this.options.takenOver.follow(this.#refuse(request, socket, error, this.#watch()));
  }

  #follow(course: Promise<void>, request: ConnectRequest | Request, socket: Duplex, watch: Watch): void {
    const followed = course.catch((error: unknown) => this.#refuse(request, socket, asWillisError(error), watch));
    this.options.takenOver.follow(followed);
  }

  async #refuse(request: ConnectRequest | Request, socket: Duplex, error: WillisError, watch: Watch): Promise<void> {
    const { exchanges, clock } = this.options;
    const { client, receivedAt, id, record } = request;
    const answer = exchanges.onRefused(error, { request, client, receivedAt, id, record });
    const { status } = answer;
    const sent = socket.destroyed
      ? nothingSent
      : await new Promise<AnswerSent>((resolve) => answerAndEnd(socket, answer, clock, resolve)).catch(() => {
          socket.destroy();
          return nothingSent;
        });
    const { bytesOut, contentOut, complete } = sent;
    exchanges.onTakenOverEnded(request, {
      ...{ status, outcome: error.code, failure: error },
      ...{ bytesIn: record.headBytes, bytesOut, contentOut },
      ...{ firstByteTime: bytesOut === 0 ? null : watch(), duration: watch(), aborted: complete ? null : 'client' },
    });
  }

  /** Tells, whenever asked, how much time has passed. */
  #watch(): Watch {
    const { clock } = this.options;
    const start = clock.monotonic();
    return () => elapsedMonotonic(start, clock.monotonic());
  }
}

type Watch = () => Milliseconds;

const nothingSent: AnswerSent = { bytesOut: bytes(0), contentOut: bytes(0), complete: false };

/** Of a connection that carried what it was to carry. */
const wellCarried = (request: ConnectRequest | Request, { bytesIn, bytesOut, contentOut }: Carried) => ({
  bytesIn: bytes(request.record.headBytes + bytesIn),
  bytesOut,
  contentOut,
  aborted: null,
  failure: null,
});

/** The connections are the server's to end. One signal each, for a shared one would gather listeners. */
const neverAborted = (): AbortSignal => new AbortController().signal;
