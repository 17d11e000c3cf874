import type { Bytes } from '../../config/units.js';
import type { Digest } from '../trust/digest.js';
import type { Duplicate } from './group-links.js';

export const METALINK_TYPE = 'application/metalink4+xml';

/** A document as a metalink describes it (RFC 5854). */
export interface DescribedFile {
  /** Its path, with its query. */
  readonly path: string;
  readonly length: Bytes;
  readonly digest: Digest;
  /** Null for content of one block. */
  readonly pieces: { readonly size: Bytes; readonly digests: readonly Digest[] } | null;
  /** Where it can be had, the best first. */
  readonly copies: readonly Duplicate[];
}

/** @param self the URL of the metalink, where it can be had again */
export function metalink(self: string, { path, length, digest, pieces, copies }: DescribedFile): string {
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<metalink xmlns="urn:ietf:params:xml:ns:metalink">',
    `  <origin dynamic="true">${escaped(self)}</origin>`,
    `  <file name="${escaped(fileName(path))}">`,
    `    <size>${length}</size>`,
    `    <hash type="sha-256">${digest}</hash>`,
  ];
  if (pieces !== null) {
    lines.push(`    <pieces length="${pieces.size}" type="sha-256">`);
    for (const piece of pieces.digests) lines.push(`      <hash>${piece}</hash>`);
    lines.push('    </pieces>');
  }
  for (const [i, { url, area }] of copies.entries()) {
    const location = area === null ? '' : ` location="${area}"`;
    lines.push(`    <url${location} priority="${i + 1}">${escaped(url)}</url>`);
  }
  lines.push('  </file>', '</metalink>', '');
  return lines.join('\n');
}

/** What a tool may call the file: the last segment of the path, with nothing in it that leads elsewhere. */
export function fileName(path: string): string {
  const segment = /[^/]*$/.exec(path.replace(/\?.*$/s, ''))?.[0] ?? '';
  const name = decoded(segment);
  // neither a separator nor a control character, on any system
  return name === '' || /^\.+$|[/\\:\p{C}]/u.test(name) ? 'index.html' : name;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // bytes that are no UTF-8
    return segment;
  }
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => entities[character] as string);

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
