import { join } from 'node:path';
import { bytes, milliseconds } from '../../../config/units.js';
import { createLogger } from '../../../proxy/base/logger.js';
import { BlobStore } from '../../../replication/blob-store.js';
import { once } from '../../../replication/blob-content.js';
import { CallFailed } from '../../../wlis/calls/call-failed.js';
import type { RemoteHolder } from '../../../replication/remote-holder.js';
import { HeldReplica } from '../../../replication/replica/held-replica.js';
import { HoldingRules, type HoldingKeys } from '../../../replication/replica/holding-rules.js';
import type { MissingContent } from '../../../replication/replica/show-plan.js';
import { subtreeAt, subtreeText } from '../../../wlis/trust/trie-subtree.js';
import { openHead } from '../../../wlis/trust/head.js';
import { parseRecord, recordKey } from '../../../wlis/trust/record.js';
import { recordTextOf } from '../../../replication/document-record.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TempDir } from '../../support/temp-dir.js';
import type { HeldFixture } from '../held-fixture.js';

/** A holder as `changes`, `trie` and the others would show it, without a network between. */
export function holderOf(held: HeldFixture): RemoteHolder {
  const never = (): never => {
    throw new CallFailed('gone', 'http://held.example', '', 'it is not asked for this');
  };
  return {
    url: 'http://held.example',
    head: never,
    changes: (since) => {
      const { edition } = held;
      if (edition === null) return Promise.reject(new CallFailed('refused', 'http://held.example', '', 'nothing yet'));
      const { head, trie, list } = edition;
      const age = milliseconds(0);
      const isSame = since === null || since.epoch === held.epoch;
      const found = isSame && since !== null ? list.since(since.seq, Infinity) : null;
      if (!isSame || found?.kind === 'forgotten') return Promise.resolve({ kind: 'forgotten', head, age });
      if (found?.kind === 'ahead' || (since?.seq === list.last && since.root !== trie.root)) {
        return Promise.resolve({ kind: 'diverged', head, age });
      }
      const changes = found?.kind === 'changes' ? found.changes : [...list.changes()];
      const records = changes.map((change) => parseRecord(recordTextOf(change, held.namespace, held.epoch)));
      const sets = changes.flatMap(({ seq, together }) => (together > seq ? [[seq, together] as const] : []));
      const joined = sets.filter(([from], i) => i === 0 || from > (sets[i - 1]?.[1] ?? 0));
      const tail = { count: records.length, seq: list.last, root: trie.root };
      return Promise.resolve({ kind: 'changes', head, age, records, sets: joined, tail });
    },
    subtrees: (_, prefixes) =>
      Promise.resolve(prefixes.map((prefix) => subtreeText(subtreeAt(held.edition?.trie ?? never(), prefix)))),
    records: (_, keys) => {
      const wanted = new Set(keys);
      const all = [...(held.edition?.list.changes() ?? [])];
      const found = all.filter(({ path }) => wanted.has(recordKey({ namespace: held.namespace, path })));
      const records = found.map((change) => parseRecord(recordTextOf(change, held.namespace, held.epoch)));
      return Promise.resolve(records.filter((record) => record.kind === 'document'));
    },
    blob: never,
    blockList: never,
    bundle: never,
  };
}

/** A replica of something held in memory, whose contents come when a test says so. */
export class ReplicaFixture {
  readonly clock = new FakeClock();
  wanted: readonly MissingContent[] = [];
  editions = 0;
  readonly unwritten: unknown[] = [];
  replica!: HeldReplica;
  blobs!: BlobStore;

  private constructor(
    readonly held: HeldFixture,
    private readonly directory: TempDir,
    private readonly keys: HoldingKeys & { readonly keepsRemoved: boolean },
  ) {}

  static async create(
    held: HeldFixture,
    keys: Partial<HoldingKeys & { keepsRemoved: boolean }> = {},
  ): Promise<ReplicaFixture> {
    const all = {
      include: ['**'],
      exclude: [],
      maxBytes: null,
      onChange: 'pull',
      keepsRemoved: false,
      ...keys,
    } as const;
    const fixture = new ReplicaFixture(held, await TempDir.create(), all);
    await fixture.#open();
    return fixture;
  }

  take() {
    return this.replica.take(holderOf(this.held), new AbortController().signal);
  }

  /** Contents come: all that are wanted, or some of them. */
  async bring(which: (wanted: MissingContent, index: number) => boolean = () => true): Promise<void> {
    const { wanted } = this;
    for (const [index, one] of wanted.entries()) {
      if (!which(one, index)) continue;
      const content = this.held.blobs.contents.get(one.variant.digest);
      if (content === undefined) throw new Error('the primary never had that');
      await this.blobs.put(once(content), bytes(content.length));
      this.replica.arrived(one.variant.digest);
    }
    await this.settle();
  }

  /** What was begun is done. */
  async settle(): Promise<void> {
    await this.replica.idle();
  }

  async restart(): Promise<void> {
    await this.replica.close();
    await this.blobs.close();
    await this.#open();
    await this.settle();
  }

  /** What is answered at a path. */
  at(path: string): string | null | undefined {
    return this.replica.view.visible(path)?.document;
  }

  async remove(): Promise<void> {
    await this.replica.close();
    await this.blobs.close();
    await this.directory.remove();
  }

  async #open(): Promise<void> {
    const { held, clock, keys } = this;
    this.wanted = [];
    this.blobs = await BlobStore.open({
      ...{ directory: join(this.directory.path, 'blobs'), limit: bytes(1 << 30), clock, keep: milliseconds(600_000) },
      onDamaged: () => undefined,
    });
    this.replica = await HeldReplica.open({
      ...{ namespace: held.namespace, path: join(this.directory.path, 'journal'), blobs: this.blobs },
      ...{ rules: new HoldingRules(keys), keepsRemoved: keys.keepsRemoved, clock },
      logger: createLogger({ level: 'silent', write: () => undefined }),
      openHead: (jws) => openHead(jws, held.namespace, held.keyFor).catch(() => null),
      onWanted: (wanted) => (this.wanted = wanted),
      onEdition: () => this.editions++,
      onUnwritten: (error) => this.unwritten.push(error),
    });
  }
}
