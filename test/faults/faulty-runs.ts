import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../proxy/base/clock.js';
import { filesUnder } from '../cache/disk/disk-example.js';
import type { Orders } from './child.js';
import { damage } from './damage.js';
import { forcedTo, losePower, type Forced } from './power-loss.js';
import { Seeded } from './seeded.js';

export interface RunOptions {
  readonly rounds: number;
  readonly seed: number;
  /** In how many rounds the process is stopped in order; of one. */
  readonly stops?: number;
  readonly onRound?: (line: string) => void;
}

export interface Summary {
  readonly rounds: number;
  readonly killed: number;
  readonly stopped: number;
  readonly responsesChecked: number;
  readonly bytesChecked: number;
  readonly lostToDamage: number;
  readonly damages: Readonly<Record<string, number>>;
  /** What the folder took, beyond the limit. */
  readonly mostOverLimit: number;
  readonly mostInFiles: number;
  readonly wrong: readonly string[];
}

const script = fileURLToPath(new URL('./child.ts', import.meta.url));
const limits = { roomy: 256 * 1024 * 1024, tight: 6 * 1024 * 1024 };
/** What the index may take beyond the limit. */
const slack = 16 * 1024 * 1024;
/** Of one round. */
const mostReported = 3;
const perRound = 1_000_000;

interface Answer {
  readonly responses: number;
  readonly bytesRead: number;
  readonly lost: number;
  readonly unreferred: number;
}

/** A store in a directory, used by one process after the other, each killed, with damage between them. */
export class FaultyRuns {
  readonly #random: Seeded;
  readonly #options: RunOptions;
  #directory = '';
  /** What was damaged before this round. */
  #what = '';
  #round = 0;
  #child: ChildProcess | null = null;
  /** Started already, for the next round. */
  #waiting!: ChildProcessWithoutNullStreams;
  #boots = 1;
  /** What would stand a loss of power, if the process before was killed: when it was started, and what was forced to disk by then. */
  #killed: { readonly since: number; readonly forced: Forced } | null = null;
  #isPowerLost = false;
  /** Since the last inspection. */
  #damaged: string[] = [];
  #isIndexDamaged = false;
  /** Tables of the index were damaged: what level does not notice stays so until the store begins anew. */
  #isIndexDoubtful = false;
  /** What files take that the process before left behind; not known before the next has looked. */
  #unreferred = Infinity;
  #isRoomy = true;
  #wrongRead = 0;
  readonly #wrong: string[] = [];
  readonly #counts = { killed: 0, stopped: 0, responses: 0, bytes: 0, lost: 0, over: -Infinity, inFiles: 0 };
  readonly #damages: Record<string, number> = {};

  constructor(options: RunOptions) {
    this.#options = options;
    this.#random = new Seeded(options.seed);
  }

