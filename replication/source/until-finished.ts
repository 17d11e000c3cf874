import { elapsedMonotonic, type Milliseconds } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { DirectorySource } from './directory-source.js';

/**
 * Waits, once all of a directory was looked at, until what is there and what is missing has been so for long enough to be
 * published: whoever writes files and then asks for them to be published means these.
 * @param patience how long; a file to which somebody goes on writing is left for later
 */
export async function untilFinished(
  source: Pick<DirectorySource, 'status' | 'isUnfinished' | 'nextLook'>,
  clock: Clock,
  patience: Milliseconds,
): Promise<void> {
  const began = clock.monotonic();
  while (
    source.isUnfinished &&
    source.status.problem === null &&
    elapsedMonotonic(began, clock.monotonic()) < patience
  ) {
    await source.nextLook();
  }
}
