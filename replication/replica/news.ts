import { epochMs, type EpochMs } from '../../config/units.js';
import type { Namespace } from '../../wlis/namespace.js';
import type { Digest } from '../../wlis/trust/digest.js';
import { judgeHead, type SignedHead } from '../../wlis/trust/head.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { recordKey, type DocumentRecord, type Removal } from '../../wlis/trust/record.js';
import { trieDifferences } from '../../wlis/trust/trie-difference.js';
import type { Change } from '../change-list.js';
import type { ChangesAnswer, HeadAnswer, RemoteHolder } from '../remote-holder.js';
import { documentText } from '../source/published-document.js';
import { beginsEpoch, type ReplicaView } from './replica-view.js';

/**
 * What asking a holder for news has brought: `changes`, or only a newer statement of the same (`renewed`); `nothing`; or the one
 * who was asked is behind what is known here.
 */
export interface News {
  readonly kind: 'changes' | 'renewed' | 'nothing' | 'behind';
  readonly answer: HeadAnswer;
  /** Null unless there are changes. */
  readonly taken: TakenNews | null;
}

export interface TakenNews {
  readonly changes: readonly Change<string>[];
  /** They are all there is, and do not go on from what was known. */
  readonly isWhole: boolean;
}

export interface NewsOptions {
  readonly namespace: Namespace;
  readonly view: ReplicaView;
  readonly now: EpochMs;
  readonly signal: AbortSignal;
  /** Lets others have their turn. */
  readonly rest: () => Promise<void>;
}

/**
 * Asks a holder for what changed, and takes it.
 * @throws CallFailed; NotBelieved for what cannot be true, and nothing is changed
 */
export async function takeNews(holder: RemoteHolder, options: NewsOptions): Promise<News> {
  const { view, now, signal } = options;
  const known = view.newest;
  const position = known && { epoch: known.head.head.epoch, seq: known.head.head.seq, root: known.trie.root };
  const answer = await holder.changes(position, signal);
  const judgement = judgeHead(known?.head.head ?? null, answer.head.head, now);
  switch (judgement) {
    case 'ahead':
      throw new NotBelieved('out-of-date', 'head: its time is more than a day ahead');
    case 'equivocation':
      throw new NotBelieved('equivocation', 'head: another root for the same change; its signer says two things');
    case 'ended-epoch':
    case 'older':
      return { kind: 'behind', answer, taken: null };
    case 'same':
      return { kind: 'nothing', answer, taken: null };
    case 'newer':
      return { ...(await taken(holder, answer, options)), answer };
  }
}

async function taken(
  holder: RemoteHolder,
  answer: Awaited<ReturnType<RemoteHolder['changes']>>,
  options: NewsOptions,
): Promise<Pick<News, 'kind' | 'taken'>> {
  const { view } = options;
  const known = view.newest;
  const { head } = answer;
  if (known !== null && !beginsEpoch(known.head, head) && known.head.head.seq === head.head.seq) {
    view.renew(head);
    return { kind: 'renewed', taken: null };
  }
  const now =
    answer.kind === 'changes'
      ? await apply(answer, known === null ? 'nothing' : 'next', options)
      : beginsEpoch(known?.head ?? null, head)
        ? await beginAnew(holder, options)
        : await compare(holder, head, options);
  return { kind: 'changes', taken: now };
}

/** All of another epoch. */
async function beginAnew(holder: RemoteHolder, options: NewsOptions): Promise<TakenNews> {
  const answer = await holder.changes(null, options.signal);
  if (answer.kind !== 'changes') throw new NotBelieved('malformed', 'changes: none, though all were asked for');
  const judgement = judgeHead(options.view.newest?.head.head ?? null, answer.head.head, options.now);
  if (judgement !== 'newer') throw new NotBelieved('out-of-date', 'changes: the head has become an older one');
  return apply(answer, 'nothing', options);
}

async function apply(answer: ChangesAnswer, from: 'next' | 'nothing', options: NewsOptions): Promise<TakenNews> {
  const { head } = answer.head;
  const since = from === 'nothing' ? 0 : (options.view.newest?.head.head.seq ?? 0);
  // who makes light of the sets of a head that says that it is one cannot take them apart
  const sets = answer.sets.length === 0 && head.atomic && since > 0 ? [[since + 1, head.seq] as const] : answer.sets;
  const changes = await changesFrom(answer.records, sets, options);
  await options.view.take(changes, answer.head, from, options.rest);
  return { changes, isWhole: from === 'nothing' };
}

/** Finds out by the tries what differs, and asks for that. */
async function compare(holder: RemoteHolder, head: SignedHead, options: NewsOptions): Promise<TakenNews> {
  const { view, namespace, signal } = options;
  const known = view.newest;
  if (known === null) throw new Error('there is nothing to compare with');
  const { root } = head.head;
  const gone = new Set<Digest>();
  const wanted: Digest[] = [];
  const subtrees = (prefixes: Parameters<RemoteHolder['subtrees']>[1]) => holder.subtrees(root, prefixes, signal);
  for await (const { key, other } of trieDifferences(known.trie, root, subtrees, mostDifferent)) {
    gone.add(key);
    if (other !== null) wanted.push(key);
  }
  const records: DocumentRecord[] = [];
  for (let at = 0; at < wanted.length; at += 64) {
    records.push(...(await holder.records(root, wanted.slice(at, at + 64), signal)));
  }
  const kept: Change<string>[] = [];
  for (const change of view.latest()) {
    if (change.document !== null && !gone.has(recordKey({ namespace, path: change.path }))) kept.push(change);
    if (kept.length % 1024 === 0) await options.rest();
  }
  const changes = [...kept, ...(await changesFrom(records, [], options))].sort((a, b) => a.seq - b.seq);
  await view.take(changes, head, 'nothing', options.rest);
  return { changes, isWhole: true };
}

async function changesFrom(
  records: readonly (DocumentRecord | Removal)[],
  sets: ChangesAnswer['sets'],
  { now, rest }: NewsOptions,
): Promise<Change<string>[]> {
  const changes: Change<string>[] = [];
  let set = 0;
  for (const record of records) {
    const { seq, path } = record;
    while ((sets[set]?.[1] ?? Infinity) < seq) set++;
    const [from, to] = sets[set] ?? [Infinity, 0];
    const document = record.kind === 'removal' ? null : documentText(record);
    changes.push({ seq, path, at: epochMs(Math.trunc(now)), document, together: seq >= from ? to : seq });
    if (changes.length % 256 === 0) await rest();
  }
  return changes;
}

/** More documents than a namespace can have here. */
const mostDifferent = 2_000_000;
