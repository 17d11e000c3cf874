import { createHash } from 'node:crypto';
import { bytes, epochMs, milliseconds, type Bytes, type EpochMs, type Milliseconds } from '../../config/units.js';
import { ChangeList, type Change, type Edit } from '../../replication/change-list.js';
import { ContentHasher } from '../../replication/content-hash.js';
import { recordDigestOf } from '../../replication/document-record.js';
import type { DocumentContent, Edition, HeldNamespace } from '../../replication/held-namespace.js';
import { documentText } from '../../replication/source/published-document.js';
import { parseNamespace, type Namespace } from '../../wlis/namespace.js';
import type { Digest } from '../../wlis/trust/digest.js';
import { parseEpoch, type Epoch } from '../../wlis/trust/epoch.js';
import { fieldsBlock } from '../../wlis/trust/fields-block.js';
import { signHead, type Head, type SignedHead } from '../../wlis/trust/head.js';
import type { SigningKey } from '../../wlis/trust/jws.js';
import { defaultGrace, type NamespacePolicy } from '../../wlis/trust/namespace-policy.js';
import type { KeyId, PublicKey } from '../../wlis/trust/public-key.js';
import { NOT_FOUND, recordKey } from '../../wlis/trust/record.js';
import { Trie } from '../../wlis/trust/trie.js';
import type { Variant } from '../../wlis/trust/variant.js';
import { keyNamed } from '../wlis/trust/keys-example.js';

export interface HeldFixtureOptions {
  readonly namespace?: string;
  readonly role?: HeldNamespace['role'];
  readonly epoch?: string;
  /** Signs the heads. */
  readonly key?: SigningKey;
  readonly policy?: Partial<NamespacePolicy>;
  /** Of the first head. */
  readonly issued?: EpochMs;
  /** Without a first, empty edition: a replica that has not taken over yet. */
  readonly isEmpty?: boolean;
}

/** What is put at a path: a text or bytes, several variants, null for none any more. */
export type Put = string | Buffer | readonly (Partial<Variant> & { readonly content: string | Buffer })[] | null;

/** A namespace held in memory, with the bytes of everything that was ever put there. */
export class HeldFixture implements HeldNamespace {
  readonly namespace: Namespace;
  readonly role: HeldNamespace['role'];
  readonly policy: NamespacePolicy;
  readonly key: SigningKey;
  readonly blobs = new MemoryBlobs();
  readonly content: DocumentContent = this.blobs;
  epoch: Epoch;
  edition: Edition | null = null;
  confirmedAge: Milliseconds = milliseconds(0);
  /** Heads are issued a second after each other, and expire after five minutes. */
  #issued: EpochMs;
  #list = new ChangeList<string>();
  #trie = Trie.empty;
  readonly #listeners = new Set<() => void>();

  private constructor(options: HeldFixtureOptions, key: SigningKey) {
    this.namespace = parseNamespace(options.namespace ?? 'http://docs.example.org/');
    this.role = options.role ?? 'primary';
    this.epoch = parseEpoch(options.epoch ?? '1700000000000-0123456789abcdef');
    this.key = key;
    this.#issued = options.issued ?? epochMs(1_700_000_000_000);
    this.policy = { ...defaultPolicy, ...options.policy };
  }

  static async create(options: HeldFixtureOptions = {}): Promise<HeldFixture> {
    const held = new HeldFixture(options, options.key ?? (await keyNamed('signer')));
    if (options.isEmpty !== true) await held.renew();
    return held;
  }

  /** The key that signs, and no other. */
  readonly keyFor = (id: KeyId): PublicKey | null => (id === this.key.id ? this.key.publicKey : null);

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Publishes documents, and removes those that are null, under a new head. */
  async put(documents: Readonly<Record<string, Put>>, isSet = false): Promise<readonly Change<string>[]> {
    const edits = Object.entries(documents).map(([path, put]) => ({
      path,
      document: this.#document(put, path === NOT_FOUND ? 404 : 200),
    }));
    return this.publish(edits, isSet);
  }

