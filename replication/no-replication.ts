import { WillisError } from '../proxy/base/errors.js';
import type { Namespace } from '../wlis/namespace.js';
import type { ReplicationControl } from './replication-control.js';

const notHeld = (namespace: Namespace): WillisError =>
  new WillisError('not-found', `${namespace} is not held here: this node replicates nothing`);

const refuse = (namespace: Namespace): Promise<never> => Promise.reject(notHeld(namespace));

/** Of a node that holds no namespace. */
export const noReplication: ReplicationControl = {
  namespaces: () => [],
  status: (namespace) => {
    throw notHeld(namespace);
  },
  ...{ scan: refuse, allowRemovals: refuse, waitForAll: refuse, promote: refuse },
};
