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

/** An IPv6 range whose addresses lead to the IPv4 address in them. */
export interface EmbeddingRange {
  readonly cidr: string;
  readonly meaning: string;
  /** Where it is defined. */
  readonly source: string;
  /** Number of bits to the right of the IPv4 address. */
  readonly shift: number;
}

/** IPv6 ranges whose addresses lead to the IPv4 address in them. */
export const embeddingRanges: readonly EmbeddingRange[] = [
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

/** `::ffff:a.b.c.d` is not another address than `a.b.c.d`, but another way to write it (RFC 4291 §2.5.5.2). */
export const isMappedIpv4 = ({ family, value }: IpAddress): boolean => family === 6 && value >> 32n === 0xffffn;

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

/** As `parseRange`, for tables. @throws Error for what is no range */
export function knownRange(cidr: string): IpRange {
  const range = parseRange(cidr);
  if (range === null) throw new Error(`not a range: ${cidr}`);
  return range;
}

const embedding = embeddingRanges.map(({ cidr, shift }) => ({ range: knownRange(cidr), shift: BigInt(shift) }));
