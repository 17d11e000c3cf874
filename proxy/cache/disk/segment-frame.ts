import { bytes } from '../../../config/units.js';
import {
  DamagedSegment,
  decodeFooter,
  decodeHeader,
  ENDING_LENGTH,
  footerSize,
  headerLength,
  PREAMBLE_LENGTH,
} from './segment-format.js';
import type { SegmentFiles } from './segment-files.js';
import type { Segment } from './segment.js';

/**
 * Checks what the file of a segment says of itself: what is read only if the index is to be made anew from the files.
 * Rejects with DamagedSegment, or as files do.
 */
export async function checkFrame(segment: Segment, files: SegmentFiles): Promise<void> {
  const { id, offset, length, blockSize, digest } = segment;
  const [head, end] = await Promise.all([
    readExactly(files, id, 0, offset),
    readExactly(files, id, offset + length, footerSize(length, blockSize) + ENDING_LENGTH),
  ]);
  const preamble = head.subarray(0, PREAMBLE_LENGTH);
  const json = head.subarray(PREAMBLE_LENGTH);
  if (headerLength(preamble) !== json.length) throw new DamagedSegment('its header is not as long as it was');
  const header = decodeHeader(preamble, json);
  if (header.id !== id || header.from !== segment.from) throw new DamagedSegment('its header is that of another file');
  const endsAt = end.length - ENDING_LENGTH;
  const footer = decodeFooter(end.subarray(0, endsAt), end.subarray(endsAt));
  const isIt =
    footer.length === length && footer.blockSize === blockSize && footer.digest.toString('base64') === digest;
  if (!isIt) throw new DamagedSegment('its footer is that of another content');
}

async function readExactly(files: SegmentFiles, id: string, position: number, length: number): Promise<Buffer> {
  const into = Buffer.allocUnsafeSlow(length);
  if ((await files.read(id, into, bytes(position))) < length) throw new DamagedSegment('its file is too short');
  return into;
}
