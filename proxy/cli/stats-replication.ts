import { bytes, seconds } from '../../config/units.js';
import { escapeControls } from '../base/escape.js';
import { readableDuration, readableSize } from '../base/readable-units.js';
import { counted, countOf } from './counted.js';
import type { LabelledLine } from './labelled-lines.js';
import { stateWords } from './namespaces-text.js';
import type { Labels, StatsView } from './stats-view.js';

const mostShown = 20;

/** What `willis stats` shows of the namespaces of a node; nothing if it holds none. */
export function replicationLines(whole: StatsView): LabelledLine[] {
  const all = whole.labels('willis_namespace_state');
  const more = (whole.gauge('willis_namespaces') ?? 0) - Math.min(all.length, mostShown);
  return [
    ...all.slice(0, mostShown).map((one, i): LabelledLine => [i === 0 ? 'namespaces' : '', namespaceText(one, whole)]),
    ...(more > 0 ? [['', `and ${counted(more)} more: willis namespaces`] satisfies LabelledLine] : []),
  ];
}

function namespaceText({ namespace = '', role = '', state = '' }: Labels, whole: StatsView): string {
  const of = { namespace };
  const gauge = (name: string): number | null => whole.gauge(`willis_namespace_${name}`, of);
  const [seq, documents, held] = [gauge('seq'), gauge('documents') ?? 0, gauge('bytes') ?? 0];
  const words: Readonly<Record<string, string>> = stateWords;
  return [
    `${escapeControls(namespace)}: ${role}, ${words[state] ?? state}`,
    seq === null ? 'nothing yet' : `at change ${seq}`,
    ...lag(gauge('lag_changes') ?? 0, gauge('lag_seconds') ?? 0),
    `${countOf(documents, 'document')}, ${sized(held)}`,
    ...(role === 'primary' ? replicas(whole, of) : pulled(whole, of)),
    ...refused(whole, of),
  ].join(', ');
}

const lag = (changes: number, time: number): string[] =>
  changes === 0 ? [] : [`${countOf(changes, 'change')} and ${readableDuration(seconds(time))} behind`];

function replicas(whole: StatsView, of: Labels): string[] {
  const standing = (name: string): number => whole.gauge('willis_namespace_replicas', { ...of, standing: name }) ?? 0;
  const [inStep, all] = [standing('in-step'), standing('in-step') + standing('behind')];
  return all === 0 ? [] : [`${counted(inStep)} of ${countOf(all, 'replica')} in step`];
}

const pulled = (whole: StatsView, of: Labels): string[] => [
  `${sized(whole.count('willis_namespace_pulled_bytes_total', of) ?? 0)} pulled`,
  `${sized(whole.count('willis_namespace_spared_bytes_total', of) ?? 0)} spared`,
];

function refused(whole: StatsView, of: Labels): string[] {
  const count = whole.count('willis_namespace_refused_total', of) ?? 0;
  return count === 0 ? [] : [`${counted(count)} refused`];
}

const sized = (value: number): string => readableSize(bytes(value));
