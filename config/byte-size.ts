import { bytes, type Bytes } from './units.js';

const units = {
  B: 1,
  kB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  TB: 1000 ** 4,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
} as const;

const form = /^(\d{1,16}(?:\.\d{1,9})?)(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?$/;

/** `64MiB` (2^20), `64MB` (10^6), `1.5GiB`, `1500` (bytes); null for anything else, part of a byte included. */
export function parseByteSize(text: string): Bytes | null {
  const match = form.exec(text);
  if (match === null) return null;
  const size = Number(match[1]) * units[(match[2] ?? 'B') as keyof typeof units];
  return Number.isSafeInteger(size) ? bytes(size) : null;
}

/** A text that `parseByteSize` reads as this size: the largest binary unit that leaves a whole number. */
export function formatByteSize(size: Bytes): string {
  const names = ['TiB', 'GiB', 'MiB', 'KiB'] as const;
  const name = size === 0 ? undefined : names.find((unit) => size % units[unit] === 0);
  return name === undefined ? String(size) : `${size / units[name]}${name}`;
}
