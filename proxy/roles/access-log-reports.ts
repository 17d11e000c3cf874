import type { Logger } from '../base/logger.js';
import type { LineReports } from '../base/line-writer.js';
import { Counter } from '../base/metrics.js';

/** What becomes of an access log that cannot be written: events for whoever reads the log, and a count. */
export class AccessLogReports implements LineReports {
  readonly droppedLines = new Counter();

  constructor(private readonly logger: Logger) {}

  failing(error: Error): void {
    this.logger.error({ code: 'access-log-failing', error }, 'the access log cannot be written');
  }

  recovered(dropped: number): void {
    this.logger.info({ code: 'access-log-recovered', dropped }, 'the access log is written again');
  }

  abandoned(dropped: number): void {
    this.logger.error({ code: 'access-log-abandoned', dropped }, 'the access log was closed before all was written');
  }

  dropped(lines: number): void {
    this.droppedLines.add(lines);
  }
}
