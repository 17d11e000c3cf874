import { bytes, epochMs, milliseconds, type EpochMs } from '../../../config/units.js';
import { Cancellation } from '../../../proxy/base/cancellation.js';
import { WillisError } from '../../../proxy/base/errors.js';
import type { ForwardOptions, IncomingResponse, OutgoingRequest, Upstream } from '../../../proxy/forward/upstream.js';
import { readAll } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import type { Request, Response } from '../../../proxy/http/message.js';
import { hrefOf } from '../../../proxy/http/target-uri.js';
import { holdingResources } from '../../../replication/calls/holding-resources.js';
import { DocumentHandler, nothingSaid } from '../../../replication/serving/document-handler.js';
import { rawTargetIn, RawSpace } from '../../../replication/serving/raw-space.js';
import { CallHandler } from '../../../wlis/calls/call-handler.js';
import { parseRawTarget } from '../../../wlis/calls/raw-target.js';
import { WaitingCalls } from '../../../wlis/calls/waiting-calls.js';
import { CallReplays } from '../../../wlis/call-replays.js';
import type { Candidate, Choice, Chooser, Question } from '../../../wlis/choice/choice.js';
import type { KnownNamespace } from '../../../wlis/directory/known-namespace.js';
import { Failover } from '../../../wlis/failover/failover.js';
import type { FailoverSettings } from '../../../wlis/failover/failover-settings.js';
import { WlisUpstream } from '../../../wlis/failover/wlis-upstream.js';
import { HealthTable } from '../../../wlis/health/health-table.js';
import { Positions } from '../../../wlis/health/positions.js';
import { callWindow } from '../../../wlis/signed-request.js';
import { judgeHead, type SignedHead } from '../../../wlis/trust/head.js';
import type { NamespacePolicy } from '../../../wlis/trust/namespace-policy.js';
import { HeldFixture } from '../../replication/held-fixture.js';
import { targetOf, visitor } from '../../replication/serving/held-example.js';
import { FakeClock } from '../../support/fake-clock.js';
import { knownWith } from '../choice/known-example.js';

/** What a node does with a request, in the place of answering it as it should. */
export type Fault = (
  request: OutgoingRequest,
  answer: () => Promise<IncomingResponse>,
  options: ForwardOptions,
) => Promise<IncomingResponse>;

/** A node that holds the namespace, and does what a test says. */
export class ScriptedNode {
  fault: Fault | null = null;
  /** Paths with their queries, in their order, and the fields of the last request. */
  readonly requests: string[] = [];
  readonly sent: Fields[] = [];
  /** What went wrong in the node itself. */
  readonly errors: object[] = [];
  readonly #handler: CallHandler;
  readonly #raw: RawSpace;

  constructor(
    readonly url: string,
    public held: HeldFixture,
    now: () => EpochMs,
  ) {
    const clock = { now, monotonic: () => new FakeClock().monotonic() };
    const logger = { error: (fields: object) => void this.errors.push(fields) };
    const memory = bytes(1_000_000);
    const documents = new DocumentHandler({ name: 'holder', clock, memory });
    this.#raw = new RawSpace({ documents, blobs: held.blobs, memory, logger });
    const namespaces = { get: () => ({ held: this.held, admits: () => undefined }) };
    const waiting = new WaitingCalls(4);
    this.#handler = new CallHandler({
      resources: new Map(holdingResources({ namespaces, blobs: held.blobs, waiting, clock, now })),
      ...{ origins: () => [url], replays: new CallReplays(callWindow), now, logger },
    });
  }

  async forward(request: OutgoingRequest, options: ForwardOptions): Promise<IncomingResponse> {
    this.requests.push(`${request.method} ${request.target.path}`);
    this.sent.push(request.fields);
    const answer = (): Promise<IncomingResponse> => this.#answer(request);
    return this.fault === null ? answer() : this.fault(request, answer, options);
  }

  async #answer(outgoing: OutgoingRequest): Promise<IncomingResponse> {
    const { method, target, fields } = outgoing;
    const request: Request = { ...visitor(hrefOf(target), { method }), fields };
    const raw = parseRawTarget(target.path);
    const response = raw === null ? await this.#handler.handle(request) : await this.#rawAnswer(request, raw.path);
    return { ...response, version: '1.1' };
  }

  #rawAnswer(request: Request, path: string): Promise<Response> {
    return this.#raw.answer(request, this.held, {
      target: () => rawTargetIn(this.held.namespace, path),
      saying: () => nothingSaid,
      floor: () => null,
    });
  }
}

export interface NodesOptions {
  /** How many, the primary not counted. */
  readonly replicas?: number;
  /** URLs of the replicas; each at a host of its own by default. */
  readonly at?: (index: number) => string;
  readonly namespace?: string;
  readonly policy?: Partial<NamespacePolicy>;
  readonly settings?: Partial<FailoverSettings>;
}

/** A primary, replicas and a client of theirs, all in memory. Nodes are asked in the order in which they are listed. */
export class NodesFixture {
  /** Replicas, and the primary last. */
  readonly nodes: readonly ScriptedNode[];
  readonly health: HealthTable;
  readonly positions: Positions;
  readonly failover: Failover;
  readonly upstream: WlisUpstream;
  readonly warnings: Record<string, unknown>[] = [];
  readonly heard: { readonly version: number; readonly at: string }[] = [];
  /** What went the ordinary way, and what is answered there. */
  readonly direct: OutgoingRequest[] = [];
  origin: (request: OutgoingRequest) => IncomingResponse | Promise<IncomingResponse> = () => {
    throw new WillisError('connect-refused', 'there is no origin');
  };
  /** In which nodes are asked; by default as they are listed. */
  order: ((candidates: readonly Candidate[], question: Question) => readonly Candidate[]) | null = null;
  readonly questions: Question[] = [];
  /** Null: the namespace is not known. */
  known: KnownNamespace | null;
  head: SignedHead | null = null;

