import type { Milliseconds } from '../../config/units.js';
import { Cancellation } from '../../proxy/base/cancellation.js';
import { Overtaken } from './source-failed.js';

/** One who may win. */
export interface Entrant<T> {
  /** How long it has the field to itself, and whether being overtaken after that means that it is late; null: as long as it takes. */
  readonly lead: { readonly duration: Milliseconds; readonly isLate: boolean } | null;
  /** Called when the next one is begun because that time is over. */
  readonly onLead?: (lead: { readonly isLate: boolean }) => void;
  /** Rejects if it cannot win; whoever made it has seen to the reason. */
  begin(cancellation: Cancellation): Promise<T>;
}

export interface StaggeredOptions<T> {
  /** The next one, when it is to begin; null if there is no more. */
  readonly next: () => Entrant<T> | null;
  /** Something that was won too late. */
  readonly release: (won: T) => void;
  readonly cancellation: Cancellation;
}

/**
 * The first that comes of several, each of which is begun when the one before fails, or takes longer than its lead; the
 * others are cancelled then.
 * @returns null if all have failed
 * @throws the reason of the cancellation
 */
export function staggered<T>(options: StaggeredOptions<T>): Promise<T | null> {
  return new Promise((resolve, reject) => new Field(options, resolve, reject).begin());
}

interface Running {
  readonly cancellation: Cancellation;
  timer: NodeJS.Timeout | undefined;
  isLate: boolean;
}

class Field<T> {
  readonly #options: StaggeredOptions<T>;
  readonly #resolve: (won: T | null) => void;
  readonly #reject: (reason: Error) => void;
  readonly #running = new Set<Running>();
  #isOver = false;

  constructor(options: StaggeredOptions<T>, resolve: (won: T | null) => void, reject: (reason: Error) => void) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(): void {
    const { cancellation } = this.#options;
    if (cancellation.reason !== null) {
      this.#reject(cancellation.reason);
      return;
    }
    cancellation.add(this);
    this.#next();
  }

  onCancelled(reason: Error): void {
    this.#end((one) => one.cancellation.cancel(reason));
    this.#reject(reason);
  }

  /** @returns whether there was another one */
  #next(): boolean {
    const entrant = this.#options.next();
    if (entrant === null) {
      if (this.#running.size > 0) return false;
      this.#end(() => undefined);
      this.#resolve(null);
      return false;
    }
    const running: Running = { cancellation: new Cancellation(), timer: undefined, isLate: false };
    this.#running.add(running);
    running.timer = this.#timer(running, entrant);
    entrant.begin(running.cancellation).then(
      (won) => this.#won(running, won),
      () => this.#lost(running),
    );
    return true;
  }

  #timer(running: Running, { lead, onLead }: Entrant<T>): NodeJS.Timeout | undefined {
    if (lead === null) return undefined;
    return setTimeout(() => {
      running.isLate = lead.isLate;
      if (this.#next()) onLead?.(lead);
    }, lead.duration);
  }

  #won(winner: Running, won: T): void {
    if (this.#isOver) {
      this.#options.release(won);
      return;
    }
    this.#end((one) => {
      if (one !== winner) one.cancellation.cancel(new Overtaken(one.isLate));
    });
    this.#resolve(won);
  }

  #lost(loser: Running): void {
    clearTimeout(loser.timer);
    this.#running.delete(loser);
    if (!this.#isOver) this.#next();
  }

  #end(farewell: (one: Running) => void): void {
    this.#isOver = true;
    this.#options.cancellation.remove(this);
    for (const one of this.#running) {
      clearTimeout(one.timer);
      farewell(one);
    }
  }
}
