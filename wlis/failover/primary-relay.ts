import type { Clock } from '../../proxy/base/clock.js';
import { asWillisError, type ErrorCode } from '../../proxy/base/errors.js';
import type { ForwardOptions, IncomingResponse, OutgoingRequest, Upstream } from '../../proxy/forward/upstream.js';
import type { Chooser } from '../choice/choice.js';
import type { KnownNamespace } from '../directory/known-namespace.js';
import type { Namespace } from '../namespace.js';

export interface PrimaryRelayOptions {
  readonly chooser: Chooser;
  readonly clock: Clock;
  /** By a tunnel through that member, with TLS to the primary inside; null where there is no such way. */
  readonly through: (namespace: Namespace, member: string) => Upstream | null;
  readonly attempts: () => number;
}

/**
 * The way to the primary through one of its replicas, for requests that it alone may answer and that do not reach it directly
 * (protocol, rule 7). The member sees where they go and nothing else; without TLS there is no such way, since it could answer
 * whatever it liked (protocol decision 4).
 */
export class PrimaryRelay {
  constructor(private readonly options: PrimaryRelayOptions) {}

  /** Null if nobody lets it through. @throws WillisError as an Upstream does, once the primary has been reached */
  async forward(
    known: KnownNamespace,
    request: OutgoingRequest,
    options: ForwardOptions,
  ): Promise<IncomingResponse | null> {
    if (request.target.scheme !== 'https') return null;
    for (const url of this.#members(known, request)) {
      try {
        const answer = await this.options.through(known.namespace, url)?.forward(request, options);
        if (answer !== undefined) return answer;
      } catch (error) {
        if (options.cancellation.cancelled || !wasNotSent(error)) throw error;
      }
    }
    return null;
  }

  #members(known: KnownNamespace, { client = '' }: OutgoingRequest): readonly string[] {
    const { chooser, clock, attempts } = this.options;
    // whatever part of the namespace they hold
    const question = { uri: known.namespace, path: '', size: null, client, now: clock.monotonic() };
    const replicas = chooser.choose(known, question).ranked.filter(({ candidate }) => candidate.role === 'replica');
    return replicas.slice(0, attempts()).map(({ candidate }) => candidate.url);
  }
}

/** Whether a request failed before anything of it was sent, so that it may be sent another way, whatever it does. */
export const wasNotSent = (error: unknown): boolean => unsent.has(asWillisError(error).code);

const unsent: ReadonlySet<ErrorCode> = new Set([
  ...(['dns-failed', 'dns-timeout', 'connect-refused', 'connect-failed', 'connect-timeout'] as const),
  ...(['destination-refused', 'tls-certificate', 'tls-failed'] as const),
  ...(['parent-unreachable', 'parent-timeout', 'parent-refused', 'parent-failed', 'parent-authentication'] as const),
]);
