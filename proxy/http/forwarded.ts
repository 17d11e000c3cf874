import { splitList, type Fields } from './fields.js';

/** What a reverse proxy knows about the hop over which it received a request. */
export interface ReceivedFrom {
  /** IP address of the peer. */
  readonly peer: string;
  readonly secure: boolean;
  /** The host that was asked for, with its port if that is not the default. */
  readonly host: string;
  /** Whether what the peer says about the hops before it is believed. */
  readonly trusted: boolean;
}

/**
 * The fields with this hop told to the origin server, in `Forwarded` (RFC 7239) and in `X-Forwarded-For`, `-Proto` and
 * `-Host`. What a trusted peer says is extended; what others say is removed. Of the two forms a trusted peer may send
 * one only: the other is begun from it.
 */
export function plusForwarded(fields: Fields, hop: ReceivedFrom): Fields {
  const received = hop.trusted ? fields : withoutProvenance(fields);
  const own = `for=${forwardedNode(hop.peer)};host=${tokenOrQuoted(hop.host)};proto=${scheme(hop)}`;
  if (!hop.trusted) return received.plus('Forwarded', own, ...legacyLines(hop.peer, scheme(hop), hop.host));
  const elements = parseForwarded(received);
  const legacy = received.list('x-forwarded-for');
  const before = elements.length > 0 ? received.list('forwarded') : legacy.map((node) => `for=${forwardedNode(node)}`);
  const nodes = legacy.length > 0 ? legacy : elements.map((element) => addressOf(element.get('for')) ?? 'unknown');
  const first = elements[0];
  return received
    .with('Forwarded', [...before, own].join(', '))
    .without('x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host')
    .plus(
      ...legacyLines(
        [...nodes, hop.peer].join(', '),
        received.get('x-forwarded-proto') ?? first?.get('proto') ?? scheme(hop),
        received.get('x-forwarded-host') ?? first?.get('host') ?? hop.host,
      ),
    );
}

const scheme = (hop: ReceivedFrom): string => (hop.secure ? 'https' : 'http');

const legacyLines = (nodes: string, proto: string, host: string): string[] => [
  ...['X-Forwarded-For', nodes],
  ...['X-Forwarded-Proto', proto],
  ...['X-Forwarded-Host', host],
];

/**
 * The fields without anything that says where a request came from, in the spelling with underscores too, which gateways to
 * programs do not tell from hyphens (RFC 3875 §4.1.18).
 */
export const withoutProvenance = (fields: Fields): Fields => fields.filter((name) => !saysProvenance(name));

function saysProvenance(written: string): boolean {
  const name = written.includes('_') ? written.replaceAll('_', '-') : written;
  return name === 'forwarded' || name === 'x-real-ip' || name.startsWith('x-forwarded-');
}

/**
 * The address of the client: the right-most one that no trusted proxy has, among those that the fields list and the peer
 * itself. A name or an obfuscated identifier ends the search, for nothing to the left of it can be checked. Where
 * `Forwarded` and `X-Forwarded-For` disagree, one of them is a client's own that a proxy passed on, and neither counts.
 */
export function clientAddress(fields: Fields, peer: string, isTrusted: (address: string) => boolean): string {
  if (!isTrusted(peer)) return peer;
  const standard = parseForwarded(fields).map((element) => addressOf(element.get('for')));
  const legacy = fields.list('x-forwarded-for').map(addressOf);
  const byStandard = rightmostUntrusted(standard, peer, isTrusted);
  const byLegacy = rightmostUntrusted(legacy, peer, isTrusted);
  if (legacy.length === 0) return byStandard;
  if (standard.length === 0) return byLegacy;
  return byStandard === byLegacy ? byStandard : peer;
}

/**
 * The scheme under which the client came to the outermost of the trusted proxies before this node; null if none tells. Elements
 * of `Forwarded` count from the right as long as those who wrote them are trusted; of `X-Forwarded-Proto` the last member does,
 * which is the peer's. Where the two disagree, neither counts.
 */
