import { milliseconds, type Milliseconds } from '../../config/units.js';
import type { Response } from '../../proxy/http/message.js';
import { compareVersions } from '../../wlis/trust/epoch.js';
import type { Edition } from '../held-namespace.js';
import { wholeAnswer } from '../../wlis/calls/call-answer.js';
import { headLine, namespaceIn, present, type HeldNamespaces } from './held-namespaces.js';
import { parsePosition } from './list-position.js';
import { malformedCall } from '../../wlis/calls/malformed-call.js';
import type { CallResource, ReceivedCall } from '../../wlis/calls/received-call.js';
import type { RememberedTries } from './remembered-tries.js';
import type { WaitingCalls } from '../../wlis/calls/waiting-calls.js';

export interface HeadResourceOptions {
  readonly namespaces: HeldNamespaces;
  readonly tries: RememberedTries;
  readonly waiting: WaitingCalls;
}

/**
 * `GET …/head?namespace=…`: the newest head that is held. With `after=<epoch>.<seq>` and `wait=<seconds>` the answer waits so
 * long, if need be, for a later version than that.
 */
export class HeadResource implements CallResource {
  readonly methods = ['GET'] as const;
  readonly #options: HeadResourceOptions;

  constructor(options: HeadResourceOptions) {
    this.#options = options;
  }

  async answer(call: ReceivedCall): Promise<Response> {
    const { held } = namespaceIn(call, this.#options.namespaces);
    const after = call.query.get('after');
    const position = after === undefined ? null : parsePosition(after, "'after'");
    const isNews = (edition: Edition | null): boolean =>
      edition !== null && (position === null || compareVersions(edition.head.head, position) > 0);
    const wait = waitIn(call);
    const { cancellation } = call.request;
    let edition = await held.settled();
    if (!isNews(edition)) {
      await this.#options.waiting.until(
        () => isNews(held.edition),
        (onChange) => held.onEdition(onChange),
        { wait, cancellation },
      );
      edition = held.edition;
    }
    const told = present(edition, held);
    this.#options.tries.told(held, told);
    return wholeAnswer('application/jose', told.head.jws, headLine(told, held));
  }
}

/** Seconds, with at most three decimals. */
function waitIn({ query }: ReceivedCall): Milliseconds {
  const text = query.get('wait') ?? '0';
  const wait = /^\d{1,2}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Infinity;
  if (wait > longestWait) throw malformedCall(`'wait' is no number of seconds up to ${longestWait}`);
  return milliseconds(Math.round(wait * 1000));
}

const longestWait = 60;
