import assert from 'node:assert/strict';
import { epochMs } from '../../../config/units.js';
import { TlsOnlyHosts } from '../../../wlis/names/tls-only-hosts.js';

const now = epochMs(1_800_000_000_000);
const later = (seconds: number) => epochMs(now + seconds * 1000);

const after = (value: string): TlsOnlyHosts => {
  const hosts = new TlsOnlyHosts();
  hosts.heard('Docs.example', value, now);
  return hosts;
};

describe('hosts that want TLS all the way (RFC 6797)', () => {
  it('are so from when they have said it until their max-age is over', () => {
    const hosts = after('max-age=60');
    assert.equal(hosts.has('docs.example', later(59)), true);
    assert.equal(hosts.has('DOCS.example.', later(59)), true);
    assert.equal(hosts.has('docs.example', later(60)), false);
    assert.equal(hosts.has('other.example', now), false);
  });

  it('speak for hosts below them only with includeSubDomains (§8.2)', () => {
    assert.equal(after('max-age=60').has('a.docs.example', now), false);
    const hosts = after('Max-Age="60"; IncludeSubDomains');
    assert.equal(hosts.has('a.b.docs.example', now), true);
    assert.equal(hosts.has('xdocs.example', now), false);
    assert.equal(hosts.has('example', now), false);
  });

  it('take it back by max-age=0 (§6.1.1)', () => {
    const hosts = after('max-age=60');
    hosts.heard('docs.example', 'max-age=0', now);
    assert.equal(hosts.has('docs.example', now), false);
    assert.equal(hosts.size, 0);
  });

  for (const value of ['', 'includeSubDomains', 'max-age', 'max-age=x', 'max-age=-1', 'max-age=1; max-age=1', 'a b']) {
    it(`${JSON.stringify(value)} says nothing (§8.1)`, () => assert.equal(after(value).size, 0));
  }

  it('what is not known of is ignored (§6.1)', () => {
    assert.equal(after('max-age=60; preload; x="y z";').has('docs.example', now), true);
  });

  it('addresses are no such hosts (§8.1.1)', () => {
    const hosts = new TlsOnlyHosts();
    for (const host of ['127.0.0.1', '[fe80::1]']) hosts.heard(host, 'max-age=60', now);
    assert.equal(hosts.size, 0);
  });

  it('no more than so many are remembered, those that spoke last', () => {
    const hosts = new TlsOnlyHosts(2);
    for (const name of ['a', 'b', 'a', 'c']) hosts.heard(`${name}.example`, 'max-age=60', now);
    assert.equal(hosts.size, 2);
    assert.deepEqual(
      ['a', 'b', 'c'].map((name) => hosts.has(`${name}.example`, now)),
      [true, false, true],
    );
  });
});
