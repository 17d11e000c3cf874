import { isatty } from 'node:tty';
import { pino } from 'pino';
import type { LogLevel } from '../../config/schema.js';
import { readableLine } from './readable-line.js';

/** Where events go. Errors stand under the field `error`; nothing that is logged makes its caller fail. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger that adds these fields to each of its events. */
  child(fields: object): Logger;
  /** Writes out what is still buffered, before this returns. */
  flush(): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Takes finished lines, line feed included, instead of standard error. */
  readonly write?: (line: string) => void;
  /** Short lines for people instead of JSON; by default if standard error is a terminal. */
  readonly readable?: boolean;
}

const standardError = 2;

/** A logger that writes one JSON object a line, or readable lines to a terminal. */
export function createLogger(options: LoggerOptions): Logger {
  const sink = options.write === undefined ? standardErrorSink() : { write: options.write, flush: () => undefined };
  const readable = options.readable ?? (options.write === undefined && isatty(standardError));
  const write = readable ? (line: string) => sink.write(readableLine(line)) : (line: string) => sink.write(line);
  const serializers = { error: pino.stdSerializers.errWithCause };
  const core = pino({ level: options.level, base: null, errorKey: 'error', serializers }, { write });
  return new PinoLogger(core, sink.flush);
}

function standardErrorSink(): { write: (line: string) => void; flush: () => void } {
  const destination = pino.destination({ dest: standardError, sync: false });
  // A closed standard error leaves nowhere to report to.
  destination.on('error', () => undefined);
  return {
    write: (line) => void destination.write(line),
    flush: () => {
      try {
        destination.flushSync();
      } catch {
        // As above.
      }
    },
  };
}

class PinoLogger implements Logger {
  readonly #core: pino.Logger;
  readonly #flush: () => void;

  constructor(core: pino.Logger, flush: () => void) {
    this.#core = core;
    this.#flush = flush;
  }

  debug(fields: object, message: string): void {
    this.#core.debug(fields, message);
  }

  info(fields: object, message: string): void {
    this.#core.info(fields, message);
  }

  warn(fields: object, message: string): void {
    this.#core.warn(fields, message);
  }

  error(fields: object, message: string): void {
    this.#core.error(fields, message);
  }

  child(fields: object): Logger {
    return new PinoLogger(this.#core.child({ ...fields }), this.#flush);
  }

  flush(): void {
    this.#flush();
  }
}
