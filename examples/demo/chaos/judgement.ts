import { contentOf, type WrittenFile } from './written-files.js';

/** What somebody has got of a file. */
export interface Got {
  readonly bytes: Buffer;
  /** Where in the file they begin. */
  readonly from: number;
}

/** `true`: of that version. Otherwise what is wrong with it. */
export type Judgement =
  | { readonly kind: 'true'; readonly version: number }
  | { readonly kind: 'older'; readonly version: number }
  | { readonly kind: 'false' };

/** @param floor the oldest version that it may be */
export function judge(file: WrittenFile, floor: number, { bytes, from }: Got): Judgement {
  for (let version = file.version; version >= Math.max(1, floor - lookedBack); version--) {
    const content = contentOf(file, version);
    if (bytes.equals(content.subarray(from, from + bytes.length))) {
      return { kind: version < floor ? 'older' : 'true', version };
    }
  }
  return { kind: 'false' };
}

/** Further back nobody cares which version it was. */
const lookedBack = 50;
