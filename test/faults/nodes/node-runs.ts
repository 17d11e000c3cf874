import { chmodSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { WillisProcess } from '../../support/willis-process.js';
import { damage } from '../damage.js';
import { Seeded } from '../seeded.js';
import { Clients, nothingAsked, type Asking } from './clients.js';
import { ownerOfNodes, Place } from './place.js';
import { planOf, type Disk, type RoundPlan, type Trouble } from './round-plan.js';
import { Truth } from './truth.js';
import { VersionedOrigin } from './versioned-origin.js';

export interface NodeRunsOptions {
  readonly rounds: number;
  readonly seed: number;
  /** The number of the first round; 0 if absent. */
  readonly first?: number;
  readonly onRound?: (line: string) => void;
}

export interface NodeSummary extends Asking {
  readonly rounds: number;
  readonly killed: number;
  readonly stopped: number;
  readonly troubles: Readonly<Record<string, number>>;
  readonly damages: Readonly<Record<string, number>>;
  /** What the directory took beyond `cache.disk`, in bytes. */
  readonly mostOverLimit: number;
  /** From the start of a process until it listened, in milliseconds: the middle one and the longest. */
  readonly startTimes: { readonly middle: number; readonly longest: number };
  readonly wrong: readonly string[];
}

const owner = ownerOfNodes === undefined ? {} : { uid: ownerOfNodes };
const mebibyte = 1024 * 1024;
const limits: Readonly<Record<Disk, number>> = { roomy: 256 * mebibyte, tight: 16 * mebibyte, small: 64 * mebibyte };
/** What the index may take beyond the limit, as docs/storage.md says. */
const slack = 16 * mebibyte;

/** Of one round. */
const mostReported = 5;

/** Nodes as processes of their own, one after the other in the same directory, with clients and an origin server. */
export class NodeRuns {
  readonly #options: NodeRunsOptions;
  readonly #wrong: string[] = [];
  readonly #asking = nothingAsked();
  readonly #counts = { killed: 0, stopped: 0, over: -Infinity };
  readonly #troubles: Record<string, number> = {};
  readonly #damages: Record<string, number> = {};
  readonly #startTimes: number[] = [];
  #directory = '';
  #origin!: VersionedOrigin;
  #place: Place | null = null;
  #node: WillisProcess | null = null;
  #truth = new Truth();
  #disk: Disk = 'roomy';
  #round: number;
  /** What happened to this store since it began. */
  #isDamaged = false;
  #isIndexDamaged = false;
  #isIndexDoubtful = false;
  /** What happened since the last round that told of it. */
  #what = '';
  /** Of this round. */
  #notes = 0;

  constructor(options: NodeRunsOptions) {
    this.#options = options;
    this.#round = options.first ?? 0;
  }

  async run(): Promise<NodeSummary> {
    this.#directory = await mkdtemp(join(tmpdir(), 'willis-nodes-'));
    chmodSync(this.#directory, 0o755);
    this.#origin = await VersionedOrigin.start(new Seeded(this.#options.seed));
    try {
      const { first = 0, rounds } = this.#options;
      for (; this.#round < first + rounds; this.#round++) await this.#runRound();
    } finally {
      await this.#node?.kill();
      await this.#origin.close();
      if (this.#wrong.length === 0 || this.#disk === 'small') this.#place?.remove();
      if (this.#wrong.length === 0) await rm(this.#directory, { recursive: true, force: true });
      else this.#options.onRound?.(`left in ${this.#directory}`);
    }
    return this.#summary();
  }

  async #runRound(): Promise<void> {
    const plan = planOf(this.#options.seed, this.#round);
    this.#notes = 0;
    if (plan.isFirst || this.#place === null) this.#begin(plan.disk);
    const random = new Seeded(plan.seed);
    const place = this.#place as Place;
    this.#what = plan.damages && place.isBegun ? this.#damage(random) : '';
    const started = performance.now();
    const node = this.#start(plan);
    const sampling = setInterval(() => this.#sample(place), 100);
    const before = this.#asking.requests;
    try {
      const isReady = node.listening().then(() => true);
      if (plan.killedEarly !== null) {
        isReady.catch(() => undefined);
        await pause(plan.killedEarly);
      } else {
        await isReady;
        this.#startTimes.push(performance.now() - started);
        await this.#use(node, plan, random);
      }
    } catch (error) {
      this.#note(String(error));
    } finally {
      await node.kill();
      clearInterval(sampling);
      this.#sample(place);
      if (plan.trouble === 'read-only') place.permitChanges();
      place.clear();
    }
    if (plan.killedEarly !== null || !plan.isStopped) this.#counts.killed++;
    this.#judgeEvents(node, plan);
    const end = plan.killedEarly !== null ? '(killed early)' : plan.isStopped ? '(stopped)' : '';
    const asked = this.#asking.requests - before;
    const what = [this.#disk, plan.trouble === 'none' ? '' : plan.trouble, this.#what, end].filter((one) => one !== '');
    this.#options.onRound?.(`round ${this.#round}: ${asked} requests; ${what.join(', ')}`);
  }

  #begin(disk: Disk): void {
    this.#place?.remove();
    this.#disk = disk;
    this.#place = new Place(join(this.#directory, 'data'), disk === 'small');
    this.#truth = new Truth();
    this.#isDamaged = this.#isIndexDamaged = this.#isIndexDoubtful = false;
  }

  #damage(random: Seeded): string {
    const { what, isIndex } = damage((this.#place as Place).store, random);
    this.#isDamaged = true;
    this.#isIndexDamaged ||= isIndex;
    this.#isIndexDoubtful ||= isIndex && what.includes('.ldb');
    this.#truth.forgetLasting();
    const kind = what.replace(/^\d+ /, '').replace(/[\d-]+/, 'N');
    this.#damages[kind] = (this.#damages[kind] ?? 0) + 1;
    return what;
  }

  #start({ memory }: RoundPlan): WillisProcess {
    this.#node = WillisProcess.begin(this.#configure('node', memory), owner);
    return this.#node;
  }

  /** @returns the name of the configuration file */
  #configure(name: string, memory: string): string {
    const file = join(this.#directory, `${name}.yaml`);
    const config = {
      node: { name: 'willis', data: (this.#place as Place).path },
      roles: [],
      listen: { proxy: null, site: '127.0.0.1:0', admin: '127.0.0.1:0' },
      sites: [{ host: '*', origin: this.#origin.url }],
      cache: { memory, disk: limits[this.#disk] },
      log: { level: 'info', access: { format: 'off' } },
    };
    writeFileSync(file, JSON.stringify(config));
    return file;
  }

  async #use(node: WillisProcess, plan: RoundPlan, random: Seeded): Promise<void> {
    const clients = new Clients({
      ...{ random, origin: this.#origin, truth: this.#truth },
      ports: { site: node.port('site'), admin: node.port('admin') },
      wrong: (what) => this.#note(what),
      mayBreak: this.#isDamaged,
      mayFail: plan.trouble === 'descriptors',
      isJudged: !this.#isIndexDoubtful,
    });
    try {
      const isKept = this.#disk === 'roomy' && !this.#isIndexDoubtful;
      for (const [resource, language] of await clients.inspect(isKept)) {
        if (random.chance(0.3)) await clients.get(resource, language);
      }
      const running = clients.run(plan.workers);
      await pause(plan.asking);
      if (plan.trouble !== 'none') await this.#trouble(node, plan.trouble, random, plan.asking);
      clients.stop();
      await (plan.isStopped ? this.#stop(node) : node.kill());
      await running;
    } finally {
      clients.close();
      for (const key of Object.keys(this.#asking) as (keyof Asking)[]) this.#asking[key] += clients.asking[key];
    }
  }

  async #trouble(node: WillisProcess, trouble: Trouble, random: Seeded, duration: number): Promise<void> {
    const place = this.#place as Place;
    this.#troubles[trouble] = (this.#troubles[trouble] ?? 0) + 1;
    if (trouble === 'read-only') place.forbidChanges();
    if (trouble === 'full') place.fill(random.below(200_000));
    if (trouble === 'descriptors') await node.allowDescriptors(random.below(12));
    if (trouble === 'second-process') await this.#startSecond();
    await pause(duration);
    if (trouble === 'read-only' && random.chance(0.5)) place.permitChanges();
    if (trouble === 'full' && random.chance(0.5)) place.clear();
    if (trouble === 'descriptors') await node.allowDescriptors(null);
    await pause(duration);
  }

  async #startSecond(): Promise<void> {
    const second = WillisProcess.begin(this.#configure('second', '1MiB'), owner);
    await Promise.race([second.exited, pause(30_000, undefined, { ref: false })]);
    const said = second.events.map(({ msg }) => String(msg)).join('\n');
    if (second.exitCode === null) this.#note(`a second process on the same directory was not refused: ${said}`);
    else if (!/used by another process/.test(said)) this.#note(`a second process says ${second.exitCode} ${said}`);
    await second.kill();
  }

  async #stop(node: WillisProcess): Promise<void> {
    this.#counts.stopped++;
    node.signal('SIGTERM');
    await Promise.race([node.exited, pause(20_000, undefined, { ref: false })]);
    if (node.exitCode !== 0)
      this.#note(`it did not stop in order: ${String(node.exitCode)} ${JSON.stringify(node.events.slice(-8))}`);
  }

  #sample(place: Place): void {
    const over = place.taken() - limits[this.#disk];
    if (this.#disk !== 'small') this.#counts.over = Math.max(this.#counts.over, over);
    if (over > slack) this.#note(`the directory takes ${over} more than its limit`);
  }

  /** What a node says that had no reason to say it. */
  #judgeEvents(node: WillisProcess, { trouble }: RoundPlan): void {
    const isUntroubled = trouble === 'none' || trouble === 'second-process';
    for (const event of node.events) {
      const { code, level } = event;
      const isDisk = code === 'disk-unwell' || code === 'disk-response-lost' || code === 'disk-notice';
      // a damaged body says nothing of the disk
      const isExcused = code === 'disk-unwell' ? this.#isIndexDamaged : this.#isDamaged;
      const mayBe = isDisk && (!isUntroubled || isExcused || this.#disk === 'small');
      // what is stored meanwhile is in memory only
      if (code === 'disk-unwell' || (isDisk && !isUntroubled)) this.#truth.forgetLasting();
      if (mayBe) continue;
      if (isDisk || level === 'fatal' || level === 'error') this.#note(`it says ${JSON.stringify(event)}`);
    }
    if (!isUntroubled) this.#truth.forgetLasting();
  }

  #note(what: string): void {
    const line = `round ${this.#round} (${this.#disk} ${this.#what}): ${what.slice(0, 1000)}`;
    this.#wrong.push(line);
    if (++this.#notes > mostReported) return;
    this.#options.onRound?.(`WRONG ${line}`);
  }

  #summary(): NodeSummary {
    const times = this.#startTimes.toSorted((a, b) => a - b).map(Math.round);
    const startTimes = { middle: times[times.length >> 1] ?? 0, longest: times.at(-1) ?? 0 };
    const { killed, stopped, over } = this.#counts;
    return {
      ...{
        rounds: this.#options.rounds,
        killed,
        stopped,
        ...this.#asking,
        troubles: this.#troubles,
        damages: this.#damages,
      },
      ...{ mostOverLimit: over, startTimes, wrong: this.#wrong },
    };
  }
}
