import { originOf } from '../../proxy/http/target-uri.js';
import type { Response } from '../../proxy/http/message.js';
import { wholeAnswer } from './call-answer.js';
import { CallProblem } from './call-problem.js';
import type { CallResource, ReceivedCall } from './received-call.js';

export interface RootResourceOptions {
  /** The text of the root chain of an authority (`rootChainText`), null if this node has none that it may give to others. */
  readonly chainOf: (origin: string) => string | null | Promise<string | null>;
}

/** `GET …/root?origin=…`: the root chain of an authority; without one, of that at which it is asked. */
export class RootResource implements CallResource {
  readonly methods = ['GET'] as const;
  readonly #options: RootResourceOptions;

  constructor(options: RootResourceOptions) {
    this.#options = options;
  }

  async answer({ request, query }: ReceivedCall): Promise<Response> {
    const origin = query.get('origin') ?? originOf(request.target);
    const chain = await this.#options.chainOf(origin);
    if (chain !== null) return wholeAnswer('application/json', chain);
    throw new CallProblem(404, 'no-such-root', `this node has no root chain of ${origin.slice(0, 300)}`);
  }
}
