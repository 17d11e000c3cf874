import { valuesIn } from '../../wlis/trust/fields-block.js';
import type { Variant } from '../../wlis/trust/variant.js';
import { robotsWords } from '../../wlis/html/extract/robots-words.js';
import { parseDocument } from '../source/published-document.js';

/**
 * The representation of a document by whose words it can be found: the first that is HTML or plain text, one without a coding
 * before one with a known one. Null if there is none, or it is not to be found: it has another status than 200, or says so.
 *
 * @param document as `documentText` makes it; null for a removal
 */
export function indexableVariant(path: string, document: string | null): Variant | null {
  if (document === null || !/"text\//i.test(document)) return null;
  const { status, fields, variants } = parseDocument(path, document);
  if (status !== 200 || valuesIn(fields, 'x-robots-tag').some((value) => robotsWords(value).noindex)) return null;
  const texts = variants.filter(({ type }) => type !== null && /^text\/(?:html|plain)(?:$|[\s;])/i.test(type));
  return texts.find(({ coding }) => coding === null) ?? texts.find(({ coding }) => codings.has(coding)) ?? null;
}

const codings = new Set<string | null>(['gzip', 'br']);
