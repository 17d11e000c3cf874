import { milliseconds, type Milliseconds } from '../../config/units.js';
import { Cancellation } from '../../proxy/base/cancellation.js';
import type { Clock } from '../../proxy/base/clock.js';
import { asWillisError, WillisError, type ErrorCode } from '../../proxy/base/errors.js';
import type { IncomingResponse, Upstream } from '../../proxy/forward/upstream.js';
import { Fields } from '../../proxy/http/fields.js';
import { secondsText } from '../calls/call-failures.js';
import { PatientBody } from '../calls/patient-body.js';
import type { FailureReason } from '../choice/choice.js';
import type { Attempt, Attempts } from '../health/attempts.js';
import { abandon, NodeAnswer } from './node-answer.js';
import { nodeTarget } from './node-target.js';
import { SourceFailed } from './source-failed.js';

export interface NodeQuestion {
  /** `https://m1.example` */
  readonly url: string;
  /** With its query. */
  readonly path: string;
  readonly method: 'GET' | 'HEAD';
  /** Names and values in turns, besides `Host`. */
  readonly fields: readonly string[];
  /** The way to nodes of the namespace. */
  readonly upstream: Upstream;
  /** How long it may be silent, or bring hardly anything. */
  readonly patience: Milliseconds;
  /** Gives up all of it, content too. */
  readonly cancellation: Cancellation;
}

/** Asks nodes for documents, and tells their health how that went. Follows no redirect, keeps no cookie. */
export class NodeRequests {
  constructor(
    private readonly attempts: Attempts,
    private readonly clock: Clock,
  ) {}

  /**
   * @returns when the head of the answer is there
   * @throws SourceFailed; or the reason of the cancellation
   */
  async ask(question: NodeQuestion): Promise<NodeAnswer> {
    const { url, cancellation, patience } = question;
    if (cancellation.reason !== null) throw cancellation.reason;
    const attempt = this.attempts.begin(url);
    const response = await this.#forward(question, attempt);
    attempt.answered();
    const { signal } = cancellation;
    const body = response.body && new PatientBody(response.body, { url, patience, signal, clock: this.clock });
    return new NodeAnswer(url, { ...response, body }, attempt);
  }

  async #forward(question: NodeQuestion, attempt: Attempt): Promise<IncomingResponse> {
    const { url, path, method, fields, upstream, patience } = question;
    const waiting = new Cancellation();
    // made when it is needed: an error with its stack costs more than all else here
    const silence = (): WillisError => new WillisError('upstream-timeout', `silent for ${secondsText(patience)}`);
    const timer = setTimeout(() => waiting.cancel(silence()), milliseconds(Math.max(1, patience)));
    question.cancellation.add(waiting);
    try {
      const target = nodeTarget(url, path);
      const request = { method, target, fields: new Fields(['Host', target.authority, ...fields]), body: null };
      return await upstream.forward(request, { cancellation: waiting });
    } catch (error) {
      const { reason } = question.cancellation;
      if (reason !== null) {
        abandon(attempt, reason);
        throw reason;
      }
      const { code, message } = asWillisError(waiting.reason ?? error);
      const failure = reasons[code] ?? 'unreachable';
      attempt.failed(failure, message);
      throw new SourceFailed(failure, failure === 'silent' ? 'silent' : message, { cause: error });
    } finally {
      clearTimeout(timer);
      question.cancellation.remove(waiting);
    }
  }
}

/** What is none of these happened before anything was sent. */
const reasons: Partial<Record<ErrorCode, FailureReason>> = {
  'upstream-timeout': 'silent',
  'upstream-reset': 'broken',
  'upstream-malformed': 'broken',
  'upstream-incomplete': 'broken',
};
