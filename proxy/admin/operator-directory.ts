import type { DirectoryControl, GroupReport, TrustReport } from '../../wlis/directory/directory-control.js';
import { WillisError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Request } from '../http/message.js';
import type { Members } from './json-request.js';

/** What was forgotten of an authority. */
export interface Forgotten {
  readonly origin: string;
  /** Whether anything was known of it. */
  readonly wasKnown: boolean;
}

/** Groups that are told of at once. */
const mostTold = 1000;

/**
 * What the operator side knows of namespaces that others hold: `GET /api/groups`, of one with `?uri=…`, and `/api/trust`: whom
 * this node believes, and what it did not believe. `POST /api/trust/forget` has it learn an authority anew.
 */
export class OperatorDirectory {
  constructor(
    private readonly control: DirectoryControl,
    private readonly logger: Logger,
  ) {}

  /** @throws WillisError bad-request, not-found */
  groups({ target }: Pick<Request, 'target'>): readonly GroupReport[] {
    const query = new URLSearchParams(/\?(.*)$/s.exec(target.path)?.[1] ?? '');
    const uri = query.get('uri');
    if (query.size > (uri === null ? 0 : 1)) throw refused('one parameter may be given: uri');
    if (uri === null) return this.control.groups().slice(0, mostTold);
    const group = this.control.group(uri);
    if (group !== null) return [group];
    throw new WillisError('not-found', `${uri.slice(0, 300)} belongs to no namespace that this node has learned of`);
  }

  trust(): TrustReport {
    return this.control.trust();
  }

  /** `{origin}`. @throws WillisError bad-request */
  async forget(members: Members, { id, client }: Request): Promise<Forgotten> {
    const origin = members.string('origin');
    members.end();
    if (origin === undefined) throw refused('an origin is wanted, such as http://docs.example');
    const wasKnown = await this.control.forget(origin);
    const event = { code: 'authority-forgotten', id, client: client.address, origin, wasKnown };
    this.logger.info(event, 'an authority is to be learned anew');
    return { origin, wasKnown };
  }
}

const refused = (reason: string): WillisError => new WillisError('bad-request', reason);
