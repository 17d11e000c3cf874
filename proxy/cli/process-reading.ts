import { bytes, epochMs, seconds } from '../../config/units.js';
import { systemClock } from '../base/clock.js';
import type { ProcessReading } from '../roles/node-metrics.js';

const startTime = epochMs(systemClock.now() - process.uptime() * 1000);

/** What this process takes, as it is now. */
export function processReading(): ProcessReading {
  const { user, system } = process.cpuUsage();
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
  return {
    startTime,
    cpuTime: seconds((user + system) / 1e6),
    residentBytes: bytes(rss),
    heapBytes: bytes(heapTotal),
    heapUsedBytes: bytes(heapUsed),
    externalBytes: bytes(external),
  };
}
