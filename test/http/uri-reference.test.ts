import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hrefOf, type TargetUri } from '../../proxy/http/target-uri.js';
import { resolveReference } from '../../proxy/http/uri-reference.js';

const base: TargetUri = { scheme: 'http', host: 'a', port: 80, authority: 'a', path: '/b/c/d;p?q' };

const resolve = (reference: string): string | null => {
  const uri = resolveReference(base, reference);
  return uri === null ? null : hrefOf(uri);
};

describe('uri-reference', () => {
  // the examples of RFC 3986 §5.4 that lead to http, fragments dropped
  const examples: [string, string][] = [
    ['g', 'http://a/b/c/g'],
    ['./g', 'http://a/b/c/g'],
    ['g/', 'http://a/b/c/g/'],
    ['/g', 'http://a/g'],
    ['//g', 'http://g/'],
    ['?y', 'http://a/b/c/d;p?y'],
    ['g?y', 'http://a/b/c/g?y'],
    ['#s', 'http://a/b/c/d;p?q'],
    ['g#s', 'http://a/b/c/g'],
    ['g?y#s', 'http://a/b/c/g?y'],
    [';x', 'http://a/b/c/;x'],
    ['g;x?y#s', 'http://a/b/c/g;x?y'],
    ['', 'http://a/b/c/d;p?q'],
    ['.', 'http://a/b/c/'],
    ['./', 'http://a/b/c/'],
    ['..', 'http://a/b/'],
    ['../', 'http://a/b/'],
    ['../g', 'http://a/b/g'],
    ['../..', 'http://a/'],
    ['../../g', 'http://a/g'],
    ['../../../g', 'http://a/g'],
    ['/./g', 'http://a/g'],
    ['/../g', 'http://a/g'],
    ['g.', 'http://a/b/c/g.'],
    ['..g', 'http://a/b/c/..g'],
    ['./../g', 'http://a/b/g'],
    ['./g/.', 'http://a/b/c/g/'],
    ['g/../h', 'http://a/b/c/h'],
    ['g;x=1/../y', 'http://a/b/c/y'],
    ['g?y/./x', 'http://a/b/c/g?y/./x'],
    ['g?y/../x', 'http://a/b/c/g?y/../x'],
  ];
  for (const [reference, expected] of examples) {
    it(`'${reference}' is resolved as RFC 3986 §5.4 shows`, () => assert.equal(resolve(reference), expected));
  }

  it('an absolute reference is normalised: case, default port, empty path (RFC 9110 §4.2.3)', () => {
    assert.equal(resolve('HTTP://EXAMPLE.com:80'), 'http://example.com/');
    assert.equal(resolve('https://example.com:443/x'), 'https://example.com/x');
    assert.equal(resolve('https://example.com:80/x'), 'https://example.com:80/x');
    assert.equal(resolve('http://example.com:?q'), 'http://example.com/?q');
    assert.equal(resolve('http://[2001:DB8::1]:8080/../x'), 'http://[2001:db8::1]:8080/x');
  });

  it('a reference to another scheme is none of ours', () => {
    for (const other of ['mailto:a@b', 'ftp://a/b', 'javascript:alert(1)', 'http:g'])
      assert.equal(resolve(other), null);
  });

  it('user information, impossible ports and control characters make a reference unusable (RFC 9110 §4.2.4)', () => {
    for (const bad of [
      'http://u:p@a/',
      'http://a:0/',
      'http://a:65536/',
      'http://a:x/',
      '/a\tb',
      '/a\r\nb',
      '//',
      'http:///x',
    ]) {
      assert.equal(resolve(bad), null, bad);
    }
  });

  it('bytes that a client would percent-encode are encoded', () => {
    assert.equal(resolve('/a b/\u00fc'), 'http://a/a%20b/%FC');
  });

  it('what is resolved has no dot segments, and resolves to itself', () => {
    const piece = fc.constantFrom('.', '..', '/', 'a', '?', '#', ':', '@', '//', 'http:', '%2e', ' ', '\u00e9', '80');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const uri = resolveReference(base, pieces.join(''));
        if (uri === null) return;
        const [path = ''] = uri.path.split('?');
        assert.ok(path.startsWith('/'), path);
        assert.equal(
          path.split('/').some((segment) => segment === '.' || segment === '..'),
          false,
        );
        assert.deepEqual(resolveReference(base, hrefOf(uri)), uri);
      }),
    );
  });
});
