/** Work on one subject at a time; work on others goes on meanwhile. Holds nothing of subjects that nobody works on. */
export class KeyLocks {
  readonly #last = new Map<string, Promise<void>>();

  /** Does the task when all tasks begun before on the same subject are over. */
  run<T>(subject: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(subject);
    const done = before === undefined ? task() : before.then(task);
    const over: Promise<void> = done.then(
      () => this.#end(subject, over),
      () => this.#end(subject, over),
    );
    this.#last.set(subject, over);
    return done;
  }

  isHeld(subject: string): boolean {
    return this.#last.has(subject);
  }

  /** Fulfilled when nothing is under way, nor anything that began meanwhile. */
  async settled(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values());
  }

  #end(subject: string, over: Promise<void>): void {
    if (this.#last.get(subject) === over) this.#last.delete(subject);
  }
}
