import assert from 'node:assert/strict';
import { hrefOf, underScheme, type TargetUri } from '../../proxy/http/target-uri.js';

const target = (scheme: 'http' | 'https', port: number, authority: string): TargetUri => ({
  scheme,
  host: 'a.example',
  port,
  authority,
  path: '/x?y',
});

describe('a target URI under another scheme', () => {
  it('has the default port of that scheme where it had its own', () => {
    const secure = underScheme(target('http', 80, 'a.example'), 'https');
    assert.deepEqual(secure, target('https', 443, 'a.example'));
    assert.equal(hrefOf(secure), 'https://a.example/x?y');
    assert.deepEqual(underScheme(target('https', 443, 'a.example'), 'http'), target('http', 80, 'a.example'));
  });

  it('keeps another port, and leaves the default one of that scheme out (RFC 9110 §4.2.3)', () => {
    assert.equal(hrefOf(underScheme(target('http', 8443, 'a.example:8443'), 'https')), 'https://a.example:8443/x?y');
    assert.deepEqual(underScheme(target('http', 443, 'a.example:443'), 'https'), target('https', 443, 'a.example'));
  });

  it('is the same under its own', () => {
    const same = target('http', 8080, 'a.example:8080');
    assert.equal(underScheme(same, 'http'), same);
  });
});
