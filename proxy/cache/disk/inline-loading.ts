import type { DiskResponse, LoadedSegments } from './disk-response.js';
import type { SegmentFiles } from './segment-files.js';
import type { SegmentReader } from './segment-reader.js';
import type { Segment } from './segment.js';

/** Bytes in the index that a look-up loads, so that what was found can be read whatever happens to it. */
const loadedAtOnce = 64 * 1024;

/** Loads what the index has of the bytes of responses that were looked up. What cannot be loaded will be found to be so later. */
export class InlineLoading {
  constructor(
    private readonly files: SegmentFiles,
    private readonly reader: SegmentReader,
  ) {}

  async load(responses: readonly DiskResponse[]): Promise<void> {
    const loading: Promise<unknown>[] = [];
    this.#each(responses, (segment, loaded) => {
      loading.push(this.#load(segment, loaded).catch(() => undefined));
      return true;
    });
    await Promise.all(loading);
  }

  /** The same at once; false where that is better done by the thread pool. */
  loadNow(responses: readonly DiskResponse[]): boolean {
    return this.#each(responses, (segment, loaded) => {
      try {
        return this.reader.blockNow(segment, segment.from, loaded) !== null;
      } catch {
        return true;
      }
    });
  }

  async #load(segment: Segment, loaded: LoadedSegments): Promise<void> {
    await this.reader.blockAt(segment, segment.from, loaded);
  }

  /** As long as `load` gives true, and as many as fit; gives whether it did to the end. */
  #each(responses: readonly DiskResponse[], load: (segment: Segment, loaded: LoadedSegments) => boolean): boolean {
    let left = loadedAtOnce;
    for (const { key, segments, loaded } of responses) {
      for (const segment of segments) {
        if (!segment.inline) continue;
        if (segment.length > left) {
          this.files.partlyLoaded.note(key);
          continue;
        }
        left -= segment.length;
        if (!load(segment, loaded)) return false;
      }
    }
    return true;
  }
}
