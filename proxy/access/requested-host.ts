import { bareHost, plainName } from '../http/host-name.js';
import { contains, embeddedIpv4, isMappedIpv4, parseAddress, parseRange, type IpAddress } from '../http/ip-address.js';
import { looseIpv4 } from '../http/loose-ipv4.js';

/** A host as a request names it, in all that it can mean without asking the DNS. At least one meaning. */
export type HostMeanings = readonly (string | IpAddress)[];

/**
 * What a host of a URI or of CONNECT stands for: a name in lower case and without the dot of the root; or an address, in
 * whatever spelling the resolver takes for one (`127.1`, `0x7f000001`); with the IPv4 address that it leads to, if it is
 * an IPv6 address that embeds one.
 */
export function meaningsOf(host: string): HostMeanings {
  const name = plainName(bareHost(host));
  const address = parseAddress(name) ?? looseIpv4(name);
  if (address === null) return [name];
  const embedded = embeddedIpv4(address);
  if (embedded === null) return [address];
  return isMappedIpv4(address) ? [embedded] : [address, embedded];
}

/** A test for what `hosts` of a rule names: a name, `*.example.org`, an address or a range. */
export function hostTest(pattern: string): (meaning: string | IpAddress) => boolean {
  const range = parseRange(pattern);
  if (range !== null) return (meaning) => typeof meaning !== 'string' && contains(range, meaning);
  const name = pattern.toLowerCase();
  if (!name.startsWith('*.')) return (meaning) => meaning === name;
  const suffix = name.slice(1);
  return (meaning) => typeof meaning === 'string' && meaning.length > suffix.length && meaning.endsWith(suffix);
}
