import {
  bytes,
  elapsed,
  epochMs,
  milliseconds,
  type Bytes,
  type EpochMs,
  type Milliseconds,
} from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { FailureReason, NodeHealth } from '../choice/choice.js';
import { readRemembered, RememberedFile } from '../remembered-file.js';
import { canonicalJson, parseCanonicalJson, type Json, type JsonObject } from '../trust/canonical-json.js';
import { Members } from '../trust/members.js';
import { NotBelieved } from '../trust/not-believed.js';
import type { HealthTable } from './health-table.js';
import type { RememberedNode } from './observed-node.js';

export interface HealthFileOptions {
  readonly path: string;
  readonly table: HealthTable;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often what has changed is written, besides at the end. */
  readonly every?: Milliseconds;
}

/** Remembers the health of nodes beyond the life of this one. Nothing depends on it: what is lost is seen again. */
export class HealthFile {
  readonly #table: HealthTable;
  readonly #file: RememberedFile;
  #found: readonly (readonly [url: string, node: RememberedNode])[];

  private constructor(
    { path, table, clock, logger, every = usually }: HealthFileOptions,
    found: readonly (readonly [url: string, node: RememberedNode])[],
  ) {
    this.#table = table;
    this.#found = found;
    this.#file = new RememberedFile({
      path,
      every,
      changes: () => table.changes,
      text: () => healthText(table.remembered(), clock.now()),
      onFailure: (error) =>
        logger.warn({ code: 'health-not-remembered', path, error }, 'the health of nodes could not be written down'),
    });
  }

  /** Reads the file; of one that cannot be read nothing. */
  static async open(options: HealthFileOptions): Promise<HealthFile> {
    const { path, clock, logger } = options;
    try {
      const text = await readRemembered(path, longest, what);
      return new HealthFile(options, text === null ? [] : parseHealth(text, clock.now()));
    } catch (error) {
      const said = 'what was remembered of the health of nodes cannot be read';
      logger.warn({ code: 'health-forgotten', path, error }, said);
      return new HealthFile(options, []);
    }
  }

  /** Puts what was read into the table, of nodes that are not known already, and writes from now on what changes. */
  begin(): void {
    for (const [url, node] of this.#found) this.#table.recall(url, node);
    this.#found = [];
    this.#file.begin();
  }

  /** Writes what has changed, if anything has. */
  write(): Promise<void> {
    return this.#file.write();
  }

  /** Writes for the last time. Idempotent. */
  close(): Promise<void> {
    return this.#file.close();
  }
}

function healthText(nodes: Iterable<readonly [url: string, node: RememberedNode]>, now: EpochMs): string {
  const all = [...nodes].map(([url, node]) => nodeJson(url, node));
  return `${canonicalJson({ kind, written: Math.trunc(now), nodes: all })}\n`;
}

const nodeJson = (
  url: string,
  { latency, bandwidth, breaker, failure, blamed, hours }: RememberedNode,
): JsonObject => ({
  url,
  // in microseconds: numbers are integers
  latency: latency === null ? undefined : Math.round(latency * 1000),
  bandwidth: bandwidth ?? undefined,
  openings: breaker.openings,
  blames: breaker.blames,
  openFor: Math.round(breaker.openFor),
  failure: failure === null ? undefined : failureJson(failure),
  blamed: blamed === null ? undefined : failureJson(blamed),
  hours: hours.map((hour) => [...hour]),
});

const failureJson = ({ reason, at, detail }: NonNullable<NodeHealth['failure']>): JsonObject => ({
  reason,
  at: Math.trunc(at),
  detail: detail ?? undefined,
});

/** @throws NotBelieved for what `healthText` does not write */
function parseHealth(text: string, now: EpochMs): [url: string, node: RememberedNode][] {
  const members = new Members(parseCanonicalJson(text.replace(/\n$/, ''), what, longest), what);
  members.word('kind', kind);
  const away = Math.max(0, elapsed(epochMs(members.integer('written', 0)), now));
  const nodes = members.list('nodes', mostNodes).map((one) => parseNode(one, away));
  members.end();
  return nodes;
}

/** @param away how long ago it was written */
function parseNode(value: Json, away: number): [url: string, node: RememberedNode] {
  const members = new Members(value, `${what}: node`);
  const url = members.text('url', 512);
  const openFor = members.integer('openFor', 0) - away;
  const node: RememberedNode = {
    latency: members.optional('latency', (name) => milliseconds(members.integer(name, 1) / 1000)) ?? null,
    bandwidth: members.optional('bandwidth', (name): Bytes => bytes(members.integer(name, 0))) ?? null,
    breaker: {
      openings: members.integer('openings', 0, 64),
      blames: members.integer('blames', 0, 64),
      openFor: milliseconds(Math.max(0, openFor)),
    },
    failure: members.optional('failure', (name) => parseFailure(members.value(name))) ?? null,
    blamed: members.optional('blamed', (name) => parseFailure(members.value(name))) ?? null,
    hours: members.list('hours', 168).map(parseHour),
  };
  members.end();
  return [url, node];
}

function parseFailure(value: Json): NonNullable<NodeHealth['failure']> {
  const members = new Members(value, `${what}: failure`);
  const word = members.text('reason', 16);
  const reason = reasons.find((one) => one === word);
  if (reason === undefined) throw new NotBelieved('malformed', `${what}: an unknown failure`);
  const failure = {
    reason,
    at: epochMs(members.integer('at', 0)),
    detail: members.optional('detail', (name) => members.text(name, 400)) ?? null,
  };
  members.end();
  return failure;
}

function parseHour(value: Json): [hour: number, mean: number, count: number] {
  const [hour, mean, count, ...more] = Array.isArray(value) ? (value as readonly Json[]) : [];
  const areNumbers = typeof hour === 'number' && typeof mean === 'number' && typeof count === 'number';
  if (!areNumbers || more.length > 0) throw new NotBelieved('malformed', `${what}: an hour`);
  return [hour, mean, count];
}

const what = 'remembered health';
const kind = 'health/1';
const reasons: readonly FailureReason[] = ['unreachable', 'silent', 'broken', 'status', 'false'];
const usually = milliseconds(300_000);
const longest = bytes(16_777_216);
const mostNodes = 65_536;
