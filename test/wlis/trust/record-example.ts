import { bytes, epochMs } from '../../../config/units.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import { blockSizeFor } from '../../../wlis/trust/block-list.js';
import { digestOfText } from '../../../wlis/trust/digest.js';
import { parseEpoch } from '../../../wlis/trust/epoch.js';
import { fieldsBlock } from '../../../wlis/trust/fields-block.js';
import type { DocumentRecord } from '../../../wlis/trust/record.js';
import { oneBlockList, type Variant } from '../../../wlis/trust/variant.js';

export const manual = parseNamespace('https://docs.example.org/manual/');
export const firstEpoch = parseEpoch('1700000000000-0123456789abcdef');

/** The variant with that content, of characters in ASCII, in one block. */
export function variantOf(content: string, over: Partial<Variant> = {}): Variant {
  const length = bytes(content.length);
  const digest = digestOfText(content);
  return {
    coding: null,
    language: null,
    type: 'text/plain',
    etag: `"${digest.slice(0, 16)}"`,
    lastModified: epochMs(1_699_999_999_000),
    length,
    digest,
    blockSize: blockSizeFor(length),
    blocks: oneBlockList(length, digest),
    ...over,
  };
}

export const recordOf = (path: string, over: Partial<DocumentRecord> = {}): DocumentRecord => ({
  kind: 'document',
  namespace: manual,
  path,
  epoch: firstEpoch,
  seq: 1,
  status: 200,
  fields: fieldsBlock(['Cache-Control', 'max-age=60']),
  variants: [variantOf(`content of ${path}`)],
  ...over,
});
