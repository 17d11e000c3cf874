/** CRC32c (Castagnoli; RFC 9260 Appendix A), bits reflected. The bytes from `zeroFrom` to `zeroTo` count as 0. */
export function crc32c(data: Uint8Array, zeroFrom = 0, zeroTo = 0): number {
  let crc = 0xffff_ffff;
  for (let i = 0; i < data.length; i++) {
    const byte = i >= zeroFrom && i < zeroTo ? 0 : (data[i] as number);
    crc = (table[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}

const POLYNOMIAL = 0x82f6_3b78;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});
