import { randomBytes } from 'node:crypto';

/**
 * Makes short request ids: a prefix that differs from process to process, and a counter. Unique in a log, not secret.
 */
export function requestIds(): () => string {
  const prefix = randomBytes(3).readUIntBE(0, 3).toString(36);
  let count = 0;
  return () => `${prefix}-${(count++).toString(36)}`;
}
