import { formatProxyUri } from '../../config/origin-uri.js';
import { configChanges, type ConfigChange } from '../../config/changes.js';
import type { Config } from '../../config/schema.js';
import { bytes } from '../../config/units.js';
import type { OperatorControl, Reload } from '../admin/operator-control.js';
import type { MetricsView } from '../base/metrics.js';
import { arrange, type Arrangement } from './arrangement.js';
import type { PreparedDisk } from './disk-layer.js';
import type { DocumentsUsage } from './documents-metrics.js';
import type { Lasting } from './lasting.js';
import type { PreparedFinding } from './finding/finding-layer.js';
import { Listeners, type Listening, type PreparedListeners, type WantedListener } from './listeners.js';
import type { PreparedReplication, ReplicationLayer } from './replication/replication-layer.js';
import { mirrorOf } from './search/mirror-of.js';
import type { Way } from './way.js';

/** A Willis. `start` and `stop` are idempotent; `stop` lets requests under way finish. */
export interface Node {
  /** @throws RefusedConfiguration that names the listener that cannot be opened; then nothing is left open */
  start(): Promise<void>;
  stop(): Promise<void>;
  /**
   * Puts another configuration in force, all of it or nothing, once those asked for before are. Requests that begin
   * afterwards see the new one only; those under way end under the old one, and connections stay.
   * @throws RefusedConfiguration, and everything is as it was; Error if the node does not run
   */
  reload(config: Config): Promise<Reload>;
  /** Opens the log files anew, after they were moved away. @throws Error if one cannot be; the old one stays in use */
  reopenLogs(): Promise<void>;
  /** Counts a configuration that could not even be read. */
  noteUnreadable(): void;
  readonly listening: readonly Listening[];
  readonly metrics: MetricsView;
}

