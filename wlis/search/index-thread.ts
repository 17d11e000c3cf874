import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { Bytes } from '../../config/units.js';
import type { ThreadData } from './thread-calls.js';

/**
 * Starts the thread of an index. What it takes beyond the limit, which it keeps to by counting, is bounded as well: it would
 * end, and nothing else.
 */
export function openIndexThread(limit: Bytes): Worker {
  const options: WorkerOptions = {
    workerData: { limit } satisfies ThreadData,
    execArgv: [],
    resourceLimits: {
      maxOldGenerationSizeMb: Math.ceil((1.5 * limit) / mebibyte) + besides,
      maxYoungGenerationSizeMb: young,
    },
  };
  const thread = new Worker(
    new URL(isBuilt ? './search-thread.js' : './thread-from-source.mjs', import.meta.url),
    options,
  );
  // what else there is keeps the program from ending
  thread.unref();
  return thread;
}

const isBuilt = import.meta.url.endsWith('.js');

const mebibyte = 1024 * 1024;

/** Mebibytes for what is just being made; the program may have been started with far more for its other thread. */
const young = 24;

/** Mebibytes for one page that is being read, the program itself, and what has not been collected yet. */
const besides = 96;
