import { join } from 'node:path';
import { bytes, milliseconds, type EpochMs, type Milliseconds } from '../../../config/units.js';
import { createLogger } from '../../../proxy/base/logger.js';
import { BlobStore } from '../../../replication/blob-store.js';
import { CorrectedTime } from '../../../wlis/corrected-time.js';
import { ContentPulls } from '../../../replication/pull/content-pulls.js';
import { CallFailed } from '../../../wlis/calls/call-failed.js';
import type { RemoteHolder } from '../../../replication/remote-holder.js';
import { HoldingRules, type HoldingKeys } from '../../../replication/replica/holding-rules.js';
import { ReplicatedNamespace } from '../../../replication/replica/replicated-namespace.js';
import type { Source } from '../../../replication/replica/replica-parts.js';
import type { WindowTimes } from '../../../replication/update-window.js';
import type { SignedHead } from '../../../wlis/trust/head.js';
import type { KeyId, PublicKey } from '../../../wlis/trust/public-key.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TempDir } from '../../support/temp-dir.js';
import { until } from '../../support/waiting.js';
import type { HeldFixture } from '../held-fixture.js';
import { settings } from '../pull/fake-holder.js';
import { holderOf } from './replica-fixture.js';

export interface NamespaceFixtureOptions {
  readonly keys?: Partial<HoldingKeys>;
  readonly keepsRemoved?: boolean;
  /** Of the store of contents. */
  readonly limit?: number;
  readonly window?: WindowTimes | null;
  /** The first reading of the clock of the replica; null for that of the primary. */
  readonly at?: EpochMs | null;
}

/** A node above, in memory. */
export interface Above {
  held: HeldFixture;
  /** Why it does not answer; null if it does. */
  failure: Error | null;
  /** Why it gives no contents. */
  blobFailure: Error | null;
  age: Milliseconds;
  /** What it was asked for. */
  readonly asked: string[];
}

/** A replica whose rounds begin when a test wakes it, and the nodes above it. */
export class NamespaceFixture {
  readonly clock: FakeClock;
  readonly time: CorrectedTime;
  /** By URL, in the order in which they are asked. */
  readonly above = new Map<string, Above>();
  /** Others of the group, that come behind those. */
  others: readonly Source[] = [];
  refusal: string | null = null;
  /** `well <url>` and `failed <url>`. */
  readonly fared: string[] = [];
  readonly announced: { readonly head: SignedHead; readonly age: Milliseconds }[] = [];
  readonly events: { readonly code: string; readonly [name: string]: unknown }[] = [];
  /** `learn`, `seek <url>`. */
  readonly rootCalls: string[] = [];
  /** Who signs; the roots are not known while it is null. */
  keyFor: ((id: KeyId) => PublicKey | null) | null;
  /** What asking for the roots brings. */
  learned: ((id: KeyId) => PublicKey | null) | null = null;
  replica!: ReplicatedNamespace;
  blobs!: BlobStore;

  private constructor(
    readonly held: HeldFixture,
    private readonly directory: TempDir,
    private readonly options: NamespaceFixtureOptions,
  ) {
    const { at } = options;
    this.clock = new FakeClock(new Date(at ?? held.edition?.head.head.issued ?? 0).toISOString());
    this.time = new CorrectedTime(this.clock);
    this.keyFor = held.keyFor;
  }

  static async create(held: HeldFixture, options: NamespaceFixtureOptions = {}): Promise<NamespaceFixture> {
    const fixture = new NamespaceFixture(held, await TempDir.create(), options);
    fixture.add('http://parent.example', held);
    await fixture.#open();
    return fixture;
  }

  add(url: string, held: HeldFixture): Above {
    const above: Above = { held, failure: null, blobFailure: null, age: milliseconds(0), asked: [] };
    this.above.set(url, above);
    return above;
  }

  at(url: string): Above {
    const above = this.above.get(url);
    if (above === undefined) throw new Error(`nobody is at ${url}`);
    return above;
  }

  get parent(): Above {
    return this.at('http://parent.example');
  }

  /** Somebody has been asked, and what came of it is known. */
  async round(): Promise<void> {
    const before = this.fared.length;
    this.replica.wake();
    await until(() => this.fared.length > before);
  }

