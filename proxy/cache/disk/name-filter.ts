import { crc32 } from 'node:zlib';

const size = 2 ** 24;
const rounds = 4;

/** Which names were added, in 2 MiB (a Bloom filter): of a million others it takes about one in a hundred for one of them. */
export class NameFilter {
  readonly #bits = new Uint8Array(size / 8);

  add(name: string): void {
    for (const at of placesOf(name)) this.#bits[at >>> 3] = (this.#bits[at >>> 3] as number) | (1 << (at & 7));
  }

  /** False: it was not added. */
  mayHave(name: string): boolean {
    return placesOf(name).every((at) => ((this.#bits[at >>> 3] as number) & (1 << (at & 7))) !== 0);
  }
}

function placesOf(name: string): number[] {
  const one = crc32(name);
  // of all of its bits
  const other = (Math.imul(one, 0x9e37_79b1) >>> 8) | 1;
  return Array.from({ length: rounds }, (_, i) => (one + i * other) % size);
}
