import type { SelectingFields } from './vary.js';

/** Whether two responses under one key stand for the same requests, so that the later one replaces the earlier. */
export function sameSelecting(a: SelectingFields, b: SelectingFields): boolean {
  if (a.names.length !== b.names.length) return false;
  return a.names.every((name, i) => name === b.names[i] && a.values[i] === b.values[i]);
}
