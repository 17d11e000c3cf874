import assert from 'node:assert/strict';
import fc from 'fast-check';
import { milliseconds } from '../../../config/units.js';
import { ReplicaRounds, type RoundTimer } from '../../../replication/replica/replica-rounds.js';
import { gate, type Gate } from '../../support/gate.js';
import { until } from '../../support/waiting.js';

/** A timer that runs out when a test says so. */
class HandTimer {
  readonly set: number[] = [];
  #running: { readonly then: () => void } | null = null;

  readonly timer: RoundTimer = (then, after) => {
    const running = { then };
    this.set.push(after);
    this.#running = running;
    return () => {
      if (this.#running === running) this.#running = null;
    };
  };

  get isRunning(): boolean {
    return this.#running !== null;
  }

  run(): void {
    const running = this.#running;
    this.#running = null;
    running?.then();
  }
}

/** Rounds of which each waits until the test lets it end. */
class RoundsFixture {
  readonly timer = new HandTimer();
  readonly rounds: ReplicaRounds;
  readonly begun: Gate[] = [];
  readonly waits: { readonly signal: AbortSignal; readonly end: (isNews: boolean) => void }[] = [];
  underWay = 0;
  #wells: boolean[] = [];

  constructor(isWaiting = false, chance = 0.5) {
    this.rounds = new ReplicaRounds({
      round: () => this.#round(),
      wait: isWaiting ? (signal) => this.#wait(signal) : null,
      ...{ every: milliseconds(60_000), timer: this.timer.timer, chance: () => chance },
    });
  }

  /** The round that is under way ends, and what follows of it has happened. */
  async end(isWell: boolean): Promise<void> {
    const { length } = this.begun;
    this.#wells.push(isWell);
    this.begun.at(-1)?.open();
    await until(() => this.underWay === 0 || this.begun.length > length);
    await new Promise((resolve) => setImmediate(resolve));
  }

  async #round(): Promise<boolean> {
    this.underWay++;
    assert.equal(this.underWay, 1, 'one at a time');
    const one = gate();
    this.begun.push(one);
    await one.promise;
    this.underWay--;
    return this.#wells.shift() ?? true;
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      this.waits.push({ signal, end: (isNews) => (isNews ? resolve() : reject(new Error('no news'))) });
    });
  }
}

describe('when a replica asks for news', () => {
  let fixture: RoundsFixture;
  beforeEach(() => (fixture = new RoundsFixture()));

  it('at once when it is told of some, and however often it is told meanwhile, once more', async () => {
    fixture.rounds.wake();
    assert.equal(fixture.begun.length, 1);
    for (let i = 0; i < 1000; i++) fixture.rounds.wake();
    assert.equal(fixture.begun.length, 1);
    await fixture.end(true);
    assert.equal(fixture.begun.length, 2);
    await fixture.end(true);
    assert.equal(fixture.begun.length, 2);
  });

  it('every now and then, times being spread around the interval', async () => {
    for (const [chance, expected] of [
      [0, 45_000],
      [0.5, 60_000],
      [0.999_999, 75_000],
    ] as const) {
      const one = new RoundsFixture(false, chance);
      one.rounds.wake();
      await one.end(true);
      assert.equal(Math.round(one.timer.set.at(-1) ?? 0), expected);
      one.timer.run();
      assert.equal(one.begun.length, 2, 'the timer asks');
      await one.end(true);
      await one.rounds.stop();
    }
  });

  it('after failures later and later, up to that interval, and after a success at the interval again', async () => {
    fixture.rounds.wake();
    for (let i = 0; i < 10; i++) {
      await fixture.end(false);
      fixture.timer.run();
    }
    assert.deepEqual(fixture.timer.set, [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    await fixture.end(true);
    assert.equal(fixture.timer.set.at(-1), 60_000);
    fixture.timer.run();
    await fixture.end(false);
    assert.equal(fixture.timer.set.at(-1), 500);
  });

  it('at once though it waits after failures, when it is told', async () => {
    fixture.rounds.wake();
    await fixture.end(false);
    fixture.rounds.wake();
    assert.deepEqual([fixture.begun.length, fixture.timer.isRunning], [2, false]);
    await fixture.end(true);
  });

  it('again and again where somebody tells by answering late, and by the timer when that cannot be waited for', async () => {
    const waiting = new RoundsFixture(true);
    waiting.rounds.wake();
    await waiting.end(true);
    assert.deepEqual([waiting.waits.length, waiting.timer.isRunning], [1, false]);
    waiting.waits[0]?.end(true);
    await until(() => waiting.begun.length === 2);
    await waiting.end(true);
    waiting.waits[1]?.end(false);
    await until(() => waiting.timer.isRunning);
    assert.equal(waiting.begun.length, 2);
    await waiting.rounds.stop();
  });

  it('gives up waiting when it is told, and when it stops', async () => {
    const waiting = new RoundsFixture(true);
    waiting.rounds.wake();
    await waiting.end(true);
    waiting.rounds.wake();
    await until(() => waiting.begun.length === 2);
    assert.ok(waiting.waits[0]?.signal.aborted, 'nobody is kept waiting');
    await waiting.end(true);
    const stopped = waiting.rounds.stop();
    assert.ok(waiting.waits[1]?.signal.aborted, 'nor when it stops');
    await stopped;
    assert.equal(waiting.timer.isRunning, false);
  });

  it('never again once it is stopped, which waits for the round that is under way', async () => {
    fixture.rounds.wake();
    let isStopped = false;
    const stopped = fixture.rounds.stop().then(() => (isStopped = true));
    fixture.rounds.wake();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isStopped, false);
    await fixture.end(true);
    await stopped;
    fixture.rounds.wake();
    assert.deepEqual([fixture.begun.length, fixture.timer.isRunning], [1, false]);
    await fixture.rounds.stop();
  });

  it('has one round, a timer or somebody who tells at every moment, whatever happens in which order', async () => {
    const step = fc.constantFrom('wake', 'well', 'ill', 'timer', 'news', 'none');
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(step, { maxLength: 30 }), async (isWaiting, steps) => {
        const one = new RoundsFixture(isWaiting);
        let asked = 0;
        one.rounds.wake();
        for (const what of steps) {
          const before = one.begun.length;
          if (what === 'wake') one.rounds.wake();
          else if (what === 'timer') one.timer.run();
          else if (what === 'news' || what === 'none') one.waits.at(-1)?.end(what === 'news');
          else if (one.underWay > 0) await one.end(what === 'well');
          await new Promise((resolve) => setImmediate(resolve));
          if (what === 'wake') asked = before + 1;
          const waits = one.waits.filter(({ signal }) => !signal.aborted).length > 0;
          assert.ok(one.underWay === 1 || one.timer.isRunning || (isWaiting && waits), `nothing after ${what}`);
        }
        while (one.underWay > 0 && one.begun.length < asked) await one.end(true);
        assert.ok(one.begun.length >= asked, 'who says that there are news is heard');
        const stopped = one.rounds.stop();
        one.begun.at(-1)?.open();
        await stopped;
      }),
      { numRuns: 100 },
    );
  });
});
