import type { Environment } from '../../config/environment.js';

/** What a command sees of the process that runs it. */
export interface Console {
  /** Prints to standard output; the text brings its own line feeds. */
  out(text: string): void;
  /** Prints to standard error. */
  err(text: string): void;
  readonly environment: Environment;
  readonly directory: string;
  readonly hostName: string;
}

/** How a command ended: all went well, it failed, the configuration cannot stand. */
export const exitCodes = { ok: 0, failure: 1, configuration: 2 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
