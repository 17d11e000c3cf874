import fc from 'fast-check';
import { crc32c } from '../../proxy/http/crc32c.js';

export const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n';

/** A header of version 2: version and command, family and protocol, and what follows the length. */
export function binaryHeader(versionAndCommand: number, familyAndProtocol: number, rest: Buffer): Buffer {
  const head = Buffer.from(`${SIGNATURE}....`, 'latin1');
  head[12] = versionAndCommand;
  head[13] = familyAndProtocol;
  head.writeUInt16BE(rest.length, 14);
  return Buffer.concat([head, rest]);
}

/** A type-length-value vector. */
export function vector(type: number, value: Buffer): Buffer {
  const head = Buffer.from([type, 0, 0]);
  head.writeUInt16BE(value.length, 1);
  return Buffer.concat([head, value]);
}

export const ipv4Block = (source: string, sourcePort: number): Buffer => {
  const block = Buffer.from([...source.split('.').map(Number), 192, 0, 2, 1, 0, 0, 1, 187]);
  block.writeUInt16BE(sourcePort, 8);
  return block;
};

/** @param source 16 bytes in hexadecimal */
export const ipv6Block = (source: string, sourcePort: number): Buffer => {
  const block = Buffer.concat([Buffer.from(source, 'hex'), Buffer.alloc(16, 0x20), Buffer.alloc(4)]);
  block.writeUInt16BE(sourcePort, 32);
  return block;
};

/** The header with a checksum vector at the end. */
export function summed(versionAndCommand: number, familyAndProtocol: number, rest: Buffer): Buffer {
  const header = binaryHeader(
    versionAndCommand,
    familyAndProtocol,
    Buffer.concat([rest, vector(0x03, Buffer.alloc(4))]),
  );
  header.writeUInt32BE(crc32c(header), header.length - 4);
  return header;
}

export const dottedQuads = fc.tuple(...Array.from({ length: 4 }, () => fc.nat(255))).map((parts) => parts.join('.'));
export const ports = fc.nat(65535);
export const sixteenBytes = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((data) => Buffer.from(data).toString('hex'));
export const ignoredVectors = fc
  .array(
    fc.tuple(
      fc.nat(255).filter((type) => type !== 0x03 && type !== 0x20),
      fc.uint8Array({ maxLength: 40 }),
    ),
    { maxLength: 4 },
  )
  .map((vectors) => Buffer.concat(vectors.map(([type, value]) => vector(type, Buffer.from(value)))));
