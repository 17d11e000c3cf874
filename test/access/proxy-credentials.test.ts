import assert from 'node:assert/strict';
import fc from 'fast-check';
import { proxyCredentials, type ProxyCredentials } from '../../proxy/access/proxy-credentials.js';
import { Fields } from '../../proxy/http/fields.js';

const read = (...values: readonly string[]): ProxyCredentials =>
  proxyCredentials(new Fields(values.flatMap((value) => ['Proxy-Authorization', value])));

const basic = (pair: string | Buffer): string => `Basic ${Buffer.from(pair as string).toString('base64')}`;

describe('credentials for the proxy', () => {
  it('are none where the field is missing', () => {
    assert.deepEqual(proxyCredentials(Fields.of({ Authorization: basic('a:b') })), { kind: 'none' });
  });

  it('Basic are name and password in base64, the name up to the first colon (RFC 7617 §2)', () => {
    assert.deepEqual(read('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='), {
      kind: 'basic',
      name: 'Aladdin',
      password: 'open sesame',
    });
    assert.deepEqual(read('bASIC   dGVzdDoxMjPCow=='), { kind: 'basic', name: 'test', password: '123£' });
    assert.deepEqual(read(basic('a:b:c')), { kind: 'basic', name: 'a', password: 'b:c' });
    assert.deepEqual(read(basic(':')), { kind: 'basic', name: '', password: '' });
  });

  it('Basic names are compared in Unicode normalisation form C', () => {
    assert.deepEqual(read(basic('Zo\u0065\u0308:x')), { kind: 'basic', name: 'Zo\u00eb', password: 'x' });
  });

  it('Bearer are a token (RFC 6750 §2.1)', () => {
    assert.deepEqual(read('Bearer mF_9.B5f-4.1JqM~+/=='), { kind: 'bearer', token: 'mF_9.B5f-4.1JqM~+/==' });
  });

  const useless: Record<string, string> = {
    'of another scheme': 'Digest username="a", realm="b"',
    'of another scheme, alone': 'Negotiate',
    'no base64': 'Basic a:b',
    'base64 without its padding': 'Basic YTpi YTpi',
    'base64 of something without a colon': basic('abc'),
    'not in UTF-8': basic(Buffer.from([0x61, 0x3a, 0xe9])),
    'with control characters': basic('a:b\u0007'),
    'with a line feed in the name': basic('a\n:b'),
    'Basic without anything': 'Basic',
  };
  for (const [what, value] of Object.entries(useless)) {
    it(`${what} prove nothing, and are asked for again (RFC 9110 §11.7.1)`, () => {
      assert.equal(read(value).kind, 'unusable');
    });
  }

  const malformed: Record<string, string> = {
    nothing: '',
    'no scheme': '"Basic" QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
    'Bearer without a token': 'Bearer',
    'Bearer with something else than a token': 'Bearer a b',
    'Bearer with quotes': 'Bearer "abc"',
  };
  for (const [what, value] of Object.entries(malformed)) {
    it(`${what} are malformed (RFC 9110 §11.4, RFC 6750 §3.1)`, () => assert.equal(read(value).kind, 'malformed'));
  }

  it('in two lines are malformed, even if they are the same', () => {
    assert.equal(read(basic('a:b'), basic('a:b')).kind, 'malformed');
  });

  it('Basic are read as they were meant, whatever the password', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((one) => !/\p{Cc}/u.test(one));
    fc.assert(
      fc.property(text, text, (name, password) => {
        fc.pre(!name.includes(':'));
        assert.deepEqual(read(basic(`${name}:${password}`)), { kind: 'basic', name: name.normalize('NFC'), password });
      }),
    );
  });

  it('are something, whatever the field says', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => assert.notEqual(read(value).kind, 'none')));
  });
});
