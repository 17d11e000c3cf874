import { epochMs, milliseconds } from '../../../config/units.js';
import { createLogger } from '../../../proxy/base/logger.js';
import { BufferedBody } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import { parseRequestTarget } from '../../../proxy/http/request-target.js';
import type { TargetUri } from '../../../proxy/http/target-uri.js';
import { CallFailed } from '../../../wlis/calls/call-failed.js';
import type { NodeCall, NodeCaller } from '../../../wlis/calls/node-caller.js';
import { Directory } from '../../../wlis/directory/directory.js';
import type { DirectorySettings } from '../../../wlis/directory/directory-settings.js';
import { feedTail, parseCursor } from '../../../wlis/directory/records-format.js';
import { unlessAborted } from '../../../wlis/directory/unless-aborted.js';
import { originOf, parseNamespace, type Namespace } from '../../../wlis/namespace.js';
import { signGroup, type Group, type SignedGroup } from '../../../wlis/trust/group.js';
import type { Replica } from '../../../wlis/trust/group-member.js';
import { signHead, type SignedHead } from '../../../wlis/trust/head.js';
import { parseEpoch } from '../../../wlis/trust/epoch.js';
import type { Digest } from '../../../wlis/trust/digest.js';
import type { SigningKey } from '../../../wlis/trust/jws.js';
import { rootChainText, signRoot, type RootChain } from '../../../wlis/trust/root-chain.js';
import type { FakeClock } from '../../support/fake-clock.js';
import type { TempDir } from '../../support/temp-dir.js';
import { groupOf, replicaOf } from '../trust/group-example.js';
import { keyNamed } from '../trust/keys-example.js';

const hour = 3_600_000;

/** An authority with its root key and the key that signs for its namespaces. */
export class TestAuthority {
  chain: RootChain = [];

  private constructor(
    readonly origin: string,
    readonly root: SigningKey,
    readonly next: SigningKey,
    readonly signer: SigningKey,
    readonly clock: FakeClock,
  ) {}

  /** @param paths of its namespaces */
  static async make(origin: string, clock: FakeClock, paths: readonly string[] = ['/']): Promise<TestAuthority> {
    const keys = await Promise.all(['root', 'next', 'signer'].map((name) => keyNamed(`${name} of ${origin}`)));
    const [root, next, signer] = keys as [SigningKey, SigningKey, SigningKey];
    const authority = new TestAuthority(origin, root, next, signer, clock);
    await authority.state(paths);
    return authority;
  }

  /** States its namespaces anew, signed for by that key. */
  async state(paths: readonly string[], signer: SigningKey = this.signer): Promise<void> {
    const serial = this.chain.length + 1;
    const namespaces = [...paths].sort().map((path) => ({
      namespace: parseNamespace(this.origin + path),
      signers: [{ key: signer.publicKey, serial, notAfter: epochMs(this.clock.now() + 1000 * hour) }],
      aliases: [],
    }));
    const statement = {
      ...{ origin: this.origin, serial, issued: this.clock.now(), rootKey: this.root.publicKey },
      ...{ nextRootKey: this.next.id, namespaces },
    };
    this.chain = await signRoot(statement, this.chain, [this.root]);
  }

  namespace(path = '/'): Namespace {
    return parseNamespace(this.origin + path);
  }

  async group(version: number, over: Partial<Group> = {}, signer: SigningKey = this.signer): Promise<SignedGroup> {
    const now = this.clock.now();
    const group = groupOf(signer.publicKey, [], {
      namespace: this.namespace(),
      version: now + version,
      primary: { key: signer.publicKey, urls: [this.origin], place: null, capacity: 1 },
      ...{ issued: now, refreshAfter: epochMs(now + 300_000), expires: epochMs(now + hour) },
      ...over,
    });
    return signGroup(group, signer);
  }

  head(seq: number, path = '/'): Promise<SignedHead> {
    const now = this.clock.now();
    return signHead(
      {
        ...{ namespace: this.namespace(path), epoch: parseEpoch('1700000000000-00112233aabbccdd'), seq },
        root: String(seq).padStart(64, '0') as Digest,
        ...{ issued: now, refreshAfter: epochMs(now + 60_000), expires: epochMs(now + 300_000), atomic: false },
      },
      this.signer,
    );
  }
}

