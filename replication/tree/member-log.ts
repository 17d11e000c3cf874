import type { Logger } from '../../proxy/base/logger.js';
import type { Namespace } from '../../wlis/namespace.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import type { KeyId } from '../../wlis/trust/public-key.js';
import { CheckedLog, type LogOptions } from '../checked-log.js';
import { memberLineText, parseMemberLine, type MemberLine, type StoredMember } from './stored-member.js';

export interface MemberLogOptions {
  readonly path: string;
  readonly namespace: Namespace;
  readonly logger: Logger;
}

/** Who has joined, beyond the end of the process. What is lost with a damaged log are the admissions by token. */
export class MemberLog {
  /** What the log says, for when it is made smaller. */
  readonly #lines = new Map<string, string>();
  readonly #log: CheckedLog;
  #appended = 0;
  #rewriting: Promise<void> | null = null;

  private constructor(log: CheckedLog, lines: ReadonlyMap<string, string>) {
    this.#log = log;
    for (const [name, text] of lines) this.#lines.set(name, text);
  }

  /** @throws Error what the system says */
  static async open(options: MemberLogOptions): Promise<{
    readonly log: MemberLog;
    readonly members: readonly StoredMember[];
    /** Of the newest group that was stated; null if none was. */
    readonly groupVersion: number | null;
  }> {
    const { logger, namespace } = options;
    const read = new Map<string, MemberLine>();
    const logOptions: LogOptions = { path: options.path, kind: 'members/1', durable: true };
    const faults: string[] = [];
    const { log, found } = await CheckedLog.open(logOptions, (payload) => {
      try {
        const line = parseMemberLine(payload.toString(), namespace);
        if (line.kind === 'gone') read.delete(line.id);
        else read.set(nameOf(line), line);
      } catch (error) {
        if (!(error instanceof NotBelieved)) throw error;
        faults.push(error.message);
      }
    });
    const fault = found.state === 'damaged' ? found.reason : faults[0];
    if (fault !== undefined) {
      const lost = { code: 'members-damaged', namespace, reason: fault };
      logger.error(lost, 'the log of replicas is damaged: some have to join anew, perhaps with their token');
    }
    const lines = new Map([...read].map(([name, line]) => [name, memberLineText(line)]));
    const whole = log ?? (await CheckedLog.begin(logOptions, [...lines.values()].map(payloadOf)));
    const all = [...read.values()];
    return {
      log: new MemberLog(whole, lines),
      members: all.flatMap((line) => (line.kind === 'member' ? [line.member] : [])),
      groupVersion: all.find((line) => line.kind === 'group')?.version ?? null,
    };
  }

  /** Fulfilled when it cannot be lost. */
  async keep(lines: readonly MemberLine[]): Promise<void> {
    if (lines.length === 0) return;
    const texts = lines.map(memberLineText);
    await this.#log.append(texts.map(payloadOf));
    for (const [i, line] of lines.entries()) {
      if (line.kind === 'gone') this.#lines.delete(line.id);
      else this.#lines.set(nameOf(line), texts[i] as string);
    }
    this.#appended += lines.length;
    if (this.#appended > 4 * this.#lines.size + 256) await this.#rewrite();
  }

  /** Waits for what was begun. Idempotent. */
  async close(): Promise<void> {
    await this.#rewriting?.catch(() => undefined);
    await this.#log.close();
  }

  #rewrite(): Promise<void> {
    this.#appended = 0;
    this.#rewriting ??= this.#log
      .rewrite([...this.#lines.values()].map(payloadOf))
      .finally(() => (this.#rewriting = null));
    return this.#rewriting;
  }
}

const nameOf = (line: Exclude<MemberLine, { kind: 'gone' }>): KeyId | 'group' =>
  line.kind === 'group' ? 'group' : line.member.id;

const payloadOf = (text: string): Buffer => Buffer.from(text);
