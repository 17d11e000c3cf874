import { crc32 } from 'node:zlib';

const mostKnown = 131_072;

/**
 * The CRC-32 of blocks whose SHA-256 was checked in the life of this process. It costs a third of that, and tells as well
 * whether a later read gives the same bytes. Two generations, the older of which is dropped at once.
 */
export class KnownBlocks {
  readonly #most: number;
  #recent = new Map<string, Uint32Array>();
  #before = new Map<string, Uint32Array>();
  #count = 0;

  /** @param most about so many blocks are known */
  constructor(most = mostKnown) {
    this.#most = most;
  }

  /** Whether a block of a segment has the bytes that were checked; null if it is not known. */
  check(segment: string, index: number, block: Buffer): boolean | null {
    const known = this.#recent.get(segment) ?? this.#restored(segment);
    const expected = known?.[index * 2];
    if (known?.[index * 2 + 1] !== 1 || expected === undefined) return null;
    return crc32(block) === expected;
  }

  /** The SHA-256 of a block was found to be right. @param blocks how many the segment has */
  add(segment: string, index: number, block: Buffer, blocks: number): void {
    const known = this.#recent.get(segment) ?? this.#restored(segment) ?? this.#made(segment, blocks);
    known[index * 2] = crc32(block);
    known[index * 2 + 1] = 1;
  }

  #restored(segment: string): Uint32Array | undefined {
    const known = this.#before.get(segment);
    if (known !== undefined) this.#keep(segment, known);
    return known;
  }

  #made(segment: string, blocks: number): Uint32Array {
    const known = new Uint32Array(blocks * 2);
    this.#keep(segment, known);
    return known;
  }

  #keep(segment: string, known: Uint32Array): void {
    if (this.#count >= this.#most / 2) {
      this.#before = this.#recent;
      this.#recent = new Map();
      this.#count = 0;
    }
    this.#recent.set(segment, known);
    this.#count += known.length / 2;
  }
}
