import assert from 'node:assert/strict';
import { clientKey } from '../../proxy/http/client-prefix.js';

const same = (ipv4: number, ipv6: number, a: string, b: string): boolean =>
  clientKey(a, { ipv4, ipv6 }) === clientKey(b, { ipv4, ipv6 });

describe('what makes one client (limits.clientPrefix)', () => {
  for (const [ipv4, ipv6, a, b, expected] of [
    [32, 64, '192.0.2.7', '192.0.2.7', true],
    [32, 64, '192.0.2.7', '192.0.2.8', false],
    [24, 64, '192.0.2.7', '192.0.2.255', true],
    [24, 64, '192.0.2.7', '192.0.3.7', false],
    [8, 64, '10.1.2.3', '10.200.0.1', true],
    [31, 64, '192.0.2.6', '192.0.2.7', true],
    [31, 64, '192.0.2.7', '192.0.2.8', false],
    [32, 64, '2001:db8::1', '2001:db8:0:0:ffff::2', true],
    [32, 64, '2001:db8::1', '2001:db8:0:1::1', false],
    [32, 128, '2001:db8::1', '2001:db8::2', false],
    [32, 128, '2001:db8::1', '2001:db8:0::1', true],
    [32, 48, '2001:db8:1:2::1', '2001:db8:1:3::1', true],
    [32, 16, '2001:db8::1', '2001:1::', true],
    [32, 64, 'fe80::1%eth0', 'fe80::2%eth1', true],
    // IPv4 written as IPv6
    [32, 64, '::ffff:192.0.2.7', '192.0.2.7', true],
    [24, 64, '::ffff:192.0.2.7', '192.0.2.8', true],
    [32, 64, '::ffff:192.0.2.7', '::ffff:192.0.2.8', false],
    // neither stands for the other
    [8, 16, '0.0.0.1', '::1', false],
  ] as const) {
    it(`${a} and ${b} are ${expected ? 'one client' : 'two'} with /${ipv4} and /${ipv6}`, () => {
      assert.equal(same(ipv4, ipv6, a, b), expected);
    });
  }
});
