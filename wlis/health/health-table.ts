import { elapsedMonotonic, type Bytes, type EpochMs, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { FailureReason, NodeHealth } from '../choice/choice.js';
import type { Attempt, Attempts } from './attempts.js';
import { ContentMeasure } from './observed-bandwidth.js';
import { ObservedNode, type RememberedNode } from './observed-node.js';

export interface HealthTableOptions {
  readonly clock: Clock;
  /** From 0 to 1; of the program by default. */
  readonly chance?: () => number;
  /** Those that were asked longest ago are forgotten first, but not while they are asked, and liars last. */
  readonly mostNodes?: number;
  /** Is told of each failure. */
  readonly onFailure?: (url: string, reason: FailureReason) => void;
}

/** A node that lied, as operators are told of it. */
export interface Blamed {
  readonly url: string;
  readonly times: number;
  readonly last: { readonly at: EpochMs; readonly detail: string | null };
}

/** What this node has seen of others, by their URLs. It knows nothing of groups, and lives through all changes of them. */
export class HealthTable implements Attempts {
  readonly #options: HealthTableOptions;
  readonly #chance: () => number;
  readonly #mostNodes: number;
  /** In the order in which they were asked. */
  readonly #nodes = new Map<string, ObservedNode>();
  #changes = 0;

  constructor(options: HealthTableOptions) {
    this.#options = options;
    this.#chance = options.chance ?? Math.random;
    this.#mostNodes = options.mostNodes ?? 2048;
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** Grows with each change. */
  get changes(): number {
    return this.#changes;
  }

  /** What is known of a node; of one that was never asked nothing. */
  of(url: string): NodeHealth {
    const node = this.#nodes.get(url);
    const { clock } = this.#options;
    return node === undefined ? unknown : node.view(clock.monotonic(), clock.now());
  }

  /** When a node was last asked, and when an answer of it was last believed to its end. */
  lastOf(url: string): { readonly asked: MonotonicMs | null; readonly well: MonotonicMs | null } {
    const node = this.#nodes.get(url);
    return { asked: node?.asked ?? null, well: node?.well ?? null };
  }

  *all(): Iterable<readonly [url: string, health: NodeHealth]> {
    const { clock } = this.#options;
    for (const [url, node] of this.#nodes) yield [url, node.view(clock.monotonic(), clock.now())];
  }

  /** Those that have lied within a week. */
  blamed(): Blamed[] {
    const now = this.#options.clock.now();
    return [...this.#nodes].flatMap(([url, node]) => {
      const blame = node.blame(now);
      return blame === null
        ? []
        : [{ url, times: blame.times, last: { at: blame.last.at, detail: blame.last.detail } }];
    });
  }

  begin(url: string): Attempt {
    const node = this.#nodeOf(url);
    const { clock, onFailure } = this.#options;
    node.begin(clock.monotonic());
    return new RunningAttempt(node, clock, (reason, detail) => {
      this.#changes++;
      if (reason === null) return;
      node.failed(reason, detail ?? null, clock, this.#chance());
      onFailure?.(url, reason);
    });
  }

  loaded(url: string, load: number): void {
    if (!(load >= 0) || !Number.isFinite(load)) return;
    this.#nodes.get(url)?.loaded(load, this.#options.clock.monotonic());
  }

  /** Takes what was remembered of a node about which nothing is known yet. */
  recall(url: string, remembered: RememberedNode): void {
    if (this.#nodes.has(url) || this.#nodes.size >= this.#mostNodes) return;
    this.#nodes.set(url, new ObservedNode(remembered, this.#options.clock.monotonic()));
  }

  /** What is worth remembering, the nodes that were asked last at the end. */
  *remembered(): Iterable<readonly [url: string, node: RememberedNode]> {
    for (const [url, node] of this.#nodes) yield [url, node.remembered(this.#options.clock)];
  }

  #nodeOf(url: string): ObservedNode {
    const known = this.#nodes.get(url);
    if (known === undefined && this.#nodes.size >= this.#mostNodes) this.#makeRoom();
    const node = known ?? new ObservedNode(null, this.#options.clock.monotonic());
    this.#nodes.delete(url);
    this.#nodes.set(url, node);
    return node;
  }

  #makeRoom(): void {
    const now = this.#options.clock.now();
    let looked = 0;
    let first: string | null = null;
    for (const [url, node] of this.#nodes) {
      if (node.underWay === 0) {
        first ??= url;
        if (node.blame(now) === null) {
          this.#nodes.delete(url);
          return;
        }
      }
      if (++looked >= mostLooked && first !== null) break;
    }
    if (first !== null) this.#nodes.delete(first);
  }
}

class RunningAttempt implements Attempt {
  readonly #node: ObservedNode;
  readonly #clock: Clock;
  readonly #ended: (reason: FailureReason | null, detail?: string) => void;
  readonly #began: MonotonicMs;
  #content: ContentMeasure | null = null;
  #isOver = false;

  constructor(node: ObservedNode, clock: Clock, ended: (reason: FailureReason | null, detail?: string) => void) {
    this.#node = node;
    this.#clock = clock;
    this.#ended = ended;
    this.#began = clock.monotonic();
  }

  answered(): void {
    if (this.#isOver || this.#content !== null) return;
    const now = this.#clock.monotonic();
    this.#content = new ContentMeasure(this.#node.bandwidth, now);
    this.#node.answered(elapsedMonotonic(this.#began, now), this.#clock);
  }

  waits(): void {
    if (!this.#isOver) this.#content?.waits(this.#clock.monotonic());
  }

  received(size: Bytes): void {
    if (!this.#isOver) this.#content?.received(size, this.#clock.monotonic());
  }

  done(): void {
    if (!this.#end()) return;
    this.#node.succeeded(this.#began, this.#clock.monotonic());
    this.#ended(null);
  }

  failed(reason: FailureReason, detail?: string): void {
    if (this.#end()) this.#ended(reason, detail);
  }

  abandoned(): void {
    this.#end();
  }

  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#content?.end(this.#clock.monotonic());
    this.#node.end();
    return true;
  }
}

const unknown: NodeHealth = {
  latency: null,
  measured: null,
  bandwidth: null,
  delivered: null,
  load: null,
  underWay: 0,
  breaker: 'closed',
  failure: null,
  hourFactor: 1,
};

/** Nodes that are looked at to find one that may be forgotten. */
const mostLooked = 64;