  /** The same of texts that `documentText` made. */
  async publish(edits: readonly Edit<string>[], isSet = false): Promise<readonly Change<string>[]> {
    const changes = this.#list.numbered(edits, this.#issued, isSet);
    const { namespace, epoch } = this;
    const trie = this.#trie.with(
      changes.map((change) => ({
        key: recordKey({ namespace, path: change.path }),
        record: recordDigestOf(change, namespace, epoch),
      })),
    );
    await this.#state({ seq: this.#list.last + changes.length, root: trie.root }, () => {
      this.#list.apply(changes);
      this.#trie = trie;
    });
    return changes;
  }

  /** States the same anew, or something else than is so. */
  renew(over: Partial<Head> = {}): Promise<SignedHead> {
    return this.#state(over, () => undefined);
  }

  /** @param apply makes what is stated so, in the turn in which the head is there */
  async #state(over: Partial<Head>, apply: () => void): Promise<SignedHead> {
    this.#issued = epochMs(this.#issued + 1000);
    const issued = over.issued ?? this.#issued;
    const head: Head = {
      ...{ namespace: this.namespace, epoch: this.epoch, seq: this.#list.last, root: this.#trie.root, issued },
      refreshAfter: epochMs(issued + 60_000),
      expires: epochMs(issued + 300_000),
      atomic: false,
      ...over,
    };
    const signed = await signHead(head, this.key);
    apply();
    this.edition = { head: signed, trie: this.#trie, list: this.#list };
    for (const listener of [...this.#listeners]) listener();
    return signed;
  }

  /** All over again, as if what was known had been lost. */
  async begin(epoch: string): Promise<void> {
    this.epoch = parseEpoch(epoch);
    const documents = [...this.#list.changes()].filter(({ document }) => document !== null);
    this.edition = null;
    this.#list = new ChangeList();
    this.#trie = Trie.empty;
    await this.publish(documents);
  }

  settled(): Promise<Edition | null> {
    return Promise.resolve(this.edition);
  }

  visible(path: string): Change<string> | undefined {
    return this.#list.latest(path);
  }

  provable(): Promise<Edition | null> {
    return Promise.resolve(this.edition);
  }

  onEdition(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #document(put: Put, status: 200 | 404): string | null {
    if (put === null) return null;
    const variants = typeof put === 'string' || Buffer.isBuffer(put) ? [{ content: put }] : put;
    return documentText({
      status,
      fields: fieldsBlock(['Cache-Control', 'max-age=60']),
      variants: variants.map(({ content, ...over }) => ({ ...this.blobs.add(Buffer.from(content)), ...over })),
    });
  }
}

/** The bytes of contents and block lists by their digest. Nothing is checked: a test may put something else there. */
export class MemoryBlobs implements DocumentContent {
  readonly contents = new Map<Digest, Buffer>();

  /** Stores a content, and its block list if it has more than one block. */
  add(content: Buffer): Variant {
    const length = bytes(content.length);
    const hasher = new ContentHasher(length);
    hasher.update(content);
    const { digest, blockSize, blockList, blocks } = hasher.end();
    this.contents.set(digest, content);
    if (blockList.length > 32) this.contents.set(blocks, blockList);
    const etag = `"${digest.slice(0, 16)}"`;
    return {
      ...{ coding: null, language: null, type: 'text/plain', etag, lastModified: epochMs(1_699_999_999_000) },
      ...{ length, digest, blockSize, blocks },
    };
  }

  has(variant: Pick<Variant, 'digest'>): boolean {
    return this.contents.has(variant.digest);
  }

  lengthOf(digest: Digest): Bytes | undefined {
    const content = this.contents.get(digest);
    return content === undefined ? undefined : bytes(content.length);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as a disk would
  async *read({ digest }: Pick<Variant, 'digest'>, from: Bytes, to: Bytes): AsyncGenerator<Buffer> {
    const content = this.#content(digest).subarray(from, to);
    for (let at = 0; at < content.length; at += pieceSize) yield content.subarray(at, at + pieceSize);
  }

  readUnchecked(digest: Digest, from: Bytes, to: Bytes): AsyncGenerator<Buffer> {
    return this.read({ digest }, from, to);
  }

  readWhole(digest: Digest): Promise<Buffer> {
    return Promise.resolve(this.#content(digest));
  }

  #content(digest: Digest): Buffer {
    const content = this.contents.get(digest);
    if (content === undefined) throw new Error(`there is no blob ${digest}`);
    return content;
  }
}

export const sha256Of = (content: string | Buffer): Digest =>
  createHash('sha256').update(content).digest('hex') as Digest;

const pieceSize = 65_536;

const defaultPolicy: NamespacePolicy = {
  consistency: { mode: 'eventual' },
  grace: defaultGrace,
  complete: true,
  credentials: 'ignore',
  query: 'ignore',
  search: false,
};
