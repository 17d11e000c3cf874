import type { LineReports } from '../../proxy/base/line-writer.js';

export interface CollectedReports extends LineReports {
  readonly events: string[];
  lost: number;
  /** Fulfilled with the next event of that kind. */
  next(kind: 'failing' | 'recovered'): Promise<void>;
}

/** Reports that only remember. */
export function collectedReports(): CollectedReports {
  const waiting = new Map<string, () => void>();
  const tell = (kind: 'failing' | 'recovered', what: string): void => {
    reports.events.push(`${kind} ${what}`);
    waiting.get(kind)?.();
  };
  const reports: CollectedReports = {
    events: [],
    lost: 0,
    failing: (error) => tell('failing', (error as NodeJS.ErrnoException).code ?? error.message),
    recovered: (dropped) => tell('recovered', String(dropped)),
    abandoned: (dropped) => reports.events.push(`abandoned ${dropped}`),
    dropped: (lines) => (reports.lost += lines),
    next: (kind) => new Promise((resolve) => waiting.set(kind, resolve)),
  };
  return reports;
}
