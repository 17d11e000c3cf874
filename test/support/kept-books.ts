import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FamilySnapshot, HistogramSnapshot, SampleSnapshot } from '../../proxy/base/metrics.js';
import type { AccessEntry } from '../../proxy/base/access-line.js';
import { statusLabel } from '../../proxy/base/status-label.js';
import { parseMetrics } from './metrics-parser.js';
import type { RawClient } from './raw-client.js';
import { TempDir } from './temp-dir.js';
import { startWillis, type Sections, type Willis, type WillisOptions } from './willis.js';

/** A line of the access log in JSON. */
export type LogLine = Omit<AccessEntry, 'time'> & { readonly time: string };

/**
 * A node of which everything that it counts is compared with what its clients count: connections are made here, and each
 * request is entered with what is to become of it.
 */
export class KeptBooks {
  readonly willis: Willis;
  readonly #directory: TempDir;
  readonly #clients: RawClient[] = [];
  readonly #expected = new Map<string, number>();
  readonly #statuses = new Map<string, number>();
  #isRandom = false;

  private constructor(willis: Willis, directory: TempDir) {
    this.willis = willis;
    this.#directory = directory;
  }

  static async start(options: WillisOptions = {}): Promise<KeptBooks> {
    const directory = await TempDir.create();
    const access = { format: 'json', path: join(directory.path, 'access.log') };
    const log: Sections = { level: 'debug', access };
    const listen: Sections = { admin: '127.0.0.1:0' };
    const config = { listen, log, ...options.config };
    return new KeptBooks(await startWillis({ ...options, config }), directory);
  }

  /** A connection whose bytes count. */
  async connect(side: 'proxy' | 'site' | 'admin' = 'site'): Promise<RawClient> {
    const client = await this.willis.connect(this.willis.port(side));
    this.#clients.push(client);
    return client;
  }

  /** Enters a request. */
  expect(side: 'proxy' | 'site' | 'admin', outcome: string, status: number): void {
    count(this.#expected, `${side} ${outcome} ${statusLabel(status)}`);
    count(this.#statuses, `${side} ${statusLabel(status)}`);
  }

  /** Enters a request of which only the status can be told. */
  enter(side: 'proxy' | 'site' | 'admin', status: number): void {
    count(this.#statuses, `${side} ${status}`);
    this.#isRandom = true;
  }

  /** Stops the node, and shows that log, text and JSON agree with each other and with what the clients know. */
  async close(): Promise<ClosedBooks> {
    await this.willis.stop();
    const text = await readFile(join(this.#directory.path, 'access.log'), 'utf8').catch(() => '');
    await this.#directory.remove();
    const log = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LogLine);
    const { families, hitRatio } = this.willis.node.metrics.snapshot();
    const filled = families.filter(({ samples }) => samples.length > 0);
    assert.deepEqual(parseMetrics(this.willis.node.metrics.text()), filled);
    const books = new ClosedBooks(log, filled, hitRatio);
    books.check();
    assert.deepEqual(books.total('willis_requests_total', ['side', 'status']), sorted(this.#statuses));
    const outcomes = books.total('willis_requests_total', ['side', 'outcome', 'status']);
    if (!this.#isRandom) assert.deepEqual(outcomes, sorted(this.#expected));
    const sum = (of: (client: RawClient) => number): number =>
      this.#clients.reduce((total, client) => total + of(client), 0);
    assert.equal(
      books.sum('willis_response_bytes_total'),
      sum(({ socket }) => socket.bytesRead),
    );
    assert.equal(
      books.sum('willis_request_bytes_total'),
      sum(({ socket }) => socket.bytesWritten),
    );
    return books;
  }
}

/** What a node has counted in the end. */
export class ClosedBooks {
  constructor(
    readonly log: readonly LogLine[],
    readonly families: readonly FamilySnapshot[],
    readonly hitRatio: { readonly requests: number | null; readonly bytes: number | null },
  ) {}

  samples(name: string): readonly SampleSnapshot[] {
    return this.families.find((family) => family.name === name)?.samples ?? [];
  }

  /** The numbers of a family by some of its labels, as in `site hit`. */
  total(name: string, labels: readonly string[]): Record<string, number> {
    const totals = new Map<string, number>();
    for (const sample of this.samples(name)) {
      const key = labels.map((label) => sample.labels[label]).join(' ');
      totals.set(key, (totals.get(key) ?? 0) + numberOf(sample.value));
    }
    return sorted(totals);
  }

  sum(name: string): number {
    return Object.values(this.total(name, []))[0] ?? 0;
  }

  /** That counters and log tell the same. */
  check(): void {
    const labels = ['side', 'site', 'rule', 'outcome', 'status'] as const;
    const fromLog = (of: (line: LogLine) => number): Record<string, number> => {
      const totals = new Map<string, number>();
      for (const line of this.log) {
        const key = labels.map((label) => (label === 'status' ? statusLabel(line.status) : line[label])).join(' ');
        totals.set(key, (totals.get(key) ?? 0) + of(line));
      }
      return sorted(totals);
    };
    assert.deepEqual(
      this.total('willis_requests_total', labels),
      fromLog(() => 1),
    );
    assert.deepEqual(
      this.total('willis_response_bytes_total', labels),
      fromLog((line) => line.bytesOut),
    );
    assert.deepEqual(
      this.total('willis_request_bytes_total', labels),
      fromLog((line) => line.bytesIn),
    );
    assert.equal(this.sum('willis_request_duration_seconds'), this.log.length);
    const begun = this.log.filter(({ firstByteTime }) => firstByteTime !== null).length;
    assert.equal(this.sum('willis_first_byte_seconds'), begun);
    const marked = (mark: string): number => this.log.filter(({ outcome }) => outcome.includes(mark)).length;
    assert.equal(this.sum('willis_collapsed_answers_total'), marked(';collapsed'));
    assert.equal(this.sum('willis_stale_answers_total'), marked(';stale'));
    const aborted = this.log.filter(({ aborted: by }) => by !== null).length;
    assert.equal(this.sum('willis_aborted_answers_total'), aborted);
    this.#checkHitRatio();
  }

  #checkHitRatio(): void {
    const asked = this.log.filter(({ outcome }) => /^(hit|fwd=)/.test(outcome));
    const hits = asked.filter(({ outcome }) => outcome.startsWith('hit'));
    const bytesOf = (lines: readonly LogLine[]): number => lines.reduce((sum, line) => sum + line.bytesOut, 0);
    const none = asked.length === 0;
    assert.equal(this.hitRatio.requests, none ? null : hits.length / asked.length);
    assert.equal(this.hitRatio.bytes, none ? null : bytesOf(hits) / bytesOf(asked));
  }
}

function count(totals: Map<string, number>, key: string): void {
  totals.set(key, (totals.get(key) ?? 0) + 1);
}

/** Of a histogram its count. */
const numberOf = (value: number | HistogramSnapshot): number => (typeof value === 'number' ? value : value.count);

const sorted = (totals: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...totals].filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1)));
