import { isIP, isIPv4 } from 'node:net';

/** Where a listener binds: a host name or IP address (IPv6 without brackets) and a port, 0 for any free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:3128`, `[::1]:3128`, `localhost:80`, or `*:80` for all addresses of the machine; otherwise null. */
export function parseListenAddress(text: string): ListenAddress | null {
  const match = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const port = Number(match[3]);
  if (port > 65535) return null;
  const [, literal, name] = match;
  if (literal !== undefined) return isIP(literal) === 6 ? { host: literal, port } : null;
  if (name === '*') return { host: '::', port };
  return name !== undefined && (isIPv4(name) || isHostName(name)) ? { host: name.toLowerCase(), port } : null;
}

export const formatListenAddress = ({ host, port }: ListenAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** Whether binding one keeps the other from being bound: the same, or one of them all addresses of that port. */
export function addressesCollide(a: ListenAddress, b: ListenAddress): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || isEveryAddress(a.host) || isEveryAddress(b.host);
}

const isEveryAddress = (host: string): boolean => host === '::' || host === '0.0.0.0';

/** An IP address, or one with a prefix length: `10.0.0.0/8`, `::1`. */
export function isAddressRange(text: string): boolean {
  const match = /^([0-9A-Fa-f:.]+)(?:\/(\d{1,3}))?$/.exec(text);
  if (match === null) return false;
  const family = isIP(match[1] ?? '');
  return family !== 0 && (match[2] === undefined || Number(match[2]) <= (family === 4 ? 32 : 128));
}

/**
 * A registered name of letters, digits, hyphens and underscores (RFC 1123 §2.1, widened by what is in use). One whose
 * last label is a number is an IPv4 address in some spelling or nothing, as browsers see it.
 */
export function isHostName(text: string): boolean {
  if (text.length > 253) return false;
  const labels = text.split('.');
  return (
    labels.every((label) => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label)) && !endsInNumber(labels)
  );
}

const endsInNumber = (labels: readonly string[]): boolean => /^(?:\d+|0[xX][0-9A-Fa-f]*)$/.test(labels.at(-1) ?? '');

/** A host as it stands in a URI: a name, an IPv4 address, or an IPv6 address in brackets. */
export function isUriHost(text: string): boolean {
  const literal = /^\[(.*)\]$/.exec(text)?.[1];
  return literal === undefined ? isIPv4(text) || isHostName(text) : isIP(literal) === 6 && !literal.includes('%');
}

/** What `access.destinations` may name: an address range, a host name, `*.example.org`, or `private`. */
export const isDestination = (text: string): boolean =>
  text === 'private' || isAddressRange(text) || isHostName(text.startsWith('*.') ? text.slice(2) : text);