  private constructor(
    readonly held: HeldFixture,
    readonly clock: FakeClock,
    known: KnownNamespace,
    { replicas = 2, at = (i) => `http://m${i}.example`, settings = {} }: NodesOptions,
  ) {
    const now = (): EpochMs => clock.now();
    const urls = [...Array.from({ length: replicas }, (_, i) => at(i)), primaryUrl];
    this.nodes = urls.map((url) => new ScriptedNode(url, held, now));
    this.health = new HealthTable({ clock, chance: () => 0.5 });
    this.positions = new Positions(clock);
    this.known = this.#knowing(known);
    const upstream: Upstream = {
      forward: (request, options) => this.#nodeAt(request).forward(request, options),
      close: () => Promise.resolve(),
    };
    this.failover = new Failover({
      upstreamFor: () => upstream,
      chooser: this.#chooser(),
      attempts: this.health,
      positions: this.positions,
      settings: { ...usualSettings, ...settings },
      ...{ clock, now, logger: this.#logger() },
    });
    this.upstream = new WlisUpstream({
      upstream: {
        forward: (request) => {
          this.direct.push(request);
          return Promise.resolve(this.origin(request));
        },
        close: () => Promise.resolve(),
      },
      finder: () => ({
        of: (target) => (hrefOf(target).startsWith(held.namespace) ? this.known : null),
        heard: (told) => void this.heard.push(told),
        learnFor: () => Promise.resolve(null),
      }),
      failover: this.failover,
      relay: null,
    });
  }

  static async create(options: NodesOptions = {}): Promise<NodesFixture> {
    const clock = new FakeClock('2023-11-14T22:13:30Z');
    const { replicas = 2, namespace = 'http://docs.example.org/', policy = {} } = options;
    const held = await HeldFixture.create({ namespace, policy, issued: epochMs(clock.now() - 10_000) });
    const known = await knownWith(
      Array.from({ length: replicas }, () => ({ activeUntil: epochMs(4e12) })),
      { namespace: held.namespace, policy: held.policy },
    );
    return new NodesFixture(held, clock, known, options);
  }

  get primary(): ScriptedNode {
    return this.nodes.at(-1) as ScriptedNode;
  }

  /** Everything that was asked of nodes. */
  get requests(): string[] {
    return this.nodes.flatMap(({ url, requests }) => requests.map((request) => `${url} ${request}`));
  }

  forward(path: string, { method = 'GET', fields = {}, from, cancellation = new Cancellation() }: Asking = {}) {
    const target = targetOf(this.held.namespace + path);
    const request = { method, target, fields: Fields.of({ Host: target.authority, ...fields }), body: null };
    const chosen = from === undefined ? {} : { from };
    return this.upstream.forward({ ...request, ...chosen, client: '192.0.2.1' }, { cancellation });
  }

  async get(path: string, asking: Asking = {}): Promise<Got> {
    const response = await this.forward(path, asking);
    const content = response.body === null ? Buffer.alloc(0) : await readAll(response.body, bytes(1e9));
    const { status, fields, answeredBy } = response;
    return { status, fields, content, by: answeredBy?.url ?? null, response };
  }

  #nodeAt({ target }: OutgoingRequest): ScriptedNode {
    const node = this.nodes.find(({ url }) => url === `http://${target.authority}`);
    if (node === undefined) throw new WillisError('dns-failed', `there is no ${target.authority}`);
    return node;
  }

  #chooser(): Chooser {
    return {
      choose: (_, question): Choice => {
        this.questions.push(question);
        const candidates = this.nodes.map(({ url }) => this.#candidate(url));
        const closed = candidates.filter(({ health }) => health.breaker === 'closed');
        const open = candidates.filter(({ health }) => health.breaker !== 'closed');
        const ordered = this.order?.(candidates, question) ?? [...closed, ...open];
        return { ranked: ordered.map((candidate, score) => ({ candidate, score: score + 1 })), skipped: [] };
      },
    };
  }

  #candidate(url: string): Candidate {
    const role = url === primaryUrl ? 'primary' : 'replica';
    return { url, key: null, role, place: null, capacity: 1, health: this.health.of(url) };
  }

  #knowing(known: KnownNamespace): KnownNamespace {
    const newest = (): SignedHead | null => this.head;
    return {
      ...known,
      get head() {
        return newest();
      },
      keyFor: this.held.keyFor,
      confirm: (head) => {
        const judged = judgeHead(this.head?.head ?? null, head.head, this.clock.now());
        if (judged === 'newer') this.head = head;
        return judged;
      },
      heardOf: (version, at) => void this.heard.push({ version, at }),
    };
  }

  #logger() {
    const nothing = (): void => undefined;
    const warn = (fields: object): void => void this.warnings.push({ ...fields });
    const logger = { debug: nothing, info: nothing, warn, error: warn, child: () => logger, flush: nothing };
    return logger;
  }
}

export interface Asking {
  readonly method?: string;
  readonly fields?: Readonly<Record<string, string>>;
  /** The node that the reader has chosen. */
  readonly from?: string;
  readonly cancellation?: Cancellation;
}

export interface Got {
  readonly status: number;
  readonly fields: Fields;
  readonly content: Buffer;
  readonly by: string | null;
  readonly response: IncomingResponse;
}

const primaryUrl = 'http://docs.example.org';

const usualSettings: FailoverSettings = {
  attempts: 3,
  patience: milliseconds(200),
  hedge: { enabled: false, after: 0.95, budget: 0.02 },
};
