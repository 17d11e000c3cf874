import type { Logger } from '../../proxy/base/logger.js';
import { parseNamespace, originOf, type Namespace } from '../namespace.js';
import { NotCanonical } from '../not-canonical.js';
import { NotBelieved } from '../trust/not-believed.js';
import type { DirectoryRefusals } from './directory-refusals.js';
import type { DirectorySettings } from './directory-settings.js';
import type { Founding } from './founding.js';
import { takeGroup } from './given-group.js';
import type { NamespaceBook } from './namespace-book.js';
import type { FedRecord } from './records-format.js';
import type { SignedNames } from './signed-names.js';

export interface RecordIntakeOptions {
  readonly book: NamespaceBook;
  readonly founding: Founding;
  readonly names: SignedNames;
  readonly refusals: DirectoryRefusals;
  readonly settings: () => DirectorySettings;
  /** Whether a node of a namespace may say that it is there: who states something of an authority is taken for such a namespace. */
  readonly allowsUrl: (namespace: Namespace, url: string) => boolean;
  /** Whether this node holds it itself, and knows better. */
  readonly isHeld: (namespace: Namespace) => boolean;
  readonly logger: Logger;
}

/** What became of records that somebody has sent. */
export interface TakenRecords {
  /** It is known now, and was not before. */
  news: number;
  /** It was known already. */
  known: number;
  refused: number;
  /** It can be judged only by asking an authority, which this node does when somebody needs the namespace. */
  passedOver: number;
}

/** Authorities that are asked because of one page, by directories and by others; and namespaces that are learned at once. */
const mostAsked = { directory: 64, other: 16 };
const atOnce = 8;

/** Takes statements that another directory hands on: each is verified, as if it had come from a stranger. */
export class RecordIntake {
  readonly #options: RecordIntakeOptions;
  /** Groups of namespaces that could not be learned yet, by who sent them: they are tried again with what he sends next. */
  readonly #unsettled = new Map<string, { readonly record: FedRecord; readonly from: string }>();
  /** Characters of all of them. */
  #unsettledSize = 0;

  constructor(options: RecordIntakeOptions) {
    this.#options = options;
  }

  /** Never rejects for what is in them. @param from who sent them @throws the reason of the signal */
  async take(records: readonly FedRecord[], from: string, signal: AbortSignal): Promise<TakenRecords> {
    const taken = { news: 0, known: 0, refused: 0, passedOver: 0 };
    const chains = new Map<string, string>();
    const all = [...this.#again(records, from), ...records];
    const each = async (kind: FedRecord['kind'], use: (record: FedRecord) => Promise<keyof TakenRecords>) => {
      const queue = all.filter((record) => record.kind === kind).values();
      await Promise.all(
        Array.from({ length: atOnce }, async () => {
          for (const record of queue) {
            signal.throwIfAborted();
            taken[await this.#judged(record, from, signal, use)]++;
          }
        }),
      );
    };
    // each of them may be needed for those that follow
    await each('root', (record) => this.#root(record, chains));
    await each('name', async ({ text }) => ((await this.#options.names.take(text)) ? 'news' : 'known'));
    const asked = { left: mostAsked[this.#options.settings().isDirectory ? 'directory' : 'other'] };
    await each('group', (record) => this.#group(record, { from, signal, chains, asked }));
    await each('head', (record) => this.#head(record));
    return taken;
  }

  async #judged(
    record: FedRecord,
    from: string,
    signal: AbortSignal,
    use: (record: FedRecord) => Promise<keyof TakenRecords>,
  ): Promise<keyof TakenRecords> {
    const { refusals, logger } = this.#options;
    const { about } = record;
    try {
      return await use(record);
    } catch (error) {
      signal.throwIfAborted();
      if (!refusals.note(about, from, error)) {
        logger.debug(
          { code: 'record-not-taken', about, url: from, error },
          'what a directory states cannot be judged now',
        );
      }
      return 'refused';
    }
  }

  async #root({ about, text }: FedRecord, chains: Map<string, string>): Promise<keyof TakenRecords> {
    const authority = this.#options.book.authority(about);
    if (authority !== null) return (await authority.offer(text)) ? 'news' : 'known';
    // it is judged with the first namespace that needs it
    chains.set(about, text);
    return 'passedOver';
  }

  async #group({ about, text }: FedRecord, context: GroupContext): Promise<keyof TakenRecords> {
    const { book, founding, isHeld } = this.#options;
    const { from, signal, chains, asked } = context;
    const namespace = namespaceOf(about);
    if (isHeld(namespace)) return 'known';
    const known = book.get(namespace);
    if (known !== null) return (await takeGroup(known, text, from, signal)) ? 'news' : 'known';
    const origin = originOf(namespace);
    const canBeJudged = this.#options.settings().roots.has(origin) || book.authority(origin) !== null;
    // nobody far away has this node call what is near to it (rule 12)
    const mayBeCalled = this.#options.allowsUrl(`${from}/` as Namespace, origin);
    const mayAskAuthority = !canBeJudged && mayBeCalled && asked.left > 0;
    if (!canBeJudged && !mayAskAuthority) return 'passedOver';
    // whoever sends it does not send it again
    this.#keepForLater({ kind: 'group', about, text }, from);
    if (founding.isLeftAlone(namespace)) return 'passedOver';
    if (mayAskAuthority) asked.left--;
    const chain = chains.get(origin) ?? null;
    const learned = await founding.learn({ namespace, from: [from], group: text, chain, mayAskAuthority });
    if (learned === null) return 'refused';
    this.#settle(keyOf(namespace, from));
    // it may have been learned by what somebody else has sent meanwhile
    const isIt = learned.group.jws === text;
    return isIt || (await takeGroup(learned, text, from, signal)) ? 'news' : 'known';
  }

  #keepForLater(record: FedRecord, from: string): void {
    const key = keyOf(record.about, from);
    this.#settle(key);
    this.#unsettled.set(key, { record, from });
    this.#unsettledSize += record.text.length;
    for (const first of this.#unsettled.keys()) {
      if (this.#unsettled.size <= mostUnsettled && this.#unsettledSize <= longestUnsettled) return;
      this.#settle(first);
    }
  }

  #settle(key: string): void {
    this.#unsettledSize -= this.#unsettled.get(key)?.record.text.length ?? 0;
    this.#unsettled.delete(key);
  }

  /** What could not be judged before, unless there is something later by now. */
  #again(records: readonly FedRecord[], from: string): readonly FedRecord[] {
    const all = [...this.#unsettled.values()].filter((one) => one.from === from).map(({ record }) => record);
    return all.filter(({ about }) => !records.some((one) => one.kind === 'group' && one.about === about));
  }

  async #head({ about, text }: FedRecord): Promise<keyof TakenRecords> {
    const namespace = namespaceOf(about);
    if (this.#options.isHeld(namespace)) return 'known';
    const known = this.#options.book.get(namespace);
    if (known === null) return 'passedOver';
    return (await known.takeHead(text)) === 'newer' ? 'news' : 'known';
  }
}

const keyOf = (about: string, from: string): string => `${from} ${about}`;

const mostUnsettled = 512;
const longestUnsettled = 16_777_216;

interface GroupContext {
  readonly from: string;
  readonly signal: AbortSignal;
  readonly chains: ReadonlyMap<string, string>;
  readonly asked: { left: number };
}

/** @throws NotBelieved malformed */
function namespaceOf(text: string): Namespace {
  try {
    const namespace = parseNamespace(text);
    if (namespace === text) return namespace;
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
  }
  throw new NotBelieved('malformed', 'records: no namespace in its canonical spelling');
}
