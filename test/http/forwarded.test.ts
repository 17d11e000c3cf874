import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Fields } from '../../proxy/http/fields.js';
import { clientAddress, clientScheme, plusForwarded, withoutProvenance } from '../../proxy/http/forwarded.js';

const hop = { peer: '192.0.2.1', secure: true, host: 'www.example.com', trusted: false };
const told = (fields: Fields) => ({
  forwarded: fields.all('forwarded'),
  for: fields.all('x-forwarded-for'),
  proto: fields.all('x-forwarded-proto'),
  host: fields.all('x-forwarded-host'),
});

describe('Forwarded (RFC 7239) and X-Forwarded-*', () => {
  it('the hop is told in both forms (RFC 7239 §4)', () => {
    assert.deepEqual(told(plusForwarded(Fields.none, hop)), {
      forwarded: ['for=192.0.2.1;host=www.example.com;proto=https'],
      for: ['192.0.2.1'],
      proto: ['https'],
      host: ['www.example.com'],
    });
  });

  it('IPv6 addresses are in brackets and quotes, hosts with a port in quotes (RFC 7239 §6)', () => {
    const fields = plusForwarded(Fields.none, { ...hop, peer: '2001:db8::1', host: '[::1]:8080', secure: false });
    assert.deepEqual(told(fields), {
      forwarded: ['for="[2001:db8::1]";host="[::1]:8080";proto=http'],
      for: ['2001:db8::1'],
      proto: ['http'],
      host: ['[::1]:8080'],
    });
  });

  it('what an untrusted peer says is removed (RFC 7239 §8.1)', () => {
    const fields = Fields.of({
      Forwarded: 'for=10.0.0.1',
      'X-Forwarded-For': ['10.0.0.1', '10.0.0.2'],
      'x-forwarded-proto': 'https',
      'X-Forwarded-Host': 'admin',
      'X-Forwarded-Port': '1',
      'X-Real-IP': '10.0.0.1',
      A: '1',
    });
    const sent = plusForwarded(fields, { ...hop, secure: false });
    assert.deepEqual(told(sent), told(plusForwarded(Fields.none, { ...hop, secure: false })));
    assert.equal(sent.has('x-real-ip') || sent.has('x-forwarded-port'), false);
    assert.deepEqual(withoutProvenance(fields).lines, ['A', '1']);
  });

  it('what an untrusted peer says is removed in the spelling with underscores too (RFC 3875 §4.1.18)', () => {
    const fields = Fields.of({
      X_Forwarded_For: '10.0.0.1',
      'X-Forwarded_Host': 'admin',
      X_Real_IP: '10.0.0.1',
      A_B: '1',
    });
    assert.deepEqual(withoutProvenance(fields).lines, ['A_B', '1']);
  });

  it('what a trusted peer says is extended, in one line each (RFC 7239 §4)', () => {
    const received = Fields.of({
      Forwarded: ['for=198.51.100.7', 'for="[2001:db8::7]:4711";proto=https'],
      'X-Forwarded-For': ['198.51.100.7', '2001:db8::7'],
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'shop.example.com',
    });
    assert.deepEqual(told(plusForwarded(received, { ...hop, trusted: true, secure: false })), {
      forwarded: [
        'for=198.51.100.7, for="[2001:db8::7]:4711";proto=https, for=192.0.2.1;host=www.example.com;proto=http',
      ],
      for: ['198.51.100.7, 2001:db8::7, 192.0.2.1'],
      proto: ['https'],
      host: ['shop.example.com'],
    });
  });

  it('a trusted peer that uses one form only has its words in both (RFC 7239 §7.4)', () => {
    const trusted = { ...hop, trusted: true, secure: false };
    const legacy = plusForwarded(Fields.of({ 'X-Forwarded-For': '198.51.100.7, 2001:db8::7, who' }), trusted);
    assert.deepEqual(legacy.list('forwarded'), [
      'for=198.51.100.7',
      'for="[2001:db8::7]"',
      'for=unknown',
      'for=192.0.2.1;host=www.example.com;proto=http',
    ]);
    const standard = Fields.of({ Forwarded: 'For="[2001:db8::7]:1";Proto=https;host="a.example:1", for=_hidden' });
    const sent = told(plusForwarded(standard, trusted));
    assert.deepEqual(
      [sent.for, sent.proto, sent.host],
      [['2001:db8::7, unknown, 192.0.2.1'], ['https'], ['a.example:1']],
    );
  });
});

