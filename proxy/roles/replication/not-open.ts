import { bytes, milliseconds } from '../../../config/units.js';
import type { NamespaceReport } from '../../../replication/namespace-report.js';
import type { Namespace } from '../../../wlis/namespace.js';

/** Of a namespace that is being opened, or that could not be. */
export const notOpen = (
  namespace: Namespace,
  role: NamespaceReport['role'],
  failure: string | null,
): NamespaceReport => ({
  ...{ namespace, role, state: 'joining', reason: failure ?? 'it is being opened' },
  ...{ version: null, known: null, documents: 0, bytes: bytes(0), totalBytes: bytes(0) },
  lag: { changes: 0, time: milliseconds(0) },
  ...{ confirmedAge: milliseconds(0), parent: null, ancestors: [], activeUntil: null, children: [] },
  counters: {
    ...{ changes: 0, bytesPulled: bytes(0), bytesSpared: bytes(0), refused: {} },
    ...{ notificationsReceived: 0, notificationsSent: 0, notificationsFailed: 0 },
  },
});
