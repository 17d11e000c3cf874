import { milliseconds, type Milliseconds } from '../../config/units.js';

const first = 1000;
const longest = 60_000;

/**
 * How long to wait before sources are asked again: from half a second to a second after the first failure, twice that after
 * each further one without anything got in between, at most from half a minute to a minute.
 * @param failures how often in a row, from 1
 * @param chance from 0 to below 1, so that not all who lost the same source come back at once
 */
export const retryDelay = (failures: number, chance: number): Milliseconds =>
  milliseconds(Math.min(longest, first * 2 ** Math.min(failures - 1, 16)) * (0.5 + chance / 2));