describe('the scheme that the client used', () => {
  const isTrusted = (address: string): boolean => address.startsWith('10.');
  const scheme = (fields: Record<string, string>, peer = '10.0.0.1'): string | null =>
    clientScheme(Fields.of(fields), peer, isTrusted);

  it('is what a trusted peer says in either form, and nothing that others say', () => {
    assert.equal(scheme({ Forwarded: 'for=192.0.2.1;proto=https' }), 'https');
    assert.equal(scheme({ 'X-Forwarded-Proto': 'HTTPS' }), 'https');
    assert.equal(scheme({ 'X-Forwarded-Proto': 'https' }, '192.0.2.1'), null);
    assert.equal(scheme({}), null);
    assert.equal(scheme({ 'X-Forwarded-Proto': 'gopher' }), null);
  });

  it('is that of the outermost trusted proxy, not what its client wrote before', () => {
    const inner = 'for=10.0.0.2;proto=http';
    assert.equal(scheme({ Forwarded: `for=192.0.2.1;proto=https, ${inner}` }), 'https');
    assert.equal(scheme({ Forwarded: `for=x;proto=https, for=192.0.2.1;proto=http, ${inner}` }), 'http');
    assert.equal(scheme({ Forwarded: `for=192.0.2.1, ${inner}` }), 'http');
    assert.equal(scheme({ 'X-Forwarded-Proto': 'https, http' }), 'http');
  });

  it('where the two fields disagree, neither counts', () => {
    assert.equal(scheme({ Forwarded: 'for=192.0.2.1;proto=http', 'X-Forwarded-Proto': 'https' }), null);
  });
});

describe('the address of the client', () => {
  const trusted = (address: string) => address.startsWith('10.') || address === '::1';
  const find = (fields: Record<string, string | string[]>, peer = '10.0.0.1') =>
    clientAddress(Fields.of(fields), peer, trusted);

  it('an untrusted peer is the client, whatever it says', () => {
    assert.equal(find({ 'X-Forwarded-For': '203.0.113.5', Forwarded: 'for=203.0.113.5' }, '192.0.2.1'), '192.0.2.1');
  });

  it('it is the right-most address that is not of a trusted proxy', () => {
    assert.equal(find({ 'X-Forwarded-For': ['1.1.1.1, 203.0.113.5', '10.0.0.2'] }), '203.0.113.5');
    assert.equal(find({ Forwarded: 'for=1.1.1.1, for="203.0.113.5:99";proto=https, for=10.0.0.2' }), '203.0.113.5');
    assert.equal(find({ 'X-Forwarded-For': '203.0.113.5:4711' }), '203.0.113.5');
  });

  it('where all are trusted, it is the left-most', () => {
    assert.equal(find({ 'X-Forwarded-For': '10.0.0.3, 10.0.0.2' }), '10.0.0.3');
    assert.equal(find({}), '10.0.0.1');
  });

  it('IPv6 addresses have one spelling, IPv4-mapped ones are IPv4', () => {
    assert.equal(find({ Forwarded: 'for="[2001:DB8:0:0::7]:80"' }), '2001:db8::7');
    assert.equal(find({ 'X-Forwarded-For': '2001:0db8::7' }), '2001:db8::7');
    assert.equal(find({ 'X-Forwarded-For': '203.0.113.5, ::ffff:10.0.0.9' }), '203.0.113.5');
    assert.equal(find({ 'X-Forwarded-For': '203.0.113.5, 0:0:0:0:0:0:0:1' }), '203.0.113.5');
  });

  it('nothing to the left of a name or an obfuscated identifier is believed (RFC 7239 §6.3)', () => {
    for (const value of ['unknown', '_hidden', '300.1.1.1', '1.2.3', '010.0.0.1', ':', '[::1', 'fe80::1%eth0', '""']) {
      assert.equal(find({ 'X-Forwarded-For': `1.1.1.1, ${value}, 10.0.0.2` }), '10.0.0.2', value);
    }
    assert.equal(find({ Forwarded: 'for=1.1.1.1, for=unknown, for=10.0.0.2' }), '10.0.0.2');
    assert.equal(find({ Forwarded: 'for=1.1.1.1, for = 10.0.0.3, for=10.0.0.2' }), '10.0.0.2');
    assert.equal(find({ Forwarded: 'for=1.1.1.1, proto=http' }), '10.0.0.1');
  });

  it('where the two fields disagree, neither counts', () => {
    assert.equal(find({ 'X-Forwarded-For': '203.0.113.5', Forwarded: 'for=198.51.100.7' }), '10.0.0.1');
    assert.equal(find({ 'X-Forwarded-For': '203.0.113.5', Forwarded: 'for=203.0.113.5' }), '203.0.113.5');
  });

  it('what a client writes never changes what a trusted proxy appended', () => {
    const piece = fc.constantFrom('for=', '1.2.3.4', '10.0.0.9', '"', ',', ';', ' ', '[::1]', '\\', 'unknown', ':');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        assert.equal(find({ 'X-Forwarded-For': `${pieces.join('').replaceAll('"', '')}, 203.0.113.5` }), '203.0.113.5');
        const appended = plusForwarded(Fields.of({ Forwarded: pieces.join('') }), { ...hop, peer: '203.0.113.5' });
        assert.equal(clientAddress(appended, '10.0.0.1', trusted), '203.0.113.5');
      }),
    );
  });
});