  /** A round has been made, and all is here that it brought. */
  async inStep(): Promise<void> {
    await this.round();
    await until(() => this.replica.standing.state === 'in-step');
  }

  async restart(): Promise<void> {
    await this.replica.stop();
    await this.blobs.close();
    await this.#open();
  }

  async remove(): Promise<void> {
    await this.replica.stop();
    await this.blobs.close();
    await this.directory.remove();
  }

  async #open(): Promise<void> {
    const { clock, held, options, time } = this;
    const { keys, limit = 1 << 30, window = null, keepsRemoved = false } = options;
    this.blobs = await BlobStore.open({
      ...{ directory: join(this.directory.path, 'blobs'), limit: bytes(limit), clock, keep: milliseconds(0) },
      onDamaged: () => undefined,
    });
    const all = { include: ['**'], exclude: [], maxBytes: null, onChange: 'pull', ...keys } as const;
    this.replica = await ReplicatedNamespace.open({
      ...{ namespace: held.namespace, path: join(this.directory.path, 'journal'), blobs: this.blobs, clock, time },
      ...{ rules: new HoldingRules(all), keepsRemoved, window, content: held.content, isReachable: true },
      roots: this.#roots(),
      place: this.#place(),
      holderAt: (url) => this.#holderAt(url),
      pulls: new ContentPulls(this.blobs, settings()),
      pollEvery: milliseconds(86_400_000),
      logger: createLogger({ level: 'debug', write: (line) => this.events.push(JSON.parse(line) as { code: string }) }),
    });
  }

  #roots() {
    const learn = (): void => {
      this.keyFor = this.learned ?? this.keyFor;
    };
    const isKnown = (): boolean => this.keyFor !== null;
    return {
      get isKnown() {
        return isKnown();
      },
      keyFor: (id: KeyId) => this.keyFor?.(id) ?? null,
      everKeyFor: (id: KeyId) => this.keyFor?.(id) ?? null,
      learn: () => {
        this.rootCalls.push('learn');
        learn();
        return this.keyFor === null ? Promise.reject(new Error('the root is unknown')) : Promise.resolve();
      },
      seek: (url: string | null) => {
        this.rootCalls.push(`seek ${url ?? ''}`);
        const before = this.keyFor;
        learn();
        return Promise.resolve(this.keyFor !== before);
      },
    };
  }

  #place() {
    const isOther = (url: string): boolean => this.others.some((one) => one.url === url);
    const refusal = (): string | null => this.refusal;
    return {
      sources: () => [...this.above.keys()].filter((url) => !isOther(url)).map((url) => ({ url })),
      others: () => this.others,
      failed: (url: string) => void this.fared.push(`failed ${url}`),
      well: (url: string) => void this.fared.push(`well ${url}`),
      announce: (head: SignedHead, age: Milliseconds) => void this.announced.push({ head, age }),
      group: null,
      get refusal() {
        return refusal();
      },
    };
  }

  #holderAt(url: string): RemoteHolder {
    const above = this.at(url);
    const holder = holderOf(above.held);
    const asked = (what: string): void => {
      above.asked.push(what);
    };
    return {
      ...holder,
      url,
      head: () => {
        asked('head');
        const { edition } = above.held;
        if (edition === null) return Promise.reject(new CallFailed('refused', url, '', 'it has none'));
        return Promise.resolve({ head: edition.head, age: above.age });
      },
      changes: async (since, signal) => {
        asked('changes');
        const { failure, age } = above;
        if (failure !== null) throw failure;
        const answer = await holder.changes(since, signal);
        if (this.keyFor?.(above.held.key.id) == null) {
          throw new CallFailed('not-believed', url, 'wrong-signature', 'its key is not known');
        }
        return { ...answer, age };
      },
      blob: (digest, from, to) => {
        asked(`blob ${from}-${to}`);
        if (above.blobFailure !== null) throw above.blobFailure;
        return above.held.blobs.read({ digest }, from, to);
      },
      blockList: (digest) => above.held.blobs.readWhole(digest),
    };
  }
}
