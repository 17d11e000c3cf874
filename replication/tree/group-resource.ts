import type { Response } from '../../proxy/http/message.js';
import { wholeAnswer } from '../../wlis/calls/call-answer.js';
import type { CallResource, ReceivedCall } from '../../wlis/calls/received-call.js';
import { presentGroup, treeIn, type NamespaceTrees } from './namespace-tree.js';

/** `GET …/group?namespace=…`: the newest statement of the group that is known here. */
export class GroupResource implements CallResource {
  readonly methods = ['GET'] as const;
  readonly #trees: NamespaceTrees;

  constructor(trees: NamespaceTrees) {
    this.#trees = trees;
  }

  answer(call: ReceivedCall): Response {
    return wholeAnswer('application/jose', presentGroup(treeIn(call, this.#trees)).jws);
  }
}
