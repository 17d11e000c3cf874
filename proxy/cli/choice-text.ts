import { milliseconds, seconds, toSeconds, type Milliseconds } from '../../config/units.js';
import type { CandidateExplanation, ChoiceExplanation } from '../../wlis/choice/choice-explanation.js';
import { escapeControls } from '../base/escape.js';
import { readableDuration, readableSize } from '../base/readable-units.js';
import type { TextStyle } from './text-style.js';
import { textTable, type Column } from './text-table.js';

/** From whom a request would be got, in the order of trying, and what is known of each of them. */
export function choiceText(choice: ChoiceExplanation, style: TextStyle): string {
  const { namespace, policy, rule, candidates, skipped } = choice;
  const how = rule === null ? `by ${escapeControls(policy)}` : `by the rule for ${escapeControls(rule)}`;
  const rows = candidates.map(cellsOf);
  const used = columns.map((_, i) => i === 0 || rows.some((row) => row[i] !== ''));
  const inUse = (cells: readonly string[]): string[] => cells.filter((_, i) => used[i]);
  const notes = [
    ...candidates.flatMap(({ url, lateBecause }) => (lateBecause === null ? [] : [[url, `last: ${lateBecause}`]])),
    ...candidates.flatMap(({ url, failure, lateBecause }) =>
      failure === null || lateBecause !== null ? [] : [[url, `failed before: ${failureText(failure)}`]],
    ),
    ...skipped.map(({ url, because }) => [url, `left out: ${because}`]),
  ];
  return [
    `\n${style.strong('From whom')} ${escapeControls(namespace)}, ${how}\n`,
    candidates.length === 0
      ? `  ${style.bad('nobody can be asked')}\n`
      : textTable(
          columns.filter((_, i) => used[i]),
          rows.map(inUse),
          style,
          '  ',
        ),
    ...notes.map(([url = '', note = '']) => `  ${style.soft(escapeControls(url))} ${escapeControls(note)}\n`),
  ].join('');
}

const columns: readonly Column[] = [
  ['node'],
  ['role'],
  ['score', 'right'],
  ['first byte', 'right'],
  ['measured', 'right'],
  ['bandwidth', 'right'],
  ['load', 'right'],
  ['under way', 'right'],
  ['state'],
];

const cellsOf = (one: CandidateExplanation): string[] => [
  escapeControls(one.url),
  one.role,
  one.score === null ? '' : scoreText(one.score),
  one.latency === null ? '' : latencyText(one.latency),
  one.measuredBefore === null ? '' : `${ago(one.measuredBefore)} ago`,
  one.bandwidth === null ? '' : `${readableSize(one.bandwidth)}/s`,
  one.load === null ? '' : `${one.load.value.toFixed(2)} (${ago(one.load.before)} ago)`,
  one.underWay === 0 ? '' : String(one.underWay),
  states[one.breaker],
];

const states: Readonly<Record<CandidateExplanation['breaker'], string>> = {
  closed: 'well',
  open: 'looks down',
  probing: 'in trial',
};

const failureText = ({ reason, detail }: NonNullable<CandidateExplanation['failure']>): string =>
  detail === null ? reason : `${reason}: ${detail}`;

const scoreText = (score: number): string => (Math.abs(score) >= 100 ? score.toFixed(0) : score.toPrecision(3));

const latencyText = (latency: Milliseconds): string =>
  latency < 10 ? `${latency.toFixed(1)} ms` : `${Math.round(latency)} ms`;

const ago = (time: Milliseconds): string =>
  readableDuration(seconds(Math.round(toSeconds(milliseconds(Math.max(0, time))))));
