import assert from 'node:assert/strict';
import fc from 'fast-check';
import { addressText } from '../../proxy/http/address-text.js';
import { parseAddress } from '../../proxy/http/ip-address.js';

const respelled = (text: string): string => {
  const address = parseAddress(text);
  assert.ok(address !== null, text);
  return addressText(address);
};

describe('the text of an address', () => {
  for (const [written, expected] of [
    ['0.0.0.0', '0.0.0.0'],
    ['255.254.1.0', '255.254.1.0'],
    ['::', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::192.0.2.7', '::c000:207'],
  ] as const) {
    it(`of ${written} is ${expected} (RFC 5952 §4)`, () => {
      assert.equal(respelled(written), expected);
    });
  }

  it('is that of the URL standard for IPv6, and reads back as the same address', () => {
    const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(groups, (parts) => {
        const written = parts.map((part) => part.toString(16)).join(':');
        const address = parseAddress(written);
        assert.ok(address !== null, 'no address');
        fc.pre(address.value >> 32n !== 0xffffn);
        assert.equal(addressText(address), new URL(`http://[${written}]/`).hostname.slice(1, -1));
        assert.deepEqual(parseAddress(addressText(address)), address);
      }),
    );
  });
});
