/** Is told when what it works on is no longer wanted. */
export interface CancellationListener {
  /** Called once, in the turn of the cancellation. */
  onCancelled(reason: Error): void;
}

/**
 * Tells whoever works on something that it is no longer wanted: what `AbortController` and `AbortSignal` are for, at a
 * small part of their cost, for the way that every forwarded request goes. Where a library wants an `AbortSignal` there is
 * one to be had. May be cancelled by another one, as its listener.
 */
export class Cancellation implements CancellationListener {
  #reason: Error | null = null;
  #listeners: CancellationListener[] | null = null;
  #controller: AbortController | null = null;

  get cancelled(): boolean {
    return this.#reason !== null;
  }

  /** Why, null while it is not. */
  get reason(): Error | null {
    return this.#reason;
  }

  /** For those who understand nothing else. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== null) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /** The listener is not told of a cancellation that was before. */
  add(listener: CancellationListener): void {
    if (this.#listeners === null) this.#listeners = [listener];
    else this.#listeners.push(listener);
  }

  /** Idempotent. */
  remove(listener: CancellationListener): void {
    const at = this.#listeners?.indexOf(listener) ?? -1;
    if (at >= 0) this.#listeners?.splice(at, 1);
  }

  /** Idempotent: the first reason counts. */
  cancel(reason: Error): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    const listeners = this.#listeners ?? [];
    this.#listeners = null;
    for (const listener of listeners) listener.onCancelled(reason);
    this.#controller?.abort(reason);
  }

  onCancelled(reason: Error): void {
    this.cancel(reason);
  }
}
