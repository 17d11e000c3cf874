import { join } from 'node:path';
import { epochMs, milliseconds, type Bytes } from '../../../config/units.js';
import { Cancellation } from '../../../proxy/base/cancellation.js';
import { createLogger, type Logger } from '../../../proxy/base/logger.js';
import { BufferedBody, readAll } from '../../../proxy/http/body.js';
import { emptyRecord } from '../../../proxy/http/exchange-record.js';
import { Fields } from '../../../proxy/http/fields.js';
import type { Request } from '../../../proxy/http/message.js';
import type { TargetUri } from '../../../proxy/http/target-uri.js';
import { CallHandler } from '../../../wlis/calls/call-handler.js';
import type { ToldHead } from '../../../wlis/calls/head-field.js';
import type { CallAnswer, NodeCall, NodeCaller } from '../../../wlis/calls/node-caller.js';
import { NodeResource } from '../../../wlis/calls/node-resource.js';
import type { CallResource } from '../../../wlis/calls/received-call.js';
import { WaitingCalls } from '../../../wlis/calls/waiting-calls.js';
import { CallFailed } from '../../../wlis/calls/call-failed.js';
import type { AdmissionRules } from '../../../replication/tree/admission.js';
import { ChangedResource } from '../../../replication/tree/changed-resource.js';
import type { HeadClaim } from '../../../replication/tree/claimed-head.js';
import { GroupResource } from '../../../replication/tree/group-resource.js';
import type { HeldVersion, ReplicaNode } from '../../../replication/tree/join-request.js';
import type { NamespaceTree } from '../../../replication/tree/namespace-tree.js';
import { PrimaryTree, type PrimaryTreeOptions } from '../../../replication/tree/primary-tree.js';
import { ReplicaTree, type ReplicaTreeOptions } from '../../../replication/tree/replica-tree.js';
import { ReplicasResource } from '../../../replication/tree/replicas-resource.js';
import { StatusResource } from '../../../replication/tree/status-resource.js';
import { CallKey } from '../../../wlis/call-key.js';
import { CallReplays } from '../../../wlis/call-replays.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import { callSignature, callWindow } from '../../../wlis/signed-request.js';
import { digestOfText } from '../../../wlis/trust/digest.js';
import { parseEpoch } from '../../../wlis/trust/epoch.js';
import { signHead, type Head, type SignedHead } from '../../../wlis/trust/head.js';
import { newPrivateJwk, type SigningKey } from '../../../wlis/trust/jws.js';
import { defaultGrace, type NamespacePolicy } from '../../../wlis/trust/namespace-policy.js';
import type { KeyId } from '../../../wlis/trust/public-key.js';
import { FakeClock } from '../../support/fake-clock.js';
import { keyNamed } from '../../wlis/trust/keys-example.js';

export const site = parseNamespace('http://site.example/');
export const epoch = parseEpoch('1700000000000-00000000000000aa');
export const policy: NamespacePolicy = {
  ...{ consistency: { mode: 'eventual' }, grace: defaultGrace, complete: true, credentials: 'ignore', query: 'ignore' },
  search: false,
};
export const openRules: AdmissionRules = {
  ...{
    accept: 'open',
    listed: new Set<KeyId>(),
    token: null,
    rights: () => ({ browsers: false, delegate: false }),
    mostOpen: 256,
  },
};

/** Nodes that call each other without sockets: the calls are signed, handled and answered as over HTTP. */
export class TreeNetwork {
  readonly clock = new FakeClock();
  readonly events: { readonly code: string; readonly [name: string]: unknown }[] = [];
  readonly logger: Logger = createLogger({
    level: 'debug',
    write: (line) => void this.events.push(JSON.parse(line) as { code: string }),
  });
  /** URLs that nobody reaches. */
  readonly down = new Set<string>();
  /** `PUT http://p.example replicas`, in their order. */
  readonly calls: string[] = [];
  /** What calls have to wait for before they arrive. */
  gate: ((call: NodeCall) => Promise<void>) | null = null;
  readonly #handlers = new Map<string, CallHandler>();
  #underWay = 0;

  /** Who answers at a URL. */
  attach(url: string, handler: CallHandler): void {
    this.#handlers.set(url, handler);
  }

