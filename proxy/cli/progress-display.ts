import { bytes, elapsedMonotonic, seconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../base/clock.js';
import { readableDuration, readableSize } from '../base/readable-units.js';
import type { UpkeepProgress } from '../cache/disk/upkeep.js';

export interface ProgressDisplayOptions {
  /** What is being done, for people. */
  readonly label: string;
  /** What that is where there are no percents. */
  readonly phases: Readonly<Record<Exclude<UpkeepProgress['phase'], 'responses'>, string>>;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Where it is written to. */
  readonly write: (text: string) => void;
  /** How many characters a line of the terminal has; null: it is none, and complete lines are written now and then. */
  readonly width: (() => number) | null;
}

/** How often it is shown. */
const onTerminal = 100;
const elsewhere = 5000;
/** The rate is that of this time. */
const window = 20_000;
const widestBar = 40;

/** Shows how far work has come: a bar that is drawn anew on a terminal, a line every few seconds elsewhere. */
export class ProgressDisplay {
  readonly #options: ProgressDisplayOptions;
  #shownAt: MonotonicMs | null = null;
  #marks: { readonly time: MonotonicMs; readonly bytes: number }[] = [];

  constructor(options: ProgressDisplayOptions) {
    this.#options = options;
  }

  show(progress: UpkeepProgress): void {
    const { clock, width, write } = this.#options;
    const now = clock.monotonic();
    const period = width === null ? elsewhere : onTerminal;
    if (this.#shownAt !== null && elapsedMonotonic(this.#shownAt, now) < period) return;
    this.#shownAt = now;
    this.#mark(now, progress.bytes);
    write(width === null ? `${this.#line(progress)}\n` : `\r${this.#bar(progress, width())}${restOfLine}`);
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#options.width !== null && this.#shownAt !== null) this.#options.write(`\r${restOfLine}`);
  }

  #mark(time: MonotonicMs, size: number): void {
    this.#marks.push({ time, bytes: size });
    while (this.#marks.length > 2 && elapsedMonotonic((this.#marks[0] as { time: MonotonicMs }).time, time) > window)
      this.#marks.shift();
  }

  #line(progress: UpkeepProgress): string {
    return `${this.#options.label}: ${this.#facts(progress).join(', ')}`;
  }

  #bar(progress: UpkeepProgress, width: number): string {
    const { label } = this.#options;
    const facts = this.#facts(progress).join('  ');
    const room = Math.min(widestBar, width - label.length - facts.length - 5);
    const filled = Math.round(share(progress) * room);
    const bar = room < 5 ? '' : `${'█'.repeat(filled)}${'░'.repeat(room - filled)}  `;
    return `${label}  ${bar}${facts}`.slice(0, width - 1);
  }

  #facts(progress: UpkeepProgress): string[] {
    const { bytes: done, ofBytes, phase } = progress;
    const percent = `${Math.floor(share(progress) * 100)} %`;
    if (phase === 'index' || (phase === 'files' && done >= ofBytes)) {
      return [this.#options.phases[phase], ...damage(progress)];
    }
    if (phase === 'files') return [percent, 'of the body files', ...damage(progress)];
    return [percent, `${readableSize(done)} of ${readableSize(ofBytes)}`, ...this.#pace(progress), ...damage(progress)];
  }

  #pace({ bytes: done, ofBytes }: UpkeepProgress): string[] {
    const [first, last] = [this.#marks[0], this.#marks.at(-1)];
    if (first === undefined || last === undefined) return [];
    const time = elapsedMonotonic(first.time, last.time) / 1000;
    const moved = last.bytes - first.bytes;
    if (time <= 0 || moved <= 0) return [];
    const rate = `${readableSize(bytes(Math.round(moved / time)))}/s`;
    if (done >= ofBytes) return [rate];
    const left = readableDuration(seconds(Math.ceil(((ofBytes - done) * time) / moved)));
    return [rate, `${left} left`];
  }
}

const restOfLine = '\x1b[K';

const share = ({ bytes: done, ofBytes }: UpkeepProgress): number => (ofBytes === 0 ? 1 : Math.min(1, done / ofBytes));

const damage = ({ damaged }: UpkeepProgress): string[] => (damaged === 0 ? [] : [`${damaged} damaged`]);
