import { isatty } from 'node:tty';
import { pino } from 'pino';
import type { Config, LogLevel } from '../../config/schema.js';
import { readableLine } from './readable-line.js';
import { redaction, type Redaction } from './redaction.js';

/** What an event tells besides its message. */
export interface EventFields {
  /** Names the kind of event, for searches and alarms; the same for ever. For a failure its code in the error table. */
  readonly code: string;
  /** Of the request that it is about, as in the access log and in error answers. */
  readonly id?: string | undefined;
  readonly error?: unknown;
  readonly [name: string]: unknown;
}

/**
 * Where events go. Errors stand under the field `error`; nothing that is logged makes its caller fail. Secrets are taken
 * out of URIs (`uri`) and of sentences that may quote them (`detail`, `reason`, errors).
 */
export interface Logger {
  debug(fields: EventFields, message: string): void;
  info(fields: EventFields, message: string): void;
  warn(fields: EventFields, message: string): void;
  error(fields: EventFields, message: string): void;
  /** A logger that adds these fields to each of its events. */
  child(fields: object): Logger;
  /** Writes out what is still buffered, before this returns. */
  flush(): void;
}

/** What the configuration says of events. */
export type LoggerConfig = Pick<Config['log'], 'level'> & Partial<Pick<Config['log'], 'redact'>>;

/** A logger that can be configured anew, and all loggers that come from it with it. */
export interface RootLogger extends Logger {
  configure(config: LoggerConfig): void;
}

export interface LoggerOptions extends LoggerConfig {
  /** Takes finished lines, line feed included, instead of standard error. */
  readonly write?: (line: string) => void;
  /** Short lines for people instead of JSON; by default if standard error is a terminal. */
  readonly readable?: boolean;
}

const standardError = 2;

/** A logger that writes one JSON object a line, or readable lines to a terminal. */
export function createLogger(options: LoggerOptions): RootLogger {
  const sink = options.write === undefined ? standardErrorSink() : { write: options.write, flush: () => undefined };
  const readable = options.readable ?? (options.write === undefined && isatty(standardError));
  const write = readable ? (line: string) => sink.write(readableLine(line)) : (line: string) => sink.write(line);
  const settings = settingsFor(options);
  // each logger of pino has a level of its own; that of ours is one for all
  const core = pino(
    { level: 'trace', base: null, errorKey: 'error', serializers: serializersFor(settings) },
    { write },
  );
  return new PinoLogger(core, settings, sink.flush);
}

/** Shared by a logger and all that come from it. */
interface Settings {
  /** The rank of the least event that is logged. */
  least: number;
  redaction: Redaction;
}

const settingsFor = ({ level, redact }: LoggerConfig): Settings => ({
  least: rankOf(level),
  redaction: redaction(redact ?? []),
});

function serializersFor(settings: Settings): Record<string, (value: unknown) => unknown> {
  const sentence = (value: unknown): unknown =>
    typeof value === 'string' ? settings.redaction.sentence(value) : value;
  return {
    uri: (value) => (typeof value === 'string' ? settings.redaction.uri(value) : value),
    detail: sentence,
    reason: sentence,
    error: (value) => withoutSecrets(pino.stdSerializers.errWithCause(value as Error), sentence),
  };
}

/** Of an error and of its causes. */
function withoutSecrets(error: unknown, sentence: (value: unknown) => unknown): unknown {
  if (typeof error !== 'object' || error === null) return sentence(error);
  const { message, stack, cause, ...rest } = error as Record<string, unknown>;
  return {
    ...rest,
    message: sentence(message),
    stack: sentence(stack),
    ...(cause !== undefined && { cause: withoutSecrets(cause, sentence) }),
  };
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

const rankOf = (level: LogLevel): number => (level === 'silent' ? Infinity : (pino.levels.values[level] ?? 0));
const ranks = { debug: rankOf('debug'), info: rankOf('info'), warn: rankOf('warn'), error: rankOf('error') };

class PinoLogger implements RootLogger {
  readonly #core: pino.Logger;
  readonly #settings: Settings;
  readonly #flush: () => void;

  constructor(core: pino.Logger, settings: Settings, flush: () => void) {
    this.#core = core;
    this.#settings = settings;
    this.#flush = flush;
  }

  debug(fields: EventFields, message: string): void {
    if (ranks.debug >= this.#settings.least) this.#core.debug(fields, message);
  }

  info(fields: EventFields, message: string): void {
    if (ranks.info >= this.#settings.least) this.#core.info(fields, message);
  }

  warn(fields: EventFields, message: string): void {
    if (ranks.warn >= this.#settings.least) this.#core.warn(fields, message);
  }

  error(fields: EventFields, message: string): void {
    if (ranks.error >= this.#settings.least) this.#core.error(fields, message);
  }

  child(fields: object): Logger {
    return new PinoLogger(this.#core.child({ ...fields }), this.#settings, this.#flush);
  }

  configure(config: LoggerConfig): void {
    Object.assign(this.#settings, settingsFor(config));
  }

  flush(): void {
    this.#flush();
  }
}
