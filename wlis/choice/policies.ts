import type { Place } from '../trust/group-member.js';
import type { ChoicePolicy } from './choice.js';
import { nearest } from './nearest.js';
import { random } from './random.js';
import { sticky } from './sticky.js';
import { weighted } from './weighted.js';

/** Policies that come with this program. */
export type PolicyName = 'nearest' | 'random' | 'weighted' | 'sticky';

/** @param own where this node is; null if it was not said */
export function policyNamed(name: PolicyName, own: Place | null): ChoicePolicy {
  switch (name) {
    case 'nearest':
      return nearest(own);
    case 'random':
      return random;
    case 'weighted':
      return weighted;
    case 'sticky':
      return sticky;
  }
}
