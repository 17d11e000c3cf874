import { bytes } from '../../config/units.js';
import { addressText } from './address-text.js';
import type { InputBuffer } from './input-buffer.js';
import { parseAddress } from './ip-address.js';
import type { ProxyHeader } from './proxy-header.js';
import { binaryFault, FIXED_LENGTH, parseBinary, SIGNATURE } from './proxy-protocol-v2.js';

export type ProxyHeaderResult =
  | { readonly kind: 'header'; readonly header: ProxyHeader }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'invalid'; readonly reason: string };

/**
 * Consumes the header of the PROXY protocol, version 1 or 2 (haproxy's proxy-protocol.txt §2), at the beginning of a
 * connection. To be called again with more input as long as it is incomplete; what is invalid is told as soon as that
 * is certain.
 *
 *     version 1    PROXY TCP4 192.0.2.7 192.0.2.1 56324 443 CRLF
 *     version 2    signature (12), version and command, family and protocol, length (2), addresses, TLVs
 */
export function receiveProxyHeader(input: InputBuffer): ProxyHeaderResult {
  if (input.length === 0) return INCOMPLETE;
  const isBinary = input.at(0) === SIGNATURE[0];
  switch (beginning(input, isBinary ? SIGNATURE : LINE_START)) {
    case 'part':
      return INCOMPLETE;
    case 'other':
      return invalid('the connection does not begin with a PROXY protocol header');
    case 'whole':
      return isBinary ? receiveBinary(input) : receiveLine(input);
  }
}

const INCOMPLETE = { kind: 'incomplete' } as const;
const LF = 0x0a;
const LINE_START = Buffer.from('PROXY ');
/** `PROXY UNKNOWN ffff:…:ffff ffff:…:ffff 65535 65535 CRLF` */
const LONGEST_LINE = 107;

const invalid = (reason: string): ProxyHeaderResult => ({ kind: 'invalid', reason });

/** How much of the given bytes the input begins with. */
function beginning(input: InputBuffer, wanted: Buffer): 'whole' | 'part' | 'other' {
  for (let i = 0; i < wanted.length; i++) {
    if (i === input.length) return 'part';
    if (input.at(i) !== wanted[i]) return 'other';
  }
  return 'whole';
}

function receiveLine(input: InputBuffer): ProxyHeaderResult {
  const end = input.indexOf(LF, 0);
  if ((end < 0 ? input.length : end + 1) > LONGEST_LINE) return invalid('PROXY line of over 107 bytes');
  if (end < 0) return INCOMPLETE;
  const line = input.text(bytes(end + 1));
  const header = line.endsWith('\r\n') ? parseLine(line.slice(0, -2)) : null;
  if (header === null) return invalid('malformed PROXY line');
  input.skip(bytes(end + 1));
  return { kind: 'header', header };
}

function parseLine(line: string): ProxyHeader | null {
  const [, protocol, source = '', destination = '', sourcePort = '', destinationPort = '', ...rest] = line.split(' ');
  // what else such a line says is to be ignored
  if (protocol === 'UNKNOWN') return { client: null, secure: false };
  const family = protocol === 'TCP4' ? 4 : protocol === 'TCP6' ? 6 : null;
  if (family === null || rest.length > 0) return null;
  const address = parseAddressOf(family, source);
  const port = parsePort(sourcePort);
  if (address === null || port === null) return null;
  if (parseAddressOf(family, destination) === null || parsePort(destinationPort) === null) return null;
  return { client: { address, port }, secure: false };
}

function parseAddressOf(family: 4 | 6, text: string): string | null {
  const address = text.includes('%') ? null : parseAddress(text);
  return address?.family === family ? addressText(address) : null;
}

function parsePort(text: string): number | null {
  if (!/^(?:0|[1-9]\d{0,4})$/.test(text)) return null;
  const port = Number(text);
  return port <= 65535 ? port : null;
}

function receiveBinary(input: InputBuffer): ProxyHeaderResult {
  if (input.length < FIXED_LENGTH) return INCOMPLETE;
  const fault = binaryFault(input.at(12), input.at(13));
  if (fault !== null) return invalid(fault);
  const length = FIXED_LENGTH + input.at(14) * 256 + input.at(15);
  if (input.length < length) return INCOMPLETE;
  const header = parseBinary(input.take(bytes(length)));
  return typeof header === 'string' ? invalid(header) : { kind: 'header', header };
}
