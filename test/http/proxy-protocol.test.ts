import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InputBuffer } from '../../proxy/http/input-buffer.js';
import type { ProxyHeader } from '../../proxy/http/proxy-header.js';
import { receiveProxyHeader, type ProxyHeaderResult } from '../../proxy/http/proxy-protocol.js';
import {
  binaryHeader,
  dottedQuads,
  ignoredVectors,
  ipv4Block,
  ipv6Block,
  ports,
  SIGNATURE,
  sixteenBytes,
  summed,
  vector,
} from './proxy-protocol-samples.js';

const NEXT = 'GET / HTTP/1.1\r\n';
const STREAM4 = 0x11;
const PROXY = 0x21;
const LOCAL = 0x20;

/** What becomes of bytes that arrive in pieces, and what is left of them. */
function receive(data: Buffer, cuts: readonly number[] = []): { result: ProxyHeaderResult; left: string } {
  const input = new InputBuffer();
  const edges = [...new Set([...cuts.map((cut) => cut % (data.length + 1)), data.length])].toSorted((a, b) => a - b);
  let result: ProxyHeaderResult = { kind: 'incomplete' };
  let from = 0;
  for (const to of edges) {
    input.append(data.subarray(from, to));
    from = to;
    if (result.kind === 'incomplete') result = receiveProxyHeader(input);
  }
  return { result, left: input.text(input.length) };
}

function header(data: Buffer | string): ProxyHeader {
  const { result, left } = receive(Buffer.concat([Buffer.from(data as string, 'latin1'), Buffer.from(NEXT)]));
  assert.ok(result.kind === 'header', JSON.stringify(result));
  assert.equal(left, NEXT);
  return result.header;
}

const kindOf = (data: Buffer | string): string => receive(Buffer.from(data as string, 'latin1')).result.kind;

