import type { Response } from '../../proxy/http/message.js';
import { Fields } from '../../proxy/http/fields.js';
import { keyIdOf, parseKeyId, type KeyId } from '../../wlis/trust/public-key.js';
import { wholeAnswer } from '../../wlis/calls/call-answer.js';
import { malformedCall } from '../../wlis/calls/malformed-call.js';
import type { CallResource, ReceivedCall } from '../../wlis/calls/received-call.js';
import { joinAnswerText } from './join-answer.js';
import { parseJoinRequest } from './join-request.js';
import { treeIn, type NamespaceTree, type NamespaceTrees } from './namespace-tree.js';

/**
 * `PUT …/replicas/<id>?namespace=…`: at the primary a node joins, renews its membership or says what it holds; at another one it
 * asks to be told of changes. `DELETE`: it leaves. Signed with the key of that name.
 */
export class ReplicasResource implements CallResource {
  readonly methods = ['PUT', 'DELETE'] as const;
  readonly #trees: NamespaceTrees;

  constructor(trees: NamespaceTrees) {
    this.#trees = trees;
  }

  async answer(call: ReceivedCall): Promise<Response> {
    const tree = treeIn(call, this.#trees);
    const id = parseKeyId(call.rest, "the part of the path behind 'replicas/'");
    if (call.request.method === 'PUT') return joined(tree, id, call);
    call.signedBy((of) => (of === id ? tree.memberKey(id) : null));
    await tree.leave(id);
    return { status: 204, reason: 'No Content', fields: Fields.of({ 'Cache-Control': 'no-store' }), body: null };
  }
}

async function joined(tree: NamespaceTree, id: KeyId, call: ReceivedCall): Promise<Response> {
  const request = parseJoinRequest(call.content?.toString() ?? '', tree.namespace);
  if (keyIdOf(request.key) !== id) throw malformedCall(`${id} is not the name of the key in the content`);
  call.signedBy((of) => (of === id ? request.key : null));
  const answer = await tree.join(request, call.request.cancellation.signal);
  return wholeAnswer('application/json', joinAnswerText(answer));
}
