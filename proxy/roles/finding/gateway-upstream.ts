import type { ForwardOptions, IncomingResponse, OutgoingRequest, Upstream } from '../../forward/upstream.js';
import type { TargetUri } from '../../http/target-uri.js';

/**
 * The way to namespaces that sites stand for: their visitors are shown no more of who holds them than of any origin server.
 * Namespaces that are not known yet are learned first.
 */
export class GatewayUpstream implements Upstream {
  constructor(
    private readonly upstream: Upstream,
    private readonly learn: (target: TargetUri) => Promise<unknown> | null,
  ) {}

  async forward(request: OutgoingRequest, options: ForwardOptions): Promise<IncomingResponse> {
    await this.learn(request.target);
    const answer = await this.upstream.forward(request, options);
    const { status, reason, version, fields, body, isUnproven = false } = answer;
    return { status, reason, version, fields, body, isUnproven };
  }

  /** The shared upstream is closed by its owner. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