describe('the PROXY protocol', () => {
  describe('version 1 (§2.1)', () => {
    it('gives the client of TCP4 and TCP6, addresses in their one spelling', () => {
      assert.deepEqual(header('PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\n'), {
        client: { address: '192.0.2.7', port: 56324 },
        secure: false,
      });
      const longest = `PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`;
      assert.equal(header(longest).client?.address, `${'ffff:'.repeat(7)}ffff`);
      assert.equal(header('PROXY TCP6 2001:DB8:0:0::0:1 ::1 0 1\r\n').client?.address, '2001:db8::1');
      assert.equal(header('PROXY TCP6 ::ffff:192.0.2.7 ::1 1 1\r\n').client?.address, '192.0.2.7');
    });

    it('of an unknown connection nothing is believed, up to the end of a line of 107 bytes', () => {
      const own = { client: null, secure: false };
      assert.deepEqual(header('PROXY UNKNOWN\r\n'), own);
      assert.deepEqual(header('PROXY UNKNOWN TCP4 1.2.3.4 \x00\xff\r\n'), own);
      const longest = `PROXY UNKNOWN ${'x'.repeat(107 - 16)}\r\n`;
      assert.equal(longest.length, 107);
      assert.deepEqual(header(longest), own);
      assert.equal(kindOf(longest.replace('xx', 'xxx')), 'invalid');
    });

    it('a line without an end is refused at its 108th byte, not before', () => {
      assert.equal(kindOf('PROXY UNKNOWN '.padEnd(107, 'x')), 'incomplete');
      assert.equal(kindOf('PROXY UNKNOWN '.padEnd(108, 'x')), 'invalid');
    });

    const malformed = [
      'PROXY TCP4 192.0.2.7 192.0.2.1 56324\r\n',
      'PROXY TCP4 192.0.2.7 192.0.2.1 56324 443 1\r\n',
      'PROXY TCP4 192.0.2.7 192.0.2.1 56324 443 \r\n',
      'PROXY  TCP4 192.0.2.7 192.0.2.1 56324 443\r\n',
      'PROXY TCP4  192.0.2.7 192.0.2.1 56324 443\r\n',
      'PROXY TCP4\t192.0.2.7 192.0.2.1 56324 443\r\n',
      'PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\n',
      'PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\r\n',
      'PROXY TCP4 192.0.2.07 192.0.2.1 56324 443\r\n',
      'PROXY TCP4 192.0.2 192.0.2.1 56324 443\r\n',
      'PROXY TCP4 192.0.2.256 192.0.2.1 56324 443\r\n',
      'PROXY TCP4 192.0.2.7 192.0.2.1 056324 443\r\n',
      'PROXY TCP4 192.0.2.7 192.0.2.1 65536 443\r\n',
      'PROXY TCP4 192.0.2.7 192.0.2.1 -1 443\r\n',
      'PROXY TCP4 192.0.2.7 192.0.2.1 1 99999\r\n',
      'PROXY TCP4 192.0.2.7 ::1 1 1\r\n',
      'PROXY TCP4 ::1 ::1 1 1\r\n',
      'PROXY TCP6 192.0.2.7 ::1 1 1\r\n',
      'PROXY TCP6 ::1::1 ::1 1 1\r\n',
      'PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n',
      'PROXY TCP6 [::1] ::1 1 1\r\n',
      'PROXY UDP4 192.0.2.7 192.0.2.1 1 1\r\n',
      'PROXY tcp4 192.0.2.7 192.0.2.1 1 1\r\n',
      'PROXY UNKNOWNX\r\n',
      'PROXY unknown\r\n',
      'PROXY \r\n',
      'PROXY TCP4\r\n',
      'PROXY\r\n',
      'proxy TCP4 192.0.2.7 192.0.2.1 1 1\r\n',
      ' PROXY UNKNOWN\r\n',
    ];
    for (const line of malformed) {
      it(`refuses ${JSON.stringify(line)}`, () => {
        assert.equal(kindOf(line), 'invalid');
      });
    }
  });

  describe('version 2 (§2.2)', () => {
    it('gives the client of streams and of datagrams', () => {
      const client = { client: { address: '192.0.2.7', port: 56324 }, secure: false };
      assert.deepEqual(header(binaryHeader(PROXY, STREAM4, ipv4Block('192.0.2.7', 56324))), client);
      assert.deepEqual(header(binaryHeader(PROXY, 0x12, ipv4Block('192.0.2.7', 56324))), client);
      const v6 = ipv6Block('20010db8000000000000000000000001', 9);
      assert.deepEqual(header(binaryHeader(PROXY, 0x21, v6)).client, { address: '2001:db8::1', port: 9 });
      assert.deepEqual(header(binaryHeader(PROXY, 0x22, v6)).client, { address: '2001:db8::1', port: 9 });
      const mapped = ipv6Block('00000000000000000000ffffc0000207', 9);
      assert.equal(header(binaryHeader(PROXY, 0x21, mapped)).client?.address, '192.0.2.7');
    });

    it("the proxy's own connections (LOCAL) and unspecified ones keep their real ends; the block is skipped", () => {
      const block = ipv4Block('192.0.2.7', 56324);
      for (const family of [0x00, STREAM4, 0x21, 0xff]) {
        assert.equal(header(binaryHeader(LOCAL, family, block)).client, null);
        assert.equal(header(binaryHeader(LOCAL, family, Buffer.alloc(0))).client, null);
      }
      for (const family of [0x00, 0x01, 0x10, 0x20, 0x30]) {
        assert.equal(header(binaryHeader(PROXY, family, block)).client, null);
        assert.equal(header(binaryHeader(PROXY, family, Buffer.alloc(0))).client, null);
      }
    });

    it('a client on a UNIX socket has no address', () => {
      for (const family of [0x31, 0x32]) {
        assert.equal(header(binaryHeader(PROXY, family, Buffer.alloc(216))).client, null);
        assert.equal(kindOf(binaryHeader(PROXY, family, Buffer.alloc(215))), 'invalid');
      }
    });

    it('refuses other versions, commands, families and protocols as soon as they are there', () => {
      for (const first of [0x01, 0x11, 0x10, 0x31, 0x22, 0x2f]) {
        assert.equal(kindOf(binaryHeader(first, STREAM4, Buffer.alloc(100)).subarray(0, 16)), 'invalid');
      }
      for (const second of [0x13, 0x1f, 0x41, 0xf1, 0x40]) {
        assert.equal(kindOf(binaryHeader(PROXY, second, Buffer.alloc(100)).subarray(0, 16)), 'invalid');
      }
    });

    it('refuses a length that is too short for the addresses', () => {
      assert.equal(kindOf(binaryHeader(PROXY, STREAM4, Buffer.alloc(11))), 'invalid');
      assert.equal(kindOf(binaryHeader(PROXY, 0x21, Buffer.alloc(35))), 'invalid');
    });

    it('skips vectors, of the longest header too, and refuses broken ones', () => {
      const block = ipv4Block('192.0.2.7', 1);
      const long = Buffer.concat([block, vector(0xee, Buffer.alloc(65535 - 12 - 3))]);
      assert.equal(header(binaryHeader(PROXY, STREAM4, long)).client?.address, '192.0.2.7');
      for (const broken of [[0x04], [0x04, 0], [0x04, 0, 1], [0x04, 0, 0, 0x04, 0, 9, 1]]) {
        assert.equal(kindOf(binaryHeader(PROXY, STREAM4, Buffer.concat([block, Buffer.from(broken)]))), 'invalid');
      }
    });

    it('verifies a checksum (§2.2.3) if there is one', () => {
      const block = Buffer.concat([ipv4Block('192.0.2.7', 56324), vector(0x04, Buffer.from('abc'))]);
      const good = summed(PROXY, STREAM4, block);
      assert.equal(header(good).client?.address, '192.0.2.7');
      const typeOfIt = good.length - 7;
      for (let i = 16; i < good.length; i++) {
        if (i === typeOfIt) continue;
        const bad = Buffer.from(good);
        bad[i] = (bad[i] as number) ^ 1;
        assert.equal(kindOf(bad), 'invalid', `byte ${i}`);
      }
      const twice = Buffer.concat([block, vector(0x03, Buffer.alloc(4))]);
      assert.equal(kindOf(summed(PROXY, STREAM4, twice)), 'invalid');
      assert.equal(
        kindOf(binaryHeader(PROXY, STREAM4, Buffer.concat([block, vector(0x03, Buffer.alloc(3))]))),
        'invalid',
      );
    });

    it("tells whether the client's side is TLS (§2.2.6)", () => {
      const tls = (client: number): Buffer =>
        vector(0x20, Buffer.concat([Buffer.from([client, 0, 0, 0, 0]), vector(0x21, Buffer.from('TLSv1.3'))]));
      const block = ipv4Block('192.0.2.7', 1);
      const secure = (client: number): boolean =>
        header(binaryHeader(PROXY, STREAM4, Buffer.concat([block, tls(client)]))).secure;
      assert.deepEqual([secure(0x01), secure(0x07), secure(0x00), secure(0x06)], [true, true, false, false]);
      const unix = Buffer.concat([Buffer.alloc(216), tls(1)]);
      assert.deepEqual(header(binaryHeader(PROXY, 0x31, unix)), { client: null, secure: true });
      const short = Buffer.concat([block, vector(0x20, Buffer.from([1, 0, 0, 0]))]);
      assert.equal(kindOf(binaryHeader(PROXY, STREAM4, short)), 'invalid');
    });

    it('refuses what only resembles the signature, at the first byte that differs', () => {
      for (let i = 1; i < SIGNATURE.length; i++) {
        assert.equal(kindOf(`${SIGNATURE.slice(0, i)}x`), 'invalid');
        assert.equal(kindOf(SIGNATURE.slice(0, i)), 'incomplete');
      }
    });
  });

  it('what is no such header is refused at its first byte', () => {
    for (const other of ['G', '\x16', '\n', '\0', 'p', ' ']) assert.equal(kindOf(other), 'invalid');
    assert.equal(kindOf(''), 'incomplete');
    assert.equal(kindOf('POST / HTTP/1.1\r\n'), 'invalid');
    assert.equal(kindOf('PROXYING / HTTP/1.1\r\n'), 'invalid');
  });

  const headers = fc.oneof(
    fc.tuple(dottedQuads, ports).map(([address, port]) => ({
      data: Buffer.from(`PROXY TCP4 ${address} 192.0.2.1 ${port} 443\r\n`),
      client: { address, port },
    })),
    fc.tuple(dottedQuads, ports, ignoredVectors).map(([address, port, vectors]) => ({
      data: summed(PROXY, STREAM4, Buffer.concat([ipv4Block(address, port), vectors])),
      client: { address, port },
    })),
    fc.tuple(sixteenBytes, ports, ignoredVectors).map(([address, port, vectors]) => ({
      data: binaryHeader(PROXY, 0x21, Buffer.concat([ipv6Block(address, port), vectors])),
      client: { address: canonical(address), port },
    })),
  );
  const cutting = fc.array(fc.nat(10_000), { maxLength: 8 });

  it('gives the same however the bytes are split, and leaves what follows', () => {
    fc.assert(
      fc.property(headers, cutting, ({ data, client }, cuts) => {
        const { result, left } = receive(Buffer.concat([data, Buffer.from(NEXT)]), cuts);
        assert.deepEqual(result, { kind: 'header', header: { client, secure: false } });
        assert.equal(left, NEXT);
      }),
    );
  });

  it('is incomplete as long as a byte is missing', () => {
    fc.assert(
      fc.property(headers, fc.nat(), ({ data }, length) => {
        assert.equal(receive(data.subarray(0, length % data.length)).result.kind, 'incomplete');
      }),
    );
  });

  it('survives any bytes, and says the same of them in one piece and in several', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((data) => Buffer.from(data)),
      fc
        .tuple(fc.nat(255), fc.nat(255), fc.uint8Array({ maxLength: 300 }))
        .map(([first, second, rest]) => binaryHeader(first, second, Buffer.from(rest))),
      fc.string({ maxLength: 120 }).map((rest) => Buffer.from(`PROXY ${rest}\r\n`, 'latin1')),
    );
    fc.assert(
      fc.property(anything, cutting, (data, cuts) => {
        assert.deepEqual(receive(data, cuts), receive(data));
      }),
    );
  });
});

/** As the URL standard writes an IPv6 address, and IPv4-mapped ones as IPv4. */
function canonical(hex: string): string {
  const text = new URL(`http://[${hex.replace(/(.{4})(?!$)/g, '$1:')}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(text);
  if (mapped === null) return text;
  return [...Buffer.from(hex.slice(24), 'hex')].join('.');
}
