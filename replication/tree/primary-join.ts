import { CallFailed } from '../../wlis/calls/call-failed.js';
import type { GroupLearning } from './group-learning.js';
import type { ReplicaAnswer } from './join-answer.js';
import type { JoinRequest } from './join-request.js';
import type { KnownGroup } from '../../wlis/known-group.js';
import type { TreeCalls } from './tree-calls.js';

export interface PrimaryJoinOptions {
  /** The primary, or another node that knows it. */
  readonly from: string;
  readonly group: KnownGroup;
  readonly calls: TreeCalls;
  readonly learning: GroupLearning;
}

/**
 * Finds the primary and calls it: it is where a statement of the group, signed for the namespace, says that it is. What is said
 * to it, a token perhaps, goes nowhere else.
 */
export class PrimaryJoin {
  readonly #options: PrimaryJoinOptions;
  /** Where it answered last. */
  #preferred: string | null = null;

  constructor(options: PrimaryJoinOptions) {
    this.#options = options;
  }

  /** Where it answered last, or who knows where it is. */
  get at(): string {
    return this.#preferred ?? this.#options.from;
  }

  /** @throws CallFailed; NotBelieved for a group that is not true */
  async join(request: JoinRequest, signal: AbortSignal): Promise<ReplicaAnswer> {
    const { from, group, learning } = this.#options;
    if (group.current === null) await learning.from(from);
    const urls = this.#urls();
    try {
      return await this.#joinAt(urls, request, signal);
    } catch (error) {
      if (!(error instanceof CallFailed) || error.fault !== 'unreachable' || urls.includes(from)) throw error;
      // it may have moved: whom the operator named may know
      await learning.from(from);
      const others = this.#urls().filter((url) => !urls.includes(url));
      if (others.length === 0) throw error;
      return this.#joinAt(others, request, signal);
    }
  }

  /** @throws CallFailed of the last of its URLs */
  async leave(signal: AbortSignal): Promise<void> {
    let failure: CallFailed | null = null;
    for (const url of this.#urls()) {
      try {
        await this.#options.calls.leave(url, signal);
        return;
      } catch (error) {
        if (!(error instanceof CallFailed)) throw error;
        failure = error;
      }
    }
    if (failure !== null) throw failure;
  }

  #urls(): readonly string[] {
    const urls = this.#options.group.current?.group.primary.urls ?? [];
    return [...urls].sort((a, b) => Number(b === this.#preferred) - Number(a === this.#preferred));
  }

  /** @throws CallFailed of the first of these where something was said */
  async #joinAt(urls: readonly string[], request: JoinRequest, signal: AbortSignal): Promise<ReplicaAnswer> {
    const { calls, from } = this.#options;
    let failure: CallFailed | null = null;
    for (const url of urls) {
      try {
        const answer = await calls.join(url, request, signal);
        if (answer.as === 'child')
          throw new CallFailed('not-believed', url, 'not-primary', 'says that it is not the primary');
        this.#preferred = url;
        return answer;
      } catch (error) {
        if (!(error instanceof CallFailed)) throw error;
        if (failure === null || failure.fault === 'unreachable') failure = error;
      }
    }
    throw failure ?? new CallFailed('unreachable', from, '', 'nobody knows where the primary is');
  }
}
