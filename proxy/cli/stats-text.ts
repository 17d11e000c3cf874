import { bytes, seconds } from '../../config/units.js';
import { escapeControls } from '../base/escape.js';
import { readableDuration, readableSize } from '../base/readable-units.js';
import type { TextOptions } from './explanation-text.js';
import { labelledLines, type LabelledLine } from './labelled-lines.js';
import { replicationLines } from './stats-replication.js';
import type { StatsView } from './stats-view.js';

/**
 * What `willis stats` shows to a person: of the whole life of a node, or of the time since `lately` began, besides what
 * has come together in the whole life.
 */
export function statsText(whole: StatsView, lately: StatsView | null, options: TextOptions): string {
  const { style, width } = options;
  const { node } = whole.stats;
  const running = whole.covered === null ? '' : ` for ${readableDuration(seconds(Math.floor(whole.covered)))}`;
  const facts = [
    traffic(whole, lately),
    latency(lately ?? whole),
    state(whole),
    replicationLines(whole),
    program(whole, lately),
  ].flat();
  const about: LabelledLine[] = facts.filter((line): line is LabelledLine => line !== null);
  return [
    `${style.strong(escapeControls(node.name))}, ${node.phase}${running}\n\n`,
    labelledLines(about, { indent: 2, column: 17, width, label: style.soft }),
    outcomes(whole, lately, options),
  ].join('');
}

type Line = LabelledLine | null;

function traffic(whole: StatsView, lately: StatsView | null): Line[] {
  const { hitRatio } = whole.stats;
  const ratio = [percent(hitRatio.requests, 'of requests'), percent(hitRatio.bytes, 'of bytes')].filter(known);
  return [
    amount('requests', 'willis_requests_total', whole, lately, counted),
    ratio.length === 0 ? null : ['hits', ratio.join(', ')],
    amount('to clients', 'willis_response_bytes_total', whole, lately, sized),
    amount('from clients', 'willis_request_bytes_total', whole, lately, sized),
    amount('from origins', 'willis_upstream_bytes_total', whole, lately, sized, { direction: 'received' }),
    whole.count('willis_errors_total') === null ? null : errors(whole),
  ];
}

/** A sum, and its rate where it is known over which time. */
function amount(
  label: string,
  name: string,
  whole: StatsView,
  lately: StatsView | null,
  format: (value: number) => string,
  labels: Readonly<Record<string, string>> = {},
): Line {
  const sum = served(whole, name, labels);
  if (sum === null) return null;
  const view = lately ?? whole;
  const count = served(view, name, labels);
  const rate = count === null || view.covered === null ? '' : ` (${format(count / view.covered)} a second)`;
  return [label, `${format(sum)}${rate}`];
}

function errors(whole: StatsView): LabelledLine {
  const most = [...whole.countBy('willis_errors_total', 'code')].sort(([, a], [, b]) => b - a).slice(0, 4);
  const named = most.map(([code, count]) => `${counted(count)} ${code}`).join(', ');
  return ['failures', named === '' ? 'none' : named];
}

function latency(view: StatsView): Line[] {
  return (['hit', 'forwarded'] as const).map((kind): Line => {
    const labels = { class: kind };
    const half = view.quantile('willis_request_duration_seconds', 0.5, labels);
    const most = view.quantile('willis_request_duration_seconds', 0.99, labels);
    if (half === null || most === null) return null;
    return [`${kind} takes`, `${milliseconds(half)} for half of them, ${milliseconds(most)} for 99 %`];
  });
}

function state(whole: StatsView): Line[] {
  const connections = (['proxy', 'site', 'admin'] as const)
    .map((side) => [side, whole.gauge('willis_connections_open', { side })] as const)
    .flatMap(([side, open]) => (open === null ? [] : [`${counted(open)} ${side}`]));
  const tunnels = whole.gauge('willis_tunnels_open');
  const [busy, idle] = ['busy', 'idle'].map((name) => whole.gauge('willis_upstream_connections', { state: name }));
  const waiting = whole.gauge('willis_upstream_waiting_requests');
  return [
    stored('memory', whole),
    stored('disk', whole),
    connections.length === 0 ? null : ['connections', `${connections.join(', ')}; ${counted(tunnels ?? 0)} tunnels`],
    busy == null || idle == null
      ? null
      : ['to origins', `${counted(busy)} busy, ${counted(idle)} idle; ${counted(waiting ?? 0)} requests wait`],
  ];
}

