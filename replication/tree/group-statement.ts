import { epochMs, milliseconds, monotonicMs, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { Namespace } from '../../wlis/namespace.js';
import { compareEpochs, type Epoch } from '../../wlis/trust/epoch.js';
import { signGroup, type Group, type SignedGroup } from '../../wlis/trust/group.js';
import type { GroupMember, Replica } from '../../wlis/trust/group-member.js';
import type { SigningKey } from '../../wlis/trust/jws.js';
import type { NamespacePolicy } from '../../wlis/trust/namespace-policy.js';
import { WakeTimer } from '../source/wake-timer.js';

export interface GroupStatementOptions {
  readonly namespace: Namespace;
  readonly self: GroupMember;
  readonly epoch: () => Epoch;
  readonly policy: () => NamespacePolicy;
  readonly signer: () => SigningKey | Promise<SigningKey>;
  readonly replicas: () => readonly Replica[];
  /** Of the newest statement that may be about; null if there was none. */
  readonly version: number | null;
  /** Remembers a version before it is stated. */
  readonly onVersion: (version: number) => Promise<void>;
  readonly onStated: (group: SignedGroup) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** States who is in the group: anew when that changes, many changes at once, and before a statement gets old. */
export class GroupStatement {
  readonly #options: GroupStatementOptions;
  readonly #timer: WakeTimer;
  #current: SignedGroup | null = null;
  #version: number | null;
  #stating: Promise<void> | null = null;
  #isWanted = false;
  #at: MonotonicMs = monotonicMs(-Infinity);
  #isOn = false;

  constructor(options: GroupStatementOptions) {
    this.#options = options;
    this.#version = options.version;
    this.#timer = new WakeTimer(options.clock, () => this.look());
  }

  /** Null until the first is signed, which `start` waits for. */
  get current(): SignedGroup | null {
    return this.#current;
  }

  /** Fulfilled when the first statement is there, or could not be made, which is tried again. */
  async start(): Promise<void> {
    this.#isOn = true;
    this.#timer.start();
    this.changed();
    await this.settled();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#isOn = false;
    this.#timer.stop();
    await this.#stating;
  }

  /** It has to say something else now. */
  changed(): void {
    this.#isWanted = true;
    this.look();
  }

  /** Fulfilled when the last change is in it; at the latest when one that was wanted could not be signed. */
  async settled(): Promise<SignedGroup | null> {
    // one that is under way may have been made of what was before
    for (let one = 0; one < 2; one++) {
      this.#stateNow();
      await this.#stating;
    }
    return this.#current;
  }

  /** Does what has become due. The timer calls it. */
  look(): void {
    if (!this.#isOn || this.#stating !== null) return;
    const age = this.#options.clock.monotonic() - this.#at;
    if (age >= renewEvery) this.#isWanted = true;
    const due = (this.#isWanted ? gap : renewEvery) - age;
    if (due <= 0) this.#stateNow();
    else this.#timer.in(milliseconds(due));
  }

  #stateNow(): void {
    if (!this.#isOn || !this.#isWanted || this.#stating !== null) return;
    this.#isWanted = false;
    this.#at = this.#options.clock.monotonic();
    this.#stating = this.#state().then((isDone) => {
      this.#stating = null;
      if (isDone) {
        this.look();
        return;
      }
      this.#isWanted = true;
      this.#timer.in(retryAfter);
    });
  }

  async #state(): Promise<boolean> {
    const { onVersion, onStated, signer, namespace, logger } = this.#options;
    try {
      const group = this.#group();
      await onVersion(group.version);
      this.#version = group.version;
      const signed = await signGroup(group, await signer());
      this.#current = signed;
      onStated(signed);
      return true;
    } catch (error) {
      const failed = { code: 'group-unsigned', namespace, error };
      logger.error(failed, 'the group cannot be stated anew; it is tried again');
      return false;
    }
  }

  #group(): Group {
    const { namespace, self, epoch, policy, replicas, clock } = this.#options;
    const now = Math.trunc(clock.now());
    const before = this.#current?.group ?? null;
    const version = Math.max((this.#version ?? 0) + 1, now);
    // the clock may have been put back
    const issued = before !== null && compareEpochs(before.epoch, epoch()) === 0 ? Math.max(before.issued, now) : now;
    return {
      ...{ namespace, epoch: epoch(), version, primary: self, replicas: replicas(), policy: policy() },
      issued: epochMs(issued),
      refreshAfter: epochMs(issued + refreshTime),
      expires: epochMs(issued + lifetime),
    };
  }
}

/** Between two statements, unless somebody waits for one. */
const gap: Milliseconds = milliseconds(1000);
const renewEvery: Milliseconds = milliseconds(120_000);
const retryAfter: Milliseconds = milliseconds(5000);
/** Till then every replica that is in it will not have had to renew its membership again. */
const refreshTime: Milliseconds = milliseconds(300_000);
const lifetime: Milliseconds = milliseconds(3_600_000);
