import { formatByteSize } from '../../config/byte-size.js';
import { bytes, type Bytes } from '../../config/units.js';
import type { ClassUsage, Retention } from '../cache/retention.js';
import { RefusedConfiguration } from './refused-configuration.js';

/**
 * Nothing that is pinned is ever evicted, so a limit has to leave room for it.
 * @param usage what the store has at the moment
 * @param retention what will say what is pinned
 * @throws RefusedConfiguration
 */
export function refuseTooSmall(
  key: 'cache.memory' | 'cache.disk',
  limit: Bytes,
  usage: readonly ClassUsage[],
  retention: Retention,
): void {
  const pinned = new Set(retention.classes.filter((one) => one.pinned).map(({ name }) => name));
  const taken = usage.reduce((sum, { name, bytes: size }) => sum + (pinned.has(name) ? size : 0), 0);
  if (taken <= limit) return;
  const expected = `at least ${formatByteSize(bytes(taken))}, which pinned responses take (cache.rules[].pin)`;
  throw new RefusedConfiguration([{ key, expected, got: formatByteSize(limit) }]);
}
