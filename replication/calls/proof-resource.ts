import { bytes } from '../../config/units.js';
import type { Response } from '../../proxy/http/message.js';
import { canonicalUri, type CanonicalUri } from '../../wlis/canonical-uri.js';
import { pathInside } from '../../wlis/namespace.js';
import { NotCanonical } from '../../wlis/not-canonical.js';
import type { Digest } from '../../wlis/trust/digest.js';
import { proofAnswer } from '../../wlis/trust/proof-answer.js';
import { NOT_FOUND, recordKey } from '../../wlis/trust/record.js';
import { BlobStoreError } from '../blob-store-error.js';
import { recordTextOf } from '../document-record.js';
import type { HeldNamespace, Provable } from '../held-namespace.js';
import { parseDocument } from '../source/published-document.js';
import type { BlobReads } from './blob-reads.js';
import { wholeAnswer } from '../../wlis/calls/call-answer.js';
import { headLine, namespaceIn, present, type HeldNamespaces } from './held-namespaces.js';
import { malformedCall } from '../../wlis/calls/malformed-call.js';
import type { CallResource, ReceivedCall } from '../../wlis/calls/received-call.js';

export interface ProofResourceOptions {
  readonly namespaces: HeldNamespaces;
  readonly blobs: BlobReads;
}

/** `GET …/proof?namespace=…&uri=…`: what is needed to believe an answer for that URI, be it that there is nothing. */
export class ProofResource implements CallResource {
  readonly methods = ['GET'] as const;
  readonly #options: ProofResourceOptions;

  constructor(options: ProofResourceOptions) {
    this.#options = options;
  }

  async answer(call: ReceivedCall): Promise<Response> {
    const { held } = namespaceIn(call, this.#options.namespaces);
    const uri = uriIn(call);
    const path = pathInside(held.namespace, uri);
    if (path === null) throw malformedCall(`'uri' is not inside ${held.namespace}`);
    const provable = present(await held.provable(path), held);
    const texts = textsOf(provable, held, [path, NOT_FOUND]);
    const lists = await this.#blockLists(provable, path);
    const text = proofAnswer(uri, {
      head: provable.head,
      trie: provable.trie,
      recordText: (key) => texts.get(key) ?? '',
      blockList: (record, variant) => lists.get(record.variants[variant]?.blocks as Digest) ?? null,
    });
    return wholeAnswer('application/json', text, headLine(provable, held));
  }

  /** Those that are short: others are asked for by themselves. */
  async #blockLists({ list }: Provable, path: string): Promise<ReadonlyMap<Digest, Buffer>> {
    const { blobs } = this.#options;
    const lists = new Map<Digest, Buffer>();
    const document = list.latest(path)?.document ?? null;
    if (document === null) return lists;
    for (const { length, blockSize, blocks } of parseDocument(path, document).variants) {
      const size = blobs.lengthOf(blocks);
      if (length <= blockSize || size === undefined || size > longestList) continue;
      const content = await blobs.readWhole(blocks).catch((error: unknown) => {
        if (error instanceof BlobStoreError) return null;
        throw error;
      });
      if (content !== null) lists.set(blocks, content);
    }
    return lists;
  }
}

/** The records at some paths, by their keys. */
function textsOf(
  { list, head }: Provable,
  { namespace }: HeldNamespace,
  paths: readonly string[],
): Map<string, string> {
  const texts = new Map<string, string>();
  for (const path of paths) {
    const change = list.latest(path);
    if (change === undefined) continue;
    texts.set(recordKey({ namespace, path }), recordTextOf(change, namespace, head.head.epoch));
  }
  return texts;
}

function uriIn({ query }: ReceivedCall): CanonicalUri {
  try {
    return canonicalUri(query.get('uri') ?? '');
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw malformedCall(`'uri': ${error.message}`);
  }
}

/** Of 128 blocks. */
const longestList = bytes(4096);
