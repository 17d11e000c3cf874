import { parseArgs } from 'node:util';
import { FaultyRuns } from './faulty-runs.js';

// npx tsx test/faults/run.ts --rounds 1000 --seed 7
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    stops: { type: 'string', default: '0.1' },
    quiet: { type: 'boolean', default: false },
  },
});
const runs = new FaultyRuns({
  rounds: Number(values.rounds),
  seed: Number(values.seed),
  stops: Number(values.stops),
  onRound: (line) => {
    if (!values.quiet || line.startsWith('WRONG')) console.log(line);
  },
});
const summary = await runs.run();
console.log(JSON.stringify({ ...summary, wrong: summary.wrong.length }, null, 2));
process.exitCode = summary.wrong.length === 0 ? 0 : 1;
