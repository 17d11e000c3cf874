/**
 * What was compressed with Snappy (https://github.com/google/snappy/blob/main/format_description.txt): its length as a
 * varint, then literals and copies of what came before. Null if it is not that, or is longer than `most`.
 */
export function unsnappy(data: Buffer, most: number): Buffer | null {
  const [length, begin] = readVarint(data, 0);
  if (begin === 0 || length > most) return null;
  const into = Buffer.alloc(length);
  let written = 0;
  for (let at = begin; at < data.length;) {
    const tag = data[at] as number;
    const element = (tag & 3) === 0 ? literalAt(data, at) : copyAt(data, at);
    if (element === null || written + element.length > length) return null;
    const { next, distance } = element;
    if (distance === 0) data.copy(into, written, next, next + element.length);
    // byte by byte: a copy may overlap what it makes
    else if (distance > written) return null;
    else for (let i = 0; i < element.length; i++) into[written + i] = into[written + i - distance] as number;
    written += element.length;
    at = distance === 0 ? next + element.length : next;
  }
  return written === length ? into : null;
}

/** A number in seven bits a byte, the lowest first, and where it ends; 0 where there is none. */
export function readVarint(data: Buffer, at: number): readonly [value: number, end: number] {
  let value = 0;
  let unit = 1;
  for (let i = at; i < Math.min(data.length, at + 8); i++) {
    const byte = data[i] as number;
    value += (byte & 0x7f) * unit;
    if (byte < 0x80) return [value, i + 1];
    unit *= 128;
  }
  return [0, 0];
}

interface Element {
  readonly length: number;
  /** Where the bytes of a literal begin, or what follows a copy. */
  readonly next: number;
  /** How far back a copy begins; 0 for a literal. */
  readonly distance: number;
}

/** The upper six bits of the tag are the length less one, or say how many bytes that follow are. */
function literalAt(data: Buffer, at: number): Element | null {
  const short = (data[at] as number) >>> 2;
  const more = Math.max(0, short - 59);
  if (at + 1 + more > data.length) return null;
  const length = 1 + (more === 0 ? short : data.readUIntLE(at + 1, more));
  const next = at + 1 + more;
  return next + length > data.length ? null : { length, next, distance: 0 };
}

/** Tag 1: length 4 to 11 in 3 bits, distance in 11; 2 and 3: length in 6 bits, distance in 2 or 4 bytes. */
function copyAt(data: Buffer, at: number): Element | null {
  const tag = data[at] as number;
  const size = [0, 1, 2, 4][tag & 3] as number;
  const next = at + 1 + size;
  if (next > data.length) return null;
  const low = data.readUIntLE(at + 1, size);
  const isShort = size === 1;
  const length = isShort ? 4 + ((tag >>> 2) & 7) : 1 + (tag >>> 2);
  const distance = isShort ? low | ((tag >>> 5) << 8) : low;
  return distance === 0 ? null : { length, next, distance };
}