  detach(url: string): void {
    this.#handlers.delete(url);
  }

  caller(key: CallKey): NodeCaller {
    const ask = (call: NodeCall, longest: Bytes): Promise<CallAnswer> => this.#ask(call, longest, key);
    return { ask, open: () => Promise.reject(new Error('not here')) };
  }

  count(prefix: string): number {
    return this.calls.filter((call) => call.startsWith(prefix)).length;
  }

  /** All calls are over, and nobody has made one since. */
  async quiet(): Promise<void> {
    for (let quiet = 0; quiet < 60; quiet++) {
      if (this.#underWay > 0) quiet = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #ask(call: NodeCall, longest: Bytes, key: CallKey): Promise<CallAnswer> {
    const { url, method, path, content } = call;
    this.calls.push(`${method} ${url} ${/^[a-z]+/.exec(path)?.[0] ?? ''}`);
    this.#underWay++;
    try {
      await this.gate?.(call);
      call.signal.throwIfAborted();
      const handler = this.down.has(url) ? undefined : this.#handlers.get(url);
      if (handler === undefined) throw new CallFailed('unreachable', url, 'connect-refused', 'refused to connect');
      const sent = content === null ? null : Buffer.from(content);
      const request = requestTo(url, `/.well-known/wlis/${path}`, method, sent);
      const nonce = `nonce${String(this.calls.length).padStart(24, '0')}`;
      const fields = callSignature({ method, target: request.target, content: sent }, key, nonce, this.clock.now());
      const answer = await handler.handle({ ...request, fields: new Fields([...call.fields, ...fields]) });
      const body = answer.body === null ? '' : (await readAll(answer.body, longest)).toString();
      return { status: answer.status, fields: answer.fields, text: body };
    } finally {
      this.#underWay--;
    }
  }
}

export function requestTo(url: string, path: string, method: string, content: Buffer | null): Request {
  const { hostname, host } = new URL(url);
  const target: TargetUri = { scheme: 'http', host: hostname, port: 80, authority: host, path };
  return {
    ...{ method, target, form: 'origin', version: '1.1', fields: Fields.none, id: 'x', record: emptyRecord() },
    client: { address: '192.0.2.1', port: 1, secure: false },
    body: content === null ? null : BufferedBody.from(content),
    receivedAt: epochMs(0),
    cancellation: new Cancellation(),
    inform: () => undefined,
  };
}

export async function callKeyOf(): Promise<CallKey> {
  return new CallKey(await newPrivateJwk());
}

/** The resources of a node with one tree. */
export function handlerFor(
  network: TreeNetwork,
  key: CallKey,
  urls: readonly string[],
  tree: () => NamespaceTree | undefined,
  headOf: () => Head | null = () => null,
): CallHandler {
  const trees = { get: () => tree() };
  const statement = { key: key.publicKey, urls, place: null, capacity: 1, name: 'node', roles: [] };
  return new CallHandler({
    resources: new Map<string, CallResource>([
      ['node', new NodeResource({ key, statement: () => statement })],
      ['replicas', new ReplicasResource(trees)],
      ['group', new GroupResource(trees, () => network.clock.now())],
      ['changed', new ChangedResource(trees)],
      ['status', new StatusResource({ trees, headOf, waiting: new WaitingCalls(4) })],
    ]),
    origins: () => urls,
    replays: new CallReplays(callWindow),
    now: () => network.clock.now(),
    logger: network.logger,
  });
}

export class PrimaryFixture {
  tree!: PrimaryTree;
  head: SignedHead | null = null;
  rules: AdmissionRules = openRules;

  constructor(
    readonly network: TreeNetwork,
    readonly data: string,
    readonly key: CallKey,
    readonly signer: SigningKey,
    readonly url = 'http://p.example',
  ) {}

  static async create(network: TreeNetwork, data: string): Promise<PrimaryFixture> {
    return new PrimaryFixture(network, join(data, 'primary'), await callKeyOf(), await keyNamed('signer'));
  }

  async start(over: Partial<PrimaryTreeOptions> = {}): Promise<void> {
    const { clock, logger } = this.network;
    this.tree = await PrimaryTree.open({
      ...{ namespace: site, data: this.data, rules: this.rules, fanOut: 2, clock, logger },
      self: { key: this.key.publicKey, urls: [this.url], place: null, capacity: 1 },
      allowsUrl: (url) => !url.includes('//10.'),
      caller: this.network.caller(this.key),
      ...{ epoch: () => epoch, policy: () => policy, signer: () => this.signer, onGroup: () => undefined },
      ...over,
    });
    await this.tree.start();
    const headOf = (): Head | null => this.head?.head ?? null;
    this.network.attach(
      this.url,
      handlerFor(this.network, this.key, [this.url], () => this.tree, headOf),
    );
  }

  async stop(): Promise<void> {
    this.network.detach(this.url);
    await this.tree.stop();
  }

  /** Publishes a head of that number. */
  async publish(seq: number): Promise<SignedHead> {
    this.head = await headOf(seq, this.signer, this.network.clock);
    this.tree.announce(this.head);
    return this.head;
  }
}

export async function headOf(seq: number, signer: SigningKey, clock: FakeClock): Promise<SignedHead> {
  const now = clock.now();
  const times = { issued: now, refreshAfter: epochMs(now + 120_000), expires: epochMs(now + 300_000) };
  return signHead({ namespace: site, epoch, seq, root: digestOfText(String(seq)), atomic: false, ...times }, signer);
}

export const heldAt = (seq: number): HeldVersion => ({ epoch, seq, root: digestOfText(String(seq)) });

export class ReplicaFixture {
  tree!: ReplicaTree;
  held: HeldVersion | null = null;
  known: HeadClaim | null = null;
  readonly hints: (ToldHead | null)[] = [];
  self: ReplicaNode;

  constructor(
    readonly network: TreeNetwork,
    readonly data: string,
    readonly key: CallKey,
    readonly primary: PrimaryFixture,
    readonly url: string | null,
  ) {
    const urls = url === null ? [] : [url];
    this.self = { key: key.publicKey, urls, place: null, capacity: 1, subset: null, update: 'immediately' };
  }

  static async create(primary: PrimaryFixture, data: string, name: string | null): Promise<ReplicaFixture> {
    const key = await callKeyOf();
    const url = name === null ? null : `http://${name}.example`;
    return new ReplicaFixture(primary.network, join(data, key.id), key, primary, url);
  }

  get id(): KeyId {
    return this.key.id;
  }

  async start(over: Partial<ReplicaTreeOptions> = {}): Promise<void> {
    const { clock, logger } = this.network;
    this.tree = await ReplicaTree.open({
      ...{ namespace: site, data: this.data, from: this.primary.url, self: this.self, token: null, clock, logger },
      caller: this.network.caller(this.key),
      keyFor: (id) => (id === this.primary.signer.id ? this.primary.signer.publicKey : null),
      ...{ held: () => this.held, known: () => this.known, onHint: (told) => void this.hints.push(told) },
      ...{ onChanged: () => undefined, now: () => clock.now(), chance: () => 0.5 },
      ...over,
    });
    if (this.url !== null) {
      this.network.attach(
        this.url,
        handlerFor(this.network, this.key, [this.url], () => this.tree),
      );
    }
    await this.tree.start();
  }

  async stop(): Promise<void> {
    if (this.url !== null) this.network.detach(this.url);
    await this.tree.stop();
  }

  get sources(): readonly string[] {
    return this.tree.membership.sources().map(({ url }) => url);
  }

  /** All of that number is here. */
  async take(seq: number): Promise<void> {
    this.held = heldAt(seq);
    this.known = { epoch, seq, issued: this.network.clock.now() };
    this.tree.announce(await headOf(seq, this.primary.signer, this.network.clock), milliseconds(5));
  }
}

/** Time passes, step by step, and everybody looks at what has become due. */
export async function pass(
  network: TreeNetwork,
  nodes: readonly (PrimaryFixture | ReplicaFixture)[],
  time: number,
  step = 1000,
): Promise<void> {
  for (let left = time; left > 0; left -= step) {
    network.clock.advance(Math.min(step, left));
    for (const node of nodes) {
      if (node instanceof PrimaryFixture) node.tree.members.look();
      else {
        node.tree.membership.look();
        node.tree.hints.look();
      }
      node.tree.notifier.look();
    }
    await network.quiet();
  }
}
