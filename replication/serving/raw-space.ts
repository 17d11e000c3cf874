import type { Bytes } from '../../config/units.js';
import { WillisError } from '../../proxy/base/errors.js';
import type { Logger } from '../../proxy/base/logger.js';
import { Fields } from '../../proxy/http/fields.js';
import type { Request, Response } from '../../proxy/http/message.js';
import { parseRequestTarget } from '../../proxy/http/request-target.js';
import { RetargetedRequest } from '../../proxy/http/retargeted-request.js';
import type { TargetUri } from '../../proxy/http/target-uri.js';
import { problemAnswer, withoutContent } from '../../wlis/calls/call-answer.js';
import { CallProblem } from '../../wlis/calls/call-problem.js';
import { beyondDocument } from '../../wlis/beyond-document.js';
import { HEAD_FIELD, headField } from '../../wlis/calls/head-field.js';
import type { Namespace } from '../../wlis/namespace.js';
import { PROOF_FIELD } from '../../wlis/piggyback/proof-field.js';
import type { BlobReads } from '../calls/blob-reads.js';
import { pathsAround } from '../calls/proof-making.js';
import type { HeldNamespace, Provable } from '../held-namespace.js';
import type { DocumentHandler, Saying } from './document-handler.js';
import { documentPath } from './document-lookup.js';
import { RawProofs } from './raw-proofs.js';

export interface RawSpaceOptions {
  readonly documents: Pick<DocumentHandler, 'answer'>;
  readonly blobs: BlobReads;
  /** For proofs that are made already. */
  readonly memory: Bytes;
  readonly logger: Pick<Logger, 'error'>;
}

/** One request for a raw document. */
export interface RawVisit {
  /** Of the document. @throws WillisError bad-request */
  readonly target: () => TargetUri;
  readonly saying: Saying;
  /** As `reachedFloor`. */
  readonly floor: (aimed: Request) => Promise<void> | null;
}

/**
 * Documents as their records have them, each with what proves it: `…/raw/<label>/<path>`. Status, fields and bytes are those
 * that visitors get, so that programs that verify nothing can use them too; and there are `WLIS-Head`, `WLIS-Proof` (but where
 * it would be too long, or what is visible has just changed), `Digest` (RFC 3230), and leave for pages of any origin to read
 * them. Cookies and credentials change nothing here. A browser that is led here gets documents in an origin of their own.
 */
export class RawSpace {
  readonly #options: RawSpaceOptions;
  readonly #proofs: RawProofs;

  constructor(options: RawSpaceOptions) {
    this.#options = options;
    this.#proofs = new RawProofs(options.blobs, options.memory);
  }

  /** What proofs may take in memory. */
  get limit(): Bytes {
    return this.#options.memory;
  }

  /** What they do take. */
  get size(): Bytes {
    return this.#proofs.size;
  }

  /** Never throws: what goes wrong is answered. */
  async answer(request: Request, held: HeldNamespace, { target, saying, floor }: RawVisit): Promise<Response> {
    try {
      if (request.method === 'OPTIONS') return preflightAnswer();
      refuseMisuse(request);
      const aimed = new RetargetedRequest(request, target());
      await floor(aimed);
      return await this.#answer(aimed, held, saying);
    } catch (error) {
      const { status, fields, ...rest } = problemAnswer(this.#problem(error, request));
      const response = { status, ...rest, fields: fields.plus(...openToPages) };
      return request.method === 'HEAD' ? withoutContent(response) : response;
    }
  }

  async #answer(request: Request, held: HeldNamespace, saying: Saying): Promise<Response> {
    const path = documentPath(request.target, held);
    const known = await held.provable(path);
    // in one turn from here: what is proven is what is answered
    const provable = known !== null && isVisible(path, known, held) ? known : null;
    const answering = this.#options.documents.answer(request, held, saying);
    const proving = provable === null ? null : this.#proofs.of(path, provable, held);
    const [answer, proof] = await Promise.allSettled([answering, proving]);
    if (answer.status === 'rejected') throw answer.reason;
    if (proof.status === 'rejected') {
      answer.value.body?.cancel();
      throw proof.reason;
    }
    return withProof(answer.value, provable, held, proof.value);
  }

