import type { ForwardOptions, IncomingResponse, OutgoingRequest, Upstream } from '../../proxy/forward/upstream.js';
import type { Fields } from '../../proxy/http/fields.js';
import { GROUP_FIELD } from './group-field.js';
import { withoutOwnLinks } from './link-field.js';
import { LOAD_FIELD } from './load-field.js';
import { NAMESPACE_FIELD } from './namespace-field.js';

/** Without what a node says of itself and of its group, which is of one answer only, and never stored (protocol decision 15). */
export const withoutOwnFields = (fields: Fields): Fields =>
  withoutOwnLinks(fields.filter((name) => !ofOneAnswer.has(name)));

const ofOneAnswer: ReadonlySet<string> = new Set(
  [NAMESPACE_FIELD, GROUP_FIELD, LOAD_FIELD].map((name) => name.toLowerCase()),
);

/** An upstream to another node, which keeps to itself what that says there. */
export class UnsaidUpstream implements Upstream {
  constructor(private readonly upstream: Upstream) {}

  async forward(request: OutgoingRequest, options: ForwardOptions): Promise<IncomingResponse> {
    const response = await this.upstream.forward(request, options);
    const fields = withoutOwnFields(response.fields);
    return fields === response.fields ? response : { ...response, fields };
  }

  /** The shared upstream is closed by its owner. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
