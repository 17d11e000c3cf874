import { setMaxListeners } from 'node:events';

/** What goes on, beside the results. */
export const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);

/** Runs a measurement until it ends or is interrupted. @param run gets the arguments of the command line */
export async function asProgram(
  usage: string,
  run: (args: readonly string[], signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const interruption = new AbortController();
  // every request under way listens
  setMaxListeners(0, interruption.signal);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => interruption.abort(new Error(`interrupted by ${name}`)));
  }
  const args = process.argv.slice(2);
  try {
    if (args.includes('--help')) process.stdout.write(`${usage}\n`);
    else await run(args, interruption.signal);
  } catch (error) {
    const { message } = interruption.signal.aborted ? (interruption.signal.reason as Error) : (error as Error);
    say(message);
    process.exitCode = interruption.signal.aborted ? 130 : 1;
  }
}
