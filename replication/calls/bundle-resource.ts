import { randomBytes } from 'node:crypto';
import { bytes, type Bytes } from '../../config/units.js';
import { nextTurn } from '../../proxy/cache/next-turn.js';
import type { Response } from '../../proxy/http/message.js';
import { uriInside } from '../../wlis/namespace.js';
import { NOT_FOUND } from '../../wlis/trust/record.js';
import type { Digest } from '../../wlis/trust/digest.js';
import { BlobStoreError } from '../blob-store-error.js';
import type { Change } from '../change-list.js';
import type { Edition, HeldNamespace } from '../held-namespace.js';
import {
  bundleEnd,
  bundleMediaType,
  bundlePart,
  LEAST_BUNDLE,
  LONGEST_BUNDLED,
  sizeOfPart,
  type BundlePart,
} from '../pull/bundle-format.js';
import { parseDocument } from '../source/published-document.js';
import type { BlobReads } from './blob-reads.js';
import { madeAnswer } from '../../wlis/calls/call-answer.js';
import { changesSince } from './changes-resource.js';
import { admitted, headLine, present, type HeldNamespaces } from './held-namespaces.js';
import { IteratedBody } from '../../wlis/calls/iterated-body.js';
import { malformedCall } from '../../wlis/calls/malformed-call.js';
import type { CallResource, ReceivedCall } from '../../wlis/calls/received-call.js';
import { readAhead } from '../read-ahead.js';
import type { RememberedTries } from './remembered-tries.js';

export interface BundleResourceOptions {
  readonly namespaces: HeldNamespaces;
  readonly tries: RememberedTries;
  readonly blobs: BlobReads;
}

/** `GET …/bundle?namespace=…&since=…&maxBytes=…`: the short contents of what changed since then, in one answer (bundle-format.ts). */
export class BundleResource implements CallResource {
  readonly methods = ['GET'] as const;
  readonly #options: BundleResourceOptions;

  constructor(options: BundleResourceOptions) {
    this.#options = options;
  }

  async answer(call: ReceivedCall): Promise<Response> {
    const { namespaces, tries } = this.#options;
    const held = admitted(call, namespaces);
    const most = mostIn(call);
    const edition = present(await held.settled(), held);
    const changes = changesSince(call, held, edition, tries);
    const boundary = `wlis-${randomBytes(16).toString('hex')}`;
    const pieces = this.#pieces({ held, edition, changes, boundary, most });
    const body = new IteratedBody(gathered(pieces), null);
    return madeAnswer(call.request, bundleMediaType(boundary), body, headLine(edition, held));
  }

  async *#pieces({ held, edition, changes, boundary, most }: Bundle): AsyncGenerator<Buffer> {
    const { epoch, seq: last } = edition.head.head;
    let room = most - bundleEnd(boundary).length;
    let waiting: Omit<BundlePart, 'upTo'> | null = null;
    const piece = (part: Omit<BundlePart, 'upTo'>, seq: number): Buffer | null => {
      const pieces = bundlePart({ ...part, upTo: { epoch, seq } }, boundary);
      room -= sizeOfPart(pieces);
      return room < 0 ? null : Buffer.concat(pieces);
    };
    // a part is sent when it is known what comes next, and so how far it reaches
    for await (const one of readAhead(this.#short(changes), atOnce, (short) => this.#read(short))) {
      if (one === null) continue;
      const { path, seq, variant, content } = one;
      const sent = waiting === null ? noPiece : piece(waiting, seq - 1);
      const uri = path === NOT_FOUND ? null : uriInside(held.namespace, path);
      waiting = { uri, variant, content };
      if (sent === null) break;
      yield sent;
    }
    const sent = waiting === null || room < 0 ? null : piece(waiting, last);
    if (sent !== null) yield sent;
    yield bundleEnd(boundary);
  }

  /** Each content once; what is not here is left out. */
  async *#short(changes: readonly Change<string>[]): AsyncGenerator<Omit<ShortContent, 'content'>> {
    const { blobs } = this.#options;
    const sent = new Set<Digest>();
    for (const [i, { path, seq, document }] of changes.entries()) {
      if (i % perTurn === perTurn - 1) await nextTurn();
      for (const variant of document === null ? [] : parseDocument(path, document).variants) {
        const { digest, length } = variant;
        if (length > LONGEST_BUNDLED || sent.has(digest) || blobs.lengthOf(digest) !== length) continue;
        sent.add(digest);
        yield { path, seq, variant };
      }
    }
  }

  async #read(short: Omit<ShortContent, 'content'>): Promise<ShortContent | null> {
    const content = await this.#options.blobs.readWhole(short.variant.digest).catch(missing);
    return content && { ...short, content };
  }
}

interface ShortContent extends Pick<BundlePart, 'variant' | 'content'> {
  readonly path: string;
  readonly seq: number;
}

/** Fewer and longer pieces: each is a step of the compression and of the connection. */
async function* gathered(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let size = 0;
  for await (const piece of pieces) {
    waiting.push(piece);
    size += piece.length;
    if (size < pieceSize) continue;
    yield Buffer.concat(waiting);
    [waiting, size] = [[], 0];
  }
  if (size > 0) yield Buffer.concat(waiting);
}

const pieceSize = 65_536;

function missing(error: unknown): null {
  if (error instanceof BlobStoreError) return null;
  throw error;
}

const perTurn = 200;
/** Contents that are read ahead. */
const atOnce = 32;
const noPiece = Buffer.alloc(0);

interface Bundle {
  readonly held: HeldNamespace;
  readonly edition: Edition;
  readonly changes: readonly Change<string>[];
  readonly boundary: string;
  readonly most: Bytes;
}

function mostIn({ query }: ReceivedCall): Bytes {
  const text = query.get('maxBytes') ?? String(usualBundle);
  const most = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (most < LEAST_BUNDLE) throw malformedCall(`'maxBytes' is no number of bytes from ${LEAST_BUNDLE} on`);
  return bytes(Math.min(most, longestBundle));
}

const usualBundle = bytes(8 * 1_048_576);
const longestBundle = bytes(64 * 1_048_576);
