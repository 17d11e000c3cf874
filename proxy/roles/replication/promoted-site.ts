import type { Succession } from '../../../replication/keys/succession.js';
import type { SiteDifference } from '../../../replication/promotion/site-difference.js';
import type { SourceRules } from '../../../replication/source/source-rules.js';
import type { Namespace } from '../../../wlis/namespace.js';
import type { Group } from '../../../wlis/trust/group.js';

/** What the new primary begins with. */
export interface PromotedSite {
  readonly namespace: Namespace;
  /** Where its files are. */
  readonly directory: string;
  readonly rules: SourceRules;
  readonly difference: SiteDifference;
  readonly members: { readonly count: number; readonly isOpen: boolean };
  readonly succession: Succession;
  readonly group: Group | null;
  /** How others reach this node; null if they cannot. */
  readonly url: string | null;
}
