import { join } from 'node:path';
import { elapsedMonotonic, milliseconds, type MonotonicMs } from '../../../config/units.js';
import { HttpRemoteHolder } from '../../../replication/calls/http-remote-holder.js';
import type { NodeCaller } from '../../../wlis/calls/node-caller.js';
import { namespaceSigner } from '../../../replication/keys/authority.js';
import { NewerRoots } from '../../../replication/keys/newer-roots.js';
import { KeyFileError } from '../../../replication/keys/key-file-error.js';
import {
  PrimaryNamespace,
  usualHeadLifetime,
  usualHeartbeat,
  usualKeepRemovals,
  usualMemberPatience,
} from '../../../replication/primary-namespace.js';
import type { AdmissionRules } from '../../../replication/tree/admission.js';
import { PrimaryTree } from '../../../replication/tree/primary-tree.js';
import { namespaceLabel, originOf, type Namespace } from '../../../wlis/namespace.js';
import type { SignedHead } from '../../../wlis/trust/head.js';
import type { SigningKey } from '../../../wlis/trust/jws.js';
import { defaultGrace, type NamespacePolicy } from '../../../wlis/trust/namespace-policy.js';
import type { KeyId } from '../../../wlis/trust/public-key.js';
import { WillisError } from '../../base/errors.js';
import type { Version } from '../../../wlis/trust/epoch.js';
import type { NodeParts } from './node-parts.js';
import type { OpenNamespace, SourceControl } from './open-namespace.js';
import type { WantedPrimary } from './wanted-namespaces.js';

/** How many replicas that nobody has listed there may be. */
const mostOpen = 256;

/** Opens what a primary has of a namespace, and begins to publish. @throws Error what the system says */
export async function openPrimary(wanted: WantedPrimary, parts: NodeParts): Promise<OpenNamespace> {
  const { namespace, keys } = wanted;
  await found(namespace, parts);
  const directory = primaryDirectory(parts.data, namespace);
  const signer = rememberedSigner(namespace, parts);
  const primary = await PrimaryNamespace.open({
    ...{ namespace, directory: keys.directory, rules: wanted.rules, dataDirectory: directory, blobs: parts.blobs },
    signer,
    ...{ policy: policyOf(wanted), heartbeat: usualHeartbeat, headLifetime: usualHeadLifetime },
    ...{ keepRemovals: usualKeepRemovals, memberPatience: usualMemberPatience, scanEvery: keys.scanEvery },
    ...{ clock: parts.clock, logger: parts.logger },
  });
  const caller = parts.callerFor(namespace, null);
  const tree = await PrimaryTree.open({
    ...{ namespace, data: directory, caller, clock: parts.clock, logger: parts.logger },
    self: { key: parts.callKey.publicKey, urls: [parts.url ?? originOf(namespace)], ...parts.standing },
    rules: admissionRules(wanted),
    fanOut: keys.replicas.fanOut,
    allowsUrl: (url) => parts.allowsUrl(namespace, url),
    epoch: () => primary.epoch,
    policy: () => primary.policy,
    signer: () => signer().then(orRefused),
    onGroup: () => undefined,
  }).catch(async (error: unknown) => {
    // it is tried again with another one
    await primary.stop();
    await primary.letGo();
    throw error;
  });
  return new OpenPrimary(primary, tree, caller, parts);
}

/** Where a primary keeps what it has to know of a namespace. */
export const primaryDirectory = (data: string, namespace: Namespace): string =>
  join(data, 'namespaces', namespaceLabel(namespace), 'primary');

class OpenPrimary implements OpenNamespace {
  readonly toPrimary = null;
  readonly promote = null;
  readonly leave = null;
  readonly source: SourceControl;
  readonly #stopping = new AbortController();
  readonly #started: Promise<void>;
  readonly #stopReports: () => void;
  readonly #roots: NewerRoots;
  #metAt: MonotonicMs | null = null;

