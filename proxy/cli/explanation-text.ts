import { formatDuration } from '../../config/duration.js';
import type { ExplainedRequest, HeldExplanation } from '../admin/operator-explain.js';
import { escapeControls } from '../base/escape.js';
import { readableDuration, readableSize } from '../base/readable-units.js';
import type { StoredExplanation } from '../cache/explanation.js';
import type { NextStep } from '../cache/next-step.js';
import { choiceText } from './choice-text.js';
import { labelledLines, type LabelledLine } from './labelled-lines.js';
import type { TextStyle } from './text-style.js';

export interface TextOptions {
  readonly style: TextStyle;
  /** Characters in a line. */
  readonly width: number;
}

/** What `willis explain` shows to a person. */
export function explanationText(explained: ExplainedRequest, options: TextOptions): string {
  const { style } = options;
  const { method, uri, stored } = explained;
  const count = stored.length === 1 ? '1 stored response' : `${stored.length} stored responses`;
  return [
    `${style.strong(`${method} ${escapeControls(uri)}`)}\n`,
    lines(aboutRequest(explained, style), options, 2),
    `\n${style.strong('The next such request')}\n`,
    lines(
      explained.held === null ? aboutNext(explained.next, style) : aboutHeld(explained.held, explained.next, style),
      options,
      2,
    ),
    explained.choice === null ? '' : choiceText(explained.choice, style),
    stored.length === 0 ? '' : `\n${style.strong(count)}\n`,
    ...stored.map((one, i) => aboutStored(one, i, explained, options)),
  ].join('');
}

const lines = (given: readonly LabelledLine[], { style, width }: TextOptions, indent: number): string =>
  labelledLines(given, { indent, column: 15, width, label: style.soft });

function aboutRequest(
  { side, named, site, held, key, rule, access, uri, stored }: ExplainedRequest,
  style: TextStyle,
): LabelledLine[] {
  const found: LabelledLine[] = [['side', side === 'proxy' ? 'forward proxy' : 'reverse side']];
  if (named !== null) {
    const how = `listed as ${named.pattern}.wlis by ${named.by}`;
    found.push(['name', `${escapeControls(named.url)}, ${how}`]);
  }
  if (held !== null) {
    const how = held.role === 'primary' ? 'published here' : 'replicated here';
    found.push(['namespace', `${escapeControls(held.namespace)}, ${how}`]);
  } else if (side === 'site') {
    found.push(['site', site === null ? style.bad('none has it') : `${site.host}${site.prefix} from ${site.origin}`]);
  }
  if (access !== null) found.push(['client', accessText(access, style)]);
  found.push(['key', escapeControls(key)]);
  if (rule !== null) {
    found.push(['rule', `cache.rules, ${rule.match}: ${ruleText(rule)}`]);
  }
  if (side === 'proxy' && named === null && uri.startsWith('https:') && stored.length === 0) {
    found.push(['note', 'browsers reach https through a tunnel (CONNECT), of which nothing can be stored']);
  }
  return found;
}

function ruleText({ store, lifetime, pin, maxBytes }: NonNullable<ExplainedRequest['rule']>): string {
  const said = [
    store ? 'stored' : 'nothing is stored',
    pin ? 'pinned' : null,
    maxBytes === null ? null : `at most ${readableSize(maxBytes)} together`,
    lifetime === null ? null : `lifetime ${formatDuration(lifetime)} where none is named`,
  ];
  return said.filter((part) => part !== null).join(', ');
}

function accessText(access: NonNullable<ExplainedRequest['access']>, style: TextStyle): string {
  const { client } = access;
  switch (access.kind) {
    case 'allow':
      return `${client} ${style.good('allowed')} by access.rules[${access.rule}]`;
    case 'deny':
      return `${client} ${style.bad('refused')} by access.rules[${access.rule}]`;
    case 'challenge':
      return `${client} ${style.fair('asked who it is')}${access.rule === null ? '' : ` by access.rules[${access.rule}]`}`;
    case 'no-client':
      return `${client} ${style.bad('refused')}: it is not among access.clients`;
    case 'no-rule':
      return `${client} ${style.good('allowed')}`;
  }
}

/** What is held answers for itself, whatever the cache has. */
function aboutHeld({ from, because }: HeldExplanation, next: NextStep, style: TextStyle): LabelledLine[] {
  if (from === 'primary') return [['primary', escapeControls(because)], ...aboutNext(next, style)];
  return [[from === 'document' ? 'answered' : '404', escapeControls(`from the namespace: ${because}`)]];
}

function aboutNext(next: NextStep, style: TextStyle): LabelledLine[] {
  const found: LabelledLine[] = [
    [next.plan === 'validate' && next.uses === null ? words.fetch : words[next.plan], next.because],
    ['Cache-Status', escapeControls(next.cacheStatus)],
  ];
  for (const [name, value] of next.asks) found.push(['asks with', escapeControls(`${name}: ${value}`)]);
  if (next.onFailure !== null && next.uses !== null) found.push(['if that fails', failureText(next.onFailure, style)]);
  if (next.collapse === 'follows') found.push(['waits', 'for a request for the same that is under way']);
  return found;
}

