import { parseArgs } from 'node:util';
import { NodeRuns } from './node-runs.js';

// npx tsx test/faults/nodes/run.ts --rounds 1000 --seed 7
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
    quiet: { type: 'boolean', default: false },
  },
});
const summary = await new NodeRuns({
  rounds: Number(values.rounds),
  seed: Number(values.seed),
  first: Number(values.first),
  onRound: (line) => {
    if (!values.quiet || line.startsWith('WRONG')) console.log(line);
  },
}).run();
console.log(JSON.stringify({ ...summary, wrong: summary.wrong.length }, null, 2));
process.exitCode = summary.wrong.length === 0 ? 0 : 1;
