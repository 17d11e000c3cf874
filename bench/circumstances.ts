import { cpus, loadavg, release, totalmem } from 'node:os';
import type { Options } from './options.js';
import type { Peer } from './peers/peer.js';

/** A machine busier than this with other things measures them too. */
const quietLoad = 0.3;

/** What a reader must know of the run to judge its figures; taken before it begins. */
export function circumstances(options: Options, present: readonly Peer[], countsProcessor: boolean): string[] {
  const [cpu] = cpus();
  const load = loadavg()[0] ?? 0;
  const versions = present.map((peer) => `${peer.name} ${peer.version() ?? ''}`).join('; ');
  const rounds = `${options.rounds} alternating rounds of ${options.seconds} s at full load, and as many at half load`;
  return [
    `Peers: ${versions}.`,
    `Machine: ${cpu?.model.trim() ?? 'unknown'}, ${cpus().length} cores, ${Math.round(totalmem() / 1e9)} GB, Linux ${release()}.`,
    `Run of ${new Date().toISOString().slice(0, 10)}: ${rounds}, ${options.connections} connections; medians.`,
    countsProcessor
      ? 'Instructions and cycles are those of user space and kernel, counted by perf.'
      : 'This machine does not let perf count instructions and cycles: CPU time stands for them.',
    ...(load > quietLoad
      ? [`**The machine was not quiet** (load ${load.toFixed(1)} at the beginning): the figures are rough.`]
      : []),
  ];
}
