import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseHost, parseRequestTarget, type TargetContext } from '../../proxy/http/request-target.js';
import { hrefOf } from '../../proxy/http/target-uri.js';

function uri(text: string, context: Partial<TargetContext> = {}): string {
  const target = parseRequestTarget(text, {
    method: 'GET',
    host: 'a.example',
    secure: false,
    ownAuthority: '192.0.2.1:8080',
    ...context,
  });
  return target.form === 'authority' ? `${target.host} ${target.port}` : `${target.form} ${hrefOf(target.target)}`;
}

describe('the request target', () => {
  it('origin-form: scheme by the connection, authority by Host (RFC 9112 §3.3)', () => {
    assert.equal(uri('/a?b'), 'origin http://a.example/a?b');
    assert.equal(uri('/', { secure: true }), 'origin https://a.example/');
    assert.equal(uri('/', { host: 'A.Example:8080' }), 'origin http://a.example:8080/');
    assert.equal(uri('//b.example/'), 'origin http://a.example//b.example/');
  });

  it('the default port of the scheme and an empty port are left out (RFC 9110 §4.2.3)', () => {
    assert.equal(uri('/', { host: 'a:80' }), 'origin http://a/');
    assert.equal(uri('/', { host: 'a:' }), 'origin http://a/');
    assert.equal(uri('/', { host: 'a:443' }), 'origin http://a:443/');
    assert.equal(uri('/', { host: 'a:443', secure: true }), 'origin https://a/');
  });

  it('absolute-form: its authority wins over Host (RFC 9112 §3.2.2)', () => {
    assert.equal(uri('http://b.example/c'), 'absolute http://b.example/c');
    assert.equal(uri('HTTPS://B.example:8443/C'), 'absolute https://b.example:8443/C');
    assert.equal(uri('http://b.example/', { host: '' }), 'absolute http://b.example/');
    assert.equal(uri('http://b.example/', { host: undefined }), 'absolute http://b.example/');
  });

  it('absolute-form: an empty path is / (RFC 9110 §4.2.3)', () => {
    assert.equal(uri('http://b.example'), 'absolute http://b.example/');
    assert.equal(uri('http://b.example?q'), 'absolute http://b.example/?q');
  });

  it('absolute-form: OPTIONS with an empty path and no query is for the server itself (RFC 9112 §3.2.4)', () => {
    const target = parseRequestTarget('http://b.example', {
      method: 'OPTIONS',
      host: 'b.example',
      secure: false,
      ownAuthority: 'c',
    });
    assert.ok(target.form === 'absolute' && target.target.path === '*', JSON.stringify(target));
  });

  it('asterisk-form is the server of Host (RFC 9112 §3.2.4)', () => {
    assert.equal(uri('*', { method: 'OPTIONS', host: 'a:81' }), 'asterisk http://a:81');
  });

  it('authority-form is host and port (RFC 9112 §3.2.3)', () => {
    assert.equal(uri('B.example:443', { method: 'CONNECT' }), 'b.example 443');
    assert.equal(uri('[2001:DB8::1]:443', { method: 'CONNECT', host: '' }), '[2001:db8::1] 443');
  });

  it('without Host in HTTP/1.0, the server goes by its own address (RFC 9112 §3.3)', () => {
    assert.equal(uri('/', { host: undefined }), 'origin http://192.0.2.1:8080/');
  });

  it('a host is a name, an IPv4 address or a bracketed IPv6 address, in lower case; a trailing dot stays', () => {
    assert.deepEqual(parseHost('Ex_a-m~ple.ORG.'), { host: 'ex_a-m~ple.org.', port: null });
    assert.deepEqual(parseHost('192.0.2.1:65535'), { host: '192.0.2.1', port: 65535 });
    assert.deepEqual(parseHost('[::FFFF:192.0.2.1]:1'), { host: '[::ffff:192.0.2.1]', port: 1 });
    assert.equal(parseHost('.'), null);
    assert.equal(parseHost('a'.repeat(256)), null);
  });

  it('what parseHost accepts has no character that could end an authority', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '.', ':', '[', ']', '@', '/', '8', '%', ',', ' ', '\\', '?') });
    fc.assert(
      fc.property(text, (value) => {
        const authority = parseHost(value);
        if (authority !== null) assert.match(authority.host, /^(?:[a-z0-9.]+|\[[0-9a-f:.]+\])$/);
      }),
    );
  });
});
