import { bytes, milliseconds, type Bytes, type Milliseconds } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import type { Clock } from '../base/clock.js';
import type { CacheKey } from './cache-key.js';

type Start<Result> = (signal: AbortSignal) => Promise<Result>;

/**
 * One forward on behalf of several requests (RFC 9111 §4: "collapsing"). It goes on as long as anybody is interested in
 * it, whoever asked first.
 */
export class Flight<Result> {
  readonly result: Promise<Result>;
  readonly #controller = new AbortController();
  #interested = 0;
  #landed = false;

  /** Whether everybody has lost interest before the result was there: it will not come, and is not to be waited for. */
  get givenUp(): boolean {
    return this.#controller.signal.aborted;
  }

  constructor(start: Start<Result>) {
    this.result = start(this.#controller.signal).finally(() => {
      this.#landed = true;
    });
    // a failure reaches those who wait; with nobody waiting it is nobody's
    this.result.catch(() => undefined);
  }

  /**
   * The result, unless the given signal gives up first.
   * @throws WillisError `client-gone`; whatever the forward failed with
   */
  async wait(signal: AbortSignal): Promise<Result> {
    this.#interested++;
    try {
      return await unlessAborted(this.result, signal);
    } finally {
      this.#interested--;
      if (this.#interested === 0 && !this.#landed) this.#controller.abort();
    }
  }
}

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
   * Begins a forward that others may join until its result is there, or, where `lasts` gives a promise, until that is
   * settled: for a result that is a transfer under way.
   */
  begin(key: CacheKey, start: Start<Result>, lasts: (result: Result) => Promise<unknown> | null): Flight<Result> {
    const flight = new Flight(start);
    this.#flights.set(key, flight);
    const over = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    flight.result.then((result) => {
      const end = lasts(result);
      if (end === null) over();
      else end.then(over, over);
    }, over);
    return flight;
  }

  /** Waits for somebody else's forward, for a bounded time; null if that was not enough. Errors as `Flight.wait`. */
  async follow(flight: Flight<Result>, signal: AbortSignal): Promise<Result | null> {
    const tooLong = AbortSignal.timeout(this.maxWait);
    try {
      return await flight.wait(AbortSignal.any([signal, tooLong]));
    } catch (error) {
      if (tooLong.aborted && !signal.aborted && error instanceof WillisError && error.code === 'client-gone')
        return null;
      throw error;
    }
  }
}

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

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let done = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    const gone = (): void => reject(new WillisError('client-gone', 'the client went away while waiting'));
    if (signal.aborted) gone();
    signal.addEventListener('abort', gone, { once: true });
    done = () => signal.removeEventListener('abort', gone);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    done();
  }
}