const words: Readonly<Record<NextStep['plan'], string>> = {
  hit: 'hit',
  'hit-and-validate': 'stale hit',
  complete: 'completes',
  validate: 'validates',
  fetch: 'forwarded',
  bypass: 'forwarded',
  refuse: 'refused',
};

function failureText(
  { unreachable, 'server-error': serverError }: NonNullable<NextStep['onFailure']>,
  style: TextStyle,
): string {
  const said = { stale: style.fair('the stale response'), error: style.bad('an error') };
  if (unreachable === serverError) return `${said[unreachable]} if the origin server answers 5xx or cannot be reached`;
  return `${said[unreachable]} if the origin server cannot be reached, ${said[serverError]} if it answers 5xx`;
}

function aboutStored(
  one: StoredExplanation,
  i: number,
  { selected, stored }: ExplainedRequest,
  options: TextOptions,
): string {
  const { style } = options;
  const what = [String(one.status), one.contentType, sizeText(one)].filter((part) => part !== null).join(' · ');
  const several = stored.length > 1;
  const because = several && selected?.id === one.id ? selected.because : null;
  const number = several ? `${i + 1}. ` : '';
  const title = `\n  ${number}${escapeControls(what)}${because === null ? '' : style.good(' ◀ selected')}\n`;
  return title + lines(factsOf(one, because, style), options, 4);
}

function factsOf(one: StoredExplanation, because: string | null, style: TextStyle): LabelledLine[] {
  const found: LabelledLine[] = [];
  if (because !== null) found.push(['selected', because]);
  for (const field of one.selecting) found.push(['varies by', selectingText(field, style)]);
  found.push([stateOf(one), freshnessText(one, style)]);
  if (one.invalidated) found.push(['invalidated', style.fair('to be validated before its next use')]);
  if (one.purged) found.push(['purged', style.fair('its lifetime was ended by an operator')]);
  found.push(['received', one.receivedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')]);
  if (one.cacheControl !== null) found.push(['governed by', escapeControls(one.cacheControl)]);
  found.push(['when stale', staleText(one)]);
  const validators = [
    one.etag === null ? null : `ETag ${one.etag}`,
    one.lastModified && `Last-Modified ${one.lastModified}`,
  ];
  const known = validators.filter((validator) => validator !== null);
  found.push([
    'validators',
    known.length === 0 ? 'none: it can only be fetched anew' : escapeControls(known.join(', ')),
  ]);
  if (!one.complete) found.push(['holds', one.held.map(({ from, to }) => `bytes ${from}–${to - 1}`).join(', ')]);
  if (one.groups.length > 0) found.push(['groups', escapeControls(one.groups.join(', '))]);
  return found;
}

const stateOf = ({ freshFor }: StoredExplanation): string => (freshFor > 0 ? 'fresh' : 'stale');

function freshnessText({ freshFor, age, lifetime, lifetimeSource }: StoredExplanation, style: TextStyle): string {
  const of = lifetimeSource === 'purged' ? '' : ` of ${readableDuration(lifetime)}`;
  const why = `(age ${readableDuration(age)}${of}, ${sources[lifetimeSource]})`;
  return freshFor > 0
    ? `${style.good(`for another ${readableDuration(freshFor)}`)} ${why}`
    : `${style.fair(`for ${readableDuration(positive(freshFor))}`)} ${why}`;
}

const positive = (duration: StoredExplanation['freshFor']): StoredExplanation['freshFor'] =>
  Math.abs(duration) as StoredExplanation['freshFor'];

const sources: Readonly<Record<StoredExplanation['lifetimeSource'], string>> = {
  's-maxage': 'by s-maxage',
  'max-age': 'by max-age',
  expires: 'by Expires',
  rule: 'by a rule of cache.rules',
  heuristic: 'by its age when it came: cache.heuristicFraction',
  negative: 'of a negative answer: cache.negative',
  purged: 'ended by a purge',
  none: 'it names none',
};

function staleText({ stale }: StoredExplanation): string {
  if (stale.forbidden) return 'never used without validation';
  const said = [
    stale.whileRevalidate === null ? null : `sent for ${readableDuration(stale.whileRevalidate)} while it is validated`,
    stale.ifError === null
      ? 'stands in if the origin server cannot be reached'
      : `stands in for ${readableDuration(stale.ifError)} if the origin server fails`,
  ];
  return said.filter((part) => part !== null).join('; ');
}

function selectingText({ name, stored, requested }: StoredExplanation['selecting'][number], style: TextStyle): string {
  const is = stored === null ? 'absent' : `'${escapeControls(stored)}'`;
  if (stored === requested) return `${name}: ${is}`;
  return `${name}: ${is}, ${style.fair(`here ${requested === null ? 'absent' : `'${escapeControls(requested)}'`}`)}`;
}

function sizeText({ length, complete, heldBytes }: StoredExplanation): string {
  if (complete && length !== null) return readableSize(length);
  return `${readableSize(heldBytes)} of ${length === null ? 'an unknown length' : readableSize(length)}`;
}
