import { NotCanonical } from './not-canonical.js';

/**
 * The one spelling of a host: lower case, A-labels (RFC 5890), no trailing dot; addresses as RFC 3986 §3.2.2 has them,
 * IPv6 ones with the spelling of browsers.
 * @throws NotCanonical for what is no host; for numbers that some take for an IPv4 address (`127.1`, `0x7f000001`)
 */
export function canonicalHost(host: string): string {
  if (host.startsWith('[')) return canonicalLiteral(host);
  // any character but ASCII has many spellings; the platform has the tables (UTS #46) that say which is meant
  const name = (beyondAscii.test(host) ? asciiName(host) : host).toLowerCase().replace(/\.$/, '');
  if (!isName.test(name) || name.length > 253) throw new NotCanonical('a host that is no name or address');
  if (endsInNumber.test(name) && !isIpv4.test(name)) throw new NotCanonical('a host that is half an address');
  return name;
}

function canonicalLiteral(host: string): string {
  if (!/^\[[0-9A-Fa-f:.]+\]$/.test(host)) throw new NotCanonical('a host in brackets that is no IPv6 address');
  return platformHost(host);
}

function asciiName(host: string): string {
  // nothing that would end the host of a URL, or be decoded in it
  if (/[\s\p{Cc}%/\\?#@:[\]<>^|"`{}]/u.test(host)) throw new NotCanonical('a host that is no name or address');
  return platformHost(host);
}

function platformHost(host: string): string {
  try {
    return new URL(`http://${host}/`).hostname;
  } catch {
    throw new NotCanonical('a host that is no name or address');
  }
}

const beyondAscii = /[^\p{ASCII}]/u;

/** Labels of what is let through by listeners too. */
const isName = /^[a-z0-9_~-]{1,63}(?:\.[a-z0-9_~-]{1,63})*$/;

/** What makes browsers take a name for an IPv4 address (WHATWG URL, "ends in a number"). */
const endsInNumber = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

const isIpv4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
