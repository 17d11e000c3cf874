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

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
