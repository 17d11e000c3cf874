import { bareHost, plainName } from '../http/host-name.js';
import { contains, embeddedIpv4, parseAddress, parseRange, type IpAddress, type IpRange } from '../http/ip-address.js';
import { looseIpv4 } from '../http/loose-ipv4.js';
import { privateRangeOf } from './destination-ranges.js';

/** What of a destination is judged. */
export interface Subject {
  /** In lower case, without the dot of the root and without brackets. */
  readonly host: string;
  /** Null for a name that was not resolved. */
  readonly address: IpAddress | null;
  /** The IPv4 address to which an IPv6 address leads. */
  readonly embedded: IpAddress | null;
}

/** Says in words what about a destination meets it, or null. */
export type DestinationRule = (subject: Subject) => string | null;

/**
 * One entry of `access.destinations` or `upstream.noProxy`: a range, an address, a host name, `*.example.org`, `private`.
 * @throws TypeError for what is none of the five
 */
export function parseDestinationRule(entry: string): DestinationRule {
  if (entry === 'private') return privateRule;
  const range = parseRange(bareHost(entry));
  if (range !== null) return rangeRule(entry, range);
  const name = plainName(entry);
  if (name.startsWith('*.')) return nameRule(entry, (host) => host.endsWith(name.slice(1)));
  if (!/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(name)) throw new TypeError(`not a destination: ${entry}`);
  return nameRule(entry, (host) => host === name);
}

/** A host with an address that it resolved to. */
export function resolvedSubject(host: string, address: IpAddress): Subject {
  return { host: plainName(host), address, embedded: embeddedIpv4(address) };
}

/**
 * A host as a URI names it, of which nothing was resolved: an address has it only if the host is one in any spelling that
 * a resolver would take (`127.1`, `0x7f000001`), or a name for this machine (RFC 6761 §6.3). Null if it ends in a number
 * and is no address all the same.
 */
export function namedSubject(host: string): Subject | null {
  const name = plainName(bareHost(host));
  const literal = parseAddress(name);
  if (literal !== null) return resolvedSubject(name, literal);
  if (endsInNumber.test(name)) {
    const spelled = looseIpv4(name);
    return spelled === null ? null : resolvedSubject(name, spelled);
  }
  if (name === 'localhost' || name.endsWith('.localhost')) return resolvedSubject(name, loopback);
  return { host: name, address: null, embedded: null };
}

const endsInNumber = /(?:^|\.)(?:\d+|0x[\da-f]*)$/;

const loopback: IpAddress = { family: 4, value: 0x7f00_0001n };

const privateRule: DestinationRule = ({ address }) => {
  const row = address === null ? null : privateRangeOf(address);
  return row === null ? null : `it is in ${row.cidr} (${row.meaning})`;
};

const rangeRule =
  (entry: string, range: IpRange): DestinationRule =>
  ({ address, embedded }) =>
    (address !== null && contains(range, address)) || (embedded !== null && contains(range, embedded))
      ? `it is in ${entry}`
      : null;

const nameRule =
  (entry: string, matches: (host: string) => boolean): DestinationRule =>
  ({ host }) =>
    matches(host) ? `it is ${entry}` : null;
