import { parseProxyUri } from '../../../config/origin-uri.js';
import { CallHandler } from '../../../wlis/calls/call-handler.js';
import type { HeldNamespace } from '../../../replication/held-namespace.js';
import type { DocumentHandler } from '../../../replication/serving/document-handler.js';
import { namespaceLine } from '../../../replication/serving/node-fields.js';
import { reachedFloor } from '../../../replication/serving/floor.js';
import { forPrimary } from '../../../replication/serving/for-primary.js';
import type { RawSpace } from '../../../replication/serving/raw-space.js';
import { UnsaidUpstream } from '../../../wlis/piggyback/own-fields.js';
import type { ToldLoads } from '../../../wlis/piggyback/told-load.js';
import type { HeldExplanation } from '../../admin/operator-explain.js';
import { WillisError } from '../../base/errors.js';
import type { CachingHandler } from '../../cache/caching-handler.js';
import { madeOnce, type Route } from '../../cache/visit.js';
import { outgoingFields } from '../../forward/intermediary.js';
import { RetargetedRequest } from '../../http/retargeted-request.js';
import type { Request, Response } from '../../http/message.js';
import { originOf, type TargetUri } from '../../http/target-uri.js';
import type { NodeIdentity } from '../../http/via.js';
import { originsOf } from './call-resources.js';
import { HolderVoices } from './holder-voices.js';
import type { OpenNamespace, WayToPrimary } from './open-namespace.js';
import { RawVisits } from './raw-visits.js';
import type { ReplicationLayer } from './replication-layer.js';

export interface VisitorsOptions {
  readonly layer: ReplicationLayer;
  /** Whether this node tells of namespaces that it does not hold. */
  readonly isDirectory: boolean;
  readonly documents: DocumentHandler;
  readonly raw: RawSpace;
  readonly loads: ToldLoads;
  readonly calls: CallHandler;
  readonly cache: CachingHandler;
}

/** Requests for the namespaces that this node holds, and the calls of other nodes, on whichever side they come in. */
export class Visitors {
  readonly #options: VisitorsOptions;
  readonly #voices: HolderVoices;
  readonly #rawVisits: RawVisits;

  constructor(options: VisitorsOptions) {
    this.#options = options;
    this.#voices = new HolderVoices(options.layer, options.loads);
    this.#rawVisits = new RawVisits({ ...options, voices: this.#voices });
  }

  /** Whether a request is a call of the protocol to this node. @param isElsewhere whether somebody else has the target */
  isCall(request: Request, isElsewhere: boolean): boolean {
    const { layer } = this.#options;
    if (!CallHandler.isCall(request) || this.holdsNothing) return false;
    return !isElsewhere || originsOf(layer).includes(originOf(request.target));
  }

  /** @param scheme under which it came, as far as is known */
  call(request: Request, scheme: TargetUri['scheme']): Promise<Response> {
    return this.#rawVisits.answer(request, scheme === 'https') ?? this.#options.calls.handle(request);
  }

