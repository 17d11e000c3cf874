import { parseArgs } from 'node:util';
import { parseDuration } from '../../config/duration.js';
import type { Milliseconds } from '../../config/units.js';

/** `show`: until Ctrl-C, for somebody who edits and watches. `chaos`: for a while, with nodes that fail in turn. */
export type DemoOptions =
  | { readonly mode: 'help' }
  | { readonly mode: 'show' }
  | { readonly mode: 'chaos'; readonly time: Milliseconds; readonly seed: number };

export const usage = `npm run demo [-- options]
  --chaos      kills, stops and black-holes nodes in turn, edits meanwhile, and checks everything that a reader gets
  --for 10m    how long
  --seed 1     another one makes another sequence of faults
`;

/** @throws Error that says what is wrong */
export function parseOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      chaos: { type: 'boolean', default: false },
      for: { type: 'string' },
      seed: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { mode: 'help' };
  if (!values.chaos) {
    if (values.for !== undefined || values.seed !== undefined) throw new Error('--for and --seed go with --chaos');
    return { mode: 'show' };
  }
  const time = parseDuration(values.for ?? '10m');
  if (time === null || time < shortest || time > longest) {
    throw new Error(`--for wants a time from 10s to 1d, such as 10m, not ${values.for ?? ''}`);
  }
  const seed = values.seed ?? '1';
  if (!/^\d{1,9}$/.test(seed)) throw new Error(`--seed wants a whole number of at most nine digits, not ${seed}`);
  return { mode: 'chaos', time, seed: Number(seed) };
}

const shortest = 10_000;
const longest = 86_400_000;
