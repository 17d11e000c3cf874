import type { Response } from '../../proxy/http/message.js';
import { wholeAnswer } from '../../wlis/calls/call-answer.js';
import { malformedCall } from '../../wlis/calls/malformed-call.js';
import type { CallResource, ReceivedCall } from '../../wlis/calls/received-call.js';
import { canonicalUri, type CanonicalUri } from '../../wlis/canonical-uri.js';
import { pathInside } from '../../wlis/namespace.js';
import { NotCanonical } from '../../wlis/not-canonical.js';
import { proofAnswer } from '../../wlis/trust/proof-answer.js';
import type { BlobReads } from './blob-reads.js';
import { headLine, namespaceIn, present, type HeldNamespaces } from './held-namespaces.js';
import { proofSource } from './proof-making.js';

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
    const { namespaces, blobs } = this.#options;
    const { held } = namespaceIn(call, namespaces);
    const uri = uriIn(call);
    const path = pathInside(held.namespace, uri);
    if (path === null) throw malformedCall(`'uri' is not inside ${held.namespace}`);
    const provable = present(await held.provable(path), held);
    const text = proofAnswer(uri, await proofSource(path, provable, held, blobs));
    return wholeAnswer('application/json', text, headLine(provable, held));
  }
}

/** @throws CallProblem malformed-call */
export function uriIn({ query }: ReceivedCall): CanonicalUri {
  try {
    return canonicalUri(query.get('uri') ?? '');
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw malformedCall(`'uri': ${error.message}`);
  }
}