/** What one part of the store holds. */
function stored(store: 'memory' | 'disk', whole: StatsView): Line {
  const held = whole.gauge('willis_store_bytes', { store });
  const limit = whole.gauge('willis_store_limit_bytes', { store });
  const responses = whole.gauge('willis_store_responses', { store });
  if (held === null || limit === null || responses === null) return null;
  const evicted = whole.count('willis_store_evictions_total', { store });
  const trouble = whole.gauge('willis_store_well', { store }) === 0 ? '; not in use at the moment' : '';
  const count = `${counted(responses)} ${responses === 1 ? 'response' : 'responses'}`;
  const kept = pinned(store, whole);
  return [store, `${count}, ${sized(held)} of ${sized(limit)}, ${counted(evicted ?? 0)} evicted${kept}${trouble}`];
}

/** What is pinned of it, and how often something was not stored for that. */
function pinned(store: 'memory' | 'disk', whole: StatsView): string {
  const rules = [...whole.countBy('willis_store_rule_pinned', 'rule').keys()];
  const isPinned = (rule: string): boolean => whole.gauge('willis_store_rule_pinned', { store, rule }) === 1;
  const held = rules.filter(isPinned).map((rule) => whole.gauge('willis_store_rule_bytes', { store, rule }) ?? 0);
  if (held.length === 0) return '';
  const refused = whole.count('willis_store_rule_refused_total', { store }) ?? 0;
  const full = refused === 0 ? '' : `, and ${counted(refused)} refused for that`;
  return `, ${sized(held.reduce((sum, one) => sum + one))} pinned${full}`;
}

function program(whole: StatsView, lately: StatsView | null): Line[] {
  const view = lately ?? whole;
  const cpu = view.count('process_cpu_seconds_total');
  const memory = whole.gauge('process_resident_memory_bytes');
  const delay = view.quantile('willis_event_loop_delay_seconds', 0.99);
  const share = cpu === null || view.covered === null ? null : `${((cpu / view.covered) * 100).toFixed(1)} % of a core`;
  const said = [
    share,
    memory === null ? null : `${sized(memory)} of memory`,
    delay === null ? null : `event loop late by ${milliseconds(delay)} at most in 99 %`,
  ].filter(known);
  return [said.length === 0 ? null : ['process', said.join(', ')]];
}

/** Requests by outcome, the most frequent first. */
function outcomes(whole: StatsView, lately: StatsView | null, { style }: TextOptions): string {
  const requests = 'willis_requests_total';
  const counts = [...whole.countBy(requests, 'outcome').keys()]
    .map((outcome) => [outcome, served(whole, requests, { outcome }) ?? 0] as const)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 12);
  if (counts.length === 0) return '';
  const widest = Math.max(...counts.map(([outcome]) => outcome.length), 8);
  const rows = counts.map(([outcome, count]) => {
    const sent = served(whole, 'willis_response_bytes_total', { outcome }) ?? 0;
    const recent = lately === null ? null : served(lately, requests, { outcome });
    const rate = recent === null || lately?.covered == null ? '' : `${counted(recent / lately.covered)}/s`.padStart(10);
    return `  ${escapeControls(outcome).padEnd(widest)}${counted(count).padStart(14)}${sized(sent).padStart(12)}${rate}\n`;
  });
  const head = `  ${'outcome'.padEnd(widest)}${'requests'.padStart(14)}${'sent'.padStart(12)}`;
  return `\n${style.soft(head)}\n${rows.join('')}`;
}

/** A count without what operators ask themselves, as this does each second. */
function served(view: StatsView, name: string, labels: Readonly<Record<string, string>>): number | null {
  const all = view.count(name, labels);
  return all === null ? null : all - (view.count(name, { ...labels, side: 'admin' }) ?? 0);
}

const known = (text: string | null): text is string => text !== null;

const percent = (share: number | null, of: string): string | null =>
  share === null ? null : `${(share * 100).toFixed(1)} % ${of}`;

const counted = (value: number): string =>
  (value < 100 && !Number.isInteger(value) ? value.toFixed(1) : String(Math.round(value))).replace(
    /\B(?=(?:\d{3})+(?!\d|\.))/g,
    ',',
  );

const sized = (value: number): string => readableSize(bytes(Math.round(value)));

function milliseconds(duration: number): string {
  const value = duration * 1000;
  if (value >= 10_000) return `${duration.toFixed(0)} s`;
  return `${value >= 99.5 ? value.toFixed(0) : value.toPrecision(2)} ms`;
}
