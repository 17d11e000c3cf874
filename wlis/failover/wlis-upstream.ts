import { randomBytes } from 'node:crypto';
import { asWillisError, WillisError } from '../../proxy/base/errors.js';
import type { ForwardOptions, IncomingResponse, OutgoingRequest, Upstream } from '../../proxy/forward/upstream.js';
import { originOf as originOfTarget, type TargetUri } from '../../proxy/http/target-uri.js';
import type { KnownNamespace, NamespaceFinder } from '../directory/known-namespace.js';
import type { HeardGroup } from '../directory/directory.js';
import { HAVE_FIELD, haveField } from '../piggyback/have-field.js';
import { documentPathIn } from '../requested-path.js';
import type { CanonicalUri } from '../canonical-uri.js';
import type { AskedDocument } from './asked-document.js';
import { consumed } from './consumed-fields.js';
import type { Failover } from './failover.js';
import { wasNotSent, type PrimaryRelay } from './primary-relay.js';

/** Where namespaces are found, and what is heard of them goes. */
export interface Finder extends NamespaceFinder {
  heard(told: HeardGroup): void;
  /** Asks others whose namespace a target belongs to that cannot be reached. @throws the reason of the signal */
  learnFor(target: TargetUri, signal: AbortSignal): Promise<KnownNamespace | null>;
}

export interface WlisUpstreamOptions {
  /** The way to origin servers. */
  readonly upstream: Upstream;
  /** Null while there is none. */
  readonly finder: () => Finder | null;
  readonly failover: Failover;
  /** The way to a primary that cannot be reached directly; null for none. */
  readonly relay: Pick<PrimaryRelay, 'forward'> | null;
}

/**
 * The way to origin servers, with those who hold copies beside them: documents of known namespaces come from whoever is best,
 * proven (see `Failover`); what is for the primary alone goes to it; all else goes the ordinary way, and what its answers say of
 * namespaces is heard and taken out of them.
 */
export class WlisUpstream implements Upstream {
  readonly #options: WlisUpstreamOptions;

  constructor(options: WlisUpstreamOptions) {
    this.#options = options;
  }

  async forward(request: OutgoingRequest, options: ForwardOptions): Promise<IncomingResponse> {
    const known = this.#options.finder()?.of(request.target) ?? null;
    if (known !== null) return this.#ofNamespace(known, request, options);
    try {
      return await this.#ordinary(request, null, options);
    } catch (error) {
      const learned = await this.#learned(request, error, options);
      if (learned === null) throw error;
      return this.#ofNamespace(learned, request, options);
    }
  }

