/** When subjects were used last, of as many as fit: the ones that were used longest ago are forgotten. */
export class RecentUses {
  readonly #most: number;
  readonly #uses = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  note(subject: string, at: number): void {
    this.#uses.delete(subject);
    this.#uses.set(subject, at);
    if (this.#uses.size <= this.#most) return;
    for (const oldest of this.#uses.keys()) {
      this.#uses.delete(oldest);
      return;
    }
  }

  /** 0 if it is not known. */
  of(subject: string): number {
    return this.#uses.get(subject) ?? 0;
  }
}
