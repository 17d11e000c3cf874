import type { OriginUri } from '../../config/origin-uri.js';
import type { Bytes } from '../../config/units.js';
import type { TargetUri } from '../../proxy/http/target-uri.js';
import type { Digest } from '../trust/digest.js';

/** What a file that names mirrors says. */
export interface MirrorList {
  /** Servers that have all of it. */
  readonly mirrors: readonly ListedMirror[];
  /** Single files. */
  readonly files: readonly ListedFile[];
}

export interface ListedMirror {
  readonly uri: OriginUri;
  /** Country, two letters in lower case. */
  readonly area: string | null;
}

export interface ListedFile {
  /** Its name, as it stands in a URL. */
  readonly path: string;
  readonly length: Bytes | null;
  /** SHA-256. */
  readonly digest: Digest | null;
  readonly urls: readonly ListedUrl[];
}

export interface ListedUrl {
  readonly target: TargetUri;
  readonly area: string | null;
}

/** A line that cannot stand. */
export interface ListFault {
  readonly line: number;
  /** In words that continue "expected …, got …". */
  readonly expected: string;
  readonly got: string;
}

export type ReadList = { readonly list: MirrorList } | { readonly faults: readonly ListFault[] };

/** More than any list has, be it of everything or of one file. */
export const mostMirrors = 1000;

/** As for a message: not too long. */
export const shown = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
