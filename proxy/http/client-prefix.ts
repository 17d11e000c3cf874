import { addressText } from './address-text.js';
import { isMappedIpv4, parseAddress } from './ip-address.js';

/** How many leading bits of an address make one client. */
export interface ClientPrefix {
  readonly ipv4: number;
  readonly ipv6: number;
}

/**
 * What stands for a client in tables: its address as far as that tells one client from another, for a household or a
 * host has a whole IPv6 network. IPv4-mapped addresses are IPv4; zone identifiers do not count.
 */
export function clientKey(address: string, { ipv4, ipv6 }: ClientPrefix): string {
  if (ipv4 === 32 && !address.includes(':')) return address;
  const parsed = parseAddress(address);
  if (parsed === null) return address;
  const { family, value } = parsed;
  if (family === 6 && !isMappedIpv4(parsed)) return leading(value, 128, ipv6);
  return ipv4 === 32 ? addressText(parsed) : leading(value & 0xffff_ffffn, 32, ipv4);
}

const leading = (value: bigint, width: 32 | 128, bits: number): string =>
  `${(value >> BigInt(width - bits)).toString(36)}/${width}`;
