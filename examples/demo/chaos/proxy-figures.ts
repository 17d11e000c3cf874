import { within } from '../within.js';

/** What the client-side proxy tells of the way of its answers. */
export interface ProxyFigures {
  /** Attempts at a node that failed, so that another one was asked. */
  readonly failovers: number;
  /** Bodies that were begun by one node and continued by another. */
  readonly continued: number;
  /** Answers of nodes that could not be true. */
  readonly refused: number;
}

/** Null if it does not tell. */
export async function readProxyFigures(admin: string, signal: AbortSignal): Promise<ProxyFigures | null> {
  try {
    const text = await within(5000, signal, async (limit) =>
      (await fetch(`${admin}/metrics`, { signal: limit })).text(),
    );
    const sum = (name: string): number =>
      [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+(?:\\.\\d+)?)$`, 'gm'))].reduce(
        (total, [, value]) => total + Number(value),
        0,
      );
    return {
      failovers: sum('willis_failover_passed_over_total'),
      continued: sum('willis_failover_continued_total'),
      refused: sum('willis_failover_refused_total'),
    };
  } catch {
    return null;
  }
}
