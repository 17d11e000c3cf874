import type { Response } from '../../proxy/http/message.js';
import type { EpochMs } from '../../config/units.js';
import { groupAnswer } from '../../wlis/calls/group-answer.js';
import type { CallResource, ReceivedCall } from '../../wlis/calls/received-call.js';
import { presentGroup, treeIn, type NamespaceTrees } from './namespace-tree.js';

/** `GET …/group?namespace=…`: the newest statement of the group that is known here, or what tools read of it. */
export class GroupResource implements CallResource {
  readonly methods = ['GET'] as const;
  readonly #trees: NamespaceTrees;
  readonly #now: () => EpochMs;

  /** @param now by the own clock, corrected by what others say of the time */
  constructor(trees: NamespaceTrees, now: () => EpochMs) {
    this.#trees = trees;
    this.#now = now;
  }

  answer(call: ReceivedCall): Response {
    return groupAnswer(call.request.fields, presentGroup(treeIn(call, this.#trees)), this.#now());
  }
}
