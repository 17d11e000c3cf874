/** RFC 4648 §6 in lower case, without padding: for places that make no difference between cases. */
export function toBase32(data: Uint8Array): string {
  let text = '';
  let [bits, value] = [0, 0];
  for (const byte of data) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += alphabet.charAt((value >> (bits - 5)) & 31);
  }
  return bits === 0 ? text : text + alphabet.charAt((value << (5 - bits)) & 31);
}

/** Null for all that `toBase32` does not make, bits behind the end that are not zero included. */
export function fromBase32(text: string): Uint8Array | null {
  const data = new Uint8Array(Math.floor((text.length * 5) / 8));
  let [bits, value, at] = [0, 0, 0];
  for (const letter of text) {
    const five = alphabet.indexOf(letter);
    if (five < 0) return null;
    value = ((value << 5) | five) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    data[at++] = value >> bits;
  }
  return toBase32(data) === text ? data : null;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
