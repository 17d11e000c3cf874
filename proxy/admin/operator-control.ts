import type { ConfigChange } from '../../config/changes.js';

/** What the operator side may ask of its node. */
export interface OperatorControl {
  readonly phase: 'starting' | 'running' | 'stopping';
  /**
   * Reads the configuration anew and puts it in force.
   * @throws Error with the reason, in lines for people, and nothing has changed
   */
  reread(): Promise<{ readonly changes: readonly ConfigChange[] }>;
}
