import { cpus, loadavg, release, totalmem } from 'node:os';

/** `2 × Xeon, 8 GB, Linux 6.1`: where figures were taken. */
export const thisMachine = (): string =>
  `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores, ${Math.round(totalmem() / 1e9)} GB, Linux ${release()}`;

/** What a reader must know of a machine that has other things to do: a sentence, or none. To be asked before a run begins. */
export function notQuiet(): readonly string[] {
  const load = loadavg()[0] ?? 0;
  return load > quietLoad
    ? [`**The machine was not quiet** (load ${load.toFixed(1)} at the beginning): the figures are rough.`]
    : [];
}

/** The same of a run that names the programs it was made with, as a list in Markdown. */
export const runHere = (programs: readonly string[]): string =>
  [
    `Run of ${new Date().toISOString().slice(0, 10)} on Node.js ${process.versions.node}; ${programs.join('; ')}.`,
    `${thisMachine()}.`,
    ...notQuiet(),
  ]
    .map((sentence) => `- ${sentence}`)
    .join('\n');

/** A machine busier than this with other things measures them too. */
const quietLoad = 0.3;
