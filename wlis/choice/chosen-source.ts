import type { StoredResponse } from '../../proxy/cache/stored-response.js';
import type { ForwardOptions, IncomingResponse, OutgoingRequest, Upstream } from '../../proxy/forward/upstream.js';
import type { Fields } from '../../proxy/http/fields.js';

/**
 * Says inside this node which server the reader has chosen. As answers vary by it, readers who have chosen different ones share
 * nothing that is stored; it never leaves the node.
 */
const FROM_FIELD = 'WLIS-From';
const from = 'wlis-from';

/** The fields of a request whose reader has chosen. */
export const choosing = (fields: Fields, server: string): Fields => fields.with(FROM_FIELD, server);

/** Whether something that is stored was got for readers who had chosen that server. */
export function isOfChoice(
  { selecting: { names, values } }: Pick<StoredResponse, 'selecting'>,
  server: string,
): boolean {
  const at = names.indexOf(from);
  return at !== -1 && values[at] === server;
}

/** The fields of an answer to it as others see them. */
export const unmarked = (fields: Fields): Fields =>
  fields.filter((name, value) => name !== 'vary' || value !== FROM_FIELD);

/**
 * An upstream for requests whose readers have chosen: it takes out what this node says to itself, and obeys. It is told whom, for of
 * the fields of a request a client can have any left out (`Connection`).
 */
export class ChosenUpstream implements Upstream {
  /** @param server its URL, or `primary` */
  constructor(
    private readonly upstream: Upstream,
    private readonly server: string,
  ) {}

  async forward(request: OutgoingRequest, options: ForwardOptions): Promise<IncomingResponse> {
    const fields = request.fields.without(from);
    const answer = await this.upstream.forward({ ...request, fields, from: this.server }, options);
    // a 304 that says nothing of it leaves what is stored as it is
    if (answer.status === 304 && !answer.fields.has('vary')) return answer;
    return { ...answer, fields: answer.fields.plus('Vary', FROM_FIELD) };
  }

  /** The upstream that is around belongs to another. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
