import { bytes, epochMs, milliseconds } from '../../config/units.js';
import type { AccessEntry } from '../../proxy/base/access-line.js';

/** A hit. */
export const accessEntry: AccessEntry = {
  time: epochMs(Date.UTC(2025, 10, 21, 4, 8, 0, 123)),
  side: 'proxy',
  client: '192.0.2.7',
  peer: '192.0.2.7',
  user: null,
  method: 'GET',
  uri: 'http://a.example/x?y=1',
  version: '1.1',
  status: 200,
  outcome: 'hit',
  site: '',
  rule: '',
  bytesOut: bytes(1200),
  contentOut: bytes(1000),
  bytesIn: bytes(88),
  firstByteTime: milliseconds(0.4),
  duration: milliseconds(0.4321),
  upstreamTime: null,
  referer: null,
  userAgent: 'curl/8.5',
  id: 'k3f-1',
  aborted: null,
};
