import type { Config } from '../../../config/schema.js';
import type { NamespaceFinder } from '../../../wlis/directory/known-namespace.js';
import { isLogicalHost, logicalNameOf } from '../../../wlis/names/logical-name.js';
import { targetOfUri } from '../../../wlis/directory/target-of-uri.js';
import type { LogicalNames } from '../../../wlis/names/logical-names.js';
import { namedFields, type ShownPart } from '../../../wlis/names/named-fields.js';
import type { TlsOnlyHosts } from '../../../wlis/names/tls-only-hosts.js';
import type { Namespace } from '../../../wlis/namespace.js';
import type { Clock } from '../../base/clock.js';
import { WillisError } from '../../base/errors.js';
import { mapTarget } from '../../forward/mapped-upstream.js';
import { addressTest } from '../../http/address-test.js';
import { BufferedBody } from '../../http/body.js';
import { Fields } from '../../http/fields.js';
import { formatHttpDate } from '../../http/http-date.js';
import type { Request, Response } from '../../http/message.js';
import { RetargetedRequest } from '../../http/retargeted-request.js';
import { hrefOf, originOf, underScheme, type TargetUri } from '../../http/target-uri.js';
import { climbs, withoutDotSegments } from '../public-target.js';

export interface TargetReadingOptions {
  readonly names: LogicalNames;
  /** Who may read by HTTP what is behind TLS. */
  readonly httpsAsHttp: Config['clientSide']['httpsAsHttp'];
  /** `isEmpty` while it knows nothing of any namespace. */
  readonly finder: NamespaceFinder & { readonly isEmpty: boolean };
  /** A namespace that a name stands for is asked for, behind other work, so that it is known who holds it. */
  readonly want: (namespace: Namespace) => void;
  readonly tlsOnly: TlsOnlyHosts;
  readonly clock: Clock;
}

/** What a request is really about. */
export type Reading =
  /** Something else than it says; what is answered is to be shown by `shown`. */
  | { readonly kind: 'other'; readonly request: Request; readonly shown: (response: Response) => Response }
  /** It has its answer, whoever asks. */
  | { readonly kind: 'answered'; readonly response: Response }
  | { readonly kind: 'refused'; readonly error: WillisError };

/** What a name in a target stands for. */
export interface Meaning {
  readonly target: TargetUri;
  /** What takes the place of the name: what the target begins with. */
  readonly of: TargetUri;
  readonly namespace: Namespace;
  /** Under which the name is listed, and who has given it. */
  readonly pattern: string;
  readonly by: string;
}

/**
 * Reads the targets of requests to the forward proxy: logical names, and namespaces of https that this client may read by HTTP,
 * with TLS behind this node (decision 21).
 */
export class TargetReading {
  readonly #mayDropTls: (address: string) => boolean;

  constructor(private readonly options: TargetReadingOptions) {
    this.#mayDropTls = droppers[options.httpsAsHttp];
  }

  /** Null for a request that is about what it says, as nearly all are. */
  read(request: Request): Reading | null {
    const { target } = request;
    if (isLogicalHost(target.host)) return this.#named(request);
    if (target.scheme === 'https')
      return { kind: 'other', request, shown: (response) => this.#heard(target, response) };
    const { httpsAsHttp, finder } = this.options;
    return httpsAsHttp === 'never' || finder.isEmpty ? null : this.#withoutTls(request);
  }

  /** @throws WillisError for a tunnel to a name: nobody has a certificate for it */
  refuseTunnel(host: string): void {
    if (!isLogicalHost(host)) return;
    throw new WillisError('name-unknown', `${host} is a name, and no host: it is read as http://${host}/`);
  }

  /** Takes note of what an answer that came by TLS says of its host. */
  #heard(target: TargetUri, response: Response): Response {
    const { tlsOnly, clock } = this.options;
    const policy = response.fields.first('strict-transport-security');
    if (policy !== undefined) tlsOnly.heard(target.host, policy, clock.now());
    return response;
  }

