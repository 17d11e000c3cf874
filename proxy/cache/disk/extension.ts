import { bytes, type Bytes } from '../../../config/units.js';
import { Fields } from '../../http/fields.js';
import type { ResponseDraft } from '../response-store.js';
import type { DiskResponse } from './disk-response.js';
import type { Written } from './disk-writer.js';
import type { KeyRecord } from './key-record.js';
import { segmentsOf } from './record-change.js';
import { endOf, heldBy, withoutCovered, type Segment } from './segment.js';

/** What a transfer makes of a response, with the bytes that it adds to. */
export interface Extension {
  readonly segments: readonly Segment[];
  readonly length: Bytes | null;
  readonly trailers: Fields;
  readonly isComplete: boolean;
  /** The bytes of its inline segments that the index is to have, as far as they are known. */
  readonly contents: readonly { readonly id: string; readonly data: Buffer }[];
}

/** A response in more pieces is not added to: what it has is given up for the new part. */
const mostSegments = 64;

/** @param isBuried whether a file that nothing refers to is still there */
export function extended(
  draft: ResponseDraft,
  written: Written,
  extend: DiskResponse | null,
  before: KeyRecord | null,
  isBuried: (id: string) => boolean,
): Extension {
  const base = extend !== null && isUsable(draft, extend, before, isBuried) ? extend : null;
  const own = written.segment === null ? [] : [written.segment];
  const segments = withoutCovered([...(base?.segments ?? []), ...own]);
  const length = lengthOf(draft, written, base);
  const [first] = heldBy(segments);
  const isComplete = length !== null && (length === 0 || (first?.from === 0 && first.to >= length));
  const known = new Map(base?.loaded.contents);
  if (written.segment !== null && written.inline !== null) known.set(written.segment.id, written.inline);
  const contents = segments.flatMap(({ id, inline }) => {
    const data = inline ? known.get(id) : undefined;
    return data === undefined ? [] : [{ id, data }];
  });
  return { segments, length, isComplete, contents, trailers: isComplete ? written.trailers : Fields.none };
}

/** The same representation, all of whose bytes can still be had. */
function isUsable(
  { length }: ResponseDraft,
  base: DiskResponse,
  before: KeyRecord | null,
  isBuried: (id: string) => boolean,
): boolean {
  if (length !== null && base.length !== null && base.length !== length) return false;
  if (length !== null && (base.held.at(-1)?.to ?? 0) > length) return false;
  if (base.segments.length >= mostSegments) return false;
  const stored = new Set(segmentsOf(before?.responses ?? []).map(({ id }) => id));
  return base.segments.every(
    ({ id, inline }) => stored.has(id) || isBuried(id) || (inline && base.loaded.contents.has(id)),
  );
}

/** What was announced, or where a transfer ended that brought the last bytes. */
function lengthOf(draft: ResponseDraft, { from, received, ended }: Written, base: DiskResponse | null): Bytes | null {
  const announced = draft.length ?? draft.extend?.length ?? null;
  if (announced !== null || !ended) return announced;
  const here = bytes(from + received);
  const isEnd = (base?.segments ?? []).every((segment) => endOf(segment) <= here);
  return isEnd ? here : null;
}
