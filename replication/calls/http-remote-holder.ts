import { hash } from 'node:crypto';
import { bytes, type Bytes, type Milliseconds } from '../../config/units.js';
import { parseContentRange } from '../../proxy/http/range.js';
import type { Digest } from '../../wlis/trust/digest.js';
import { openHead } from '../../wlis/trust/head.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import type { KeyId, PublicKey } from '../../wlis/trust/public-key.js';
import { LONGEST_RECORD, parseRecord, recordKey, type DocumentRecord } from '../../wlis/trust/record.js';
import type { Prefix } from '../../wlis/trust/trie-part.js';
import { LONGEST_SUBTREE } from '../../wlis/trust/trie-subtree.js';
import { bundleBoundary, BundleParser } from '../pull/bundle-parser.js';
import type {
  BundledContent,
  ChangesAnswer,
  HeadAnswer,
  ListPosition,
  NoChanges,
  RemoteHolder,
} from '../remote-holder.js';
import { LONGEST_BLOCK_LIST } from './block-list-resource.js';
import { disbelieved } from '../../wlis/calls/call-failures.js';
import { HEAD_FIELD, parseHeadField } from '../../wlis/calls/head-field.js';
import { positionText } from './list-position.js';
import { ReceivedChanges } from './received-changes.js';
import {
  RemoteCalls,
  shortContent,
  type OpenedAnswer,
  type RemoteCallsOptions,
} from '../../wlis/calls/remote-calls.js';
import { readList } from '../../wlis/calls/remote-list.js';

export interface HttpRemoteHolderOptions extends RemoteCallsOptions {
  /** The key of that name if it signs for the namespace now. */
  readonly keyFor: (id: KeyId) => PublicKey | null;
  /** Of one list of changes. */
  readonly mostChanges?: number;
  readonly mostBytes?: Bytes;
}

/**
 * Another node that holds a namespace, over HTTP. What needs a clock, or what is held here, is not judged: whether a head has
 * expired, and whether it is news (`judgeHead`).
 */
export class HttpRemoteHolder implements RemoteHolder {
  readonly #options: HttpRemoteHolderOptions;
  readonly #calls: RemoteCalls;

  /** @throws CallFailed if the namespace may not be carried that way */
  constructor(options: HttpRemoteHolderOptions) {
    this.#options = options;
    this.#calls = new RemoteCalls(options);
  }

  get url(): string {
    return this.#options.url;
  }

