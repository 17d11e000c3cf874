import { parseNamespace, type Namespace } from '../../wlis/namespace.js';
import { NotCanonical } from '../../wlis/not-canonical.js';
import type { HeldNamespace, Provable } from '../held-namespace.js';
import { CallProblem } from '../../wlis/calls/call-problem.js';
import { HEAD_FIELD, headField } from '../../wlis/calls/head-field.js';
import { malformedCall } from '../../wlis/calls/malformed-call.js';
import type { ReceivedCall } from '../../wlis/calls/received-call.js';

/** The namespaces that calls are answered for. */
export interface HeldNamespaces {
  /** Undefined if this node does not hold it. */
  get(namespace: Namespace): AnsweredNamespace | undefined;
}

export interface AnsweredNamespace {
  readonly held: HeldNamespace;
  /** Whether lists, tries and bundles are for this caller: where only members are, it is theirs to sign. @throws CallProblem 401, 403 */
  admits(call: ReceivedCall): void;
}

/** What the call names in `namespace`. @throws CallProblem malformed-call, not-replicated */
export function namespaceIn(call: ReceivedCall, table: HeldNamespaces): AnsweredNamespace {
  const namespace = namespaceNamed(call);
  const answered = table.get(namespace);
  if (answered === undefined) throw notReplicated(namespace);
  return answered;
}

/** @throws CallProblem malformed-call */
export function namespaceNamed(call: ReceivedCall): Namespace {
  const text = call.query.get('namespace');
  if (text === undefined) throw malformedCall("no 'namespace'");
  try {
    return parseNamespace(text);
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw malformedCall(`'namespace': ${error.message}`);
  }
}

export const notReplicated = (namespace: Namespace): CallProblem =>
  new CallProblem(404, 'not-replicated', `${namespace} is not held by this node`);

/** The same, if what it has is for this caller. @throws CallProblem, as `admits` too */
export function admitted(call: ReceivedCall, table: HeldNamespaces): HeldNamespace {
  const answered = namespaceIn(call, table);
  answered.admits(call);
  return answered.held;
}

/** @throws CallProblem not-ready while there is none */
export function present<T extends Provable>(edition: T | null, { namespace }: HeldNamespace): T {
  if (edition !== null) return edition;
  throw new CallProblem(503, 'not-ready', `${namespace} is still being taken over by this node`, ['Retry-After', '5']);
}

/** Which head an answer speaks of, as a field line. */
export const headLine = ({ head }: Pick<Provable, 'head'>, { confirmedAge: age }: HeldNamespace): readonly string[] => [
  HEAD_FIELD,
  headField({ jws: head.jws, age }),
];
