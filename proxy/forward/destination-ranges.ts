/** An IP address as a number. Zone identifiers (`%eth0`) are not part of it. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** The addresses of one family whose first `prefix` bits are those of `base`. */
export interface IpRange {
  readonly family: 4 | 6;
  readonly base: bigint;
  readonly prefix: number;
}

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

/** IPv6 ranges whose addresses lead to the IPv4 address in them; `shift` is the number of bits to the right of it. */
export const embeddingRanges: readonly (PrivateRange & { readonly shift: number })[] = [
  { cidr: '::/96', meaning: 'IPv4-compatible', source: 'RFC 4291 §2.5.5.1', shift: 0 },
  { cidr: '::ffff:0:0/96', meaning: 'IPv4-mapped', source: 'RFC 4291 §2.5.5.2', shift: 0 },
  { cidr: '64:ff9b::/96', meaning: 'IPv4-translated', source: 'RFC 6052', shift: 0 },
  { cidr: '2002::/16', meaning: '6to4', source: 'RFC 3056', shift: 80 },
];

/** An address in its usual text forms: strict dotted quad, or RFC 4291 §2.2 without brackets; null for all else. */
export function parseAddress(text: string): IpAddress | null {
  const zone = text.indexOf('%');
  const bare = zone < 0 ? text : text.slice(0, zone);
  const v4 = parseIpv4(bare);
  if (v4 !== null) return { family: 4, value: v4 };
  const v6 = parseIpv6(bare);
  return v6 === null ? null : { family: 6, value: v6 };
}

/** A CIDR range or a single address; null for all else. Bits beyond the prefix are ignored. */
export function parseRange(text: string): IpRange | null {
  const [addressText = '', prefixText, ...rest] = text.split('/');
  const address = parseAddress(addressText);
  if (address === null || rest.length > 0) return null;
  const width = widthOf(address.family);
  const prefix = prefixText === undefined ? width : parsePrefix(prefixText, width);
  if (prefix === null) return null;
  const shift = BigInt(width - prefix);
  return { family: address.family, base: (address.value >> shift) << shift, prefix };
}

/** Whether an address lies in a range of its own family. */
export function contains(range: IpRange, address: IpAddress): boolean {
  if (range.family !== address.family) return false;
  const shift = BigInt(widthOf(range.family) - range.prefix);
  return address.value >> shift === range.base >> shift;
}

/** The IPv4 address to which an IPv6 address leads, or null. */
export function embeddedIpv4(address: IpAddress): IpAddress | null {
  if (address.family === 4 || address.value <= 1n) return null;
  for (const { range, shift } of embedding) {
    if (contains(range, address)) return { family: 4, value: (address.value >> shift) & 0xffff_ffffn };
  }
  return null;
}

/** The row of the table that an address falls under, or null for an address of the public internet. */
export function privateRangeOf(address: IpAddress): PrivateRange | null {
  const judged = embeddedIpv4(address) ?? address;
  return parsedPrivate.find(({ range }) => contains(range, judged))?.row ?? null;
}

const widthOf = (family: 4 | 6): number => (family === 4 ? 32 : 128);

function parsePrefix(text: string, width: number): number | null {
  if (!/^(?:0|[1-9]\d{0,2})$/.test(text)) return null;
  const prefix = Number(text);
  return prefix <= width ? prefix : null;
}

function parseIpv4(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let value = 0n;
  for (const part of parts) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

function parseIpv6(text: string): bigint | null {
  const halves = text.split('::');
  if (halves.length > 2 || !text.includes(':')) return null;
  const left = groups(halves[0] ?? '', halves.length === 1);
  const right = halves.length === 2 ? groups(halves[1] ?? '', true) : [];
  if (left === null || right === null) return null;
  const missing = 8 - left.length - right.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const all = [...left, ...Array<number>(missing).fill(0), ...right];
  return all.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** Colon-separated groups of 16 bits; the last two may be written as an IPv4 address where that is allowed. */
function groups(text: string, ipv4Allowed: boolean): number[] | null {
  if (text === '') return [];
  const parts = text.split(':');
  const values: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      values.push(parseInt(part, 16));
      continue;
    }
    const v4 = ipv4Allowed && i === parts.length - 1 ? parseIpv4(part) : null;
    if (v4 === null) return null;
    values.push(Number(v4 >> 16n), Number(v4 & 0xffffn));
  }
  return values;
}

function mustParse(cidr: string): IpRange {
  const range = parseRange(cidr);
  if (range === null) throw new Error(`not a range: ${cidr}`);
  return range;
}

const parsedPrivate = privateRanges.map((row) => ({ row, range: mustParse(row.cidr) }));
const embedding = embeddingRanges.map(({ cidr, shift }) => ({ range: mustParse(cidr), shift: BigInt(shift) }));