  async run(): Promise<Summary> {
    this.#directory = await mkdtemp(join(tmpdir(), 'willis-faults-'));
    this.#waiting = startChild();
    try {
      for (; this.#round < this.#options.rounds; this.#round++) await this.#runRound();
    } finally {
      this.#child?.kill('SIGKILL');
      this.#waiting.kill('SIGKILL');
      if (this.#wrong.length === 0) rmSync(this.#directory, { recursive: true, force: true });
      else this.#options.onRound?.(`left in ${this.#directory}`);
    }
    return this.#summary();
  }

  async #runRound(): Promise<void> {
    this.#what = '';
    this.#unreferred = Infinity;
    const random = this.#random;
    // now and then a store begins anew
    if (this.#round % 25 === 0) this.#renew();
    const isThere = existsSync(join(this.#store, 'index', 'CURRENT'));
    if (this.#round % 25 > 0 && random.chance(0.35) && isThere) this.#what = this.#damage();
    if (this.#killed !== null && isThere && random.chance(0.15)) this.#losePower(this.#killed);
    this.#killed = null;
    const since = systemClock.now();
    const { child, ready, exited } = this.#start();
    const isEarly = random.chance(0.06);
    const sampling = this.#sample();
    const isReady = isEarly
      ? (await pause(random.between(0, 200)), false)
      : await Promise.race([ready, exited.then(() => null)]);
    const answer = isReady === false ? null : isReady;
    if (answer !== null) {
      this.#damaged = [];
      this.#isPowerLost = false;
      const forced = forcedTo(this.#store);
      this.#killed = { since, forced };
      this.#unreferred = this.#isIndexDamaged ? Infinity : answer.unreferred;
      this.#isIndexDamaged = false;
      this.#counts.responses += answer.responses;
      this.#counts.bytes += answer.bytesRead;
      this.#counts.lost += answer.lost;
      await Promise.race([pause(random.between(5, 500)), exited]);
    } else if (!isEarly) this.#note(`the process ended before it was ready`);
    const stopped = answer !== null && random.chance(this.#options.stops ?? 0.1);
    if (stopped) {
      this.#counts.stopped++;
      this.#killed = null;
      child.stdin.write('stop\n');
      const code = await Promise.race([exited, pause(20_000, 'hangs' as const, { ref: false })]);
      if (code !== 0) this.#note(`it did not stop in order: ${String(code)}`);
    } else this.#counts.killed++;
    child.kill('SIGKILL');
    await exited;
    // one that was killed early may have got to its work all the same: what it stored is to be trusted
    if (isEarly && (await Promise.race([ready, pause(20).then(() => null)])) !== null) this.#isPowerLost = false;
    clearInterval(sampling);
    this.#readWrong();
    const { responses = 0, lost = 0 } = answer ?? {};
    this.#options.onRound?.(
      `round ${this.#round}: ${responses} responses, ${lost} lost ${this.#what} ${isEarly ? '(killed early)' : ''}${stopped ? '(stopped)' : ''}`,
    );
  }

  #renew(): void {
    for (const name of ['store', 'ledger', 'wrong'])
      rmSync(join(this.#directory, name), { recursive: true, force: true });
    this.#wrongRead = 0;
    this.#isRoomy = this.#random.chance(0.6);
    this.#damaged = [];
    this.#isIndexDamaged = false;
    this.#isIndexDoubtful = false;
    this.#isPowerLost = false;
    this.#killed = null;
  }

  #losePower({ since, forced }: { readonly since: number; readonly forced: Forced }): void {
    losePower(this.#store, since, forced, this.#random);
    this.#boots++;
    this.#isPowerLost = true;
    this.#what = `${this.#what} power lost`.trim();
    this.#damages['power lost'] = (this.#damages['power lost'] ?? 0) + 1;
  }

  #damage(): string {
    const { what, bodies, isIndex } = damage(this.#store, this.#random);
    this.#damaged.push(...bodies);
    this.#isIndexDamaged ||= isIndex;
    this.#isIndexDoubtful ||= isIndex && what.includes('.ldb');
    const kind = what.replace(/^\d+ /, '').replace(/[\d-]+/, 'N');
    this.#damages[kind] = (this.#damages[kind] ?? 0) + 1;
    return what;
  }

  get #store(): string {
    return join(this.#directory, 'store');
  }

  get #limit(): number {
    return this.#isRoomy ? limits.roomy : limits.tight;
  }

  #start(): { child: ChildProcessWithoutNullStreams; ready: Promise<Answer>; exited: Promise<number | string | null> } {
    const random = this.#random;
    const orders: Orders = {
      directory: this.#store,
      ledger: join(this.#directory, 'ledger'),
      wrong: join(this.#directory, 'wrong'),
      seed: random.below(2 ** 31),
      firstOperation: (this.#round + 1) * perRound,
      limit: this.#limit,
      isRoomy: this.#isRoomy,
      damaged: this.#damaged,
      isIndexDamaged: this.#isIndexDamaged,
      isIndexDoubtful: this.#isIndexDoubtful,
      workers: random.pick([1, 4, 12]),
      boot: `boot ${this.#boots}`,
      isPowerLost: this.#isPowerLost,
      memory: random.pick([null, 256 * 1024, 16 * 1024 * 1024]),
    };
    const child = this.#waiting;
    this.#child = child;
    this.#waiting = startChild();
    child.stdin.write(`${JSON.stringify(orders)}\n`);
    let errors = '';
    child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
    const exited = new Promise<number | string | null>((resolve) => {
      child.once('close', (code, signal) => {
        if (errors !== '') this.#note(`stderr: ${errors.trim()}`);
        resolve(code ?? signal);
      });
    });
    const ready = new Promise<Answer>((resolve) => {
      let text = '';
      child.stdout.on('data', (data: Buffer) => {
        text += data.toString();
        if (text.includes('\n')) resolve(JSON.parse(text) as Answer);
      });
    });
    return { child, ready, exited };
  }

  /** What the folder takes, while it is used. */
  #sample(): NodeJS.Timeout {
    return setInterval(() => {
      if (!existsSync(join(this.#store, 'bodies'))) return;
      const bodies = takenBy(join(this.#store, 'bodies')) + takenBy(join(this.#store, 'tmp'));
      const over = bodies + takenBy(join(this.#store, 'index')) - this.#limit;
      this.#counts.over = Math.max(this.#counts.over, over);
      this.#counts.inFiles = Math.max(this.#counts.inFiles, bodies - this.#limit);
      if (over > slack) this.#note(`the folder takes ${over} more than its limit`);
      if (bodies > this.#limit + this.#unreferred)
        this.#note(
          `body files take ${bodies - this.#limit} more than the limit (${this.#unreferred} were left behind)`,
        );
    }, 100);
  }

  #readWrong(): void {
    const path = join(this.#directory, 'wrong');
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
    const news = lines.slice(this.#wrongRead);
    for (const line of news.slice(0, mostReported)) this.#note(line);
    if (news.length > mostReported) this.#note(`and ${news.length - mostReported} more`);
    this.#wrongRead = lines.length;
  }

  #note(what: string): void {
    const line = `round ${this.#round} (${this.#isRoomy ? 'roomy' : 'tight'} ${this.#what}): ${what}`;
    this.#wrong.push(line);
    this.#options.onRound?.(`WRONG ${line}`);
  }

  #summary(): Summary {
    const { killed, stopped, responses, bytes, lost, over, inFiles } = this.#counts;
    return {
      ...{ rounds: this.#round, killed, stopped, responsesChecked: responses, bytesChecked: bytes, lostToDamage: lost },
      ...{ damages: this.#damages, mostOverLimit: over, mostInFiles: inFiles, wrong: this.#wrong },
    };
  }
}

/** Loads what it needs, and waits for its orders: most of the time of a start. */
const startChild = (): ChildProcessWithoutNullStreams =>
  spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['pipe', 'pipe', 'pipe'] });

/** In blocks, as `du` counts; what is deleted meanwhile is not counted. */
function takenBy(directory: string): number {
  let total = 0;
  for (const path of list(directory)) total += (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
  return total;
}

function list(directory: string): string[] {
  try {
    return filesUnder(directory);
  } catch {
    // a folder is made or removed just now
    return [];
  }
}
