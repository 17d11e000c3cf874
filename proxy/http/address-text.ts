import { isMappedIpv4, type IpAddress } from './ip-address.js';

/** An address in its one spelling (RFC 5952); IPv4-mapped IPv6 addresses are written as IPv4. */
export function addressText(address: IpAddress): string {
  const { family, value } = address;
  if (family === 4 || isMappedIpv4(address)) return dottedQuad(Number(value & 0xffff_ffffn));
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
  const { from, length } = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, from).join(':')}::${hex.slice(from + length).join(':')}`;
}

/** The address of a peer as node gives it, but IPv4-mapped IPv6 addresses as IPv4. */
export const unmapped = (address: string): string => (/^::ffff:\d+\./i.test(address) ? address.slice(7) : address);

const dottedQuad = (value: number): string =>
  [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff].join('.');

/** The first of the longest runs of groups that are 0. */
function longestZeros(groups: readonly number[]): { readonly from: number; readonly length: number } {
  let longest = { from: 0, length: 0 };
  for (let from = 0; from < groups.length; from++) {
    let to = from;
    while (groups[to] === 0) to++;
    if (to - from > longest.length) longest = { from, length: to - from };
  }
  return longest;
}
