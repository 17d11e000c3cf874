import type { Logger } from '../base/logger.js';
import { exitCodes } from './console.js';

/** The events of a process that steer a running node, and the way out of it. */
export interface ProcessEvents {
  on(event: string, listener: (detail: unknown) => void): unknown;
  off(event: string, listener: (detail: unknown) => void): unknown;
  exit(code: number): void;
}

/** What SIGTERM, SIGINT and other signals mean, from before a node starts until it has stopped. */
export class ProcessSignals {
  /** Resolves with the name of the first signal to end. */
  readonly end: Promise<string>;
  readonly #events: ProcessEvents;
  readonly #logger: Logger;
  readonly #listeners: [string, (detail: unknown) => void][] = [];
  #ending = false;

  constructor(events: ProcessEvents, logger: Logger) {
    this.#events = events;
    this.#logger = logger;
    this.end = new Promise((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT']) this.on(signal, () => this.#toEnd(signal, resolve));
    });
  }

  on(signal: string, listener: () => void): void {
    this.#listeners.push([signal, listener]);
    this.#events.on(signal, listener);
  }

  forget(): void {
    for (const [signal, listener] of this.#listeners) this.#events.off(signal, listener);
  }

  #toEnd(signal: string, resolve: (signal: string) => void): void {
    if (this.#ending) {
      this.#logger.warn({ code: 'ended-at-once', signal }, 'ended at once');
      this.#logger.flush();
      this.#events.exit(exitCodes.failure);
    }
    this.#ending = true;
    resolve(signal);
  }
}

/** What nobody caught leaves the process in an unknown state: it is logged, and the process ends. */
export function endOnCrash(events: ProcessEvents, logger: Logger): () => void {
  const listen = (event: string): (() => void) => {
    const listener = (error: unknown): void => {
      logger.error({ code: 'crashed', error }, event);
      logger.flush();
      events.exit(exitCodes.failure);
    };
    events.on(event, listener);
    return () => void events.off(event, listener);
  };
  const undo = [listen('uncaughtException'), listen('unhandledRejection')];
  return () => undo.forEach((one) => one());
}
