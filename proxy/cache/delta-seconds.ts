import { seconds, type Seconds } from '../../config/units.js';

/**
 * A non-negative integer of seconds; null if the value is anything else. What is too large to mean anything counts as
 * 2^31 (RFC 9111 §1.2.2).
 */
export function parseDeltaSeconds(value: string): Seconds | null {
  return digits.test(value) ? seconds(Math.min(Number(value), greatest)) : null;
}

const digits = /^[0-9]+$/;
const greatest = 2 ** 31;
