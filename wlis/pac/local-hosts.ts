import { rangeTest } from '../../proxy/http/address-test.js';
import { bareHost, plainName } from '../../proxy/http/host-name.js';
import { parseAddress } from '../../proxy/http/ip-address.js';

/** Ends of names that mean something on one network only (RFC 6761, RFC 6762, RFC 8375). */
export const localSuffixes: readonly string[] = ['.localhost', '.local', '.home.arpa'];

/** Addresses that mean something on one machine, link or site only (RFC 1122, RFC 1918, RFC 3927, RFC 4193, RFC 4291). */
export const localRanges: readonly string[] = [
  ...['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'],
  ...['::1', 'fc00::/7', 'fe80::/10'],
];

const isLocalAddress = rangeTest(localRanges);

/** Whether a host of a URI is one that browsers reach without a proxy: by a name without dots, or one of these. */
export function isLocalHost(host: string): boolean {
  const name = plainName(bareHost(host));
  const address = parseAddress(name);
  if (address !== null) return isLocalAddress(address);
  return !name.includes('.') || localSuffixes.some((suffix) => name.endsWith(suffix));
}