  constructor(
    readonly held: PrimaryNamespace,
    readonly tree: PrimaryTree,
    private readonly caller: NodeCaller,
    private readonly parts: NodeParts,
  ) {
    this.source = {
      scan: () => held.scan(writingPatience),
      allowRemovals: () => held.allowRemovals(writingPatience),
      waitForAll: (signal) => this.#waitForAll(signal),
    };
    this.#roots = new NewerRoots({
      ...{ namespace: held.namespace, caller, keys: parts.keys, clock: parts.clock, logger: parts.logger },
      members: () => tree.members.told().map(({ urls: [url = ''] }) => url),
    });
    let epoch = held.epoch;
    held.onEdition(() => {
      if (held.edition === null) return;
      tree.announce(held.edition.head);
      if (held.epoch !== epoch) tree.restate();
      epoch = held.epoch;
    });
    this.#stopReports = tree.members.onReport(() => void this.#meetMembers());
    this.#started = this.#start();
  }

  get known(): Version | null {
    return this.held.edition?.head.head ?? null;
  }

  rootChain() {
    return this.parts.keys.chain(originOf(this.held.namespace));
  }

  report() {
    const { members, notifier } = this.tree;
    const report = this.held.report();
    const counters = { ...report.counters, notificationsSent: notifier.sent, notificationsFailed: notifier.failed };
    return { ...report, children: members.told().map(({ urls: [url = ''] }) => url), counters };
  }

  status() {
    const head = this.held.edition?.head.head ?? null;
    const replicas = head === null ? [] : this.tree.members.reports(head);
    return { report: this.report(), head, primary: null, replicas, source: this.held.source };
  }

  haveRoom(): void {
    // before it looks at its directory for the first time it has not lacked any
    if (this.held.source === null) return;
    this.held.scan().catch((error: unknown) => {
      const { namespace } = this.held;
      this.parts.logger.warn({ code: 'not-scanned', namespace, error }, 'a directory could not be looked at');
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new WillisError('too-busy', 'the node stops'));
    this.#stopReports();
    await this.#started;
    await this.#roots.stop();
    await this.tree.stop();
    await this.held.stop();
  }

  letGo(): Promise<void> {
    return this.held.letGo();
  }

  async #start(): Promise<void> {
    const { logger } = this.parts;
    try {
      this.#roots.start();
      await this.held.start((signal) => this.#memberHeads(signal));
      await this.tree.start();
      if (this.held.edition !== null) this.tree.announce(this.held.edition.head);
    } catch (error) {
      const { namespace } = this.held;
      logger.error({ code: 'namespace-failed', namespace, error }, 'a namespace cannot be published');
    }
  }

  /** A member says that it holds more than this primary knows of: it is asked for the proof. */
  async #meetMembers(): Promise<void> {
    const { held, tree, parts } = this;
    const head = held.edition?.head.head;
    const now = parts.clock.monotonic();
    if (head === undefined || (this.#metAt !== null && elapsedMonotonic(this.#metAt, now) < meetEvery)) return;
    const isAhead = tree.members
      .reports(head)
      .some(
        ({ held: its }) => its !== null && (its.epoch > held.epoch || (its.epoch === held.epoch && its.seq > head.seq)),
      );
    if (!isAhead) return;
    this.#metAt = now;
    try {
      await held.meet(await this.#memberHeads(this.#stopping.signal));
    } catch (error) {
      parts.logger.error({ code: 'members-not-met', namespace: held.namespace, error }, 'a new epoch could not begin');
    }
  }

  /** What members say that they hold: of this primary, perhaps from a life that it does not remember. */
  async #memberHeads(signal: AbortSignal): Promise<readonly SignedHead[]> {
    const { namespace } = this.held;
    await this.#roots.ask(signal);
    const signer = await namespaceSigner(this.parts.keys, namespace, this.parts.clock.now());
    if (typeof signer === 'string') return [];
    const keyFor = (id: KeyId) => (id === signer.id ? signer.publicKey : null);
    const asked = this.tree.members.told().map(async ({ urls: [url = ''] }) => {
      const holder = new HttpRemoteHolder({ url, namespace, caller: this.caller, patience: memberPatience, keyFor });
      const answer = await holder.head(null, milliseconds(0), signal).catch(() => null);
      return answer === null ? [] : [answer.head];
    });
    return (await Promise.all(asked)).flat();
  }

  async #waitForAll(signal: AbortSignal) {
    const edition = await this.held.settled();
    if (edition === null) throw new WillisError('not-found', `${this.held.namespace} has no head yet`);
    const { epoch, seq } = edition.head.head;
    await this.tree.members.waitForAll({ epoch, seq }, AbortSignal.any([signal, this.#stopping.signal]));
    return { epoch, seq };
  }
}

/** The keys that are wanting are made when a primary is started for the first time. */
async function found(namespace: Namespace, { founding, clock, logger }: NodeParts): Promise<void> {
  try {
    await founding.found(namespace, clock.now());
  } catch (error) {
    if (!(error instanceof KeyFileError)) throw error;
    logger.error({ code: 'namespace-not-founded', namespace, error }, 'nobody can sign for a namespace');
  }
}

/** The key files are looked at again after some seconds: they may have been replaced. */
function rememberedSigner(namespace: Namespace, { keys, clock }: NodeParts): () => Promise<SigningKey | string> {
  let known: { readonly key: SigningKey; readonly at: MonotonicMs } | null = null;
  return async () => {
    const now = clock.monotonic();
    if (known !== null && elapsedMonotonic(known.at, now) < lookAgain) return known.key;
    const signer = await namespaceSigner(keys, namespace, clock.now());
    known = typeof signer === 'string' ? null : { key: signer, at: now };
    return signer;
  };
}

function orRefused(signer: SigningKey | string): SigningKey {
  if (typeof signer === 'string') throw new KeyFileError(signer);
  return signer;
}

const lookAgain = milliseconds(5000);

const policyOf = ({ keys }: WantedPrimary): NamespacePolicy => ({
  consistency: { mode: 'eventual' },
  grace: defaultGrace,
  complete: true,
  credentials: 'ignore',
  query: keys.query,
  search: keys.search,
});

const admissionRules = ({ keys: { replicas }, token }: WantedPrimary): AdmissionRules => ({
  accept: replicas.accept,
  listed: new Set(replicas.listed as readonly KeyId[]),
  token,
  rights: rightsIn(replicas),
  mostOpen,
});

function rightsIn({ browsers, delegates }: WantedPrimary['keys']['replicas']): AdmissionRules['rights'] {
  const [trusted, named] = [new Set<string>(delegates), new Set<string>(browsers)];
  return (id) => ({ browsers: browsers === 'all' || named.has(id), delegate: trusted.has(id) });
}

/** What members say can make this primary ask them so often. */
const meetEvery = milliseconds(60_000);

const memberPatience = milliseconds(5000);

/** So long an operator who has what changed published waits for files to be finished: what was just written takes a second. */
const writingPatience = milliseconds(15_000);
