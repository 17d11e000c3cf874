import type { Milliseconds } from '../../config/units.js';
import { CertificateSet } from '../http/tls-certificates.js';
import { readCertificates, type ListenerName, type Side } from './side.js';

/** A Willis. `start` and `stop` are idempotent; `stop` lets requests under way finish. */
export interface Node {
  /** @throws the error of a listener that cannot be opened, its name in the message; then nothing is left open */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Reads the certificate files again. @throws Error, and the old ones stay in use */
  reloadCertificates(): Promise<void>;
  readonly listening: readonly { readonly name: ListenerName; readonly url: string }[];
}

/** What is closed after the last request, in that order. */
export interface Closable {
  close(): Promise<void>;
}

/** Opens and closes the sides of a node. */
export class RunningNode implements Node {
  #listening: { name: ListenerName; url: string }[] = [];
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(
    private readonly sides: readonly Side[],
    private readonly rest: readonly Closable[],
    private readonly drainTimeout: Milliseconds,
  ) {}

  get listening(): readonly { readonly name: ListenerName; readonly url: string }[] {
    return this.#listening;
  }

  start(): Promise<void> {
    return (this.#started ??= this.#start());
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  reloadCertificates(): Promise<void> {
    const read = this.sides
      .filter(({ listener }) => listener.tls !== null)
      .map(({ server, listener }) => ({ server, certificates: readCertificates(listener) }));
    // all are checked before any is put to use
    for (const { certificates } of read) new CertificateSet(certificates);
    for (const { server, certificates } of read) server.setCertificates(certificates);
    return Promise.resolve();
  }

  async #start(): Promise<void> {
    for (const { name, listener, server } of this.sides) {
      try {
        const { host, port } = await server.listen();
        const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
        this.#listening.push({ name, url: `${listener.tls === null ? 'http' : 'https'}://${authority}/` });
      } catch (error) {
        await this.stop();
        if (error instanceof Error) error.message = `listen.${name}: ${error.message}`;
        throw error;
      }
    }
  }

  async #stop(): Promise<void> {
    await Promise.all(this.sides.map(({ server }) => server.close(this.drainTimeout)));
    await Promise.all(this.sides.map(({ takeovers }) => takeovers.ended()));
    await Promise.all(this.sides.map(({ upstream }) => upstream.close()));
    for (const closable of this.rest) await closable.close();
    this.#listening = [];
  }
}
