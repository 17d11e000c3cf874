import type { Response } from '../../proxy/http/message.js';
import { tailText } from '../../wlis/trust/record-list.js';
import type { Change } from '../change-list.js';
import { recordTextOf } from '../document-record.js';
import type { Edition, HeldNamespace } from '../held-namespace.js';
import { madeAnswer } from '../../wlis/calls/call-answer.js';
import { CallProblem } from '../../wlis/calls/call-problem.js';
import { admitted, headLine, present, type HeldNamespaces } from './held-namespaces.js';
import { LinesBody } from '../../wlis/calls/lines-body.js';
import { parsePosition, type StatedPosition } from './list-position.js';
import { setsOf } from './list-sets.js';
import type { CallResource, ReceivedCall } from '../../wlis/calls/received-call.js';
import type { RememberedTries } from './remembered-tries.js';

export interface ChangesResourceOptions {
  readonly namespaces: HeldNamespaces;
  readonly tries: RememberedTries;
}

/** `GET …/changes?namespace=…&since=<epoch>.<seq>.<root>`: the records and removals since then, as a list. */
export class ChangesResource implements CallResource {
  readonly methods = ['GET'] as const;
  readonly #options: ChangesResourceOptions;

  constructor(options: ChangesResourceOptions) {
    this.#options = options;
  }

  async answer(call: ReceivedCall): Promise<Response> {
    const held = admitted(call, this.#options.namespaces);
    const edition = present(await held.settled(), held);
    const changes = changesSince(call, held, edition, this.#options.tries);
    this.#options.tries.told(held, edition);
    const lines = new LinesBody(linesOf(changes, held, edition));
    return madeAnswer(call.request, LIST_TYPE, lines, headLine(edition, held));
  }
}

/** Of all lists. */
export const LIST_TYPE = 'application/x-ndjson';

/**
 * What a call asks for by its `since`; all there is, without one.
 * @throws CallProblem diverged, forgotten, with the head; not-ready
 */
export function changesSince(
  { query }: ReceivedCall,
  held: HeldNamespace,
  edition: Edition,
  tries: RememberedTries,
): readonly Change<string>[] {
  const { head } = edition.head;
  const text = query.get('since');
  const since = text === undefined ? null : parsePosition(text, "'since'");
  const refuse = (status: 409 | 410, type: string, detail: string): CallProblem =>
    new CallProblem(status, type, detail, headLine(edition, held));
  if (since !== null && since.epoch !== head.epoch) {
    throw refuse(410, 'forgotten', `the epoch here is ${head.epoch}, not ${since.epoch}`);
  }
  if (since !== null && isDiverged(since, held, edition, tries)) {
    throw refuse(409, 'diverged', `the list here has another change ${since.seq}, or none; it is at ${head.seq}`);
  }
  // all up to the number of the head: the list may be ahead of it for a moment
  if (edition.list.last !== head.seq) {
    throw new CallProblem(503, 'not-ready', 'a change is being published', ['Retry-After', '1']);
  }
  const found = edition.list.since(since?.seq ?? 0, Infinity);
  if (found.kind === 'changes') return found.changes;
  if (since !== null) throw refuse(410, 'forgotten', `the list here begins behind ${edition.list.floor}`);
  // to whoever has nothing, removals that were forgotten are none
  return [...edition.list.changes()];
}

function isDiverged(
  position: StatedPosition,
  held: HeldNamespace,
  { head: { head } }: Edition,
  tries: RememberedTries,
): boolean {
  const { seq, rootBegin } = position;
  if (seq > head.seq) return true;
  if (rootBegin === null) return false;
  if (seq === head.seq) return !head.root.startsWith(rootBegin);
  return tries.contradicts(held, position, rootBegin);
}

/** The changes are those of this moment: how they belong together may be another in the next. */
function linesOf(changes: readonly Change<string>[], held: HeldNamespace, edition: Edition): Iterable<string> {
  const { seq, root, epoch } = edition.head.head;
  const sets = setsOf(changes);
  const tail = tailText({ count: changes.length, seq, root, ...(sets.length === 0 ? {} : { sets }) });
  return (function* () {
    for (const change of changes) yield recordTextOf(change, held.namespace, epoch);
    yield tail;
  })();
}
