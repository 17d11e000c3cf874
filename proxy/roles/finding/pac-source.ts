import type { Config } from '../../../config/schema.js';
import { pacFacts, type PacState } from '../../../wlis/pac/pac-facts.js';
import type { PacProxy } from '../../../wlis/pac/pac-file.js';
import { pacPage } from '../../../wlis/pac/pac-page.js';
import type { Clock } from '../../base/clock.js';
import type { Request, Response } from '../../http/message.js';

export interface PacSourceOptions extends Pick<PacState, 'order'> {
  readonly config: Config;
  /** What the node knows of namespaces, what was used last first. */
  readonly known: () => PacState['namespaces'];
  readonly clock: Clock;
}

/** The configuration of browsers, made anew from what is known whenever one asks. */
export class PacSource {
  constructor(private readonly options: PacSourceOptions) {}

  /** For who asks the forward proxy itself. @throws WillisError method-not-allowed, not-found */
  forClient(request: Request): Response {
    const { host, port, scheme } = request.target;
    return this.#page(request, { authority: `${host}:${port}`, secure: scheme === 'https' }, this.options.known());
  }

  /** For who asks the public side, at the authority of `node.url`: anybody. @throws WillisError as above */
  forVisitor(request: Request): Response {
    const { config, known } = this.options;
    // what somebody reads through this node is nobody else's business, unless to tell of namespaces is what it is for
    return this.#page(request, this.#proxyAt(request.target.host), config.roles.includes('wlis') ? known() : []);
  }

  #page(request: Request, self: PacProxy | null, namespaces: PacState['namespaces']): Response {
    const { config, order, clock } = this.options;
    return pacPage(request, pacFacts({ keys: config.clientSide.pac, self, namespaces, order }), clock.now());
  }

  /** The forward proxy by the host of this node; null if others do not reach it there. */
  #proxyAt(host: string): PacProxy | null {
    const { listen, roles } = this.options.config;
    if (listen.proxy === null || !roles.includes('clientSide')) return null;
    const { address, tls } = listen.proxy;
    // a free port is another one at each start
    if (address.port === 0 || isLoopback(address.host)) return null;
    return { authority: `${host}:${address.port}`, secure: tls !== null };
  }
}

const isLoopback = (host: string): boolean => /^(?:127\.|::1$|localhost$)/.test(host);
