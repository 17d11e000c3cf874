import { bytes, type Bytes } from '../../config/units.js';
import { WillisError } from '../../proxy/base/errors.js';
import { hrefOf, type TargetUri } from '../../proxy/http/target-uri.js';
import { plainPath } from '../../wlis/namespace.js';
import { NotCanonical } from '../../wlis/not-canonical.js';
import { requestedPath } from '../../wlis/requested-path.js';
import { NOT_FOUND } from '../../wlis/trust/record.js';
import type { HeldNamespace } from '../held-namespace.js';
import { parseDocument } from '../source/published-document.js';
import { PreparedDocument } from '../../wlis/documents/prepared-document.js';
import { RecentlyUsed } from '../../proxy/cache/recently-used.js';

/** As much of a namespace as documents are found by. */
export type Searched = Pick<HeldNamespace, 'namespace' | 'policy' | 'visible'>;

export interface FoundDocument {
  /** Its own, which may lack the query that was asked for. */
  readonly path: string;
  readonly document: PreparedDocument;
}

/** Finds the documents of namespaces, and keeps the last used ones prepared. */
export class DocumentLookup {
  /** By their text, which is the same for equal documents. */
  readonly #prepared: RecentlyUsed<string, PreparedDocument>;

  constructor(limit: Bytes) {
    this.#prepared = new RecentlyUsed(limit);
  }

  get size(): Bytes {
    return this.#prepared.size;
  }

  /**
   * The document that is visible for a target; null if there is none. A query that no document has is dropped where the
   * namespace says so, and other spellings of a path lead to it.
   * @throws WillisError misdirected, bad-request
   */
  find(target: TargetUri, held: Searched): FoundDocument | null {
    const path = documentPath(target, held);
    const document = this.#at(path, held);
    if (document !== null) return { path, document };
    const plain = held.policy.query === 'ignore' ? plainPath(path) : null;
    const other = plain === null ? null : this.#at(plain, held);
    return other === null ? null : { path: plain as string, document: other };
  }

  /** What the namespace has to say of whatever is not there; null if it says nothing. */
  notFound(held: Searched): PreparedDocument | null {
    return this.#at(NOT_FOUND, held);
  }

  #at(path: string, held: Searched): PreparedDocument | null {
    const text = held.visible(path)?.document;
    if (text == null) return null;
    const known = this.#prepared.use(text);
    if (known !== undefined) return known;
    const document = new PreparedDocument(parseDocument(path, text));
    this.#prepared.put(text, document, bytes(document.footprint + 2 * text.length));
    return document;
  }
}

/**
 * The path that a document has for a target. The scheme is a part of that: documents of an https namespace are not to be had
 * over http (protocol rule 13).
 * @throws WillisError misdirected, bad-request
 */
export function documentPath(target: TargetUri, { namespace }: Pick<Searched, 'namespace'>): string {
  try {
    const path = requestedPath(target, namespace);
    if (path !== null) return path;
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw new WillisError('bad-request', `${hrefOf(target)}: ${error.message}`, { cause: error });
  }
  throw new WillisError('misdirected', `${hrefOf(target)} is not in the namespace ${namespace}`);
}
