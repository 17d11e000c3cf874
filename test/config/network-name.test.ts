import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  addressesCollide,
  formatListenAddress,
  isAddressRange,
  isDestination,
  isUriHost,
  parseListenAddress,
  type ListenAddress,
} from '../../config/network-name.js';

const listen = (text: string): ListenAddress => {
  const address = parseListenAddress(text);
  assert.ok(address !== null, text);
  return address;
};

describe('addresses to listen on', () => {
  it('a host, an IPv4 address or an IPv6 address in brackets, and a port', () => {
    assert.deepEqual(listen('127.0.0.1:3128'), { host: '127.0.0.1', port: 3128 });
    assert.deepEqual(listen('[::1]:0'), { host: '::1', port: 0 });
    assert.deepEqual(listen('Localhost:80'), { host: 'localhost', port: 80 });
  });

  it("'*' stands for all addresses of the machine, IPv6 and IPv4", () => {
    assert.deepEqual(listen('*:80'), { host: '::', port: 80 });
    assert.deepEqual(listen('[::]:80'), { host: '::', port: 80 });
  });

  for (const text of [
    '',
    '80',
    ':80',
    '127.0.0.1',
    '::1:80',
    '[::1]',
    '[127.0.0.1]:80',
    'a:65536',
    'a:-1',
    'a b:80',
    '256.0.0.1:80',
  ]) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(parseListenAddress(text), null));
  }

  it('an address that is written out reads as itself', () => {
    const host = fc.oneof(fc.ipV4(), fc.constantFrom('::1', '::', 'fe80::1', 'localhost', 'a.example'));
    fc.assert(
      fc.property(host, fc.nat(65535), (name, port) => {
        const address = { host: name, port };
        assert.deepEqual(parseListenAddress(formatListenAddress(address)), address);
      }),
    );
  });

  it('two listeners collide on the same address, or where one of them has all addresses of a port', () => {
    assert.equal(addressesCollide(listen('127.0.0.1:80'), listen('127.0.0.1:80')), true);
    assert.equal(addressesCollide(listen('*:80'), listen('127.0.0.1:80')), true);
    assert.equal(addressesCollide(listen('127.0.0.1:80'), listen('0.0.0.0:80')), true);
    assert.equal(addressesCollide(listen('127.0.0.1:80'), listen('127.0.0.2:80')), false);
    assert.equal(addressesCollide(listen('127.0.0.1:80'), listen('127.0.0.1:81')), false);
    assert.equal(addressesCollide(listen('127.0.0.1:0'), listen('127.0.0.1:0')), false);
  });
});

describe('address ranges, destinations and hosts', () => {
  it('a range is an IP address, or one with the length of its prefix', () => {
    for (const text of ['10.0.0.0/8', '10.1.2.3', '::1', 'fd00::/8', '0.0.0.0/0', '::ffff:10.0.0.1/128']) {
      assert.equal(isAddressRange(text), true, text);
    }
    for (const text of [
      '',
      '10.0.0.0/33',
      '10/8',
      '::/129',
      '10.0.0.0/',
      '10.0.0.0/-1',
      'a.example',
      '[::1]',
      'fe80::1%eth0',
    ]) {
      assert.equal(isAddressRange(text), false, text);
    }
  });

  it("a destination is a range, a host name, '*.' and a host name, or private", () => {
    for (const text of ['private', '10.0.0.0/8', '::1', 'a.example', '*.a.example', 'localhost']) {
      assert.equal(isDestination(text), true, text);
    }
    for (const text of [
      '',
      '*',
      '*.',
      'a..example',
      'http://a.example/',
      'a.example:80',
      '-a.example',
      '10.0.0.0/33',
      '127.1',
    ]) {
      assert.equal(isDestination(text), false, text);
    }
  });

  it('a host of a URI is a name or an address; numbers that only resemble an IPv4 address are neither', () => {
    for (const text of ['a.example', '127.0.0.1', '[::1]', 'a_b.example']) assert.equal(isUriHost(text), true, text);
    for (const text of ['::1', '[::1', '[127.0.0.1]', '0x7f.1', '2130706433', 'a b', 'a/b', '']) {
      assert.equal(isUriHost(text), false, text);
    }
  });
});
