import { addressText } from './address-text.js';
import { crc32c } from './crc32c.js';
import type { ProxyHeader } from './proxy-header.js';

/** What a header of version 2 begins with (haproxy's proxy-protocol.txt §2.2). */
export const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** Signature, version and command, family and protocol, length of the rest. */
export const FIXED_LENGTH = 16;

/** What is wrong with the 13th and 14th byte of a header, or null. */
export function binaryFault(versionAndCommand: number, familyAndProtocol: number): string | null {
  const command = versionAndCommand & 0x0f;
  if (versionAndCommand >> 4 !== 2) return 'PROXY header of an unknown version';
  if (command === LOCAL) return null;
  if (command !== PROXY) return 'PROXY header with an unknown command';
  if (familyAndProtocol >> 4 > UNIX) return 'PROXY header with an unknown address family';
  return (familyAndProtocol & 0x0f) > DATAGRAM ? 'PROXY header with an unknown transport protocol' : null;
}

/**
 * Parses a complete header without `binaryFault`. That of the proxy's own connections is skipped, and so is one of an
 * unspecified family or protocol, where nobody can tell where the addresses end. A checksum is verified where there is one.
 * @returns what is wrong, if anything
 */
export function parseBinary(header: Buffer): ProxyHeader | string {
  const [command, family, protocol] = [
    header[12] as number,
    (header[13] as number) >> 4,
    (header[13] as number) & 0x0f,
  ];
  if ((command & 0x0f) === LOCAL || family === UNSPECIFIED || protocol === UNSPECIFIED) return OWN;
  const size = ADDRESS_SIZE[family] ?? 0;
  const ends = family === UNIX ? size * 2 : size * 2 + 4;
  if (header.length < FIXED_LENGTH + ends) return 'PROXY header too short for its addresses';
  const vectors = readVectors(header, FIXED_LENGTH + ends);
  if (typeof vectors === 'string') return vectors;
  if (family === UNIX) return { client: null, secure: vectors.secure };
  const address = addressText({ family: family === INET ? 4 : 6, value: bigEndian(header, FIXED_LENGTH, size) });
  return { client: { address, port: header.readUInt16BE(FIXED_LENGTH + size * 2) }, secure: vectors.secure };
}

const OWN: ProxyHeader = { client: null, secure: false };

const LOCAL = 0;
const PROXY = 1;

const UNSPECIFIED = 0;
const INET = 1;
const UNIX = 3;
/** Of one address, by family. */
const ADDRESS_SIZE = [0, 4, 16, 108];
/** The address of a client is that, whether its connection is a stream or, as with QUIC, is made of datagrams. */
const DATAGRAM = 2;

const CHECKSUM = 0x03;
const TLS = 0x20;
const CLIENT_USED_TLS = 0x01;

/** Reads the type-length-value vectors; those of no interest are skipped. */
function readVectors(header: Buffer, from: number): { readonly secure: boolean } | string {
  let secure = false;
  let summed = false;
  for (let at = from; at < header.length;) {
    if (at + 3 > header.length) return 'PROXY header with a broken vector';
    const type = header[at] as number;
    const start = at + 3;
    const end = start + header.readUInt16BE(at + 1);
    if (end > header.length) return 'PROXY header with a broken vector';
    if (type === CHECKSUM) {
      if (summed || end - start !== 4 || crc32c(header, start, end) !== header.readUInt32BE(start)) {
        return 'PROXY header with a wrong checksum';
      }
      summed = true;
    } else if (type === TLS) {
      if (end - start < 5) return 'PROXY header with a broken vector';
      secure = ((header[start] as number) & CLIENT_USED_TLS) !== 0;
    }
    at = end;
  }
  return { secure };
}

const bigEndian = (data: Buffer, from: number, length: number): bigint =>
  BigInt(`0x${data.toString('hex', from, from + length)}`);
