import type { Namespace } from '../wlis/namespace.js';
import { digestOfText, type Digest } from '../wlis/trust/digest.js';
import { canonicalJson } from '../wlis/trust/canonical-json.js';
import type { Change } from './change-list.js';

/**
 * The exact text of the record of a change (`recordText`), made from the text of its document, which has all the rest in the
 * order in which it stands there.
 */
export function recordTextOf({ path, seq, document }: RecordedChange, namespace: Namespace, epoch: string): string {
  const place = { epoch, namespace, path, seq };
  if (document === null) return canonicalJson({ kind: 'removal/1', ...place });
  // in a string the quotes would be escaped: nothing before it can look like this
  const behindFields = document.indexOf(',"status":');
  const middle = canonicalJson({ kind: 'document/1', namespace, path, seq }).slice(1, -1);
  return `{"epoch":${JSON.stringify(epoch)},${document.slice(1, behindFields)},${middle}${document.slice(behindFields)}`;
}

/** What the trie has for it; null for a removal. */
export const recordDigestOf = (change: RecordedChange, namespace: Namespace, epoch: string): Digest | null =>
  change.document === null ? null : digestOfText(recordTextOf(change, namespace, epoch));

type RecordedChange = Pick<Change<string>, 'path' | 'seq' | 'document'>;
