import { epochMs } from '../../config/units.js';
import { ChangeJournal } from '../../replication/change-journal.js';

/** Records sets of ten changes and says of each when it is acknowledged, until it is killed. */
const [, , path = '', namespace = ''] = process.argv;
const options = { path, namespace };
const journal = (await ChangeJournal.open(options)).journal ?? (await ChangeJournal.begin(options, '5-aa'));
for (let round = 0; ; round++) {
  const next = journal.list.last + 1;
  const edits = Array.from({ length: 10 }, (_, i) => ({ path: `p${(next + i) % 70}`, document: `{"v":${next + i}}` }));
  await journal.record(edits, epochMs(1), true);
  process.stdout.write(`${journal.list.last}\n`);
  if (round % 7 === 6) await journal.compact();
}
