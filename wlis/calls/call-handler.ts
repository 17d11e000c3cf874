import { bytes, type EpochMs } from '../../config/units.js';
import { WillisError } from '../../proxy/base/errors.js';
import type { Logger } from '../../proxy/base/logger.js';
import { readAll, type Body } from '../../proxy/http/body.js';
import type { Request, Response } from '../../proxy/http/message.js';
import type { CallReplays } from '../call-replays.js';
import { verifyCall } from '../signed-request.js';
import type { KeyId, PublicKey } from '../trust/public-key.js';
import { NotBelieved } from '../trust/not-believed.js';
import { problemAnswer, withoutContent } from './call-answer.js';
import { CallProblem } from './call-problem.js';
import { CALLS, parseCallTarget, type CallTarget } from './call-target.js';
import type { CallResource, ReceivedCall } from './received-call.js';

export interface CallHandlerOptions {
  /** By the names of their calls. */
  readonly resources: ReadonlyMap<string, CallResource>;
  /** What this node is called: scheme and authority of its URLs, and of the namespaces whose primary it is. */
  readonly origins: () => readonly string[];
  readonly replays: CallReplays;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  readonly logger: Pick<Logger, 'error'>;
}

/** Longer content is refused. */
export const LONGEST_CALL = bytes(65_536);

/** Answers the calls of the protocol: whatever is asked below `/.well-known/wlis/`. Never throws: what goes wrong is answered. */
export class CallHandler {
  readonly #options: CallHandlerOptions;

  constructor(options: CallHandlerOptions) {
    this.#options = options;
  }

  /** Whether a request is a call. */
  static isCall({ target }: Pick<Request, 'target'>): boolean {
    return target.path.startsWith(CALLS);
  }

  async handle(request: Request): Promise<Response> {
    let response: Response;
    try {
      const target = parseCallTarget(request.target.path);
      const resource = this.#resource(target, request);
      const content = await contentOf(request.body);
      response = await resource.answer(this.#received(request, target, content));
    } catch (error) {
      response = problemAnswer(this.#problem(error, request));
    }
    return request.method === 'HEAD' ? withoutContent(response) : response;
  }

  #resource({ name }: CallTarget, { method }: Request): CallResource {
    const resource = this.#options.resources.get(name);
    if (resource === undefined) throw new CallProblem(404, 'no-such-call', `${CALLS} has no call '${name}'`);
    const methods: readonly string[] = resource.methods;
    const asked = method === 'HEAD' ? 'GET' : method;
    if (methods.includes(asked)) return resource;
    const allow = methods.flatMap((one) => (one === 'GET' ? ['GET', 'HEAD'] : [one])).join(', ');
    throw new CallProblem(405, 'method-not-allowed', `${allow} may be used for '${name}'`, ['Allow', allow]);
  }

  #received(request: Request, target: CallTarget, content: Buffer | null): ReceivedCall {
    const signedBy = (keyFor: (id: KeyId) => PublicKey | null): PublicKey => {
      const { origins, replays, now } = this.#options;
      const result = verifyCall(request, content, { keyFor, origins: origins(), replays, now: now() });
      if ('key' in result) return result.key;
      throw new CallProblem(401, result.reason, result.detail);
    };
    return { request, ...target, content, signedBy };
  }

  /** What went wrong here stays here, but for the log. */
  #problem(error: unknown, { target, id }: Request): CallProblem {
    if (error instanceof CallProblem) return error;
    if (error instanceof NotBelieved) return new CallProblem(400, 'malformed-call', error.message);
    if (error instanceof WillisError && error.kind.fault === 'downstream') {
      return new CallProblem(error.kind.status, error.code, error.message, error.answerFields);
    }
    this.#options.logger.error({ code: 'call-failed', call: target.path, request: id, error }, 'a call failed');
    return new CallProblem(500, 'internal', 'this node failed');
  }
}

/** @throws CallProblem content-too-large; WillisError if it breaks off */
async function contentOf(body: Body | null): Promise<Buffer | null> {
  if (body === null) return null;
  const tooLarge = (): CallProblem =>
    new CallProblem(413, 'content-too-large', `a call has at most ${LONGEST_CALL} bytes of content`);
  if (body.length !== null && body.length > LONGEST_CALL) throw tooLarge();
  const content = await readAll(body, LONGEST_CALL).catch((error: unknown) => {
    throw error instanceof RangeError ? tooLarge() : error;
  });
  return content.length === 0 ? null : content;
}
