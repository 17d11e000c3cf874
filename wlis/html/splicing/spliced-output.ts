/**
 * The bytes of a page on their way, with what is put between them. Those that may still be replaced, and those behind a place of which
 * is not yet known what comes there, are kept; all others leave, in long stretches as parts of the chunks in which they came.
 */
export class SplicedOutput {
  /** Chunks of which something has not yet been put in line. */
  #chunks: Chunk[] = [];
  /** Up to where the original has been put in line or left out. */
  #at = 0;
  #size = 0;
  #line: (Piece | Gap)[] = [];

  /** How many bytes have come. */
  get size(): number {
    return this.#size;
  }

  add(bytes: Buffer): void {
    this.#chunks.push({ base: this.#size, bytes });
    this.#size += bytes.length;
  }

  /** Puts the original in line up to there. */
  keep(to: number): void {
    for (const { base, bytes } of this.#chunks) {
      if (base >= to) break;
      const from = Math.max(0, this.#at - base);
      const end = Math.min(bytes.length, to - base);
      if (from < end) this.#line.push({ bytes, from, to: end });
    }
    this.skip(to);
  }

  /** Leaves it out. */
  skip(to: number): void {
    this.#at = Math.max(this.#at, to);
    let done = 0;
    for (const { base, bytes } of this.#chunks) {
      if (base + bytes.length > this.#at) break;
      done++;
    }
    if (done > 0) this.#chunks = this.#chunks.slice(done);
  }

  insert(bytes: Buffer): void {
    this.#line.push({ bytes, from: 0, to: bytes.length });
  }

  /** A place at which something may be inserted once it is known; until it is closed, nothing behind it leaves. */
  gap(): Gap {
    const gap = new Gap();
    this.#line.push(gap);
    return gap;
  }

  /** Of the original, that has not yet been put in line: a character for each byte. */
  text(from: number, to: number): string {
    let text = '';
    for (const { base, bytes } of this.#chunks) {
      if (base >= to) break;
      if (base + bytes.length > from) text += bytes.toString('latin1', Math.max(0, from - base), to - base);
    }
    return text;
  }

  /** What may leave. */
  taken(): Buffer[] {
    const pieces: Piece[] = [];
    let next = 0;
    for (; next < this.#line.length; next++) {
      const piece = this.#line[next];
      if (!(piece instanceof Gap)) pieces.push(piece as Piece);
      else if (piece.isOpen) break;
      else if (piece.bytes !== null) pieces.push({ bytes: piece.bytes, from: 0, to: piece.bytes.length });
    }
    if (next > 0) this.#line = this.#line.slice(next);
    return joined(pieces);
  }
}

export class Gap {
  #bytes: Buffer | null = null;
  #isOpen = true;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get bytes(): Buffer | null {
    return this.#bytes;
  }

  /** @param bytes what comes there; null for nothing */
  close(bytes: Buffer | null): void {
    this.#isOpen = false;
    this.#bytes = bytes;
  }
}

interface Chunk {
  readonly base: number;
  readonly bytes: Buffer;
}

interface Piece {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

/** Short ones are copied together: what comes after would have more work with each of them than that is. */
function joined(pieces: readonly Piece[]): Buffer[] {
  const buffers: Buffer[] = [];
  for (let first = 0; first < pieces.length;) {
    let [end, size] = [first, 0];
    for (let piece = pieces[end]; piece !== undefined && piece.to - piece.from < short; piece = pieces[++end]) {
      size += piece.to - piece.from;
    }
    if (end - first > 1) buffers.push(copied(pieces, first, end, size));
    else buffers.push(...pieces.slice(first, Math.max(end, first + 1)).map(partOf));
    first = Math.max(end, first + 1);
  }
  return buffers;
}

function copied(pieces: readonly Piece[], first: number, end: number, size: number): Buffer {
  const copy = Buffer.allocUnsafe(size);
  let at = 0;
  for (let place = first; place < end; place++) {
    const { bytes, from, to } = pieces[place] as Piece;
    at += bytes.copy(copy, at, from, to);
  }
  return copy;
}

const partOf = ({ bytes, from, to }: Piece): Buffer =>
  from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to);

/** In bytes. */
const short = 2048;