  #problem(error: unknown, { target, id }: Request): CallProblem {
    if (error instanceof CallProblem) return error;
    if (error instanceof WillisError) {
      return new CallProblem(error.kind.status, error.code, error.message, error.answerFields);
    }
    this.#options.logger.error({ code: 'call-failed', call: target.path, request: id, error }, 'a call failed');
    return new CallProblem(500, 'internal', 'this node failed');
  }
}

/** Whether what can be proven around a path is what is answered there. It is not while one edition takes the place of another. */
const isVisible = (path: string, { list }: Provable, held: HeldNamespace): boolean =>
  pathsAround(path, held).every((one) => held.visible(one)?.document === list.latest(one)?.document);

function withProof(response: Response, provable: Provable | null, held: HeldNamespace, proof: string | null): Response {
  const lines = [...openToPages, ...inOriginOfItsOwn];
  const digest = /^sha-256=:(.*):$/.exec(response.fields.first('repr-digest') ?? '')?.[1];
  if (digest !== undefined && !response.fields.has('digest')) lines.push('Digest', `SHA-256=${digest}`);
  if (provable !== null) {
    lines.push(HEAD_FIELD, headField({ jws: provable.head.jws, age: held.confirmedAge }));
    if (proof !== null) lines.push(PROOF_FIELD, proof);
  }
  const fields = response.fields.filter((name) => !forOwnOrigin.has(name) && !beyondDocument.has(name));
  return { ...response, fields: fields.plus(...lines) };
}

/** Methods, and what would let a document rule over others that a browser has from here. @throws CallProblem */
function refuseMisuse({ method, fields }: Request): void {
  if (method !== 'GET' && method !== 'HEAD') {
    const allowed = ['Allow', 'GET, HEAD, OPTIONS'];
    throw new CallProblem(405, 'method-not-allowed', 'documents cannot be changed here', allowed);
  }
  if (fields.first('service-worker') === 'script') {
    throw new CallProblem(403, 'no-service-worker', 'no script from here may become a service worker');
  }
  // raw pages are of no origin: those that are of this one are others, which could be made to run it as their own
  if (fields.first('sec-fetch-site') === 'same-origin' && partsOfPages.has(fields.first('sec-fetch-dest') ?? '')) {
    throw new CallProblem(403, 'no-part-of-a-page', 'nothing from here is a part of pages of this origin');
  }
}

/** Destinations of what is run, or styles others (Fetch §2.2.5). */
const partsOfPages: ReadonlySet<string> = new Set([
  ...['script', 'style', 'xslt', 'json', 'object', 'embed'],
  ...['worker', 'sharedworker', 'serviceworker', 'audioworklet', 'paintworklet'],
]);

/** What a page of another origin may ask for here (Fetch §3.2). */
const preflightAnswer = (): Response => ({
  status: 204,
  reason: 'No Content',
  fields: new Fields([
    ...['Allow', 'GET, HEAD, OPTIONS', 'Access-Control-Allow-Methods', 'GET, HEAD', ...openToPages],
    ...['Access-Control-Allow-Headers', 'Range, If-Range, If-None-Match, If-Modified-Since, WLIS-Have, WLIS-Min-Seq'],
    ...['Access-Control-Max-Age', '86400'],
  ]),
  body: null,
});

/** @param path behind the label, with its query, as received. @throws WillisError bad-request for what no document can have */
export function rawTargetIn(namespace: Namespace, path: string): TargetUri {
  const context = { method: 'GET', host: undefined, secure: false, ownAuthority: '' };
  const parsed = parseRequestTarget(namespace + path, context);
  if (parsed.form === 'absolute') return parsed.target;
  throw new WillisError('bad-request', `${namespace} has nothing of that name`);
}

const openToPages = [
  ...['Access-Control-Allow-Origin', '*'],
  ...[
    'Access-Control-Expose-Headers',
    'ETag, Repr-Digest, Digest, Content-Range, WLIS-Head, WLIS-Proof, WLIS-Namespace, WLIS-Group, WLIS-Load',
  ],
];

/** No storage, no cookies, no worker of this node's origin, whatever a document is (protocol decision 6). */
const inOriginOfItsOwn = [
  ...['Content-Security-Policy', 'sandbox allow-scripts allow-forms allow-popups'],
  ...['X-Content-Type-Options', 'nosniff'],
];

/** What a document says of other origins is meant for its own. */
const forOwnOrigin: ReadonlySet<string> = new Set([
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
]);
