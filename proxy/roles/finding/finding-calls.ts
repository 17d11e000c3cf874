import type { StatedGroups } from '../../../wlis/directory/stated-groups.js';
import type { HeldStatements } from '../../../wlis/directory/statement-feed.js';
import { RecordsResource, RedirectResource, ResolveResource } from '../../../wlis/directory/directory-resources.js';
import type { Directory } from '../../../wlis/directory/directory.js';
import { groupAnswer } from '../../../wlis/calls/group-answer.js';
import type { CallResource, ReceivedCall } from '../../../wlis/calls/received-call.js';
import type { Namespace } from '../../../wlis/namespace.js';
import { targetOfUri } from '../../../wlis/directory/target-of-uri.js';
import { rootChainText } from '../../../wlis/trust/root-chain.js';
import type { EpochMs } from '../../../config/units.js';
import type { ReplicationLayer } from '../replication/replication-layer.js';

export interface FindingCallsOptions {
  readonly layer: ReplicationLayer;
  /** What this node knows of namespaces; null until it has begun. */
  readonly directory: () => Directory | null;
  /** Whether a node is better not asked now. */
  readonly isOut: (url: string) => boolean;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  /** From 0 to 1. */
  readonly chance: () => number;
}

/** The calls by which nodes find namespaces, for those that are held here and, at a directory, for all that are known. */
export function findingCalls(options: FindingCallsOptions): readonly (readonly [string, CallResource])[] {
  const { directory, isOut, now, chance } = options;
  const places = { groups: statedGroups(options), isOut, now, chance };
  return [
    ['resolve', new ResolveResource(places)],
    ['redirect', new RedirectResource(places)],
    ['records', new RecordsResource(() => directory()?.feed ?? null)],
  ];
}

/** `…/group` of a namespace that is not held here, but known: as its holders answer it. Null for others. */
export function knownGroup(options: FindingCallsOptions, { request }: ReceivedCall, namespace: Namespace) {
  const { layer, now } = options;
  const known = layer.entries.get(namespace) === undefined ? (toldOf(options)?.get(namespace) ?? null) : null;
  return known === null ? null : groupAnswer(request.fields, known.group, now());
}

/** The root chain of an authority of which something is known. */
export function knownChain(options: FindingCallsOptions, origin: string): string | null {
  const chain = toldOf(options)?.book.authority(origin)?.chain ?? [];
  return chain.length === 0 ? null : rootChainText(chain);
}

/** What a node holds itself, to be told to directories. */
export async function heldStatements({ entries }: ReplicationLayer): Promise<readonly HeldStatements[]> {
  const open = [...entries].flatMap(([namespace, entry]) =>
    entry.open === null ? [] : [{ namespace, ...parts(entry.open) }],
  );
  return Promise.all(open.map(async ({ root, ...one }) => ({ ...one, chain: await root() })));
}

type Open = NonNullable<NonNullable<ReturnType<ReplicationLayer['entries']['get']>>['open']>;

const parts = (open: Open) => ({
  group: open.tree.group?.jws ?? null,
  head: open.held.edition?.head ?? null,
  root: () => open.rootChain(),
});

/** Null where what is known is not told to others. */
function toldOf({ directory }: FindingCallsOptions): Directory | null {
  const known = directory();
  return known?.settings.isDirectory === true ? known : null;
}

const statedGroups = (options: FindingCallsOptions): StatedGroups => ({
  of: (uri) => {
    const { layer } = options;
    const target = targetOfUri(uri);
    const entry = layer.entries.of(target);
    const known = toldOf(options)?.of(target) ?? null;
    const held = entry?.open?.tree.group ?? null;
    // the longer namespace is the one that a URI belongs to
    if (held !== null && (known === null || held.group.namespace.length >= known.namespace.length)) return held;
    return known?.group ?? null;
  },
});
