import { randomBytes } from 'node:crypto';
import { bytes, type Bytes } from '../../config/units.js';
import type { Response } from '../../proxy/http/message.js';
import { uriInside } from '../../wlis/namespace.js';
import { NOT_FOUND } from '../../wlis/trust/record.js';
import type { Variant } from '../../wlis/trust/variant.js';
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
} from '../pull/bundle-format.js';
import { parseDocument } from '../source/published-document.js';
import type { BlobReads } from './blob-reads.js';
import { madeAnswer } from './call-answer.js';
import { changesSince } from './changes-resource.js';
import { admitted, headLine, present, type HeldNamespaces } from './held-namespaces.js';
import { IteratedBody } from './iterated-body.js';
import { malformedCall } from './malformed-call.js';
import type { CallResource, ReceivedCall } from './received-call.js';
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
    const body = new IteratedBody(this.#pieces({ held, edition, changes, boundary, most }), null);
    return madeAnswer(call.request, bundleMediaType(boundary), body, headLine(edition, held));
  }

  async *#pieces({ held, edition, changes, boundary, most }: Bundle): AsyncGenerator<Buffer> {
    const { epoch, seq: last } = edition.head.head;
    const sent = new Set<Digest>();
    let room = most - bundleEnd(boundary).length;
    for (const [i, { path, seq, document }] of changes.entries()) {
      const variants = document === null ? [] : shortOnes(path, document).filter(({ digest }) => !sent.has(digest));
      const contents = await this.#contents(variants);
      for (const [n, { variant, content }] of contents.entries()) {
        const isLast = n === contents.length - 1;
        const upTo = { epoch, seq: isLast ? (changes[i + 1]?.seq ?? last + 1) - 1 : seq - 1 };
        const uri = path === NOT_FOUND ? null : uriInside(held.namespace, path);
        const pieces = bundlePart({ uri, variant, upTo, content }, boundary);
        room -= sizeOfPart(pieces);
        if (room < 0) {
          yield bundleEnd(boundary);
          return;
        }
        sent.add(variant.digest);
        yield Buffer.concat(pieces);
      }
    }
    yield bundleEnd(boundary);
  }

  /** What is not here any more is left out. */
  async #contents(variants: readonly Variant[]): Promise<{ variant: Variant; content: Buffer }[]> {
    const { blobs } = this.#options;
    const contents: { variant: Variant; content: Buffer }[] = [];
    for (const variant of variants) {
      if (blobs.lengthOf(variant.digest) !== variant.length) continue;
      try {
        contents.push({ variant, content: await blobs.readWhole(variant.digest) });
      } catch (error) {
        if (!(error instanceof BlobStoreError)) throw error;
      }
    }
    return contents;
  }
}

interface Bundle {
  readonly held: HeldNamespace;
  readonly edition: Edition;
  readonly changes: readonly Change<string>[];
  readonly boundary: string;
  readonly most: Bytes;
}

/** Each content once. */
function shortOnes(path: string, document: string): readonly Variant[] {
  const byDigest = new Map<Digest, Variant>();
  for (const variant of parseDocument(path, document).variants) {
    if (variant.length <= LONGEST_BUNDLED && !byDigest.has(variant.digest)) byDigest.set(variant.digest, variant);
  }
  return [...byDigest.values()];
}

function mostIn({ query }: ReceivedCall): Bytes {
  const text = query.get('maxBytes') ?? String(usualBundle);
  const most = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (most < LEAST_BUNDLE) throw malformedCall(`'maxBytes' is no number of bytes from ${LEAST_BUNDLE} on`);
  return bytes(Math.min(most, longestBundle));
}

const usualBundle = bytes(8 * 1_048_576);
const longestBundle = bytes(64 * 1_048_576);