  /** The answer to a request whose target belongs to a namespace that is held here; null if it does not. */
  answer(request: Request, target: TargetUri, identity: NodeIdentity): Response | Promise<Response> | null {
    const { entries } = this.#options.layer;
    if (entries.isEmpty) return null;
    const entry = entries.of(target);
    if (entry === null) return null;
    request.record.site = entry.namespace;
    const asked = target === request.target ? request : new RetargetedRequest(request, target);
    return entry.open === null
      ? entry.whenOpen().then((open) => this.#answerBy(open, asked, identity))
      : this.#answerBy(entry.open, asked, identity);
  }

  /** What would become of a request; null if its target belongs to no namespace that is held here. */
  explain(request: Pick<Request, 'method' | 'fields' | 'target'>): HeldExplanation | null {
    const entry = this.#options.layer.entries.of(request.target);
    if (entry === null) return null;
    const { namespace, kind: role, open } = entry;
    const about = { namespace, role };
    if (open === null)
      return { ...about, from: 'primary', because: 'it is not open yet, so that nothing can be answered' };
    const { held, toPrimary } = open;
    if (toPrimary !== null && held.edition === null) {
      return { ...about, from: 'primary', because: 'nothing of it is held yet' };
    }
    const isThere = this.#options.documents.has(request.target, held);
    const reason = toPrimary === null ? null : forPrimary(request, held, () => isThere);
    if (reason !== null) return { ...about, from: 'primary', because: reasons[reason] };
    const head = held.edition?.head.head;
    const version = head === undefined ? 'before its first head' : `at change ${head.seq} of epoch ${head.epoch}`;
    return isThere
      ? { ...about, from: 'document', because: `it has this document, ${version}` }
      : { ...about, from: 'not-found', because: `it has no such document, ${version}` };
  }

  /** Whether it has neither namespaces nor calls to answer. */
  /** Whether somebody may be led to that authority from here: it has a namespace of https of which this node is a replica. */
  leadsTo({ host, port }: { readonly host: string; readonly port: number }): boolean {
    const origin = `https://${host}${port === 443 ? '' : `:${port}`}/`;
    return [...this.#options.layer.entries].some(([space, { kind }]) => kind === 'replica' && space.startsWith(origin));
  }

  get holdsNothing(): boolean {
    return this.#options.layer.entries.isEmpty && !this.#options.isDirectory;
  }

  #answerBy(open: OpenNamespace, request: Request, identity: NodeIdentity): Response | Promise<Response> {
    const { documents, cache } = this.#options;
    const { held } = open;
    // where the primary is costs as much to find out as an answer, and few ask for that
    const toPrimary = held.role === 'replica' && this.#isForPrimary(request, held) ? open.toPrimary : null;
    if (toPrimary === null) {
      const floor = held.role === 'replica' ? reachedFloor(request, held, open.tree.hints) : null;
      const answer = () => documents.answer(request, held, this.#voices.of(open, request.fields));
      return floor === null ? answer() : floor.then(answer);
    }
    if (toPrimary.isStated)
      return this.#relayed(open, request, cache.handle(request, routeTo(toPrimary, request, identity)));
    // credentials and writes are for the primary, and for nobody who only knows it
    throw new WillisError('unconfirmed', `${held.namespace}: nothing is held yet, and the primary is not known`, {
      answerFields: ['Retry-After', '5'],
    });
  }

  /** What the primary says of itself stays here; this node says who it is itself, be the answer out of its cache or not. */
  async #relayed(open: OpenNamespace, request: Request, answer: Response | Promise<Response>): Promise<Response> {
    const response = await answer;
    const { recurring, once } = this.#voices.of(open, request.fields)(null, null);
    return {
      ...response,
      fields: response.fields.plus(...namespaceLine(open.held, request.fields), ...recurring, ...once),
    };
  }

  /** A replica that has not taken over yet knows nothing by itself. */
  #isForPrimary(request: Request, held: HeldNamespace): boolean {
    if (held.edition === null) return true;
    return forPrimary(request, held, () => this.#options.documents.has(request.target, held)) !== null;
  }
}

const reasons: Readonly<Record<'method' | 'credentials' | 'unknown', string>> = {
  method: 'the method is for the primary alone',
  credentials: 'it has credentials, which the primary answers itself',
  unknown: 'there is no such document here, and the primary may have one',
};

/** To the primary of a namespace, which knows it by its own name. */
function routeTo({ url, upstream }: WayToPrimary, request: Request, identity: NodeIdentity): Route {
  const { target } = request;
  const outgoing = madeOnce(() => {
    const primary = parseProxyUri(url);
    if (typeof primary === 'string') throw new WillisError('internal', `the primary is said to be at ${url}`);
    return { target: { ...primary, path: target.path }, fields: outgoingFields(request, identity, target.authority) };
  });
  return { scope: '', actsForOrigin: true, upstream: new UnsaidUpstream(upstream), outgoing };
}
