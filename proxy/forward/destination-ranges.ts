import { contains, embeddedIpv4, knownRange, type IpAddress } from '../http/ip-address.js';

/** A row of the table of ranges that the word `private` stands for. */
export interface PrivateRange {
  readonly cidr: string;
  readonly meaning: string;
  /** Where the range is set aside. */
  readonly source: string;
}

/**
 * What the word `private` stands for in `access.destinations`: everything that is not an address of the public internet
 * (IANA IPv4 and IPv6 Special-Purpose Address Registries), and the metadata services of cloud operators. Addresses that
 * embed an IPv4 address (`embeddingRanges`) are judged by that one. Documentation ranges are not among them: nothing of
 * the node's own surroundings is there, and test networks use them.
 */
export const privateRanges: readonly PrivateRange[] = [
  { cidr: '0.0.0.0/8', meaning: 'this host on this network', source: 'RFC 791 §3.2' },
  { cidr: '10.0.0.0/8', meaning: 'private use', source: 'RFC 1918' },
  { cidr: '100.64.0.0/10', meaning: 'shared address space; metadata service 100.100.100.200', source: 'RFC 6598' },
  { cidr: '127.0.0.0/8', meaning: 'loopback', source: 'RFC 1122 §3.2.1.3' },
  { cidr: '168.63.129.16/32', meaning: 'platform service of a cloud operator', source: 'Azure' },
  { cidr: '169.254.0.0/16', meaning: 'link-local; metadata service 169.254.169.254', source: 'RFC 3927' },
  { cidr: '172.16.0.0/12', meaning: 'private use', source: 'RFC 1918' },
  { cidr: '192.0.0.0/24', meaning: 'protocol assignments; metadata service 192.0.0.192', source: 'RFC 6890' },
  { cidr: '192.88.99.0/24', meaning: '6to4 relay anycast', source: 'RFC 7526' },
  { cidr: '192.168.0.0/16', meaning: 'private use', source: 'RFC 1918' },
  { cidr: '198.18.0.0/15', meaning: 'benchmarking', source: 'RFC 2544' },
  { cidr: '224.0.0.0/4', meaning: 'multicast', source: 'RFC 5771' },
  { cidr: '240.0.0.0/4', meaning: 'reserved', source: 'RFC 1112 §4' },
  { cidr: '255.255.255.255/32', meaning: 'limited broadcast', source: 'RFC 919' },
  { cidr: '::/128', meaning: 'unspecified', source: 'RFC 4291' },
  { cidr: '::1/128', meaning: 'loopback', source: 'RFC 4291' },
  { cidr: '64:ff9b:1::/48', meaning: 'local-use translation', source: 'RFC 8215' },
  { cidr: '100::/64', meaning: 'discard-only', source: 'RFC 6666' },
  { cidr: '2001::/32', meaning: 'Teredo', source: 'RFC 4380' },
  { cidr: 'fc00::/7', meaning: 'unique local; metadata service fd00:ec2::254', source: 'RFC 4193' },
  { cidr: 'fe80::/10', meaning: 'link-local', source: 'RFC 4291' },
  { cidr: 'fec0::/10', meaning: 'site-local', source: 'RFC 3879' },
  { cidr: 'ff00::/8', meaning: 'multicast', source: 'RFC 4291' },
];

/** The row of the table that an address falls under, or null for an address of the public internet. */
export function privateRangeOf(address: IpAddress): PrivateRange | null {
  const judged = embeddedIpv4(address) ?? address;
  return parsedPrivate.find(({ range }) => contains(range, judged))?.row ?? null;
}

const parsedPrivate = privateRanges.map((row) => ({ row, range: knownRange(row.cidr) }));
