import { epochMs, type EpochMs } from '../../config/units.js';
import type { Namespace } from '../../wlis/namespace.js';
import { canonicalJson, parseCanonicalJson } from '../../wlis/trust/canonical-json.js';
import { Members } from '../../wlis/trust/members.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { CheckedLog, type LogOptions } from '../checked-log.js';
import { nodeJson, parseTreeNode, type TreeNode } from './join-answer.js';

/** What a replica has to know to go on while the primary is away. */
export interface MembershipMemory {
  /** By the clock of the primary; 0 before the first joining. */
  readonly activeUntil: EpochMs;
  /** The parent first, the primary last; empty before the first joining. */
  readonly above: readonly TreeNode[];
  /** The statement of the group, and when it was learned; null if none was. */
  readonly group: { readonly jws: string; readonly learned: EpochMs } | null;
}

/** Where that is kept. A file that is damaged costs a joining. */
export class MembershipFile {
  readonly #log: CheckedLog;
  #writing: Promise<void> = Promise.resolve();

  private constructor(log: CheckedLog) {
    this.#log = log;
  }

  /** @throws Error what the system says */
  static async open(
    path: string,
    namespace: Namespace,
  ): Promise<{
    readonly file: MembershipFile;
    readonly memory: MembershipMemory | null;
    readonly fault: string | null;
  }> {
    const options: LogOptions = { path, kind: 'membership/1', durable: true };
    let memory: MembershipMemory | null = null;
    let fault: string | null = null;
    const { log, found } = await CheckedLog.open(options, (payload) => {
      try {
        memory = parseMemory(payload.toString(), namespace);
      } catch (error) {
        if (!(error instanceof NotBelieved)) throw error;
        fault = error.message;
      }
    });
    if (found.state === 'damaged') fault = found.reason;
    return { file: new MembershipFile(log ?? (await CheckedLog.begin(options))), memory, fault };
  }

  /** Fulfilled when it cannot be lost. */
  keep(memory: MembershipMemory): Promise<void> {
    const kept = this.#writing.then(() => this.#log.rewrite([Buffer.from(memoryText(memory))]));
    this.#writing = kept.catch(() => undefined);
    return kept;
  }

  /** Waits for what was begun. Idempotent. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#log.close();
  }
}

const memoryText = ({ activeUntil, above, group }: MembershipMemory): string =>
  canonicalJson({
    ...{ activeUntil, above: above.map(nodeJson) },
    group: group === null ? undefined : { jws: group.jws, learned: group.learned },
  });

function parseMemory(text: string, namespace: Namespace): MembershipMemory {
  const members = new Members(parseCanonicalJson(text, what, longest), what);
  const memory: MembershipMemory = {
    activeUntil: epochMs(members.integer('activeUntil', 0)),
    above: members.list('above', 32).map((one) => parseTreeNode(one, namespace)),
    group: members.optional('group', (name) => parseGroup(new Members(members.value(name), what))) ?? null,
  };
  members.end();
  return memory;
}

function parseGroup(members: Members): MembershipMemory['group'] {
  const group = { jws: members.text('jws', longest), learned: epochMs(members.integer('learned', 0)) };
  members.end();
  return group;
}

const what = 'membership file';
const longest = 2_097_152;