/** Opens and closes a node, and changes it while it runs. */
export class RunningNode implements Node, OperatorControl {
  readonly #lasting: Lasting;
  readonly #listeners: Listeners;
  readonly #reread: (() => Promise<Reload>) | undefined;
  /** Ways that are no longer in use, until their last connection is closed. */
  readonly #leaving = new Map<Way, Promise<void>>();
  #arrangement: Arrangement;
  /** What its log says of mirrors that nobody is shown. */
  #toldOfMirrors: string | null = null;
  #phase: OperatorControl['phase'] = 'starting';
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  /** The last thing that was asked to be done, whether it failed or not. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @throws RefusedConfiguration if a file that the configuration names is unusable */
  constructor(config: Config, lasting: Omit<Lasting, 'control'>, reread?: () => Promise<Reload>) {
    this.#lasting = { ...lasting, control: this };
    this.#reread = reread;
    this.#listeners = new Listeners(lasting);
    this.#arrangement = arrange(config, this.#lasting, null);
    lasting.metrics.observe({
      listeners: () => this.#listeners.views(),
      upstreams: () => [...waysOf(this.#arrangement), ...this.#leaving.keys()].map(({ upstream }) => upstream),
      stores: () => lasting.disk.usages(),
      retained: () => ({ store: lasting.store.disk === null ? 'memory' : 'disk', classes: lasting.store.classes() }),
      disk: () => lasting.disk.state(),
      takenOver: () => lasting.takenOver.open,
      replication: lasting.replication,
      directory: lasting.finding.reports,
      choice: lasting.finding.choice,
      mirrors: lasting.finding.mirrors,
      failover: lasting.finding.failover,
      views: lasting.views,
      search: lasting.search,
      documents: () => documentsUsage(lasting.namespaces, this.#arrangement),
    });
  }

  get metrics(): MetricsView {
    return this.#lasting.metrics;
  }

  get listening(): readonly Listening[] {
    return this.#listeners.listening;
  }

  get phase(): OperatorControl['phase'] {
    return this.#phase;
  }

  start(): Promise<void> {
    return (this.#started ??= this.#inTurn(() => this.#start()));
  }

  async reload(config: Config): Promise<Reload> {
    const { reloads } = this.#lasting.metrics;
    try {
      const reload = await this.#inTurn(() => this.#reload(config));
      reloads.count(reload.changes.length > 0 ? 'applied' : 'unchanged');
      return reload;
    } catch (error) {
      reloads.count('refused');
      throw error;
    }
  }

  noteUnreadable(): void {
    this.#lasting.metrics.reloads.count('refused');
  }

  reopenLogs(): Promise<void> {
    return this.#lasting.accessLog.reopen();
  }

  reread(): Promise<Reload> {
    return this.#reread?.() ?? Promise.reject(new Error('this node has no file to read its configuration from'));
  }

  stop(): Promise<void> {
    this.#phase = 'stopping';
    return (this.#stopped ??= this.#inTurn(() => this.#stop()));
  }

  /** Does one thing after the other. */
  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(action);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #start(): Promise<void> {
    const prepared = await this.#prepare(this.#arrangement);
    this.#lasting.metrics.start();
    this.#commit(this.#arrangement, prepared);
    if (this.#phase === 'starting') this.#phase = 'running';
  }

  async #reload(config: Config): Promise<Reload> {
    if (this.#phase !== 'running') throw new Error(`the node is ${this.#phase}`);
    const before = this.#arrangement;
    const next = arrange(config, this.#lasting, before);
    const changes = changesBetween(before, next);
    if (changes.length === 0) return { changes };
    this.#commit(next, await this.#prepare(next));
    for (const way of waysOf(before)) if (!waysOf(next).has(way)) this.#leave(way);
    // whoever has asked for a directory to be given back may use it now
    await this.#lasting.disk.closed();
    await this.#lasting.namespaces.settled();
    await this.#lasting.finding.settled();
    return { changes };
  }

  /** Opens what an arrangement wants to be open, which nobody uses yet. @throws RefusedConfiguration, with nothing open */
  async #prepare(next: Arrangement): Promise<Prepared> {
    const { config, files, identity, caching } = next;
    const disk = await this.#lasting.disk.prepare(config, caching.rules);
    try {
      const namespaces = await this.#lasting.namespaces.prepare(config, files, identity);
      try {
        return { disk, namespaces, ...(await this.#prepareSides(next)) };
      } catch (error) {
        await namespaces.abandon();
        throw error;
      }
    } catch (error) {
      await disk.abandon();
      throw error;
    }
  }

  async #prepareSides(next: Arrangement): Promise<Pick<Prepared, 'finding' | 'listeners'>> {
    const finding = await this.#lasting.finding.prepare(next.config, next.files, next.identity);
    try {
      return { finding, listeners: await this.#listeners.prepare(wantedBy(next)) };
    } catch (error) {
      await finding.abandon();
      throw error;
    }
  }

  /** In one turn of the event loop; nothing of it can fail. */
  #commit(next: Arrangement, { disk, namespaces, finding, listeners }: Prepared): void {
    const { logger, accessLog, store, cache, search } = this.#lasting;
    const { url } = next.config.node;
    const { memory: limit, maxDocument, variants } = next.config.cache;
    if (leadsElsewhere(this.#arrangement, next)) cache.forgetFlights();
    this.#arrangement = next;
    logger.configure(next.config.log);
    accessLog.configure(next.config.log);
    void store.retain(next.caching.rules);
    void store.memory.resize({ limit, maxDocument, variants });
    disk.commit();
    namespaces.commit();
    finding.commit();
    search.configure(next.config, mirrorOf(url && formatProxyUri(url), next.mirrors));
    cache.configure(next.caching);
    listeners.commit();
    this.#tellOfClosedMirrors();
  }

  /** Once for the same reason: readers are refused there, and only the operator can change that. */
  #tellOfClosedMirrors(): void {
    const { closed, otherOwner: because } = this.#arrangement.mirrors;
    const told = closed.length === 0 ? null : JSON.stringify([closed, because]);
    if (told !== null && told !== this.#toldOfMirrors) {
      const event = { code: 'mirror-closed', namespaces: closed, because };
      this.#lasting.logger.info(
        event,
        `browsers are shown nothing below /mirror/, for ${because} has the name of node.url too`,
      );
    }
    this.#toldOfMirrors = told;
  }

  #leave(way: Way): void {
    this.#leaving.set(
      way,
      way.upstream.retire().finally(() => this.#leaving.delete(way)),
    );
  }

  async #stop(): Promise<void> {
    const { takenOver, store, disk, namespaces, finding, search, waiting, accessLog, metrics } = this.#lasting;
    // whoever watches it would keep the node from stopping
    await disk.upkeep?.close();
    waiting.close();
    await this.#listeners.close(this.#arrangement.config.limits.drainTimeout);
    await takenOver.ended();
    await search.stop();
    await namespaces.stop();
    await finding.stop();
    await Promise.all([...waysOf(this.#arrangement)].map(({ upstream }) => upstream.close()));
    await Promise.all(this.#leaving.values());
    await store.close();
    await disk.closed();
    await accessLog.close();
    metrics.stop();
  }
}

function documentsUsage(
  { ground }: Pick<ReplicationLayer, 'ground'>,
  { documents: { usage }, raw }: Pick<Arrangement, 'documents' | 'raw'>,
): DocumentsUsage[] {
  if (ground === null) return [];
  const { bytes: stored, partial, limit } = ground.blobs.usage;
  const inMemory = bytes(usage.contents + usage.documents + raw.size);
  return [
    { store: 'disk', bytes: bytes(stored + partial), limit },
    { store: 'memory', bytes: inMemory, limit: bytes(usage.limit + raw.limit) },
  ];
}

/** What an arrangement has opened and does not use yet. */
interface Prepared {
  readonly disk: PreparedDisk;
  readonly namespaces: PreparedReplication;
  readonly finding: PreparedFinding;
  readonly listeners: PreparedListeners;
}

const wantedBy = ({ sides }: Arrangement): WantedListener[] =>
  sides.map(({ name, listener, settings }) => ({ name, address: listener.address, settings }));

const waysOf = ({ sides }: Arrangement): Set<Way> => new Set(sides.map(({ way }) => way));

/** Whether the same request may go elsewhere than before. */
const leadsElsewhere = (before: Arrangement, next: Arrangement): boolean =>
  JSON.stringify(before.config.sites) !== JSON.stringify(next.config.sites) ||
  [...waysOf(next)].some((way) => !waysOf(before).has(way));

function changesBetween(before: Arrangement, next: Arrangement): ConfigChange[] {
  const ofContent = next.files.changedSince(before.files);
  return [
    ...configChanges(before.config, next.config),
    ...ofContent.map(({ key, path }) => ({ key, from: path, to: path })),
  ];
}
