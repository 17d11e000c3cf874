import type { IpAddress } from './ip-address.js';

/**
 * One to four numbers, decimal, octal or hexadecimal, the last of which fills what is left of the address: as inet_aton
 * reads them, which resolvers and browsers still do. Null for what is no address in any of these spellings.
 */
export function looseIpv4(text: string): IpAddress | null {
  const parts = text.split('.');
  const last = parts.pop() ?? '';
  if (parts.length > 3) return null;
  let value = numberOf(last);
  if (value === null || value >= 1n << BigInt(32 - 8 * parts.length)) return null;
  for (const [index, part] of parts.entries()) {
    const byte = numberOf(part);
    if (byte === null || byte > 255n) return null;
    value |= byte << BigInt(24 - 8 * index);
  }
  return { family: 4, value };
}

function numberOf(text: string): bigint | null {
  if (/^0x[\da-f]+$/.test(text)) return BigInt(text);
  if (/^0[0-7]*$/.test(text)) return BigInt(`0o${text}`);
  return /^[1-9]\d*$/.test(text) ? BigInt(text) : null;
}
