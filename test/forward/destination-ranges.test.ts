import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { privateRangeOf, privateRanges } from '../../proxy/forward/destination-ranges.js';
import { contains, embeddingRanges, parseAddress, parseRange } from '../../proxy/http/ip-address.js';

const isPrivate = (text: string): boolean => {
  const address = parseAddress(text);
  assert.ok(address, text);
  return privateRangeOf(address) !== null;
};

/** Lowest and highest address of a range, and their neighbours outside. */
function edges(cidr: string): { inside: bigint[]; outside: bigint[]; family: 4 | 6 } {
  const range = parseRange(cidr);
  assert.ok(range, 'no range');
  const width = range.family === 4 ? 32 : 128;
  const size = 1n << BigInt(width - range.prefix);
  const last = range.base + size - 1n;
  const outside = [range.base - 1n, last + 1n].filter((value) => value >= 0n && value < 1n << BigInt(width));
  return { inside: [range.base, last, range.base + size / 2n], outside, family: range.family };
}

describe('destination ranges', () => {
  for (const { cidr, meaning, source } of privateRanges) {
    it(`private covers ${cidr}, ${meaning} (${source})`, () => {
      const range = parseRange(cidr);
      assert.ok(range, 'no range');
      const { inside, outside, family } = edges(cidr);
      for (const value of inside) {
        assert.equal(contains(range, { family, value }), true);
        assert.notEqual(privateRangeOf({ family, value }), null);
      }
      for (const value of outside) assert.equal(contains(range, { family, value }), false);
    });
  }

  for (const { cidr, meaning, source } of embeddingRanges) {
    it(`an ${meaning} address, ${cidr}, is judged by the IPv4 address in it (${source})`, () => {
      const embed = (v4: string): string => {
        const [a = 0, b = 0, c = 0, d = 0] = v4.split('.').map(Number);
        const groups = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
        return cidr === '2002::/16'
          ? `2002:${groups}::1`
          : `${cidr.replace(/(?::0)*:0\/96$|\/96$/, '')}${cidr.includes('ffff') ? ':' : ''}${groups}`;
      };
      assert.ok(isIPv6(embed('127.0.0.1')), embed('127.0.0.1'));
      for (const v4 of ['127.0.0.1', '10.1.2.3', '169.254.169.254']) assert.ok(isPrivate(embed(v4)), embed(v4));
      for (const v4 of ['8.8.8.8', '93.184.215.14']) assert.ok(!isPrivate(embed(v4)), embed(v4));
    });
  }

  it('addresses of the public internet are not private', () => {
    const addresses = [
      '1.1.1.1',
      '8.8.8.8',
      '9.255.255.255',
      '11.0.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '126.255.255.255',
    ];
    addresses.push('128.0.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0', '198.17.255.255');
    addresses.push('198.20.0.0', '223.255.255.255', '2606:4700::1111', '2a00:1450::1', '2001:1::1', '64:ff9b:2::1');
    for (const one of addresses) assert.ok(!isPrivate(one), one);
  });

  it('the metadata services are private', () => {
    const addresses = ['169.254.169.254', '100.100.100.200', '192.0.0.192', '168.63.129.16', 'fd00:ec2::254'];
    for (const one of [...addresses, '::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe']) assert.ok(isPrivate(one), one);
  });

  it('text is an IPv4 address exactly if the platform says so', () => {
    const part = fc.oneof(fc.nat(300).map(String), fc.constantFrom('', '00', '01', '0x1', ' 1', '1 '));
    const quad = fc.array(part, { minLength: 3, maxLength: 5 }).map((parts) => parts.join('.'));
    fc.assert(fc.property(quad, (text) => assert.equal(parseAddress(text)?.family === 4, isIPv4(text))));
    fc.assert(fc.property(fc.ipV4(), (text) => assert.equal(parseAddress(text)?.family, 4)));
  });

  it('text is an IPv6 address exactly if the platform says so (RFC 4291 §2.2)', () => {
    const piece = fc.oneof(
      fc.constantFrom(':', '::', '0', 'ffff', '12345', 'g', '127.0.0.1', '1'),
      fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdefABCDEF')), maxLength: 5 }),
    );
    const text = fc.array(piece, { maxLength: 17 }).map((pieces) => pieces.join(''));
    fc.assert(fc.property(text, (one) => assert.equal(parseAddress(one)?.family === 6, isIPv6(one), one)));
    fc.assert(fc.property(fc.ipV6(), (one) => assert.equal(parseAddress(one)?.family === 6, isIPv6(one), one)));
  });

  it('a zone identifier is no part of the address (RFC 4007 §11)', () => {
    assert.deepEqual(parseAddress('fe80::1%eth0'), parseAddress('fe80::1'));
  });

  it('a range is an address with an optional prefix length that fits (RFC 4632 §3.1)', () => {
    for (const bad of [
      '',
      '/8',
      '10.0.0.0/',
      '10.0.0.0/33',
      '10.0.0.0/08',
      '10.0.0.0/-1',
      '10/8',
      '::/129',
      '::/1/1',
      'x',
    ]) {
      assert.equal(parseRange(bad), null, bad);
    }
    assert.deepEqual(parseRange('10.1.2.3/8'), parseRange('10.0.0.0/8'));
    assert.equal(parseRange('10.1.2.3')?.prefix, 32);
    assert.equal(parseRange('::1')?.prefix, 128);
    assert.equal(contains(parseRange('0.0.0.0/0')!, parseAddress('255.1.2.3')!), true);
    assert.equal(contains(parseRange('0.0.0.0/0')!, parseAddress('::1')!), false);
  });
});
