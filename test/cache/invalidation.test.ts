import assert from 'node:assert/strict';
import { changesState, urisToInvalidate } from '../../proxy/cache/invalidation.js';
import { Fields } from '../../proxy/http/fields.js';
import { hrefOf, type TargetUri } from '../../proxy/http/target-uri.js';

const target: TargetUri = {
  scheme: 'http',
  host: 'example.org',
  port: 80,
  authority: 'example.org',
  path: '/dir/page?x=1',
};

const invalidated = (method: string, status: number, fields: Record<string, string | string[]> = {}): string[] =>
  urisToInvalidate({ method, target }, { status, fields: Fields.of(fields) }).map(hrefOf);

describe('invalidation', () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
    it(`a non-error response to ${method} invalidates the target URI (RFC 9111 §4.4)`, () => {
      assert.deepEqual(invalidated(method, 200), ['http://example.org/dir/page?x=1']);
    });
  }

  it('so does one to a method whose safety is unknown (RFC 9111 §4.4)', () => {
    assert.deepEqual(invalidated('M-SEARCH', 200), ['http://example.org/dir/page?x=1']);
    assert.deepEqual(invalidated('FROBNICATE', 204), ['http://example.org/dir/page?x=1']);
  });

  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT', 'SEARCH']) {
    it(`the safe method ${method} invalidates nothing (RFC 9111 §4.4)`, () => {
      assert.deepEqual(invalidated(method, 200, { Location: '/other', 'Content-Location': '/third' }), []);
    });
  }

  it('a non-error response is one with a status of 2xx or 3xx (RFC 9111 §4.4)', () => {
    for (const status of [200, 201, 204, 299, 301, 303, 304, 399]) assert.equal(changesState('POST', status), true);
    for (const status of [100, 199, 400, 404, 412, 500, 503, 599, 999])
      assert.equal(changesState('POST', status), false);
    assert.deepEqual(invalidated('POST', 500, { Location: '/other' }), []);
  });

  it('the URIs in Location and Content-Location are invalidated too (RFC 9111 §4.4)', () => {
    assert.deepEqual(invalidated('POST', 201, { Location: 'http://example.org/new', 'Content-Location': '/made' }), [
      'http://example.org/dir/page?x=1',
      'http://example.org/new',
      'http://example.org/made',
    ]);
  });

  it('relative references are resolved against the target URI (RFC 9110 §10.2.2, RFC 3986 §5.2)', () => {
    assert.deepEqual(invalidated('POST', 303, { Location: '../a/./b#c' }).slice(1), ['http://example.org/a/b']);
    assert.deepEqual(invalidated('POST', 303, { Location: 'sister' }).slice(1), ['http://example.org/dir/sister']);
    assert.deepEqual(invalidated('POST', 303, { Location: '?x=2' }).slice(1), ['http://example.org/dir/page?x=2']);
  });

  it('a URI of another origin is never invalidated (RFC 9111 §4.4)', () => {
    for (const other of [
      'http://example.com/dir/page',
      'https://example.org/dir/page',
      'http://example.org:8080/dir/page',
      '//example.com/x',
      'http://example.org@example.com/',
      'http://user@example.org/x',
      'ftp://example.org/x',
    ]) {
      assert.deepEqual(invalidated('POST', 200, { Location: other, 'Content-Location': other }).length, 1, other);
    }
  });

  it('the same origin in another spelling is the same origin (RFC 9110 §4.2.3)', () => {
    assert.deepEqual(invalidated('PUT', 200, { Location: 'HTTP://EXAMPLE.ORG:80/x' }).slice(1), [
      'http://example.org/x',
    ]);
  });

  it('each URI is given once', () => {
    assert.equal(invalidated('PUT', 200, { Location: '/dir/page?x=1', 'Content-Location': 'page?x=1' }).length, 1);
  });

  it('a malformed reference does not keep the target from being invalidated', () => {
    assert.deepEqual(invalidated('PUT', 200, { Location: 'http://[', 'Content-Location': '\u0000' }).length, 1);
  });
});
