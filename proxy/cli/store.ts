import type { UpkeepResults } from '../admin/operator-store.js';
import { systemClock } from '../base/clock.js';
import { isSound } from '../cache/disk/disk-verification.js';
import type { UpkeepProgress } from '../cache/disk/upkeep.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import type { TextOptions } from './explanation-text.js';
import { ProgressDisplay, type ProgressDisplayOptions } from './progress-display.js';
import type { StoreSide } from './store-side.js';
import { compactionText, rebuildText, storeText, verificationText } from './store-text.js';
import { withStore, type StoreOptions } from './with-store.js';

export interface StoreStatsOptions extends StoreOptions {
  readonly json?: boolean;
}

export interface StoreVerifyOptions extends StoreStatsOptions {
  /** Most bytes to be read in a second, as a size. */
  readonly rate?: string;
}

/** How somebody watches work on a store, and may end it. */
export interface Watch {
  /** Of the terminal that progress is shown on; null: it is none. */
  readonly width: (() => number) | null;
  /** Calls back when somebody wants it to end; gives what calls that off. */
  readonly onEnd: (end: () => void) => () => void;
}

/** `willis store stats`: what is stored, and how the disk fares. */
export const storeStats = (options: StoreStatsOptions, console: Console, text: TextOptions): Promise<ExitCode> =>
  withStore(options, console, exitCodes.failure, async (store) => {
    const report = await store.report({ largest: true });
    console.out(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : storeText(report, text));
    return exitCodes.ok;
  });

/**
 * `willis store verify`: reads and checks everything. `ok`: all is as it was stored; `failure`: something was damaged, and is
 * forgotten; `configuration`: that could not be told.
 */
export const storeVerify = (options: StoreVerifyOptions, console: Console, watch: Watch): Promise<ExitCode> =>
  withStore(options, console, exitCodes.configuration, async (store) => {
    const { rate, json } = options;
    const { result, last } = await watched(store, 'verify', rate === undefined ? {} : { rate }, console, watch);
    if (result !== null) console.out(json === true ? `${JSON.stringify(result, null, 2)}\n` : verificationText(result));
    else
      console.err(
        `willis: ended before all was read: ${last?.responses ?? 0} responses, ${last?.damaged ?? 0} damaged\n`,
      );
    if (result === null ? (last?.damaged ?? 0) > 0 : !isSound(result)) return exitCodes.failure;
    return result?.isWhole === true ? exitCodes.ok : exitCodes.configuration;
  });

/** `willis store compact`: gives back the room of what was deleted. */
export const storeCompact = (options: StoreStatsOptions, console: Console, watch: Watch): Promise<ExitCode> =>
  withStore(options, console, exitCodes.failure, async (store) => {
    const { result } = await watched(store, 'compact', {}, console, watch);
    if (result === null) return exitCodes.failure;
    console.out(options.json === true ? `${JSON.stringify(result, null, 2)}\n` : compactionText(result));
    return exitCodes.ok;
  });

/** `willis store rebuild`: makes the index anew from what is sound in it and from the body files. */
export const storeRebuild = (options: StoreStatsOptions, console: Console, watch: Watch): Promise<ExitCode> =>
  withStore(options, console, exitCodes.failure, async (store) => {
    const { result } = await watched(store, 'rebuild', {}, console, watch);
    if (result === null) {
      console.err(
        'willis: it goes on in the node; a store that no node uses goes on when it is opened the next time\n',
      );
      return exitCodes.failure;
    }
    console.out(options.json === true ? `${JSON.stringify(result, null, 2)}\n` : rebuildText(result));
    return exitCodes.ok;
  });

const index = 'looking through the index';
const phases: Readonly<Record<keyof UpkeepResults, ProgressDisplayOptions['phases']>> = {
  verify: { index, files: 'looking for body files that belong to nothing' },
  rebuild: { index, files: 'the index is there' },
  compact: { index: 'compacting the index', files: 'deleting body files' },
};

interface Watched<R> {
  readonly result: R | null;
  readonly last: UpkeepProgress | null;
}

async function watched<W extends keyof UpkeepResults>(
  store: StoreSide,
  work: W,
  members: Readonly<Record<string, string>>,
  console: Console,
  watch: Watch,
): Promise<Watched<UpkeepResults[W]>> {
  const ending = new AbortController();
  const callOff = watch.onEnd(() => ending.abort());
  const display = new ProgressDisplay({
    ...{ label: work, phases: phases[work], clock: systemClock, width: watch.width },
    write: (text) => console.err(text),
  });
  let last: UpkeepProgress | null = null;
  const onProgress = (progress: UpkeepProgress): void => {
    last = progress;
    display.show(progress);
  };
  try {
    return { result: await store.perform(work, members, { signal: ending.signal, onProgress }), last };
  } finally {
    callOff();
    display.end();
  }
}
