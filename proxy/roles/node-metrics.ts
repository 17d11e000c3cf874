import { type Bytes, type EpochMs, type Seconds } from '../../config/units.js';
import type { Clock } from '../base/clock.js';
import { EventLoopDelay } from '../base/event-loop-delay.js';
import { metricsText } from '../base/metrics-text.js';
import { Registry, type MetricsView, type Snapshot } from '../base/metrics.js';
import { UpstreamMetrics } from '../forward/upstream-metrics.js';
import { AccessLogReports } from './access-log-reports.js';
import type { Logger } from '../base/logger.js';
import { NodeLoad } from '../base/node-load.js';
import { ExchangeMetrics } from './exchange-metrics.js';
import { describeNode, type NodeView } from './node-view.js';
import { ReloadMetrics } from './reload-metrics.js';

/** What a process tells of itself. */
export interface ProcessReading {
  readonly startTime: EpochMs;
  /** Processor time in user and system mode. */
  readonly cpuTime: Seconds;
  readonly residentBytes: Bytes;
  readonly heapBytes: Bytes;
  readonly heapUsedBytes: Bytes;
  /** Memory of buffers, outside the heap. */
  readonly externalBytes: Bytes;
}

export interface NodeMetricsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Absent where the node is not a process of its own. */
  readonly program: Program | undefined;
}

/** The program that a node runs in. */
export interface Program {
  readonly version: string;
  /** Of Node.js. */
  readonly runtime: string;
  readonly read: () => ProcessReading;
}

/** All that a node measures of itself, through every change of its configuration. */
export class NodeMetrics implements MetricsView {
  readonly exchanges: ExchangeMetrics;
  readonly load: NodeLoad;
  readonly upstream: UpstreamMetrics;
  readonly accessLog: AccessLogReports;
  readonly reloads: ReloadMetrics;
  readonly #registry = new Registry();
  readonly #clock: Clock;
  #eventLoop: EventLoopDelay | null = null;

  constructor({ clock, logger, program }: NodeMetricsOptions) {
    this.#clock = clock;
    this.load = new NodeLoad(clock);
    this.exchanges = new ExchangeMetrics(this.#registry, this.load);
    this.upstream = new UpstreamMetrics(clock);
    this.accessLog = new AccessLogReports(logger);
    this.reloads = new ReloadMetrics(this.#registry, clock);
    this.#describeUpstream();
    this.#describeProgram(program);
  }

  /** What there is to be seen of a node; to be called once. */
  observe(node: NodeView): void {
    describeNode(this.#registry, node);
  }

  /** Begins to watch the event loop. */
  start(): void {
    this.#eventLoop ??= new EventLoopDelay(this.#clock);
  }

  /** Idempotent. */
  stop(): void {
    this.#eventLoop?.stop();
  }

  text(): string {
    return metricsText(this.#registry.snapshot());
  }

  snapshot(): Snapshot {
    return { time: this.#clock.now(), hitRatio: this.exchanges.hitRatio(), families: this.#registry.snapshot() };
  }

  #describeUpstream(): void {
    const { sent, received, retries, results, firstByte } = this.upstream;
    this.#registry.readEach({
      ...{ type: 'counter', name: 'willis_upstream_requests_total' },
      help: 'Requests sent on, by the status of the answer or the code of the failure.',
      of: results,
      value: ({ value }) => value,
    });
    this.#registry.add({
      ...{ type: 'counter', name: 'willis_upstream_bytes_total', labels: ['direction'] },
      help: 'Bytes exchanged with origin servers, heads included; tunnels, upgrades and TLS excluded.',
      read: () => [
        { labels: ['sent'], value: sent.value },
        { labels: ['received'], value: received.value },
      ],
    });
    this.#registry.read({
      ...{ type: 'counter', name: 'willis_upstream_retries_total' },
      help: 'Requests sent again because a kept connection was closed.',
      value: () => retries.value,
    });
    this.#registry.read({
      ...{ type: 'histogram', name: 'willis_upstream_first_byte_seconds' },
      help: 'From sending a request on until the head of the answer.',
      value: () => firstByte,
    });
    this.#registry.read({
      ...{ type: 'counter', name: 'willis_access_log_dropped_lines_total' },
      help: 'Lines that the access log has lost.',
      value: () => this.accessLog.droppedLines.value,
    });
  }

  #describeProgram(program: Program | undefined): void {
    const registry = this.#registry;
    registry.read({
      ...{ type: 'histogram', name: 'willis_event_loop_delay_seconds' },
      help: 'By how much a timer comes late.',
      value: () => this.#eventLoop?.histogram ?? null,
    });
    if (program === undefined) return;
    const { version, runtime, read } = program;
    registry.add({
      ...{ type: 'gauge', name: 'willis_build_info', help: 'The program.', labels: ['version', 'runtime'] },
      read: () => [{ labels: [version, runtime], value: 1 }],
    });
    const gauges: readonly [name: string, help: string, value: (reading: ProcessReading) => number][] = [
      ['process_start_time_seconds', 'When the process began.', ({ startTime }) => startTime / 1000],
      ['process_resident_memory_bytes', 'Memory of the process.', ({ residentBytes }) => residentBytes],
      ['nodejs_heap_size_total_bytes', 'Heap of JavaScript.', ({ heapBytes }) => heapBytes],
      ['nodejs_heap_size_used_bytes', 'Of that what is in use.', ({ heapUsedBytes }) => heapUsedBytes],
      ['nodejs_external_memory_bytes', 'Memory of buffers.', ({ externalBytes }) => externalBytes],
    ];
    registry.read({
      ...{ type: 'counter', name: 'process_cpu_seconds_total', help: 'Processor time of the process.' },
      value: () => read().cpuTime,
    });
    for (const [name, help, value] of gauges) registry.read({ type: 'gauge', name, help, value: () => value(read()) });
  }
}
