import type { EpochMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { BlobReads } from './blob-reads.js';
import { BlobResource } from './blob-resource.js';
import { BlockListResource } from './block-list-resource.js';
import { BundleResource } from './bundle-resource.js';
import { ChangesResource } from './changes-resource.js';
import { HeadResource } from './head-resource.js';
import type { HeldNamespaces } from './held-namespaces.js';
import { ProofResource } from './proof-resource.js';
import type { CallResource } from '../../wlis/calls/received-call.js';
import { RememberedTries } from './remembered-tries.js';
import { TrieResource } from './trie-resource.js';
import type { WaitingCalls } from '../../wlis/calls/waiting-calls.js';

export interface HoldingResourcesOptions {
  readonly namespaces: HeldNamespaces;
  readonly blobs: BlobReads;
  /** Closed by whoever made it. */
  readonly waiting: WaitingCalls;
  readonly clock: Clock;
  readonly now: () => EpochMs;
}

/** What answers the calls about namespaces that are held, by the names of the calls. */
export function holdingResources(options: HoldingResourcesOptions): ReadonlyMap<string, CallResource> {
  const shared = { ...options, tries: new RememberedTries(options.clock) };
  return new Map<string, CallResource>([
    ['head', new HeadResource(shared)],
    ['changes', new ChangesResource(shared)],
    ['trie', new TrieResource(shared)],
    ['proof', new ProofResource(shared)],
    ['blob', new BlobResource(shared)],
    ['blocks', new BlockListResource(shared)],
    ['bundle', new BundleResource(shared)],
  ]);
}
