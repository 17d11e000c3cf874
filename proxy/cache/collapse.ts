import { bytes, milliseconds, type Bytes, type Milliseconds } from '../../config/units.js';
import { Cancellation, type CancellationListener } from '../base/cancellation.js';
import { asWillisError, WillisError } from '../base/errors.js';
import type { Clock } from '../base/clock.js';
import type { CacheKey } from './cache-key.js';

type Start<Result> = (cancellation: Cancellation) => Promise<Result>;

/**
 * One forward on behalf of several requests (RFC 9111 §4: "collapsing"). It goes on as long as anybody is interested in
 * it, whoever asked first.
 */
export class Flight<Result> {
  readonly #cancellation = new Cancellation();
  /** Those who wait, and those who have given up but want to know of the result. */
  #waiters: Waiter<Result>[] = [];
  #interested = 0;
  #outcome: { readonly result: Result } | { readonly error: Error } | null = null;

  /** @param landed told of the result before those who wait for it; null if the forward failed */
  constructor(start: Start<Result>, landed: (result: Result | null) => void) {
    start(this.#cancellation).then(
      (result) => {
        this.#outcome = { result };
        landed(result);
        for (const waiter of this.#leaving()) waiter.land(result);
      },
      // a failure reaches those who wait; with nobody waiting it is nobody's
      (failure: unknown) => {
        const error = asWillisError(failure);
        this.#outcome = { error };
        landed(null);
        for (const waiter of this.#leaving()) waiter.fail(error);
      },
    );
  }

  /** Whether everybody has lost interest before the result was there: it will not come, and is not to be waited for. */
  get givenUp(): boolean {
    return this.#cancellation.cancelled;
  }

  /**
   * The result, unless the one who waits gives up first.
   * @param unclaimed told of a result that comes after that
   * @throws WillisError `client-gone`; whatever the forward failed with
   */
  wait(cancellation: Cancellation, unclaimed: ((result: Result) => void) | null = null): Promise<Result> {
    const outcome = this.#outcome;
    if (outcome !== null) {
      return 'result' in outcome ? Promise.resolve(outcome.result) : Promise.reject(outcome.error);
    }
    return new Promise((resolve, reject) => {
      this.#interested++;
      const waiter = new Waiter(this, cancellation, { resolve, reject, unclaimed });
      this.#waiters.push(waiter);
      if (cancellation.cancelled) waiter.onCancelled();
      else cancellation.add(waiter);
    });
  }

  /** One of those who wait has given up. */
  leave(): void {
    this.#interested--;
    if (this.#interested === 0 && this.#outcome === null) this.#cancellation.cancel(nobodyWaits);
  }

  #leaving(): readonly Waiter<Result>[] {
    const waiters = this.#waiters;
    this.#waiters = [];
    return waiters;
  }
}

interface Waiting<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
  readonly unclaimed: ((result: Result) => void) | null;
}

/** One request that waits for a flight. */
class Waiter<Result> implements CancellationListener {
  #gone = false;

  constructor(
    private readonly flight: Flight<Result>,
    private readonly cancellation: Cancellation,
    private readonly waiting: Waiting<Result>,
  ) {}

  land(result: Result): void {
    if (this.#gone) {
      this.waiting.unclaimed?.(result);
      return;
    }
    this.cancellation.remove(this);
    this.waiting.resolve(result);
  }

  fail(error: Error): void {
    if (this.#gone) return;
    this.cancellation.remove(this);
    this.waiting.reject(error);
  }

  onCancelled(): void {
    this.#gone = true;
    this.waiting.reject(gone());
    this.flight.leave();
  }
}

const gone = (): WillisError => new WillisError('client-gone', 'the client went away while waiting');

const nobodyWaits = new WillisError('client-gone', 'nobody waits for it any more');

/** The forwards under way, by cache key, and the keys that have lately turned out not to be worth waiting for. */
export class Collapse<Result> {
  readonly #flights = new Map<CacheKey, Flight<Result>>();
  readonly #unshareable: RecentKeys;

  constructor(
    clock: Clock,
    /** How long somebody waits for another one's forward. */
    public maxWait: Milliseconds,
  ) {
    this.#unshareable = new RecentKeys(bytes(1024 * 1024), milliseconds(120_000), clock);
  }

  get size(): number {
    return this.#flights.size;
  }

  /** The forward to wait for, if there is one. */
  flightOf(key: CacheKey): Flight<Result> | undefined {
    const flight = this.#flights.get(key);
    return flight?.givenUp === true ? undefined : flight;
  }

  /** Nobody who comes from now on joins a forward for such a key: what it brings may be out of date. */
  forget(concerns: (key: CacheKey) => boolean): void {
    for (const key of this.#flights.keys()) if (concerns(key)) this.#flights.delete(key);
  }

  /** Whether requests for this key are to wait for each other: false while its answers are known not to be shareable. */
  worthwhile(key: CacheKey): boolean {
    return !this.#unshareable.has(key);
  }

  /** What the first of several requests learned: whether its answer may serve the others. */
  learned(key: CacheKey, shareable: boolean): void {
    if (shareable) this.#unshareable.delete(key);
    else this.#unshareable.add(key);
  }

  /**
   * Begins a forward that others may join.
   * @param landed told of the result before anybody else; calls `over` when nobody may join any more, which for a transfer
   *   under way is when that has ended. A forward that fails is over by itself.
   */
  begin(key: CacheKey, start: Start<Result>, landed: (result: Result, over: () => void) => void): Flight<Result> {
    const over = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    const flight = new Flight<Result>(start, (result) => {
      if (result === null) over();
      else landed(result, over);
    });
    this.#flights.set(key, flight);
    return flight;
  }

  /** Waits for somebody else's forward, for a bounded time; null if that was not enough. Errors as `Flight.wait`. */
  async follow(flight: Flight<Result>, cancellation: Cancellation): Promise<Result | null> {
    const patience = new Cancellation();
    const timer = setTimeout(() => patience.cancel(tooLong), this.maxWait).unref();
    if (cancellation.cancelled) patience.onCancelled(nobodyWaits);
    else cancellation.add(patience);
    try {
      return await flight.wait(patience);
    } catch (error) {
      if (patience.reason === tooLong) return null;
      throw error;
    } finally {
      clearTimeout(timer);
      cancellation.remove(patience);
    }
  }
}

const tooLong = new WillisError('client-gone', 'the forward of another request took too long');

/** A set of keys, each of which is forgotten after a time, or when they take too much room. */
class RecentKeys {
  readonly #until = new Map<CacheKey, number>();
  #bytes = 0;

  constructor(
    private readonly limit: Bytes,
    private readonly lifetime: Milliseconds,
    private readonly clock: Clock,
  ) {}

  has(key: CacheKey): boolean {
    const until = this.#until.get(key);
    if (until === undefined) return false;
    if (this.clock.monotonic() < until) return true;
    this.delete(key);
    return false;
  }

  add(key: CacheKey): void {
    this.delete(key);
    this.#until.set(key, this.clock.monotonic() + this.lifetime);
    this.#bytes += cost(key);
    for (const oldest of this.#until.keys()) {
      if (this.#bytes <= this.limit) return;
      this.delete(oldest);
    }
  }

  delete(key: CacheKey): void {
    if (this.#until.delete(key)) this.#bytes -= cost(key);
  }
}

/** A map's slot and the header of a string take about a hundred bytes. */
const cost = (key: CacheKey): number => key.length + 100;
