import type { WriteStream } from 'node:tty';
import { systemClock } from '../../../proxy/base/clock.js';
import type { Milliseconds } from '../../../config/units.js';
import type { DemoNodes } from '../demo-nodes.js';
import { eventLine, progressLine, summary } from './chaos-text.js';
import { Chaos } from './chaos.js';
import type { Front } from './front.js';
import { learned } from './learned.js';
import type { WrittenFiles } from './written-files.js';

export interface ChaosRun {
  readonly nodes: DemoNodes;
  readonly fronts: ReadonlyMap<string, Front>;
  readonly site: string;
  readonly files: WrittenFiles;
  readonly time: Milliseconds;
  readonly seed: number;
  /** Standard output: lines, and on a terminal one more that tells how things are. */
  readonly out: NodeJS.WriteStream;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Shows what happens, and at last what came of it. @returns the exit code: 1 if anything failed */
export async function runChaos({ out, signal, ...run }: ChaosRun): Promise<number> {
  const begin = isTerminal(out) ? '\r\u001b[K' : '';
  const line = (text: string): void => void out.write(`${begin}${text}\n`);
  line('The client-side proxy asks whom it can …');
  await learned(run.nodes, signal);
  const now = (): number => systemClock.monotonic();
  const chaos: Chaos = await Chaos.prepare({ ...run, now, onEvent: (text) => line(eventLine(chaos.state, text)) });
  const progress = setInterval(
    () => {
      const text = progressLine(chaos.state);
      if (isTerminal(out)) out.write(begin + text.slice(0, out.columns - 1));
      else line(text);
    },
    isTerminal(out) ? 500 : 10_000,
  );
  try {
    await chaos.run(signal);
  } finally {
    clearInterval(progress);
  }
  const figures = await chaos.figures(AbortSignal.timeout(5000));
  line(`\n${signal.aborted ? 'Ended early.' : 'The time is over.'}\n\n${summary(chaos.state, figures)}`);
  return chaos.state.tally.failed === 0 ? 0 : 1;
}

const isTerminal = (out: NodeJS.WriteStream): out is WriteStream => out.isTTY;
