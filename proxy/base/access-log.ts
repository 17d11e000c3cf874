import type { Config } from '../../config/schema.js';
import { accessLine, type AccessEntry } from './access-line.js';
import { LineWriter, type LineReports } from './line-writer.js';
import { redaction } from './redaction.js';

export type AccessLogConfig = Pick<Config['log'], 'access' | 'redact'>;

const standardOutput = 1;

/**
 * One line a request. A destination that fails never makes a request fail: lines are dropped instead. Form and
 * destination can be changed while requests are under way: each line is written once.
 */
export class AccessLog {
  readonly #reports: LineReports;
  /** Writers before the current one, until what they had is written. */
  readonly #leaving = new Set<Promise<void>>();
  #path: string | null | undefined;
  #writer: LineWriter | null = null;
  #format: ((entry: AccessEntry) => string) | null = null;

  constructor(config: AccessLogConfig, reports: LineReports) {
    this.#reports = reports;
    this.configure(config);
  }

  /** What is written from now on is written so. Nothing is opened anew if the path is the same. */
  configure({ access: { format, path }, redact }: AccessLogConfig): void {
    const isOff = format === 'off';
    this.#format = isOff ? null : accessLine(format, redaction(redact));
    if (this.#writer !== null && (isOff || path !== this.#path)) this.#leave(this.#writer);
    if (!isOff) this.#writer ??= new LineWriter({ to: path ?? standardOutput, reports: this.#reports });
    this.#path = path;
  }

  write(entry: AccessEntry): void {
    if (this.#format !== null) this.#writer?.write(this.#format(entry));
  }

  /** Opens its file anew, which may have been renamed. @throws Error if it cannot be; the old one stays in use */
  async reopen(): Promise<void> {
    await this.#writer?.reopen();
  }

  /** Writes what is still buffered. Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.#leaving);
    await this.#writer?.close();
  }

  #leave(writer: LineWriter): void {
    this.#writer = null;
    const left = writer.close().finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }
}