  /**
   * What a target that is a name stands for; null for one that is none.
   * @throws WillisError name-unknown, name-circle, bad-request
   */
  meaningOf(given: TargetUri): Meaning | null {
    if (!isLogicalHost(given.host)) return null;
    const { names } = this.options;
    const target = given.path === '*' ? given : withoutDotSegments(given);
    const name = logicalNameOf(target.host);
    if (name === null || target.scheme !== 'http' || target.port !== 80) throw names.unknown(originOf(target));
    const { base, namespace, pattern, by } = names.find(name);
    const of = targetOfUri(base);
    // a name is for what lies below, and for nothing beside it
    if (of.path !== '/' && climbs(target.path)) throw new WillisError('bad-request', 'ambiguous dot segments');
    return { target: mapTarget(target, '/', of), of, namespace, pattern, by };
  }

  #named(request: Request): Reading | null {
    try {
      const meaning = this.meaningOf(request.target);
      return meaning && this.#byName(request, meaning);
    } catch (error) {
      if (error instanceof WillisError) return { kind: 'refused', error };
      throw error;
    }
  }

  /** @throws WillisError tls-only */
  #byName(request: Request, { target, of, namespace }: Meaning): Reading {
    const { finder, want } = this.options;
    const read = this.#as(request, target, { origin: originOf(request.target), path: '/', of });
    if (read.kind === 'other' && finder.of(target) === null) want(namespace);
    return read;
  }

  #withoutTls(request: Request): Reading | null {
    const { finder } = this.options;
    const { target } = request;
    const secure = underScheme(target, 'https');
    const known = finder.of(secure);
    // another client than these reads what is there by HTTP, if there is anything
    if (known === null || !this.#mayDropTls(request.client.address) || finder.of(target) !== null) return null;
    if (this.#isTlsOnly(target.host)) return null;
    const of = targetOfUri(known.namespace);
    return this.#as(request, secure, { origin: originOf(target), path: of.path, of });
  }

  /** @throws WillisError tls-only */
  #as(request: Request, real: TargetUri, part: ShownPart): Reading {
    if (real.scheme === 'https') {
      const why = this.#reasonForTls(request, real.host);
      if (why !== null) return this.#byTls(request, real, why);
    }
    const dropsTls = real.scheme === 'https';
    const shown = (response: Response): Response => {
      if (dropsTls && this.#isTlsOnlyNow(request, real, response)) {
        response.body?.cancel();
        return this.#redirect(request, real);
      }
      return { ...response, fields: namedFields(response.fields, real, part, dropsTls) };
    };
    return { kind: 'other', request: new RetargetedRequest(request, real), shown };
  }

  /** A host may say so for the first time in the very answer. What was done by another method than these is done. */
  #isTlsOnlyNow(request: Request, real: TargetUri, response: Response): boolean {
    this.#heard(real, response);
    return this.#isTlsOnly(real.host) && isRetrieval(request.method);
  }

  #reasonForTls({ client }: Request, host: string): string | null {
    if (!this.#mayDropTls(client.address)) return 'this client may not read it without TLS (clientSide.httpsAsHttp)';
    return this.#isTlsOnly(host) ? `${host} wants TLS all the way` : null;
  }

  /** Whoever wants to see it is sent there; what was sent in clear already is not sent on. @throws WillisError tls-only */
  #byTls(request: Request, real: TargetUri, why: string): Reading {
    if (isRetrieval(request.method)) return { kind: 'answered', response: this.#redirect(request, real) };
    throw new WillisError('tls-only', `${hrefOf(real)}: ${why}`);
  }

  #isTlsOnly(host: string): boolean {
    return this.options.tlsOnly.has(host, this.options.clock.now());
  }

  #redirect({ method }: Request, to: TargetUri): Response {
    const fields = Fields.of({
      Location: hrefOf(to),
      'Cache-Control': 'no-store',
      'Content-Length': '0',
      Date: formatHttpDate(this.options.clock.now()),
    });
    const body = method === 'HEAD' ? null : BufferedBody.from('');
    return { status: 307, reason: 'Temporary Redirect', fields, body };
  }
}

const isLoopback = addressTest(['127.0.0.0/8', '::1']);

/** Whether a client may read without TLS what is behind it. */
export const mayDropTls = (keys: Config['clientSide']): ((address: string) => boolean) => droppers[keys.httpsAsHttp];

const droppers: Readonly<Record<Config['clientSide']['httpsAsHttp'], (address: string) => boolean>> = {
  never: () => false,
  loopback: isLoopback,
  always: () => true,
};

const isRetrieval = (method: string): boolean => method === 'GET' || method === 'HEAD';
