import type { NodeCaller } from '../calls/node-caller.js';
import type { Namespace } from '../namespace.js';

/** How this node reaches others, and where they may be (protocol, rule 12). */
export interface NodeReach {
  /**
   * Calls nodes about a namespace, at addresses where they may be, and those that the operator named. Null for calls about no
   * namespace: to those alone that the operator named, and to public addresses.
   */
  callerFor(namespace: Namespace | null): NodeCaller;
  /** Whether a node of that namespace may say that it is there; what a name leads to is judged when it is called. */
  allowsUrl(namespace: Namespace, url: string): boolean;
}
