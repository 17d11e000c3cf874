import { toSeconds } from '../../config/units.js';
import type { AccessEntry } from '../base/access-line.js';
import { Histogram, latencyBounds } from '../base/histogram.js';
import type { NodeLoad } from '../base/node-load.js';
import { Labelled, type LabelValues } from '../base/labelled.js';
import { Counter, type Ratio, type Registry, type Sample, type Snapshot } from '../base/metrics.js';
import { statusLabel } from '../base/status-label.js';

/** Exchanges with the same labels. */
class Series {
  requests = 0;
  bytesIn = 0;
  bytesOut = 0;

  constructor(readonly times: Times) {}
}

interface Times {
  readonly duration: Histogram;
  readonly firstByte: Histogram;
}

/** Counts the exchanges of a node by what the access log tells of them, so that both agree. */
export class ExchangeMetrics {
  readonly #times = new Labelled(['side', 'class'], newTimes, 50);
  readonly #series = new Labelled(
    ['side', 'site', 'rule', 'outcome', 'status'],
    (...[side = '', , , outcome = '']) => new Series(this.#times.of(side, outcomeClass(String(outcome)))),
    5000,
  );
  readonly #errors = new Labelled(['side', 'code'], () => new Counter(), 300);
  readonly #aborted = new Labelled(['side', 'by'], () => new Counter(), 20);

  readonly #load: Pick<NodeLoad, 'count'>;

  /** @param load is told of each exchange too */
  constructor(registry: Registry, load: Pick<NodeLoad, 'count'>) {
    this.#load = load;
    this.#addSeries(registry);
    this.#addTimes(registry);
    this.#addTroubles(registry);
    const [collapsed, stale] = [';collapsed', ';stale'];
    this.#addMarked(registry, collapsed, 'willis_collapsed_answers_total', 'Answers that another request had fetched.');
    this.#addMarked(registry, stale, 'willis_stale_answers_total', 'Answers from a stale response.');
  }

  /** @param failure code of what went wrong; null if nothing did */
  count(entry: AccessEntry, failure: string | null): void {
    const status = statusLabel(entry.status);
    const series = this.#series.of(entry.side, entry.site, entry.rule, entry.outcome, status);
    series.requests++;
    this.#load.count(entry.bytesOut);
    series.bytesIn += entry.bytesIn;
    series.bytesOut += entry.bytesOut;
    series.times.duration.observe(toSeconds(entry.duration));
    if (entry.firstByteTime !== null) series.times.firstByte.observe(toSeconds(entry.firstByteTime));
    if (failure !== null) this.#errors.of(entry.side, failure).add();
    if (entry.aborted !== null) this.#aborted.of(entry.side, entry.aborted).add();
  }

  /** Of the answers for which the cache was asked, hits by number and by bytes. */
  hitRatio(): Snapshot['hitRatio'] {
    const all = new Series(newTimes());
    const hits = new Series(newTimes());
    for (const [labels, one] of this.#series.entries()) {
      const outcome = outcomeOf(labels);
      if (outcome.startsWith('hit')) add(hits, one);
      if (outcome.startsWith('hit') || outcome.startsWith('fwd=')) add(all, one);
    }
    return { requests: share(hits.requests, all.requests), bytes: share(hits.bytesOut, all.bytesOut) };
  }

  #addSeries(registry: Registry): void {
    const families: readonly [name: string, help: string, value: (series: Series) => number][] = [
      ['willis_requests_total', 'Requests that are over.', ({ requests }) => requests],
      ['willis_response_bytes_total', 'Bytes sent to clients, heads included.', ({ bytesOut }) => bytesOut],
      ['willis_request_bytes_total', 'Bytes received from clients, heads included.', ({ bytesIn }) => bytesIn],
    ];
    for (const [name, help, value] of families) {
      registry.readEach({ type: 'counter', name, help, of: this.#series, value });
    }
  }

  #addTimes(registry: Registry): void {
    registry.readEach({
      ...{ type: 'histogram', name: 'willis_request_duration_seconds' },
      help: 'From the end of the head of a request to the end of its answer.',
      of: this.#times,
      value: ({ duration }) => observed(duration),
    });
    registry.readEach({
      ...{ type: 'histogram', name: 'willis_first_byte_seconds' },
      help: 'From the end of the head of a request until the head of its answer was sent.',
      of: this.#times,
      value: ({ firstByte }) => observed(firstByte),
    });
  }

  #addTroubles(registry: Registry): void {
    const value = (counter: Counter): number => counter.value;
    const errors = { name: 'willis_errors_total', help: 'Failures by their code in the error table.' };
    registry.readEach({ type: 'counter', ...errors, of: this.#errors, value });
    const aborted = { name: 'willis_aborted_answers_total', help: 'Answers that did not arrive complete.' };
    registry.readEach({ type: 'counter', ...aborted, of: this.#aborted, value });
  }

  /** Requests whose outcome bears a mark, by side. */
  #addMarked(registry: Registry, mark: string, name: string, help: string): void {
    const read = (): Sample[] => {
      const bySide = new Map<string | number, number>();
      for (const [labels, { requests }] of this.#series.entries()) {
        const [side = ''] = labels;
        bySide.set(side, (bySide.get(side) ?? 0) + (outcomeOf(labels).includes(mark) ? requests : 0));
      }
      return [...bySide].map(([side, value]) => ({ labels: [side], value }));
    };
    registry.add({ name, help, type: 'counter', labels: ['side'], read });
  }
}

const newTimes = (): Times => ({ duration: new Histogram(latencyBounds), firstByte: new Histogram(latencyBounds) });

const observed = (histogram: Histogram): Histogram | null => (histogram.count === 0 ? null : histogram);

const outcomeOf = ([, , , outcome]: LabelValues): string => String(outcome);

/** Outcomes that take about the same time. */
function outcomeClass(outcome: string): string {
  if (outcome.startsWith('hit')) return 'hit';
  if (!outcome.startsWith('fwd=')) return ownOutcomes.has(outcome) ? outcome : 'error';
  if (outcome.endsWith(';stale')) return 'stale';
  return outcome.endsWith(';collapsed') ? 'collapsed' : 'forwarded';
}

/** Those that are no word of RFC 9211 and no code of the error table. */
const ownOutcomes: ReadonlySet<string> = new Set(['local', 'purge', 'tunnel', 'upgrade', 'other']);

function add(to: Series, one: Series): void {
  to.requests += one.requests;
  to.bytesOut += one.bytesOut;
}

const share = (part: number, whole: number): Ratio | null => (whole === 0 ? null : part / whole);
