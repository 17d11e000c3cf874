import { canonicalJson, parseCanonicalJson } from '../../wlis/trust/canonical-json.js';
import { parseFieldsBlock } from '../../wlis/trust/fields-block.js';
import { Members } from '../../wlis/trust/members.js';
import type { DocumentRecord } from '../../wlis/trust/record.js';
import { parseVariant, variantJson } from '../../wlis/trust/variant.js';

/** What a source says of a document: its record without namespace, epoch and number, which it has once it is published. */
export type PublishedDocument = Pick<DocumentRecord, 'path' | 'status' | 'fields' | 'variants'>;

/** A document without its path as one line, the same for equal documents. */
export const documentText = ({ status, fields, variants }: Omit<PublishedDocument, 'path'>): string =>
  canonicalJson({ status, fields, variants: variants.map(variantJson) });

/** The opposite. @throws NotBelieved */
export function parseDocument(path: string, text: string): PublishedDocument {
  const members = new Members(parseCanonicalJson(text, 'document', longestText), 'document');
  const status = members.value('status') as DocumentRecord['status'];
  const fields = parseFieldsBlock(members.value('fields'));
  const variants = members.list('variants', 64).map((one, i) => parseVariant(one, `document: variant ${i}`));
  members.end();
  return { path, status, fields, variants };
}

/** Whether two texts differ in nothing but when the bytes were modified last, which were not. */
export function saysTheSame(a: string, b: string): boolean {
  return a === b || timeless(a) === timeless(b);
}

const timeless = (text: string): string => text.replace(/"lastModified":\d+,/g, '');

const longestText = 131_072;
