import type { ConfigChange } from '../../config/changes.js';

/** What a new configuration has changed. */
export interface Reload {
  /** By key; `from` and `to` are equal where nothing but the content of a file that the key names is another. */
  readonly changes: readonly ConfigChange[];
}

/** What the operator side may know of its node, and ask of it. */
export interface OperatorControl {
  readonly phase: 'starting' | 'running' | 'stopping';
  /**
   * Reads the configuration anew and puts it in force.
   * @throws Error with the reason, in lines for people, and nothing has changed
   */
  reread(): Promise<Reload>;
}
