import type { Socket } from 'node:net';
import {
  elapsedMonotonic,
  milliseconds,
  monotonicMs,
  type Milliseconds,
  type MonotonicMs,
} from '../../config/units.js';
import type { Clock } from '../base/clock.js';
import { errorTable } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import { unmapped } from './address-text.js';
import type { ClientPrefix } from './client-prefix.js';
import { ConnectionCounts } from './connection-counts.js';
import { Farewells } from './farewells.js';
import { formatHttpDate } from './http-date.js';
import type { ListenerCounters } from './listener-counters.js';
import type { ProxyHeader } from './proxy-header.js';
import { ProxyHeaderReader } from './proxy-header-reader.js';

export interface ConnectionLimits {
  /** Of the listener. */
  readonly connections: number;
  readonly perClientConnections: number;
  readonly clientPrefix: ClientPrefix;
  /** For a PROXY header to arrive. */
  readonly headerTimeout: Milliseconds;
}

/** Whom a listener lets in. */
export interface AdmissionSettings {
  readonly logger: Logger;
  readonly limits: ConnectionLimits;
  /** Peers whose connections begin with a header of the PROXY protocol, which says who the client is. */
  readonly announces: (address: string) => boolean;
  /** Clients to whom the limits of one client do not apply. */
  readonly isExempt: (address: string) => boolean;
  /** Whether a refused connection can be told why: not by a listener for TLS. */
  readonly plain: boolean;
}

export interface AdmissionParts {
  readonly clock: Clock;
  readonly counters: ListenerCounters;
  /** Accepted sockets that are not closed. */
  readonly open: () => number;
  /** Ends a connection that can be spared. @returns whether one was found */
  readonly makeRoom: () => boolean;
  /** The socket is paused if something was read from it. */
  readonly onAdmitted: (socket: Socket, client: AdmittedClient) => void;
}

/** Who has come in, as far as that can be told before anything is received from him. */
export interface AdmittedClient {
  readonly address: string;
  readonly port: number;
  /** Whether a proxy that speaks for him says that his connection is TLS. */
  readonly secure: boolean;
}

/**
 * The door of a listener: which of the accepted sockets become connections.
 *
 * 1. At the limit of the listener an idle connection is ended for the new one; if there is none, the new one is refused.
 *    Connections are accepted all the same: one that waited in the system's queue would look to its client like a server
 *    that hangs, and behind a flood everybody would wait for as long as the flood lasts.
 * 2. From a peer that announces its clients the PROXY header is read.
 * 3. A client that has enough connections gets no more.
 */
export class Admission {
  readonly #parts: AdmissionParts;
  readonly #farewells: Farewells;
  readonly #headers: ProxyHeaderReader;
  readonly #counts: ConnectionCounts;
  #settings: AdmissionSettings;
  /** Connections refused since the last event about it. */
  #unreported = 0;
  #reportedAt: MonotonicMs = monotonicMs(-Infinity);

  constructor(parts: AdmissionParts, settings: AdmissionSettings) {
    this.#parts = parts;
    this.#settings = settings;
    this.#farewells = new Farewells(parts.clock);
    this.#counts = new ConnectionCounts(settings.limits.clientPrefix);
    this.#headers = new ProxyHeaderReader(parts.clock, {
      onHeader: (socket, header) => this.#announced(socket, header),
      onMissing: (socket, reason, late) => this.#headerMissing(socket, reason, late),
    });
  }

  configure(settings: AdmissionSettings): void {
    this.#settings = settings;
    this.#counts.configure(settings.limits.clientPrefix);
  }

  /** Accepted sockets that are open beyond the limit. */
  get surplus(): number {
    return this.#parts.open() - this.#farewells.size - this.#settings.limits.connections;
  }

  /** The socket is admitted, now or later, or ends. */
  admit(socket: Socket): void {
    const address = peerOf(socket);
    if (address === null) {
      socket.destroy();
      return;
    }
    if (this.surplus > 0 && !this.#makeRoom()) this.#refuse(socket, 'full');
    else if (this.#settings.announces(address)) this.#headers.read(socket);
    else this.#count(socket, { address, port: socket.remotePort ?? 0, secure: false });
  }

  /** A connection came that the system's limit did not let through to `admit`. */
  noteDropped(): void {
    this.#parts.counters.refused.full++;
    this.#unreported++;
  }

  /** Enforces the time limits; to be called now and then. */
  sweep(now: MonotonicMs): void {
    this.#headers.sweep(now, this.#settings.limits.headerTimeout);
    this.#farewells.sweep(now);
    this.#report(now);
  }

  #makeRoom(): boolean {
    const isRoom = this.#parts.makeRoom();
    if (isRoom) this.#parts.counters.madeRoom++;
    return isRoom;
  }

  #announced(socket: Socket, { client, secure }: ProxyHeader): void {
    const address = client?.address ?? peerOf(socket);
    if (address === null) socket.destroy();
    else this.#count(socket, { address, port: client?.port ?? socket.remotePort ?? 0, secure });
  }

  #headerMissing(socket: Socket, reason: string, late: boolean): void {
    const { counters } = this.#parts;
    counters.refused['proxy-header']++;
    if (late) counters.timeouts['proxy-header']++;
    this.#settings.logger.warn(
      { code: 'proxy-header-missing', peer: peerOf(socket), reason },
      'a connection without PROXY header was refused',
    );
    socket.resetAndDestroy();
  }

  #count(socket: Socket, client: AdmittedClient): void {
    const { limits, isExempt } = this.#settings;
    if (!isExempt(client.address)) {
      const counted = this.#counts.enter(client.address, limits.perClientConnections);
      if (counted === null) {
        this.#refuse(socket, 'client');
        return;
      }
      socket.once('close', () => this.#counts.leave(counted));
    }
    this.#parts.counters.accepted++;
    this.#parts.onAdmitted(socket, client);
  }

  #refuse(socket: Socket, reason: 'full' | 'client'): void {
    const { clock, counters } = this.#parts;
    counters.refused[reason]++;
    this.#unreported++;
    this.#farewells.refuse(socket, this.#settings.plain ? refusal(reason, clock) : null);
  }

  /** A flood of connections is not to be one of events. */
  #report(now: MonotonicMs): void {
    if (this.#unreported === 0 || elapsedMonotonic(this.#reportedAt, now) < REPORT_INTERVAL) return;
    const { refused } = this.#parts.counters;
    this.#settings.logger.warn(
      { code: 'connections-refused', refused: this.#unreported, inAll: { ...refused } },
      'connections were refused',
    );
    this.#unreported = 0;
    this.#reportedAt = now;
  }
}

const REPORT_INTERVAL = milliseconds(10_000);

function peerOf({ remoteAddress }: Socket): string | null {
  return remoteAddress === undefined ? null : unmapped(remoteAddress);
}

/** Like an error answer of the same status, but for a client of whom nothing is known, and who is to cost nothing. */
function refusal(reason: 'full' | 'client', clock: Clock): string {
  const { status, title } = errorTable[reason === 'full' ? 'too-busy' : 'too-many-connections'];
  return [
    `HTTP/1.1 ${status} ${reason === 'full' ? 'Service Unavailable' : 'Too Many Requests'}`,
    `Date: ${formatHttpDate(clock.now())}`,
    'Retry-After: 5',
    'Content-Type: text/plain',
    `Content-Length: ${title.length + 1}`,
    'Cache-Control: no-store',
    'Connection: close',
    '',
    `${title}\n`,
  ].join('\r\n');
}
