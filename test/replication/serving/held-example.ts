import { createHash } from 'node:crypto';
import { bytes, epochMs, milliseconds, type Bytes, type Milliseconds } from '../../../config/units.js';
import { Cancellation } from '../../../proxy/base/cancellation.js';
import { readAll } from '../../../proxy/http/body.js';
import { emptyRecord } from '../../../proxy/http/exchange-record.js';
import { Fields } from '../../../proxy/http/fields.js';
import type { Request, Response } from '../../../proxy/http/message.js';
import type { TargetUri } from '../../../proxy/http/target-uri.js';
import { hashedAtOnce } from '../../../replication/blob-content.js';
import { ChangeList } from '../../../replication/change-list.js';
import type { DocumentContent, Edition, HeldNamespace } from '../../../replication/held-namespace.js';
import { documentText, type PublishedDocument } from '../../../replication/source/published-document.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import type { Digest } from '../../../wlis/trust/digest.js';
import { parseEpoch } from '../../../wlis/trust/epoch.js';
import { fieldsBlock } from '../../../wlis/trust/fields-block.js';
import { defaultGrace, type NamespacePolicy } from '../../../wlis/trust/namespace-policy.js';
import { Trie } from '../../../wlis/trust/trie.js';
import type { Variant } from '../../../wlis/trust/variant.js';

export const epoch = parseEpoch('1700000000000-0123456789abcdef');

export const usualPolicy: NamespacePolicy = {
  consistency: { mode: 'eventual' },
  grace: defaultGrace,
  complete: true,
  credentials: 'ignore',
  query: 'ignore',
  search: false,
};

/** A namespace in memory: what a node holds of it is what a test puts there. */
export class HeldExample implements HeldNamespace {
  readonly namespace;
  role: 'primary' | 'replica' = 'primary';
  policy: NamespacePolicy = usualPolicy;
  edition: Edition | null;
  confirmedAge: Milliseconds = milliseconds(0);
  readonly list = new ChangeList<string>();
  readonly content: ContentExample;

  /** @param expires of the head that it holds */
  constructor(namespace = 'http://docs.example.org/', content = new ContentExample(), expires = 4_000_000_000_000) {
    this.namespace = parseNamespace(namespace);
    this.content = content;
    const times = { issued: epochMs(1), refreshAfter: epochMs(2), expires: epochMs(expires) };
    const head = { namespace: this.namespace, epoch, seq: 7, root: Trie.empty.root, ...times, atomic: false };
    this.edition = { head: { head, jws: '' }, trie: Trie.empty, list: this.list };
  }

  put(path: string, document: Partial<Omit<PublishedDocument, 'path'>>): this {
    const text = documentText({ status: 200, fields: [], variants: [], ...document });
    return this.#change(path, text);
  }

  remove(path: string): this {
    return this.#change(path, null);
  }

  visible(path: string): ReturnType<ChangeList<string>['latest']> {
    return this.list.latest(path);
  }

  settled(): Promise<Edition | null> {
    return Promise.resolve(this.edition);
  }

  provable(): Promise<Edition | null> {
    return Promise.resolve(this.edition);
  }

  onEdition(): () => void {
    return () => undefined;
  }

  #change(path: string, document: string | null): this {
    this.list.apply(this.list.numbered([{ path, document }], epochMs(1_700_000_000_000), false));
    return this;
  }
}

/** Contents by digest, in blocks; what is not here has to be fetched, which a test may let fail. */
export class ContentExample implements DocumentContent {
  readonly contents = new Map<Digest, Buffer>();
  readonly notHere = new Set<Digest>();
  /** How often a content was begun to be read, and how many blocks were given. */
  reads = 0;
  blocks = 0;
  returns = 0;
  /** Called before each block is given, with its number in this read. */
  beforeBlock: (block: number) => void | Promise<void> = () => undefined;

  /** The variant with that content, which is there from now on. */
  add(content: string | Buffer, over: Partial<Variant> = {}): Variant {
    const data = Buffer.from(content);
    const { digest, blocks, blockSize } = hashedAtOnce(data, bytes(data.length));
    this.contents.set(digest, data);
    return {
      coding: null,
      language: null,
      type: 'text/plain; charset=utf-8',
      etag: `"${digest.slice(0, 16)}"`,
      lastModified: epochMs(1_690_000_000_000),
      length: bytes(data.length),
      digest,
      blockSize,
      blocks,
      ...over,
    };
  }

  has({ digest }: Variant): boolean {
    return !this.notHere.has(digest);
  }

  async *read({ digest, blockSize }: Variant, from: Bytes, to: Bytes): AsyncGenerator<Buffer> {
    this.reads++;
    const content = this.contents.get(digest);
    let block = 0;
    try {
      for (let at: number = from; at < to;) {
        await this.beforeBlock(block++);
        if (content === undefined) throw new Error('no such content');
        const end = Math.min(to, (Math.floor(at / blockSize) + 1) * blockSize);
        this.blocks++;
        yield content.subarray(at, end);
        at = end;
      }
    } finally {
      this.returns++;
    }
  }
}

export const block = (fields: Readonly<Record<string, string>>): PublishedDocument['fields'] =>
  fieldsBlock(Object.entries(fields).flat());

export interface VisitorOptions {
  readonly method?: string;
  readonly fields?: Readonly<Record<string, string | readonly string[]>>;
  readonly cancellation?: Cancellation;
}

/** A request as a listener would hand it over. */
export function visitor(uri: string, { method = 'GET', fields = {}, ...rest }: VisitorOptions = {}): Request {
  return {
    method,
    target: targetOf(uri),
    form: 'origin',
    version: '1.1',
    fields: Fields.of(fields),
    body: null,
    client: { address: '192.0.2.1', port: 1, secure: false },
    receivedAt: epochMs(0),
    id: 'r1',
    record: emptyRecord(),
    cancellation: rest.cancellation ?? new Cancellation(),
    inform: () => undefined,
  };
}

export function targetOf(uri: string): TargetUri {
  const [, scheme = '', authority = '', path = ''] = /^(https?):\/\/([^/]*)(.*)$/.exec(uri) ?? [];
  const [host = '', port] = authority.split(':');
  const usual = scheme === 'https' ? 443 : 80;
  return { scheme: scheme as 'http' | 'https', host, port: Number(port ?? usual), authority, path };
}

export interface Received {
  readonly status: number;
  /** By name in lower case; lines of one name joined. */
  readonly fields: Readonly<Record<string, string>>;
  readonly content: Buffer;
}

/** What a visitor gets to see. */
export async function received(answer: Response | Promise<Response>): Promise<Received> {
  const { status, fields, body } = await answer;
  const content = body === null ? Buffer.alloc(0) : await readAll(body, bytes(1e9));
  return {
    status,
    fields: Object.fromEntries([...fields.names()].map((name) => [name, fields.get(name) ?? ''])),
    content,
  };
}

/** The value of `Repr-Digest` for a content. */
export const reprDigest = (content: string | Buffer): string =>
  `sha-256=:${createHash('sha256').update(content).digest('base64')}:`;
