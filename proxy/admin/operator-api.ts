import { metricsTextType } from '../base/metrics-text.js';
import type { MetricsView } from '../base/metrics.js';
import type { Clock } from '../base/clock.js';
import { WillisError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { CachingHandler } from '../cache/caching-handler.js';
import type { Body } from '../http/body.js';
import type { Request, Response } from '../http/message.js';
import type { ReplicationControl } from '../../replication/replication-control.js';
import type { DirectoryControl } from '../../wlis/directory/directory-control.js';
import type { SearchControl } from '../../wlis/search/search-control.js';
import { readMembers, type Members } from './json-request.js';
import type { OperatorAccess } from './operator-access.js';
import { answer, json, lineAnswer, plainText, type OperatorAnswer } from './operator-answers.js';
import type { OperatorControl } from './operator-control.js';
import { OperatorDirectory } from './operator-directory.js';
import { explainRequest, type SidesView } from './operator-explain.js';
import { operatorPage } from './operator-page.js';
import { OperatorPurge } from './operator-purge.js';
import { reloadAnswer } from './operator-reload.js';
import { OperatorReplication } from './operator-replication.js';
import { OperatorSearch } from './operator-search.js';
import { OperatorStore } from './operator-store.js';
import type { StoreControl } from './store-control.js';

export interface OperatorApiOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly cache: CachingHandler;
  readonly metrics: MetricsView;
  readonly sides: SidesView;
  readonly control: OperatorControl;
  readonly store: StoreControl;
  readonly replication: ReplicationControl;
  readonly directory: DirectoryControl;
  readonly search: SearchControl;
  readonly access: OperatorAccess;
}

type Page = (request: Request) => OperatorAnswer | Promise<OperatorAnswer>;
type Call = (members: Members, request: Request) => Promise<OperatorAnswer>;
/** @throws WillisError */
type Telling = (members: Members, request: Request) => Body;

/** What stands at a path: something to be read by GET and HEAD, or to be done by POST, which may tell how far it is. */
type Resource = { readonly read: Page; readonly open?: boolean } | { readonly call: Call } | { readonly tell: Telling };

/** Answers operators and the programs that they use. */
export class OperatorApi {
  readonly #options: OperatorApiOptions;
  readonly #resources: ReadonlyMap<string, Resource>;

  constructor(options: OperatorApiOptions) {
    this.#options = options;
    const { name, logger, cache, sides, control, store, metrics } = options;
    const purge = new OperatorPurge(cache, logger);
    const upkeep = new OperatorStore(store, logger);
    const replication = new OperatorReplication(options.replication, logger);
    const directory = new OperatorDirectory(options.directory, logger);
    const search = new OperatorSearch(options.search);
    this.#resources = new Map<string, Resource>([
      ['/', { read: () => operatorPage(name) }],
      // for whoever watches over the node, which may be another machine
      ['/healthz', { read: () => plainText('ok\n'), open: true }],
      ['/readyz', { read: () => readiness(control), open: true }],
      ['/metrics', { read: () => ({ ...plainText(metrics.text()), type: metricsTextType }) }],
      ['/api/stats', { read: () => json({ node: { name, phase: control.phase }, ...metrics.snapshot() }) }],
      ['/api/purge', { call: async (members, request) => json(await purge.perform(members, request)) }],
      ['/api/explain', { call: async (members) => json(await explainRequest(members, { cache, sides })) }],
      ['/api/store', { read: async (request) => json(await store.report({ largest: asksFor('largest', request) })) }],
      ['/api/store/verify', { tell: (members, request) => upkeep.verify(members, request) }],
      ['/api/store/rebuild', { tell: (members, request) => upkeep.rebuild(members, request) }],
      ['/api/store/compact', { tell: (members, request) => upkeep.compact(members, request) }],
      ['/api/namespaces', { read: () => json(replication.namespaces()) }],
      ['/api/namespaces/status', { read: (request) => json(replication.status(request)) }],
      ['/api/changed', { tell: (members, request) => replication.changed(members, request) }],
      ['/api/lag', { tell: (members) => replication.lag(members) }],
      ['/api/promote', { tell: (members, request) => replication.promote(members, request) }],
      ['/api/groups', { read: (request) => json(directory.groups(request)) }],
      ['/api/search', { read: async (request) => json(await search.find(request)) }],
      ['/api/trust', { read: () => json(directory.trust()) }],
      ['/api/trust/forget', { call: async (members, request) => json(await directory.forget(members, request)) }],
      ['/api/reload', { call: async (members, request) => reloadAnswer(members, control, request) }],
    ]);
  }

  /** @throws WillisError (or rejects with one) if there is no answer */
  request(request: Request): Response | Promise<Response> {
    const { access, clock } = this.#options;
    const resource = this.#resources.get(pathOf(request));
    if (resource === undefined || !('open' in resource)) access.admit(request);
    if (resource === undefined) throw new WillisError('not-found', 'GET / tells what there is');
    if ('read' in resource) {
      checkMethod(request, ['GET', 'HEAD']);
      const page = resource.read(request);
      return page instanceof Promise
        ? page.then((made) => answer(request, clock.now(), made))
        : answer(request, clock.now(), page);
    }
    checkMethod(request, ['POST']);
    const members = readMembers(request);
    return 'tell' in resource
      ? members.then((all) => lineAnswer(clock.now(), resource.tell(all, request)))
      : members.then((all) => resource.call(all, request)).then((made) => answer(request, clock.now(), made));
  }
}

function checkMethod(request: Request, methods: readonly string[]): void {
  if (methods.includes(request.method)) return;
  const allow = methods.join(', ');
  throw new WillisError('method-not-allowed', `${allow} may be used here`, { answerFields: ['Allow', allow] });
}

/** A query that nothing here looks at is no reason to miss it. */
const pathOf = ({ target }: Request): string => target.path.replace(/\?.*$/, '');

const asksFor = (name: string, { target }: Request): boolean => target.path.endsWith(`?${name}`);

const readiness = ({ phase }: OperatorControl): OperatorAnswer =>
  phase === 'running' ? plainText('ready\n') : plainText(`${phase}\n`, 503, 'Service Unavailable');
