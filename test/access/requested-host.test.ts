import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hostTest, meaningsOf } from '../../proxy/access/requested-host.js';
import { parseAddress } from '../../proxy/http/ip-address.js';

const address = (text: string): unknown => parseAddress(text);

describe('a host as a request names it', () => {
  it('is a name in lower case without the dot of the root', () => {
    assert.deepEqual(meaningsOf('WWW.Example.org.'), ['www.example.org']);
    assert.deepEqual(meaningsOf('localhost'), ['localhost']);
  });

  it('or an address, an IPv6 address without its brackets', () => {
    assert.deepEqual(meaningsOf('192.0.2.1'), [address('192.0.2.1')]);
    assert.deepEqual(meaningsOf('192.0.2.1.'), [address('192.0.2.1')]);
    assert.deepEqual(meaningsOf('[2001:db8::1]'), [address('2001:db8::1')]);
  });

  it('an IPv4 address in whatever spelling resolvers take, as URLs of browsers do', () => {
    const spell = fc.tuple(
      fc.nat(0xffffffff),
      fc.constantFrom(1, 2, 3, 4),
      fc.array(fc.nat(2), { minLength: 4, maxLength: 4 }),
    );
    fc.assert(
      fc.property(spell, ([value, count, bases]) => {
        const bytes = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256);
        const last = bytes.slice(count - 1).reduce((sum, byte) => sum * 256 + byte, 0);
        const parts = [...bytes.slice(0, count - 1), last].map((part, index) => {
          if (bases[index] === 1) return `0x${part.toString(16)}`;
          return bases[index] === 2 ? `000000000000000${part.toString(8)}` : String(part);
        });
        const host = parts.join('.');
        assert.deepEqual(meaningsOf(host), [address(new URL(`http://${host}/`).hostname)], host);
      }),
    );
  });

  it('and a name where that spells no address', () => {
    for (const host of ['1.2.3.4.5', '256.1.1.1', '0x100000000', '1.2.3.256', '09.1', '1.0x', 'a.1', '4294967296']) {
      assert.deepEqual(meaningsOf(host), [host]);
    }
  });

  it('an IPv6 address that embeds an IPv4 address stands for that one too, and a mapped one for nothing else', () => {
    assert.deepEqual(meaningsOf('[::ffff:10.0.0.1]'), [address('10.0.0.1')]);
    assert.deepEqual(meaningsOf('[64:ff9b::a00:1]'), [address('64:ff9b::a00:1'), address('10.0.0.1')]);
    assert.deepEqual(meaningsOf('[2002:a00:1::]'), [address('2002:a00:1::'), address('10.0.0.1')]);
  });
});

describe('what hosts of a rule names', () => {
  const cases: readonly (readonly [pattern: string, host: string, expected: boolean])[] = [
    ['Example.org', 'example.ORG.', true],
    ['example.org', 'www.example.org', false],
    ['*.example.org', 'www.example.org', true],
    ['*.example.org', 'a.b.example.org', true],
    ['*.example.org', 'example.org', false],
    ['*.example.org', '.example.org', false],
    ['*.example.org', 'badexample.org', false],
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '167837955', true],
    ['10.0.0.0/8', '[::ffff:a01:203]', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.0/8', '10.example', false],
    ['::1', '[0:0::1]', true],
    ['127.0.0.1', '127.1', true],
  ];
  for (const [pattern, host, expected] of cases) {
    it(`${pattern} ${expected ? 'is' : 'is not'} ${host}`, () => {
      assert.equal(meaningsOf(host).some(hostTest(pattern)), expected);
    });
  }
});