/** A replica at a URL, active for an hour. */
export async function replicaAt(url: string, clock: FakeClock, over: Partial<Replica> = {}): Promise<Replica> {
  const key = await keyNamed(url);
  return replicaOf(key.publicKey, { urls: [url], activeUntil: epochMs(clock.now() + hour), ...over });
}

/** What a node answers to calls: text, or its status. Nobody answers where there is nothing. */
type Answer = (path: URL) => string | number | Promise<string | number>;

/** A network of nodes, as callers see it. */
export class KnownNetwork {
  readonly nodes = new Map<string, Answer>();
  /** `https://m1.example group`, in their order. */
  readonly calls: string[] = [];

  /** Answers for an authority what its primary answers. */
  serve(authority: TestAuthority, group: () => string, url = authority.origin): void {
    this.nodes.set(url, ({ pathname }) => {
      if (pathname === '/root') return rootChainText(authority.chain);
      return pathname === '/group' ? group() : 404;
    });
  }

  /** Has other nodes ask a directory for its records and roots. */
  serveDirectory(url: string, directory: Directory): void {
    this.nodes.set(url, async ({ pathname, searchParams }) => {
      if (pathname === '/records') {
        const page = await directory.feed.page(parseCursor(searchParams.get('since') ?? ''));
        return [...page.lines, feedTail(page), ''].join('\n');
      }
      if (pathname === '/root') {
        const chain = directory.book.authority(searchParams.get('origin') ?? '')?.chain ?? [];
        return chain.length === 0 ? 404 : rootChainText(chain);
      }
      if (pathname !== '/group') return 404;
      return directory.get(parseNamespace(searchParams.get('namespace') ?? ''))?.group.jws ?? 404;
    });
  }

  readonly caller: NodeCaller = {
    ask: async (call) => {
      const { status, text } = await this.#answer(call);
      return { status, fields: Fields.none, text };
    },
    open: async (call) => {
      const { status, text } = await this.#answer(call);
      return { status, fields: Fields.none, body: BufferedBody.from(text) };
    },
  };

  async #answer({ url, path, signal }: NodeCall): Promise<{ status: number; text: string }> {
    const asked = new URL(`http://node/${path}`);
    this.calls.push(`${url} ${asked.pathname.slice(1)}`);
    const node = this.nodes.get(url);
    if (node === undefined) throw new CallFailed('unreachable', url, '', 'nobody answers');
    const answer = await unlessAborted(Promise.resolve(node(asked)), signal);
    return typeof answer === 'string' ? { status: 200, text: answer } : { status: answer, text: '' };
  }

  /** How often that was called. */
  count(call: string): number {
    return this.calls.filter((one) => one === call).length;
  }
}

export const usualSettings: DirectorySettings = {
  ...{ most: 100, roots: new Map(), firstUse: true, peers: [], namingKeys: [], isDirectory: false },
  exchangeEvery: milliseconds(hour),
};

export interface OpenedDirectory {
  readonly directory: Directory;
  readonly events: readonly Readonly<Record<string, unknown>>[];
}

/** Opens a directory over a network that answers at once. */
export async function openDirectory(
  room: TempDir,
  network: KnownNetwork,
  clock: FakeClock,
  settings: Partial<DirectorySettings> = {},
): Promise<OpenedDirectory> {
  const events: Record<string, unknown>[] = [];
  const write = (line: string): void => void events.push(JSON.parse(line) as Record<string, unknown>);
  const directory = await Directory.open({
    data: room.path,
    reach: {
      callerFor: () => network.caller,
      allowsUrl: (namespace, url) => !url.includes('//10.') || originOf(namespace).includes('//10.'),
    },
    settings: { ...usualSettings, ...settings },
    ...{ clock, now: () => clock.now(), chance: () => 0.5 },
    logger: createLogger({ level: 'debug', write }),
  });
  return { directory, events };
}

/** The target of a request for a URI. */
export function targetOf(uri: string): TargetUri {
  const context = { method: 'GET', host: undefined, secure: false, ownAuthority: '' };
  const parsed = parseRequestTarget(uri, context);
  if (parsed.form !== 'absolute') throw new Error(`${uri} is not absolute`);
  return parsed.target;
}
