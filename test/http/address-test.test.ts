import assert from 'node:assert/strict';
import { addressTest } from '../../proxy/http/address-test.js';

describe('a list of addresses and ranges', () => {
  const admits = addressTest(['127.0.0.0/8', '::1/128', '192.0.2.7', '2001:db8::/32']);
  const cases: Record<string, boolean> = {
    '127.0.0.1': true,
    '127.255.255.255': true,
    '128.0.0.1': false,
    '::1': true,
    '::2': false,
    '192.0.2.7': true,
    '192.0.2.8': false,
    '2001:db8:ffff::1': true,
    '2001:db9::1': false,
    '2001:DB8::0:1': true,
  };
  for (const [address, expected] of Object.entries(cases)) {
    it(`${expected ? 'has' : 'does not have'} ${address} (RFC 4632, RFC 4291 §2.3)`, () => {
      assert.equal(admits(address), expected);
    });
  }

  it('has nothing that is no address', () => {
    for (const text of ['', 'localhost', '127.1', '127.0.0.1:80', '[::1]']) assert.equal(admits(text), false, text);
  });

  it('that is empty has nothing', () => assert.equal(addressTest([])('127.0.0.1'), false));

  it('refuses what is neither', () => {
    for (const entry of ['localhost', '10.0.0.0/33', '']) assert.throws(() => addressTest([entry]), TypeError, entry);
  });
});