  /** The upstream that is wrapped is closed by its owner. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  async #ofNamespace(
    known: KnownNamespace,
    request: OutgoingRequest,
    options: ForwardOptions,
  ): Promise<IncomingResponse> {
    const asked = askedDocument(known, request);
    if (asked === null) {
      const answer = await this.#toPrimary(known, request, options);
      return isForAll(request) ? answer : { ...answer, isUnproven: true };
    }
    const { failover } = this.#options;
    let answer: IncomingResponse | null;
    try {
      answer = await failover.answer(asked, options.cancellation);
    } catch (error) {
      if (options.cancellation.cancelled) throw new WillisError('client-gone', 'given up', { cause: error });
      if (isFromCopy(request) || !this.#mayGoUnproven(known, request.target)) throw chosenFailed(request, error);
      return this.#unproven(known, request, options, asWillisError(error));
    }
    if (answer === null && isFromCopy(request)) throw chosenLacks(request, known);
    return answer ?? this.#toPrimary(known, request, options);
  }

  /** @throws WillisError that names those too who were asked before */
  async #unproven(
    known: KnownNamespace,
    request: OutgoingRequest,
    options: ForwardOptions,
    { alternatives }: WillisError,
  ): Promise<IncomingResponse> {
    try {
      return await this.#toPrimary(known, request, options);
    } catch (error) {
      throw asWillisError(error).with({ alternatives });
    }
  }

  /** What no copy can answer, as it is, credentials and all: to the primary, and nobody else. */
  async #toPrimary(
    known: KnownNamespace,
    request: OutgoingRequest,
    options: ForwardOptions,
  ): Promise<IncomingResponse> {
    const { relay, failover } = this.#options;
    try {
      const answer = await this.#ordinary(request, known, options);
      failover.metrics.answers.of('origin').add();
      return answer;
    } catch (error) {
      if (relay === null || options.cancellation.cancelled || !wasNotSent(error)) throw error;
      const relayed = await relay.forward(known, request, options);
      if (relayed === null) throw error;
      failover.metrics.answers.of('relayed').add();
      return this.#consumed(relayed, request.target, null);
    }
  }

  async #ordinary(
    request: OutgoingRequest,
    known: KnownNamespace | null,
    options: ForwardOptions,
  ): Promise<IncomingResponse> {
    const { upstream } = this.#options;
    if (known === null) return this.#consumed(await upstream.forward(request, options), request.target, null);
    const nonce = randomBytes(9).toString('base64url');
    const { namespace, group, head } = known;
    const told = haveField({ namespace, group: group.group.version, head: head?.head ?? null, nonce });
    const fields = request.fields.with(HAVE_FIELD, told);
    return this.#consumed(await upstream.forward({ ...request, fields }, options), request.target, { known, nonce });
  }

  /** @param asked what was sent in `WLIS-Have`; null if nothing was */
  #consumed(
    response: IncomingResponse,
    target: TargetUri,
    asked: { readonly known: KnownNamespace; readonly nonce: string } | null,
  ): IncomingResponse {
    const { fields, group, holding, load } = consumed(response.fields);
    if (fields === response.fields) return response;
    // what a cache on the way has kept of a group is old, and no harm: it is only a reason to ask
    if (group !== null) this.#options.finder()?.heard({ ...group, at: originOfTarget(target) });
    const isOfPrimary = holding?.role === 'primary' && holding.nonce === asked?.nonce;
    if (load !== null && asked !== null && isOfPrimary) this.#options.failover.loaded(asked.known, load.load);
    return { ...response, fields };
  }

  async #learned(
    { method, target }: OutgoingRequest,
    error: unknown,
    { cancellation }: ForwardOptions,
  ): Promise<KnownNamespace | null> {
    const finder = this.#options.finder();
    if (finder === null || cancellation.cancelled || asWillisError(error).kind.fault !== 'upstream') return null;
    if (method !== 'GET' && method !== 'HEAD') return null;
    return finder.learnFor(target, cancellation.signal);
  }

  /**
   * Whether an answer of the origin counts that nothing proves, where none is to be had that something does: by TLS it is known
   * who gave it; else only when nobody has stated who holds the namespace for so long that perhaps nobody does any more.
   */
  #mayGoUnproven({ group: { group } }: KnownNamespace, { scheme }: TargetUri): boolean {
    return scheme === 'https' || this.#options.failover.now() >= group.expires + group.policy.grace;
  }
}

/** Whether the reader wants it from a node that has copies, and from nobody else. */
const isFromCopy = ({ from }: OutgoingRequest): boolean => from !== undefined && from !== 'primary';

/** Of a request whose reader has chosen: nobody else answers in the place of that node, and he is told who could. */
function chosenFailed({ from }: OutgoingRequest, error: unknown): unknown {
  if (from === undefined || !(error instanceof WillisError) || error.code !== 'content-unreachable') return error;
  const { message, alternatives } = error;
  return new WillisError('chosen-failed', `${from} was chosen: ${message}`, { alternatives, cause: error });
}

function chosenLacks({ from = '' }: OutgoingRequest, { group }: KnownNamespace): WillisError {
  const because = 'it has no copy of that; the primary may have the page';
  const left = group.group.primary.urls.slice(0, 1).map((url) => ({ url, because: null }));
  const alternatives = { tried: [{ url: from, because }], left };
  return new WillisError('chosen-failed', `${from} was chosen: ${because}`, { alternatives });
}

/**
 * Whether what is answered to it may be kept for others, as far as it says so itself. Without TLS anybody on the way can have
 * given it, and others are shown nothing that is not proven; by TLS it is the word of the origin server.
 */
const isForAll = ({ target }: OutgoingRequest): boolean => target.scheme === 'https';

/** A request that copies may answer; null for one that is for the primary (protocol, rules 5 and 6). */
function askedDocument(known: KnownNamespace, request: OutgoingRequest): AskedDocument | null {
  const { method, fields, body, target } = request;
  if ((method !== 'GET' && method !== 'HEAD') || (body !== null && body.length !== 0)) return null;
  const hasCredentials = fields.has('authorization') || fields.has('cookie');
  if (hasCredentials && known.group.group.policy.credentials === 'primary') return null;
  const path = documentPathIn(target, known.namespace);
  if (path === null) return null;
  const uri = (known.namespace + path) as CanonicalUri;
  return { request, known, uri, path, isStripped: hasCredentials };
}
