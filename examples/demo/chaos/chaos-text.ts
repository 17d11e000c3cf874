import type { ChaosState } from './chaos.js';
import type { ProxyFigures } from './proxy-figures.js';

/** One line on how things are. */
export function progressLine({ tally, down, edits }: ChaosState): string {
  const names = down.map(({ name, fault }) => `${name} ${fault}`).join(', ');
  return `${clock(tally.elapsed)}  ${number(tally.requests)} requests, ${number(tally.failed)} failed, ${number(edits)} edits  ${names}`.trimEnd();
}

export const eventLine = ({ tally }: ChaosState, text: string): string => `${clock(tally.elapsed)}  ${text}`;

/** What has come of it all. */
export function summary({ tally, edits, faults }: ChaosState, figures: ProxyFigures | null): string {
  const times = [0.5, 0.99, 1].map((share) => tally.within(share));
  const [p50 = '–', p99 = '–', most = '–'] = times.map((time) => (time === null ? '–' : `${number(time)} ms`));
  const listed = (counts: ReadonlyMap<string, number>): string =>
    [...counts]
      .sort(([, a], [, b]) => b - a)
      .map(([name, times]) => `${number(times)} ${name}`)
      .join(', ');
  const lines = [
    ['time', clock(tally.elapsed)],
    ['requests', `${number(tally.requests)} (${listed(tally.kinds)}); ${number(tally.bytes / 1e6)} MB`],
    ['failed', number(tally.failed)],
    ['answered by', listed(tally.sources)],
    ...(figures === null
      ? []
      : [
          [
            'failovers',
            `${number(figures.failovers)}, ${number(figures.continued)} of them in the middle of a body; ${number(figures.refused)} answers were not believed`,
          ],
        ]),
    ['whole answer', `half within ${p50}, 99 % within ${p99}, the slowest ${most}`],
    ['faults', listed(faults)],
    ['edits', number(edits)],
  ];
  const table = lines.map(([name = '', value = '']) => `  ${name.padEnd(14)}${value}`).join('\n');
  const failures = tally.failures.map(({ at, what }) => `  ${clock(at)}  ${what}`);
  const more = tally.failed - failures.length;
  if (more > 0) failures.push(`  and ${number(more)} more`);
  return [table, ...(failures.length > 0 ? ['', 'What failed:', '', ...failures] : [])].join('\n');
}

const number = (value: number): string => Math.round(value).toLocaleString('en-GB');

function clock(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}
