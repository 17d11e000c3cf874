import { bytes, milliseconds } from '../../config/units.js';
import type { Namespace } from '../../wlis/namespace.js';
import type { KeyId } from '../../wlis/trust/public-key.js';
import { disbelieved, parseProblem, refusal } from '../../wlis/calls/call-failures.js';
import type { CallAnswer, NodeCall, NodeCaller } from '../../wlis/calls/node-caller.js';
import type { CallFailed } from '../../wlis/calls/call-failed.js';
import { longestAnswer, parseJoinAnswer, type ChildAnswer, type ReplicaAnswer } from './join-answer.js';
import { joinRequestText, type JoinRequest } from './join-request.js';

/** The calls of a replica about its membership. All @throw CallFailed. */
export class TreeCalls {
  readonly #caller: NodeCaller;
  readonly #namespace: Namespace;
  readonly #id: KeyId;

  /** @param id of this node */
  constructor(caller: NodeCaller, namespace: Namespace, id: KeyId) {
    this.#caller = caller;
    this.#namespace = namespace;
    this.#id = id;
  }

  /** To the primary: joins, renews or reports. To another node: is told of changes by it from now on. */
  async join(url: string, request: JoinRequest, signal: AbortSignal): Promise<ReplicaAnswer | ChildAnswer> {
    const answer = await this.#ask(url, 'PUT', this.#replicaPath(), signal, joinRequestText(request));
    if (answer.status !== 200) throw refused(url, answer);
    return believed(url, () => parseJoinAnswer(answer.text, this.#namespace));
  }

  async leave(url: string, signal: AbortSignal): Promise<void> {
    const answer = await this.#ask(url, 'DELETE', this.#replicaPath(), signal);
    if (answer.status !== 204) throw refused(url, answer);
  }

  /** The statement of the group, not yet verified. */
  async group(url: string, signal: AbortSignal): Promise<string> {
    const answer = await this.#ask(url, 'GET', `group?namespace=${encodeURIComponent(this.#namespace)}`, signal);
    if (answer.status !== 200) throw refused(url, answer);
    return answer.text;
  }

  #replicaPath(): string {
    return `replicas/${this.#id}?namespace=${encodeURIComponent(this.#namespace)}`;
  }

  #ask(
    url: string,
    method: NodeCall['method'],
    path: string,
    signal: AbortSignal,
    content: string | null = null,
  ): Promise<CallAnswer> {
    return this.#caller.ask({ url, method, path, content, fields: [], patience, signal }, bytes(longestAnswer));
  }
}

/** What an answer of another status means. */
export const refused = (url: string, { status, fields, text }: CallAnswer): CallFailed =>
  refusal(url, status, parseProblem(fields.get('content-type'), text));

function believed<T>(url: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw disbelieved(url, error);
  }
}

const patience = milliseconds(15_000);