export function clientScheme(
  fields: Fields,
  peer: string,
  isTrusted: (address: string) => boolean,
): 'http' | 'https' | null {
  if (!isTrusted(peer)) return null;
  const legacy = schemeNamed(fields.list('x-forwarded-proto').at(-1));
  const elements = parseForwarded(fields);
  let standard: 'http' | 'https' | null = null;
  for (const element of elements.toReversed()) {
    standard = schemeNamed(element.get('proto')) ?? standard;
    const before = addressOf(element.get('for'));
    if (before === null || !isTrusted(before)) break;
  }
  if (standard === null || legacy === null) return standard ?? legacy;
  return standard === legacy ? standard : null;
}

function schemeNamed(text: string | undefined): 'http' | 'https' | null {
  const name = text?.toLowerCase();
  return name === 'http' || name === 'https' ? name : null;
}

function rightmostUntrusted(
  addresses: readonly (string | null)[],
  peer: string,
  isTrusted: (address: string) => boolean,
): string {
  let client = peer;
  for (const address of addresses.toReversed()) {
    if (address === null) return client;
    client = address;
    if (!isTrusted(address)) return client;
  }
  return client;
}

/** The elements of `Forwarded`, names in lower case; one that is not the grammar is empty. */
function parseForwarded(fields: Fields): ReadonlyMap<string, string>[] {
  return splitList(fields.get('forwarded') ?? '').map((element) => {
    const pairs = new Map<string, string>();
    let end = 0;
    for (const match of element.matchAll(forwardedPair)) {
      const [pair, name = '', token, quoted = ''] = match;
      pairs.set(name.toLowerCase(), token ?? quoted.replace(/\\(.)/g, '$1'));
      end = match.index + pair.length;
    }
    return end === element.length ? pairs : new Map<string, string>();
  });
}

const token = "[\\w!#$%&'*+.^`|~-]+";
const forwardedPair = new RegExp(`[ \\t]*(${token})=(?:(${token})|"((?:[^"\\\\]|\\\\.)*)")[ \\t]*(?:;|$)`, 'gy');
const isToken = new RegExp(`^${token}$`);

/** The IP address of a node in either form: with or without brackets and port; null if it has none. */
function addressOf(node: string | undefined): string | null {
  if (node !== undefined && isIpv4(node)) return node;
  const match = /^(?:\[([\da-f:.]+)\](?::\w+)?|(\d+\.\d+\.\d+\.\d+)(?::\w+)?|([\da-f:.]+))$/i.exec(node ?? '');
  if (match === null) return null;
  const [, bracketed, v4, bare] = match;
  if (v4 !== undefined) return isIpv4(v4) ? v4 : null;
  return canonicalIpv6(bracketed ?? bare ?? '');
}

/** Four decimal numbers below 256, without leading zeros. */
function isIpv4(text: string): boolean {
  let parts = 1;
  let value = 0;
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit === DOT) {
      if (digits === 0) return false;
      parts++;
      value = 0;
      digits = 0;
    } else {
      if (digit < 0 || digit > 9 || (digits === 1 && value === 0)) return false;
      value = value * 10 + digit;
      digits++;
      if (value > 255) return false;
    }
  }
  return parts === 4 && digits > 0;
}

/** As far from the digit zero as a dot is. */
const DOT = 0x2e - 0x30;

/** The one spelling of RFC 5952; IPv4-mapped addresses as IPv4. */
function canonicalIpv6(text: string): string | null {
  if (!text.includes(':') || !URL.canParse(`http://[${text}]/`)) return null;
  const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(canonical);
  if (mapped === null) return canonical;
  const [high, low] = [parseInt(mapped[1] ?? '', 16), parseInt(mapped[2] ?? '', 16)];
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

/** A node as the value of `for` (RFC 7239 §6): IPv6 in brackets and quotes, anything without an address as `unknown`. */
function forwardedNode(node: string): string {
  const address = addressOf(node);
  if (address === null) return 'unknown';
  return address.includes(':') ? `"[${address}]"` : address;
}

const tokenOrQuoted = (text: string): string => (isToken.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`);
