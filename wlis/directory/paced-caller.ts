import type { Bytes } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import { CallFailed } from '../calls/call-failed.js';
import type { CallAnswer, NodeCall, NodeCaller } from '../calls/node-caller.js';
import type { CallPace } from './call-pace.js';

export interface PacedCallerOptions {
  /** The one to call with now. */
  readonly caller: () => NodeCaller;
  readonly pace: CallPace;
  /** Whom the operator named is called as often as there is reason to. */
  readonly isNamed: (url: string) => boolean;
  readonly clock: Clock;
}

/** Makes calls, but for those to nodes that have answered in vain just now: they fail at once, as busy. */
export class PacedCaller implements NodeCaller {
  readonly #options: PacedCallerOptions;

  constructor(options: PacedCallerOptions) {
    this.#options = options;
  }

  ask(call: NodeCall, longest: Bytes): Promise<CallAnswer> {
    return this.#paced(call, () => this.#options.caller().ask(call, longest));
  }

  open(call: NodeCall): ReturnType<NodeCaller['open']> {
    return this.#paced(call, () => this.#options.caller().open(call));
  }

  async #paced<T extends { readonly status: number }>({ url, signal }: NodeCall, make: () => Promise<T>): Promise<T> {
    const { pace, isNamed, clock } = this.#options;
    if (isNamed(url)) return make();
    const refusal = pace.refusal(url, clock.monotonic());
    if (refusal !== null) throw new CallFailed('busy', url, refusal, 'it has answered in vain, and is left alone');
    try {
      const answer = await make();
      if (answer.status < 300) pace.succeeded(url);
      else pace.failed(url, clock.monotonic());
      return answer;
    } catch (error) {
      if (!signal.aborted) pace.failed(url, clock.monotonic());
      throw error;
    }
  }
}
