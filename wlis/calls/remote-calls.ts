import { bytes, milliseconds, type Milliseconds } from '../../config/units.js';
import { readAll, type Body } from '../../proxy/http/body.js';
import type { Fields } from '../../proxy/http/fields.js';
import type { Namespace } from '../namespace.js';
import { NotBelieved } from '../trust/not-believed.js';
import { CallFailed } from './call-failed.js';
import { disbelieved, parseProblem, refusal, type ToldProblem } from './call-failures.js';
import type { NodeCaller } from './node-caller.js';

export interface RemoteCallsOptions {
  readonly url: string;
  readonly namespace: Namespace;
  readonly caller: NodeCaller;
  /** How long it may be silent. */
  readonly patience: Milliseconds;
}

/** What is asked of another node: `name` with the namespace and these parameters, or a `name` that needs none. */
export interface AskedCall {
  readonly name: string;
  readonly query: Readonly<Record<string, string | null>> | null;
  readonly fields?: readonly string[];
  /** How much longer than usual it may be silent. */
  readonly wait?: Milliseconds;
  readonly signal: AbortSignal;
}

export interface OpenedAnswer {
  readonly status: number;
  readonly fields: Fields;
  readonly body: Body;
}

/** Calls to one node about one namespace. What goes wrong is a CallFailed, or the reason of the signal. */
export class RemoteCalls {
  readonly #options: RemoteCallsOptions;

  /** @throws CallFailed if the namespace may not be carried that way (protocol, rule 13) */
  constructor(options: RemoteCallsOptions) {
    const { url, namespace } = options;
    if (namespace.startsWith('https:') && !url.startsWith('https:')) {
      throw new CallFailed('refused', url, 'insecure', `${namespace} travels by TLS only`);
    }
    this.#options = options;
  }

  get url(): string {
    return this.#options.url;
  }

  /** Calls, and does something with an answer of one of these statuses, which it reads to its end or cancels. */
  async call<T>(
    asked: AskedCall,
    statuses: readonly number[],
    use: (answer: OpenedAnswer, problem: ToldProblem) => Promise<T>,
  ): Promise<T> {
    const answer = await this.#open(asked);
    try {
      const isGood = answer.status >= 200 && answer.status < 300;
      const problem = isGood ? noProblem : await problemIn(answer);
      if (statuses.includes(answer.status)) return await use(answer, problem);
      throw refusal(this.url, answer.status, problem);
    } catch (error) {
      throw disbelieved(this.url, error);
    } finally {
      answer.body.cancel();
    }
  }

  /** The same for an answer that is used piece by piece. */
  async *stream<T>(
    asked: AskedCall,
    statuses: readonly number[],
    use: (answer: OpenedAnswer) => AsyncGenerator<T>,
  ): AsyncGenerator<T> {
    const answer = await this.#open(asked);
    try {
      if (!statuses.includes(answer.status)) throw refusal(this.url, answer.status, await problemIn(answer));
      yield* use(answer);
    } catch (error) {
      throw disbelieved(this.url, error);
    } finally {
      answer.body.cancel();
    }
  }

  #open({ name, query, fields = [], wait = milliseconds(0), signal }: AskedCall): Promise<OpenedAnswer> {
    const { url, namespace, caller, patience } = this.#options;
    const all: readonly (readonly [string, string | null])[] =
      query === null ? [] : [['namespace', namespace], ...Object.entries(query)];
    const pairs = all.flatMap(([key, value]) => (value === null ? [] : [`${key}=${encodeURIComponent(value)}`]));
    const path = pairs.length === 0 ? name : `${name}?${pairs.join('&')}`;
    const call = { url, path, fields, signal, method: 'GET', content: null } as const;
    return caller.open({ ...call, patience: milliseconds(patience + wait) });
  }
}

/** All of a short content. @throws NotBelieved too-large */
export async function shortContent(body: Body, longest: number, what: string): Promise<Buffer> {
  try {
    return await readAll(body, bytes(longest));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new NotBelieved('too-large', `${what}: more than ${longest} bytes`, { cause: error });
  }
}

async function problemIn({ fields, body }: OpenedAnswer): Promise<ToldProblem> {
  const content = await shortContent(body, longestProblem, 'an answer without what was asked for');
  return parseProblem(fields.get('content-type'), content.toString());
}

const noProblem: ToldProblem = { type: '', detail: '' };

const longestProblem = 65_536;
