import { Fields } from '../../proxy/http/fields.js';
import type { Response } from '../../proxy/http/message.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { HEAD_FIELD, parseHeadField, type ToldHead } from '../../wlis/calls/head-field.js';
import { parsePosition } from '../calls/list-position.js';
import type { CallResource, ReceivedCall } from '../../wlis/calls/received-call.js';
import { notReplicated } from '../calls/held-namespaces.js';
import type { HeadClaim } from './claimed-head.js';
import { treeIn, type NamespaceTrees } from './namespace-tree.js';

/**
 * `GET …/changed?namespace=…&epoch=…&seq=…&n=…` with the head in WLIS-Head: "Replicated Documents Have Changed". A hint, from
 * whomever: the answer is 202 and nothing is refused, so that no news is lost; what it leads to is bounded.
 */
export class ChangedResource implements CallResource {
  readonly methods = ['GET'] as const;
  readonly #trees: NamespaceTrees;

  constructor(trees: NamespaceTrees) {
    this.#trees = trees;
  }

  answer(call: ReceivedCall): Response {
    const tree = treeIn(call, this.#trees);
    if (tree.hints === null) throw notReplicated(tree.namespace);
    tree.hints.take(statedIn(call), toldIn(call));
    const fields = Fields.of({ 'Cache-Control': 'no-store', 'Content-Length': '0' });
    return { status: 202, reason: 'Accepted', fields, body: null };
  }
}

function statedIn({ query }: ReceivedCall): HeadClaim | null {
  const position = lenient(() => parsePosition(`${query.get('epoch') ?? ''}.${query.get('seq') ?? ''}`, 'changed'));
  return position === null ? null : { epoch: position.epoch, seq: position.seq, issued: null };
}

const toldIn = ({ request }: ReceivedCall): ToldHead | null =>
  lenient(() => parseHeadField(request.fields.get(HEAD_FIELD.toLowerCase())));

/** What cannot be read says that something has changed, and nothing of it. */
function lenient<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof NotBelieved) return null;
    throw error;
  }
}
