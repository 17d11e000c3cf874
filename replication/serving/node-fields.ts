import { toSeconds, type EpochMs } from '../../config/units.js';
import { formatHttpDate } from '../../proxy/http/http-date.js';
import type { HeldNamespace } from '../held-namespace.js';
import { namespaceField } from './namespace-field.js';

/**
 * What a node says of itself in every answer, names and values in turns: `Date`, which is the present, for it answers as an
 * origin server does; at a replica how long ago that was confirmed, as `Age` (protocol decision 14); `WLIS-Namespace`.
 */
export function nodeFields(held: Speaking, now: EpochMs): string[] {
  const lines = ['Date', formatHttpDate(now), 'WLIS-Namespace', namespaceField(held)];
  if (held.role === 'replica') lines.push('Age', String(Math.max(0, Math.floor(toSeconds(held.confirmedAge)))));
  return lines;
}

type Speaking = Pick<HeldNamespace, 'namespace' | 'role' | 'edition' | 'confirmedAge'>;
