import { choosing, ChosenUpstream, isOfChoice, unmarked } from '../../../wlis/choice/chosen-source.js';
import type { Views } from '../../../wlis/html/views/views.js';
import type { Route } from '../../cache/visit.js';
import type { Upstream } from '../../forward/upstream.js';
import type { Request, Response } from '../../http/message.js';
import { RetargetedRequest } from '../../http/retargeted-request.js';
import type { TargetUri } from '../../http/target-uri.js';
import type { ClientRecipes } from './client-recipes.js';
import type { ReaderChoosing } from './reader-choosing.js';

export interface ClientPagesOptions {
  readonly views: Pick<Views, 'answer'>;
  readonly recipes: Pick<ClientRecipes, 'of'>;
  readonly choosing: ReaderChoosing;
  /** Whether pages are all left as they are. */
  readonly leavesAll: boolean;
}

/** How requests of the forward proxy are answered. */
export interface Answers {
  /** By what this node holds; null if it holds nothing of that. */
  readonly held: (request: Request) => Response | Promise<Response> | null;
  /** By the cache, and those whom it asks. */
  readonly cached: (
    request: Request,
    route?: {
      readonly scope: 'chosen';
      readonly concerns: NonNullable<Route['concerns']>;
      readonly around: (upstream: Upstream) => Upstream;
    },
  ) => Response | Promise<Response>;
}

/** Answers to readers of the forward proxy: from the servers that they have chosen, and as pages that say where they come from. */
export class ClientPages {
  constructor(private readonly options: ClientPagesOptions) {}

  /** @param shown what the reader asked for, where that was another name */
  answer(request: Request, shown: TargetUri, answers: Answers): Response | Promise<Response> {
    const { views, recipes, leavesAll } = this.options;
    if (leavesAll) return this.#original(request, answers);
    const page = { request, shown };
    return views.answer(
      request,
      'proxy',
      (asked) => this.#original(asked, answers),
      (original, kind) => recipes.of(page, original, kind),
    );
  }

  #original(request: Request, { held, cached }: Answers): Response | Promise<Response> {
    const server = this.options.choosing.serverFor(request);
    if (server === null || this.options.choosing.isOwn(server)) return held(request) ?? cached(request);
    const asked = new RetargetedRequest(request, request.target, choosing(request.fields, server));
    const answer = cached(asked, {
      scope: 'chosen',
      concerns: (stored) => isOfChoice(stored, server),
      around: (upstream) => new ChosenUpstream(upstream, server),
    });
    return answer instanceof Promise ? answer.then(withoutMark) : withoutMark(answer);
  }
}

const withoutMark = (answer: Response): Response => ({ ...answer, fields: unmarked(answer.fields) });
