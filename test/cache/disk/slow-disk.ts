import { bytes, monotonicMs } from '../../../config/units.js';
import { systemClock, type Clock } from '../../../proxy/base/clock.js';
import { machineFileSystem, type FileSystem } from '../../../proxy/cache/disk/file-system.js';

/** A disk of which every read that was made at once seems to have taken an eighth of a millisecond: hardly any are made so. */
export function slowDisk(): { readonly clock: Clock; readonly system: FileSystem } {
  let [time, fetched] = [0, 0];
  return {
    clock: { now: () => systemClock.now(), monotonic: () => monotonicMs((time += 0.125)) },
    system: { ...machineFileSystem, fetched: () => bytes(++fetched) },
  };
}
