import { bytes, type EpochMs } from '../../config/units.js';
import { Fields } from '../../proxy/http/fields.js';
import type { Response } from '../../proxy/http/message.js';
import { wholeAnswer } from '../../wlis/calls/call-answer.js';
import { CallProblem } from '../../wlis/calls/call-problem.js';
import { CALLS } from '../../wlis/calls/call-target.js';
import { malformedCall } from '../../wlis/calls/malformed-call.js';
import type { CallResource, ReceivedCall } from '../../wlis/calls/received-call.js';
import { negotiate } from '../../wlis/documents/negotiation.js';
import { pathInside, plainPath } from '../../wlis/namespace.js';
import { GroupLinks } from '../../wlis/piggyback/group-links.js';
import { metalink, METALINK_TYPE } from '../../wlis/piggyback/metalink.js';
import { digestFrom, type Digest } from '../../wlis/trust/digest.js';
import type { SignedGroup } from '../../wlis/trust/group.js';
import type { Variant } from '../../wlis/trust/variant.js';
import { BlobStoreError } from '../blob-store-error.js';
import type { HeldNamespace } from '../held-namespace.js';
import { parseDocument } from '../source/published-document.js';
import type { BlobReads } from './blob-reads.js';
import { namespaceIn, type HeldNamespaces } from './held-namespaces.js';
import { uriIn } from './proof-resource.js';

export interface MetalinkResourceOptions {
  readonly namespaces: HeldNamespaces;
  readonly blobs: BlobReads;
  /** The group of a namespace that is held. @throws CallProblem not-ready */
  readonly groupFor: (call: ReceivedCall) => SignedGroup;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
}

/**
 * `GET …/metalink?namespace=…&uri=…`: a document as downloaders read it (RFC 5854), its length, digests, and where it can be had.
 * Of several variants it is the one that a client gets that says nothing of what it likes.
 */
export class MetalinkResource implements CallResource {
  readonly methods = ['GET'] as const;
  readonly #options: MetalinkResourceOptions;

  constructor(options: MetalinkResourceOptions) {
    this.#options = options;
  }

  async answer(call: ReceivedCall): Promise<Response> {
    const { namespaces, groupFor, now } = this.#options;
    const { held } = namespaceIn(call, namespaces);
    const { group } = groupFor(call);
    const [path, variant] = documentIn(call, held);
    const { length, digest } = variant;
    const copies = new GroupLinks(group, null, now()).duplicates(path, length);
    const pieces = await this.#pieces(variant);
    const { target } = call.request;
    const { namespace } = held;
    const query = `namespace=${encodeURIComponent(namespace)}&uri=${encodeURIComponent(namespace + path)}`;
    const self = `${target.scheme}://${target.authority}${CALLS}metalink?${query}`;
    return wholeAnswer(METALINK_TYPE, metalink(self, { path, length, digest, pieces, copies }));
  }

  /** Null where they cannot be told: the digest of the whole is enough. */
  async #pieces({ length, blockSize, blocks }: Variant) {
    const { blobs } = this.#options;
    if (length <= blockSize || blobs.lengthOf(blocks) === undefined) return null;
    const list = await blobs.readWhole(blocks).catch((error: unknown) => {
      if (error instanceof BlobStoreError) return null;
      throw error;
    });
    if (list === null) return null;
    const digests: Digest[] = [];
    for (let at = 0; at < list.length; at += 32) digests.push(digestFrom(list, at));
    return { size: bytes(blockSize), digests };
  }
}

/** @throws CallProblem malformed-call, no-such-document */
function documentIn(call: ReceivedCall, held: HeldNamespace): readonly [path: string, Variant] {
  const path = pathInside(held.namespace, uriIn(call));
  if (path === null) throw malformedCall(`'uri' is not inside ${held.namespace}`);
  const plain = held.policy.query === 'ignore' ? plainPath(path) : null;
  for (const one of plain === null ? [path] : [path, plain]) {
    const text = held.visible(one)?.document;
    if (text == null) continue;
    const { status, variants } = parseDocument(one, text);
    const variant = variants[negotiate(variants, Fields.none)];
    if (status === 200 && variant !== undefined) return [one, variant];
    break;
  }
  throw new CallProblem(404, 'no-such-document', 'there is no document of that URI with content');
}
