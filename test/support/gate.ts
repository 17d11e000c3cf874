/** Holds a script back until the test says so; the tests' replacement for sleeping. */
export interface Gate {
  /** Fulfilled once the gate is open. */
  readonly promise: Promise<void>;
  readonly isOpen: boolean;
  /** Idempotent. */
  open(): void;
}

export function gate(): Gate {
  let isOpen = false;
  let fulfil!: () => void;
  const promise = new Promise<void>((resolve) => (fulfil = resolve));
  return {
    promise,
    get isOpen() {
      return isOpen;
    },
    open() {
      isOpen = true;
      fulfil();
    },
  };
}
