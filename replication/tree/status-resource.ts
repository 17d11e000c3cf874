import { milliseconds, type Milliseconds } from '../../config/units.js';
import type { Response } from '../../proxy/http/message.js';
import { canonicalJson, type JsonObject } from '../../wlis/trust/canonical-json.js';
import type { Head } from '../../wlis/trust/head.js';
import type { Namespace } from '../../wlis/namespace.js';
import { wholeAnswer } from '../../wlis/calls/call-answer.js';
import { CallProblem } from '../../wlis/calls/call-problem.js';
import { parsePosition } from '../calls/list-position.js';
import { malformedCall } from '../../wlis/calls/malformed-call.js';
import type { CallResource, ReceivedCall } from '../../wlis/calls/received-call.js';
import type { WaitingCalls } from '../../wlis/calls/waiting-calls.js';
import type { ReplicaReport } from '../namespace-report.js';
import { standingOf, type ListVersion } from '../replica-standing.js';
import { treeIn, type NamespaceTree, type NamespaceTrees } from './namespace-tree.js';
import type { ReplicaMembers } from './replica-members.js';

export interface StatusResourceOptions {
  readonly trees: NamespaceTrees;
  /** The newest head of a namespace whose primary this node is; null if there is none yet. */
  readonly headOf: (namespace: Namespace) => Head | null;
  readonly waiting: WaitingCalls;
}

/**
 * `GET …/status?namespace=…`: how far the replicas are. With `epoch` and `seq` beside that version, otherwise beside the newest;
 * with `wait=<seconds>` the answer waits so long, if need be, until all in the group hold it. It names nobody whom the group
 * does not name, and is for all who can see that.
 */
export class StatusResource implements CallResource {
  readonly methods = ['GET'] as const;
  readonly #options: StatusResourceOptions;

  constructor(options: StatusResourceOptions) {
    this.#options = options;
  }

  async answer(call: ReceivedCall): Promise<Response> {
    const tree = treeIn(call, this.#options.trees);
    const members = membersOf(tree);
    const version = statedIn(call) ?? this.#head(tree);
    const { cancellation } = call.request;
    await this.#options.waiting.until(
      () => members.reports(this.#head(tree)).every((report) => standingOf(report, version) !== 'behind'),
      (onChange) => members.onReport(onChange),
      { wait: waitIn(call), cancellation },
    );
    const head = this.#head(tree);
    return wholeAnswer('application/json', statusText(tree.namespace, version, head, members.reports(head)));
  }

  #head({ namespace }: NamespaceTree): Head {
    const head = this.#options.headOf(namespace);
    if (head !== null) return head;
    throw new CallProblem(503, 'not-ready', `${namespace} has no head yet`, ['Retry-After', '5']);
  }
}

function membersOf({ members, group }: NamespaceTree): ReplicaMembers {
  if (members !== null) return members;
  const primary = group?.group.primary.urls[0];
  const where = primary === undefined ? '' : `; that is ${primary}`;
  throw new CallProblem(404, 'not-primary', `this node is not the primary, which alone knows${where}`);
}

function statedIn({ query }: ReceivedCall): ListVersion | null {
  const [epoch, seq] = [query.get('epoch'), query.get('seq')];
  if (epoch === undefined && seq === undefined) return null;
  return parsePosition(`${epoch ?? ''}.${seq ?? ''}`, "'epoch' and 'seq'");
}

/** Seconds, with at most three decimals. */
function waitIn({ query }: ReceivedCall): Milliseconds {
  const text = query.get('wait') ?? '0';
  const wait = /^\d{1,2}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Infinity;
  if (wait > longestWait) throw malformedCall(`'wait' is no number of seconds up to ${longestWait}`);
  return milliseconds(Math.round(wait * 1000));
}

function statusText(
  namespace: Namespace,
  { epoch, seq }: ListVersion,
  head: Head,
  reports: readonly ReplicaReport[],
): string {
  const version = { epoch, seq };
  return canonicalJson({
    ...{ namespace, epoch, seq, head: { epoch: head.epoch, seq: head.seq } },
    // those who are silent are in no group that is stated
    replicas: reports.filter(({ isActive }) => isActive).map((report) => reportJson(report, version)),
  });
}

const reportJson = (report: ReplicaReport, version: ListVersion): JsonObject => ({
  ...{ id: report.id, urls: report.urls, access: report.access },
  held: report.held === null ? undefined : { ...report.held },
  standing: standingOf(report, version),
  lag: { changes: report.lag.changes, time: Math.round(report.lag.time) },
  parent: report.parent ?? undefined,
});

const longestWait = 60;
