import { reachedFloor } from '../../../replication/serving/floor.js';
import { rawTargetIn, type RawSpace } from '../../../replication/serving/raw-space.js';
import { problemAnswer } from '../../../wlis/calls/call-answer.js';
import { CallProblem } from '../../../wlis/calls/call-problem.js';
import { parseRawTarget } from '../../../wlis/calls/raw-target.js';
import { originOf, type Namespace } from '../../../wlis/namespace.js';
import type { Request, Response } from '../../http/message.js';
import { originsOf } from './call-resources.js';
import type { HolderVoices } from './holder-voices.js';
import { LabelledEntries } from './labelled-entries.js';
import type { ReplicationLayer } from './replication-layer.js';

export interface RawVisitsOptions {
  readonly layer: ReplicationLayer;
  readonly raw: RawSpace;
  readonly voices: HolderVoices;
}

/** Requests for raw documents of the namespaces that this node holds. */
export class RawVisits {
  readonly #options: RawVisitsOptions;
  readonly #byLabel: LabelledEntries;

  constructor(options: RawVisitsOptions) {
    this.#options = options;
    this.#byLabel = new LabelledEntries(options.layer);
  }

  /** Null if it is no such request. Never throws. @param isSecure whether it came over TLS, as far as is known */
  answer(request: Request, isSecure: boolean): Promise<Response> | null {
    const asked = parseRawTarget(request.target.path);
    if (asked === null) return null;
    const entry = this.#byLabel.get(asked.label);
    if (entry === undefined) return refused(request, 404, 'not-replicated', 'no namespace of this label is held here');
    const { namespace, open } = entry;
    request.record.site = namespace;
    if (this.#isWithinAnother(request, namespace)) {
      return refused(request, 421, 'misdirected', `${namespace} is not to be had under the name of another namespace`);
    }
    if (open === null) return refused(request, 503, 'not-ready', `${namespace} is being opened by this node`);
    if (namespace.startsWith('https:') && !isSecure && !this.#isSecure(request)) {
      return refused(request, 421, 'misdirected', `${namespace} is to be had over TLS only`);
    }
    const { raw, voices } = this.#options;
    const { held, tree } = open;
    return raw.answer(request, held, {
      target: () => rawTargetIn(namespace, asked.path),
      saying: voices.of(open, request.fields),
      floor: (aimed) => (held.role === 'replica' ? reachedFloor(aimed, held, tree.hints) : null),
    });
  }

  /** By what this node is called, which somebody in front of it may have taken the TLS off. */
  #isSecure({ target }: Request): boolean {
    return originsOf(this.#options.layer).includes(`https://${target.authority}`);
  }

  /** What lies there would be in the browser origin of that one: its own pages could be made to load it as their own. */
  #isWithinAnother({ target: { authority } }: Request, namespace: Namespace): boolean {
    const { layer } = this.#options;
    const isThere = (origin: string): boolean => origin.slice(origin.indexOf('://') + 3) === authority;
    if (isThere(originOf(namespace)) || (layer.url !== null && isThere(layer.url))) return false;
    return originsOf(layer).some(isThere);
  }
}

function refused({ method }: Request, status: number, type: string, detail: string): Promise<Response> {
  const later = status === 503 ? ['Retry-After', '1'] : [];
  const { body, ...response } = problemAnswer(new CallProblem(status, type, detail, later));
  return Promise.resolve({ ...response, body: method === 'HEAD' ? null : body });
}
