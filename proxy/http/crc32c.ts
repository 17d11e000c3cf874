/** CRC32c (Castagnoli; RFC 9260 Appendix A), bits reflected. The bytes from `zeroFrom` to `zeroTo` count as 0. */
export function crc32c(data: Uint8Array, zeroFrom = 0, zeroTo = 0): number {
  let crc = checksum(-1, data, 0, zeroFrom);
  for (let i = zeroFrom; i < zeroTo; i++) crc = (tables[crc & 0xff] as number) ^ (crc >>> 8);
  return ~checksum(crc, data, zeroTo, data.length) >>> 0;
}

/** Eight bytes at a time ("slicing by 8"), which is three times as fast as one after the other. */
function checksum(before: number, data: Uint8Array, from: number, to: number): number {
  let crc = before;
  let at = from;
  for (; at <= to - 8; at += 8) {
    const low = (data[at] as number) | ((data[at + 1] as number) << 8);
    crc ^= low | ((data[at + 2] as number) << 16) | ((data[at + 3] as number) << 24);
    crc =
      (tables[0x700 + (crc & 0xff)] as number) ^
      (tables[0x600 + ((crc >>> 8) & 0xff)] as number) ^
      (tables[0x500 + ((crc >>> 16) & 0xff)] as number) ^
      (tables[0x400 + (crc >>> 24)] as number) ^
      (tables[0x300 + (data[at + 4] as number)] as number) ^
      (tables[0x200 + (data[at + 5] as number)] as number) ^
      (tables[0x100 + (data[at + 6] as number)] as number) ^
      (tables[data[at + 7] as number] as number);
  }
  for (; at < to; at++) crc = (tables[(crc ^ (data[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  return crc;
}

const POLYNOMIAL = 0x82f6_3b78;

/** Of each byte, followed by 0 to 7 bytes of zeros. */
const tables = ((): Int32Array => {
  const all = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    all[byte] = crc;
  }
  for (let i = 256; i < all.length; i++) {
    const before = all[i - 256] as number;
    all[i] = (before >>> 8) ^ (all[before & 0xff] as number);
  }
  return all;
})();
