import type { Options } from './options.js';
import type { Peer } from './peers/peer.js';
import { notQuiet, thisMachine } from './this-machine.js';

/** What a reader must know of the run to judge its figures; taken before it begins. */
export function circumstances(options: Options, present: readonly Peer[], countsProcessor: boolean): string[] {
  const versions = present.map((peer) => `${peer.name} ${peer.version() ?? ''}`).join('; ');
  const rounds = `${options.rounds} alternating rounds of ${options.seconds} s at full load, and as many at half load`;
  return [
    `Peers: ${versions}.`,
    `Machine: ${thisMachine()}.`,
    `Run of ${new Date().toISOString().slice(0, 10)}: ${rounds}, ${options.connections} connections; medians.`,
    countsProcessor
      ? 'Instructions and cycles are those of user space and kernel, counted by perf.'
      : 'This machine does not let perf count instructions and cycles: CPU time stands for them.',
    ...notQuiet(),
  ];
}
