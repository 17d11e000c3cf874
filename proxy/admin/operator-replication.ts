import { setInterval as every } from 'node:timers';
import { milliseconds } from '../../config/units.js';
import type { NamespaceReport } from '../../replication/namespace-report.js';
import type { ListVersion } from '../../replication/replica-standing.js';
import type { Promotion, ReplicationControl, ScanReport } from '../../replication/replication-control.js';
import { parseNamespace, type Namespace } from '../../wlis/namespace.js';
import { NotCanonical } from '../../wlis/not-canonical.js';
import { WillisError } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { Body } from '../http/body.js';
import type { Request } from '../http/message.js';
import type { Members } from './json-request.js';
import { lagOf, namespaceView, type LagProgress, type NamespaceView } from './namespace-view.js';
import { ProgressBody, type ProgressLine, type Work } from './progress-body.js';

/** A version that all replicas hold. */
export interface InStep {
  readonly namespace: Namespace;
  readonly version: ListVersion;
}

/** Lines that tell of waiting for replicas, of looking at sources, of becoming the primary. */
export type LagLine = ProgressLine<readonly LagProgress[], readonly InStep[]>;
export type ScanLine = ProgressLine<never, readonly ScanReport[]>;
export type PromotionLine = ProgressLine<never, Promotion>;

const tellEvery = milliseconds(1000);
/** Works at a time that are followed here. */
const mostAtOnce = 64;

/**
 * What the operator side knows of replication: `GET /api/namespaces`, `/api/namespaces/status?namespace=…`, and what it has
 * done: `POST /api/changed`, `/api/lag`, `/api/promote`, of which it is told in lines of JSON while it goes on.
 */
export class OperatorReplication {
  #running = 0;

  constructor(
    private readonly control: ReplicationControl,
    private readonly logger: Logger,
  ) {}

  namespaces(): readonly NamespaceReport[] {
    return this.control.namespaces();
  }

  /** @throws WillisError bad-request, not-found */
  status({ target }: Pick<Request, 'target'>): NamespaceView {
    const query = new URLSearchParams(/\?(.*)$/s.exec(target.path)?.[1] ?? '');
    const given = query.get('namespace');
    if (given === null || query.size !== 1) throw refused('one parameter is wanted: namespace');
    return namespaceView(this.control.status(namespaceOf(given)));
  }

  /** `{namespace?, allowRemovals?}`: looks at the source of that namespace, or of all. @throws WillisError */
  changed(members: Members, request: Request): Body {
    const given = members.string('namespace');
    const allow = members.boolean('allowRemovals') === true;
    members.end();
    if (allow && given === undefined) throw refused('allowRemovals goes with a namespace');
    const namespaces = this.#published(given);
    return this.#follow<never, readonly ScanReport[]>(async () => {
      const reports: ScanReport[] = [];
      for (const namespace of namespaces) {
        const report = await (allow ? this.control.allowRemovals(namespace) : this.control.scan(namespace));
        const { published, removed, held } = report;
        this.#log(allow ? 'removals-allowed' : 'source-scanned', request, { namespace, published, removed, held });
        reports.push(report);
      }
      return reports;
    });
  }

  /** `{namespace?}`: waits until all replicas of that namespace, or of all, hold what it is now. @throws WillisError */
  lag(members: Members): Body {
    const given = members.string('namespace');
    members.end();
    const namespaces = this.#published(given);
    return this.#follow<readonly LagProgress[], readonly InStep[]>((signal, onProgress) =>
      this.#waitForAll(namespaces, signal, onProgress),
    );
  }

  /** `{namespace}`. @throws WillisError */
  promote(members: Members, request: Request): Body {
    const given = members.string('namespace');
    members.end();
    if (given === undefined) throw refused('a namespace is wanted');
    const namespace = namespaceOf(given);
    if (this.control.status(namespace).report.role === 'primary') {
      throw new WillisError('promotion-refused', `this node is the primary of ${namespace} already`);
    }
    return this.#follow<never, Promotion>(async () => {
      const promotion = await this.control.promote(namespace);
      this.#log('promoted', request, { namespace, ...promotion.version });
      return promotion;
    });
  }

  /** The namespace that is named, or all of which this node is the primary. */
  #published(given: string | undefined): readonly Namespace[] {
    if (given === undefined) {
      const own = this.control.namespaces().filter(({ role }) => role === 'primary');
      if (own.length === 0) throw new WillisError('not-found', 'this node is the primary of no namespace');
      return own.map(({ namespace }) => namespace);
    }
    const namespace = namespaceOf(given);
    const { report, primary } = this.control.status(namespace);
    if (report.role === 'primary') return [namespace];
    const where = primary === null ? 'its primary' : `its primary, ${primary}`;
    throw new WillisError('not-primary', `${namespace} is only replicated here: ask ${where}`);
  }

  async #waitForAll(
    namespaces: readonly Namespace[],
    signal: AbortSignal,
    onProgress: (progress: readonly LagProgress[]) => void,
  ): Promise<readonly InStep[]> {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const tell = (): void => onProgress(namespaces.map((namespace) => lagOf(this.control.status(namespace))));
    let timer: NodeJS.Timeout | undefined;
    // a namespace may be taken away meanwhile
    const gone = new Promise<never>((_, reject) => {
      const look = (): void => {
        try {
          tell();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      look();
      timer = every(look, tellEvery);
    });
    const waits = namespaces.map(async (namespace) => ({
      namespace,
      version: await this.control.waitForAll(namespace, either),
    }));
    try {
      return await Promise.race([Promise.all(waits), gone]);
    } finally {
      clearInterval(timer);
      over.abort();
    }
  }

  #follow<P, R>(work: Work<P, R>['begin']): ProgressBody<P, R> {
    if (this.#running >= mostAtOnce) throw new WillisError('too-busy', `${mostAtOnce} such requests are under way`);
    this.#running++;
    const begin: Work<P, R>['begin'] = (signal, onProgress) => work(signal, onProgress).finally(() => this.#running--);
    return new ProgressBody<P, R>({ begin, every: tellEvery });
  }

  #log(code: string, { id, client }: Request, about: object): void {
    this.logger.info({ code, id, client: client.address, ...about }, messages[code] ?? code);
  }
}

const messages: Readonly<Record<string, string>> = {
  'source-scanned': 'looked at all that a namespace is published from',
  'removals-allowed': 'removals that were held are published',
  promoted: 'this node is the primary of a namespace from now on',
};

function namespaceOf(text: string): Namespace {
  try {
    return parseNamespace(text);
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw refused(`namespace: ${JSON.stringify(text.slice(0, 200))} is none: ${error.message}`);
  }
}

const refused = (reason: string): WillisError => new WillisError('bad-request', reason);
