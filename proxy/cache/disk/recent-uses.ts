/**
 * When subjects were used last: of so many as were used most recently, and of some more. Two generations, the older of which
 * is dropped at once: a list in the order of use would have to step over what was taken from its front.
 */
export class RecentUses {
  readonly #most: number;
  #recent = new Map<string, number>();
  #before = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  note(subject: string, at: number): void {
    this.#recent.set(subject, at);
    if (this.#recent.size < this.#most) return;
    this.#before = this.#recent;
    this.#recent = new Map();
  }

  /** 0 if it is not known. */
  of(subject: string): number {
    return this.#recent.get(subject) ?? this.#before.get(subject) ?? 0;
  }
}
