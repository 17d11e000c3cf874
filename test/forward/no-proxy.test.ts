import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DialGuard } from '../../proxy/forward/dial-guard.js';
import { namedSubject } from '../../proxy/forward/destination-rules.js';
import { noProxyTest } from '../../proxy/forward/no-proxy.js';
import { failsWith } from './upstream-fixture.js';

describe('upstream.noProxy', () => {
  const matches = (entry: string, host: string): boolean => noProxyTest([entry])(host);

  it('private stands for literals in private ranges and for the names of this machine (RFC 6761 §6.3)', () => {
    for (const host of ['10.1.2.3', '127.0.0.1', '[::1]', '[fd00::1]', '192.168.0.1', '169.254.169.254']) {
      assert.ok(matches('private', host), host);
    }
    for (const host of ['localhost', 'LOCALHOST', 'localhost.', 'app.localhost']) {
      assert.ok(matches('private', host), host);
    }
    for (const host of ['93.184.215.14', '[2606:4700::1111]', 'www.example.org', 'localhost.example.org', 'intranet']) {
      assert.ok(!matches('private', host), host);
    }
  });

  it('a literal is judged in every spelling that a resolver takes', () => {
    for (const host of [
      '127.1',
      '2130706433',
      '0x7f000001',
      '0177.0.0.1',
      '0x7f.1',
      '[::ffff:127.0.0.1]',
      '127.0.0.1.',
    ]) {
      assert.ok(matches('127.0.0.0/8', host), host);
    }
  });

  it('ranges, addresses, names and suffixes match what they name', () => {
    const rows: [entry: string, host: string, matches: boolean][] = [
      ['10.0.0.0/8', '10.255.0.1', true],
      ['10.0.0.0/8', '11.0.0.1', false],
      ['10.0.0.0/8', '[::ffff:10.0.0.1]', true],
      ['fd00::/8', '[fd12::1]', true],
      ['93.184.215.14', '93.184.215.14', true],
      ['intranet', 'intranet', true],
      ['intranet', 'INTRANET.', true],
      ['intranet', 'intranet.example', false],
      ['*.example.org', 'a.b.example.org', true],
      ['*.example.org', 'example.org', false],
      ['*.example.org', 'badexample.org', false],
    ];
    for (const [entry, host, expected] of rows) assert.equal(matches(entry, host), expected, `${entry} ${host}`);
  });

  it('names are not resolved: an address range is no matter of theirs', () => {
    assert.equal(noProxyTest(['0.0.0.0/0', '::/0'])('www.example.org'), false);
  });

  it('nothing matches an empty list', () => {
    assert.equal(noProxyTest([])('127.0.0.1'), false);
  });

  it('an entry that is none is refused at once', () => {
    assert.throws(() => noProxyTest(['http://x/']), TypeError);
  });
});

describe('a host as it is named', () => {
  it('that ends in a number is an address or nothing', () => {
    for (const host of ['1.2.3.4.5', '256.256.256.256', '1.2.3.999', 'example.1', 'a.0x', '08.1.1.1']) {
      assert.equal(namedSubject(host), null, host);
    }
  });

  it('is the address that any spelling of its number stands for', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffff_ffff),
        fc.constantFrom<[string, number]>(['', 10], ['0', 8], ['0x', 16]),
        (value, [prefix, radix]) => {
          const subject = namedSubject(`${prefix}${value.toString(radix)}`);
          assert.deepEqual(subject?.address, { family: 4, value: BigInt(value) });
        },
      ),
    );
  });
});

describe('a destination that the parent proxy resolves', () => {
  const guard = (allow: string[], deny: string[]): DialGuard =>
    new DialGuard({ allow, deny, lookup: () => assert.fail('nothing is resolved') });
  const judge = (one: DialGuard, host: string): void => one.judgeUnresolved({ host, port: 80 });

  it('is refused as a private literal in any spelling, and as a name of this machine', () => {
    const one = guard([], ['private']);
    for (const host of [
      '127.0.0.1',
      '127.1',
      '0x7f000001',
      '[::1]',
      '[::ffff:10.0.0.1]',
      'localhost',
      'a.localhost.',
    ]) {
      assert.throws(() => judge(one, host), failsWith('destination-refused'), host);
    }
    judge(one, '93.184.215.14');
  });

  it('is judged by the rules that name hosts, of which allow beats deny', () => {
    const one = guard(['good.example.org'], ['*.example.org', '203.0.113.0/24']);
    judge(one, 'good.example.org');
    judge(one, 'elsewhere.example');
    assert.throws(() => judge(one, 'Bad.Example.org.'), failsWith('destination-refused'));
    assert.throws(() => judge(one, '203.0.113.9'), failsWith('destination-refused'));
  });

  it('that is neither a name nor an address is refused', () => {
    assert.throws(() => judge(guard([], []), '1.2.3.4.5'), failsWith('bad-request'));
  });
});
