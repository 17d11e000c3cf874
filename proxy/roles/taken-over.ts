import { WillisError } from '../base/errors.js';

/** The connections of a node that have ceased to be HTTP, under whichever configuration they began. */
export class TakenOver {
  readonly #underWay = new Set<Promise<void>>();
  #open = 0;

  /** Tunnels and upgrades that stand, or are being opened. */
  get open(): number {
    return this.#open;
  }

  /** Opens one, which counts until it is over. @throws WillisError too-busy if there are as many as may be already */
  async within<T>(most: number, course: () => Promise<T>): Promise<T> {
    if (this.#open >= most) {
      throw new WillisError('too-busy', `${most} tunnels and upgrades are open, as many as limits.tunnels allows`);
    }
    this.#open++;
    try {
      return await course();
    } finally {
      this.#open--;
    }
  }

  /** Counts one until its course is over; the course does not fail. */
  follow(course: Promise<void>): void {
    const ended = course.finally(() => this.#underWay.delete(ended));
    this.#underWay.add(ended);
  }

  /** Fulfilled when all that were begun are over, and recorded. They end with their connections. */
  async ended(): Promise<void> {
    await Promise.all(this.#underWay);
  }
}
