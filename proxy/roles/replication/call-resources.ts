import { CallHandler } from '../../../wlis/calls/call-handler.js';
import { CallProblem } from '../../../wlis/calls/call-problem.js';
import { namespaceNamed, type HeldNamespaces } from '../../../replication/calls/held-namespaces.js';
import { holdingResources } from '../../../replication/calls/holding-resources.js';
import { MetalinkResource } from '../../../replication/calls/metalink-resource.js';
import type { BlobReads } from '../../../replication/calls/blob-reads.js';
import { NodeResource } from '../../../wlis/calls/node-resource.js';
import type { NodeRole } from '../../../wlis/calls/node-statement.js';
import type { CallResource } from '../../../wlis/calls/received-call.js';
import { RootResource } from '../../../wlis/calls/root-resource.js';
import type { SearchControl } from '../../../wlis/search/search-control.js';
import { SearchResource } from '../../../wlis/search/search-resource.js';
import type { WaitingCalls } from '../../../wlis/calls/waiting-calls.js';
import { ChangedResource } from '../../../replication/tree/changed-resource.js';
import { GroupResource } from '../../../replication/tree/group-resource.js';
import { admitMember, presentGroup, treeIn, type NamespaceTrees } from '../../../replication/tree/namespace-tree.js';
import { ReplicasResource } from '../../../replication/tree/replicas-resource.js';
import { StatusResource } from '../../../replication/tree/status-resource.js';
import { CallReplays } from '../../../wlis/call-replays.js';
import { callWindow } from '../../../wlis/signed-request.js';
import { originOf, type Namespace } from '../../../wlis/namespace.js';
import { rootChainText } from '../../../wlis/trust/root-chain.js';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import { findingCalls, knownChain, knownGroup, type FindingCallsOptions } from '../finding/finding-calls.js';
import type { OpenNamespace } from './open-namespace.js';
import type { ReplicationLayer } from './replication-layer.js';

export interface NodeCallsOptions {
  readonly layer: ReplicationLayer;
  readonly search: SearchControl;
  readonly waiting: WaitingCalls;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How this node finds namespaces that it does not hold. */
  readonly finding: Pick<FindingCallsOptions, 'directory' | 'isOut' | 'chance'>;
}

/** The calls of the protocol, as this node answers them for the namespaces that it holds. */
export function nodeCalls(options: NodeCallsOptions): CallHandler {
  const { layer, clock, logger } = options;
  const namespaces = heldNamespaces(layer);
  const trees: NamespaceTrees = { get: (namespace) => opened(layer, namespace)?.tree };
  const { now } = layer.time;
  const { waiting } = options;
  const blobs = blobReads(layer);
  const finding: FindingCallsOptions = { ...options.finding, layer, now };
  const held = new GroupResource(trees, now);
  const resources = new Map<string, CallResource>([
    ...holdingResources({ namespaces, blobs, waiting, clock, now }),
    ['node', new NodeOf(options)],
    ...findingCalls(finding),
    ['search', searchResource(options)],
    [
      'root',
      new RootResource({ chainOf: async (origin) => (await chainOf(layer, origin)) ?? knownChain(finding, origin) }),
    ],
    ['replicas', new ReplicasResource(trees)],
    [
      'group',
      { methods: ['GET'], answer: (call) => knownGroup(finding, call, namespaceNamed(call)) ?? held.answer(call) },
    ],
    [
      'metalink',
      new MetalinkResource({
        ...{ namespaces, blobs, now },
        groupFor: (call) => presentGroup(treeIn(call, trees)),
      }),
    ],
    ['changed', new ChangedResource(trees)],
    [
      'status',
      new StatusResource({
        trees,
        waiting,
        headOf: (namespace) => layer.entries.get(namespace)?.open?.held.edition?.head.head ?? null,
      }),
    ],
  ]);
  const replays = new CallReplays(callWindow);
  return new CallHandler({ resources, origins: () => originsOf(layer), replays, now, logger });
}

const searchResource = ({ search: control, layer }: NodeCallsOptions): SearchResource =>
  new SearchResource({
    ...{ control, name: () => layer.name },
    originOf: ({ request: { target } }) =>
      originsOf(layer).find((one) => one.slice(one.indexOf('://') + 3) === target.authority) ?? null,
    // somebody in front of it may have taken the TLS off
    isSecure: ({ request: { client, target } }) =>
      client.secure || originsOf(layer).includes(`https://${target.authority}`),
  });

/** What this node is called: by its own URL, and by the names of the namespaces of which it is the primary. */
export function originsOf(layer: ReplicationLayer): readonly string[] {
  const origins = [...layer.entries].flatMap(([namespace, { kind }]) =>
    kind === 'primary' ? [originOf(namespace)] : [],
  );
  return layer.url === null ? origins : [layer.url, ...origins];
}

const heldNamespaces = (layer: ReplicationLayer): HeldNamespaces => ({
  get: (namespace) => {
    const open = opened(layer, namespace);
    return open === undefined ? undefined : { held: open.held, admits: (call) => admitMember(open.tree, call) };
  },
});

/** Undefined if it is not held here. @throws CallProblem not-ready while it is being opened */
function opened(layer: ReplicationLayer, namespace: Namespace): OpenNamespace | undefined {
  const entry = layer.entries.get(namespace);
  if (entry === undefined || entry.open !== null) return entry?.open ?? undefined;
  throw new CallProblem(503, 'not-ready', `${namespace} is being opened by this node`, ['Retry-After', '1']);
}

async function chainOf(layer: ReplicationLayer, origin: string): Promise<string | null> {
  for (const [namespace, entry] of layer.entries) {
    if (originOf(namespace) !== origin) continue;
    const chain = (await entry.open?.rootChain()) ?? [];
    if (chain.length > 0) return rootChainText(chain);
  }
  return null;
}

/** The store of a node, which is open while it holds anything. */
export function blobReads(layer: ReplicationLayer): BlobReads {
  const blobs = () => {
    if (layer.ground !== null) return layer.ground.blobs;
    throw new CallProblem(404, 'no-such-blob', 'this node holds nothing');
  };
  return {
    lengthOf: (...args: Parameters<ReturnType<typeof blobs>['lengthOf']>) => blobs().lengthOf(...args),
    readUnchecked: (...args: Parameters<ReturnType<typeof blobs>['readUnchecked']>) => blobs().readUnchecked(...args),
    readWhole: (...args: Parameters<ReturnType<typeof blobs>['readWhole']>) => blobs().readWhole(...args),
  };
}

/** The key is known once a namespace is held. */
class NodeOf implements CallResource {
  readonly methods = ['GET'] as const;

  constructor(private readonly options: NodeCallsOptions) {}

  answer(call: Parameters<CallResource['answer']>[0]) {
    const { layer } = this.options;
    if (layer.ground === null) throw new CallProblem(404, 'no-such-node', 'this node holds no namespace');
    const { callKey } = layer.ground;
    const { place, capacity } = layer;
    const roles = [
      ...new Set([...layer.entries].map(([, { kind }]): NodeRole => (kind === 'primary' ? 'primary' : 'replicated'))),
    ];
    const urls = originsOf(layer);
    const statement = () => ({ name: layer.name, roles, key: callKey.publicKey, urls, place, capacity });
    return new NodeResource({ key: callKey, statement }).answer(call);
  }
}