  head(
    after: Pick<ListPosition, 'epoch' | 'seq'> | null,
    wait: Milliseconds,
    signal: AbortSignal,
  ): Promise<HeadAnswer> {
    const position = after === null ? null : positionText({ ...after, root: null });
    const query = { after: position, wait: wait > 0 ? String(Math.round(wait) / 1000) : null };
    return this.#calls.call({ name: 'head', query, wait, signal }, [200], async (answer) => {
      await shortContent(answer.body, longestHead, 'head');
      return this.#headIn(answer);
    });
  }

  changes(since: ListPosition | null, signal: AbortSignal): Promise<ChangesAnswer | NoChanges> {
    const query = { since: since === null ? null : positionText(since) };
    return this.#calls.call({ name: 'changes', query, signal }, [200, 409, 410], async (answer, { type }) => {
      const head = await this.#headIn(answer);
      if (answer.status === 200) return this.#changesIn(answer, head, since);
      if (since !== null && (type === 'diverged' || type === 'forgotten')) return { kind: type, ...head };
      throw new NotBelieved('malformed', `changes: answered ${answer.status} without a reason that it can have`);
    });
  }

  subtrees(root: Digest, prefixes: readonly Prefix[], signal: AbortSignal): Promise<readonly string[]> {
    return this.#partOfTrie(root, { prefix: prefixes.join(',') }, [LONGEST_SUBTREE, prefixes.length], signal);
  }

  async records(root: Digest, keys: readonly Digest[], signal: AbortSignal): Promise<readonly DocumentRecord[]> {
    if (keys.length === 0) return [];
    const lines = await this.#partOfTrie(root, { keys: keys.join(',') }, [LONGEST_RECORD, keys.length], signal);
    return this.#believing(() => lines.map((line, i) => this.#recordIn(line, keys[i] as Digest)));
  }

  blob(digest: Digest, from: Bytes, to: Bytes, signal: AbortSignal): AsyncIterable<Buffer> {
    if (to <= from) return nothing();
    const fields = ['Accept-Encoding', 'identity', 'Range', `bytes=${from}-${to - 1}`];
    const asked = { name: `blob/${digest}`, query: null, fields, signal };
    return this.#calls.stream(asked, [200, 206], (answer) => exactly(answer, digest, from, to));
  }

  blockList(digest: Digest, signal: AbortSignal): Promise<Buffer> {
    const fields = ['Accept-Encoding', 'identity'];
    return this.#calls.call({ name: `blocks/${digest}`, query: null, fields, signal }, [200], async ({ body }) => {
      const list = await shortContent(body, LONGEST_BLOCK_LIST, `block list ${digest}`);
      if (hash('sha256', list) === digest) return list;
      throw new NotBelieved('wrong-digest', `block list ${digest}: ${list.length} bytes of another digest`);
    });
  }

  bundle(since: ListPosition | null, maxBytes: Bytes, signal: AbortSignal): AsyncIterable<BundledContent> {
    const query = { since: since === null ? null : positionText(since), maxBytes: String(maxBytes) };
    return this.#calls.stream({ name: 'bundle', query, signal }, [200], (answer) =>
      contentsIn(answer, since, maxBytes),
    );
  }

  async #headIn({ fields }: OpenedAnswer): Promise<HeadAnswer> {
    const { jws, age } = parseHeadField(fields.get(HEAD_FIELD.toLowerCase()));
    return { head: await openHead(jws, this.#options.namespace, this.#options.keyFor), age };
  }

  async #changesIn({ body }: OpenedAnswer, head: HeadAnswer, since: ListPosition | null): Promise<ChangesAnswer> {
    const { namespace, mostChanges = 2_000_000, mostBytes = bytes(2 ** 31) } = this.#options;
    const received = new ReceivedChanges(namespace, head.head.head, since);
    const limits = { longestLine: LONGEST_RECORD, mostLines: mostChanges, mostBytes };
    const tail = await readList(body, limits, (line) => received.take(line));
    received.end(tail);
    return { kind: 'changes', ...head, records: received.records, sets: tail.sets ?? [], tail };
  }

  #partOfTrie(
    root: Digest,
    query: Readonly<Record<string, string>>,
    [longestLine, count]: readonly [number, number],
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    return this.#calls.call({ name: 'trie', query: { root, ...query }, signal }, [200], async ({ body }) => {
      const lines: string[] = [];
      const mostBytes = bytes((count + 1) * longestLine);
      const tail = await readList(body, { longestLine, mostLines: count, mostBytes }, (line) => lines.push(line));
      if (tail.root !== root) throw new NotBelieved('wrong-subject', `trie: of the root ${tail.root}, not ${root}`);
      if (lines.length === count) return lines;
      throw new NotBelieved('malformed', `trie: ${lines.length} lines for ${count} prefixes or keys`);
    });
  }

  #recordIn(line: string, key: Digest): DocumentRecord {
    const record = parseRecord(line);
    if (record.kind === 'document' && record.namespace === this.#options.namespace && recordKey(record) === key) {
      return record;
    }
    throw new NotBelieved('wrong-subject', `trie: another record than that of ${key}`);
  }

  #believing<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw disbelieved(this.url, error);
    }
  }
}

/** The range that was asked for, neither more nor less. */
async function* exactly(
  { status, fields, body }: OpenedAnswer,
  digest: Digest,
  from: Bytes,
  to: Bytes,
): AsyncGenerator<Buffer> {
  const what = `blob ${digest}, from ${from} to ${to}`;
  const said = status === 206 ? parseContentRange(fields.get('content-range') ?? '') : { from: 0, to: body.length };
  if (said === null || 'unsatisfied' in said || said.from !== from || said.to !== to) {
    throw new NotBelieved('wrong-subject', `${what}: answered ${status} with another range`);
  }
  let received = 0;
  for (let chunk = await body.read(); chunk !== null; chunk = await body.read()) {
    received += chunk.length;
    if (received > to - from) throw new NotBelieved('too-large', `${what}: more bytes than that`);
    yield chunk;
  }
  if (received < to - from) throw new NotBelieved('malformed', `${what}: only ${received} bytes`);
}

async function* contentsIn(
  { fields, body }: OpenedAnswer,
  since: ListPosition | null,
  maxBytes: Bytes,
): AsyncGenerator<BundledContent> {
  const parser = new BundleParser(bundleBoundary(fields.get('content-type')), maxBytes);
  for (let chunk = await body.read(); chunk !== null; chunk = await body.read()) {
    for (const part of parser.take(chunk)) {
      if (since !== null && part.epoch !== since.epoch) {
        throw new NotBelieved('out-of-date', `bundle: of the epoch ${part.epoch} for a list of ${since.epoch}`);
      }
      yield part;
    }
  }
  parser.end();
}

// eslint-disable-next-line @typescript-eslint/require-await -- an iterable of nothing
async function* nothing(): AsyncGenerator<Buffer> {
  yield* [];
}

const longestHead = 65_536;
