import { bytes, epochMs, milliseconds } from '../../../config/units.js';
import type { Group } from '../../../wlis/trust/group.js';
import type { Replica } from '../../../wlis/trust/group-member.js';
import { defaultGrace } from '../../../wlis/trust/namespace-policy.js';
import type { PublicKey } from '../../../wlis/trust/public-key.js';
import { firstEpoch, manual } from './record-example.js';

export const groupIssued = 1_700_000_000_000;

export const replicaOf = (key: PublicKey, over: Partial<Replica> = {}): Replica => ({
  key,
  urls: ['https://m1.example'],
  place: null,
  capacity: 1,
  subset: null,
  activeUntil: epochMs(groupIssued + 600_000),
  access: 'listed',
  browsers: false,
  delegate: false,
  ...over,
});

/** A replica that says all that can be said of one. */
export const fullReplica = (key: PublicKey): Replica =>
  replicaOf(key, {
    urls: ['https://m2.example:8443', 'https://[2001:db8::1]'],
    place: { area: 'de', position: { latitude: 52_500, longitude: 13_400 } },
    capacity: 4,
    subset: { include: ['en/**', 'de/**'], exclude: ['**/*.iso'], maxBytes: bytes(1_048_576) },
    browsers: true,
    delegate: true,
  });

export const groupOf = (primary: PublicKey, replicas: readonly Replica[], over: Partial<Group> = {}): Group => ({
  namespace: manual,
  epoch: firstEpoch,
  version: groupIssued,
  primary: { key: primary, urls: ['https://docs.example.org'], place: null, capacity: 8 },
  replicas: [...replicas].sort((a, b) => (a.key < b.key ? -1 : 1)),
  policy: {
    consistency: { mode: 'bounded', bound: milliseconds(30_000) },
    grace: defaultGrace,
    complete: true,
    credentials: 'ignore',
    query: 'ignore',
    search: false,
  },
  issued: epochMs(groupIssued),
  refreshAfter: epochMs(groupIssued + 300_000),
  expires: epochMs(groupIssued + 86_400_000),
  ...over,
});
