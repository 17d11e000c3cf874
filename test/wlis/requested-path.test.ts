import assert from 'node:assert/strict';
import fc from 'fast-check';
import { requestedPath } from '../../wlis/requested-path.js';
import { canonicalUri } from '../../wlis/canonical-uri.js';
import { parseNamespace, pathInside, plainPath } from '../../wlis/namespace.js';
import { targetOf } from '../replication/serving/held-example.js';

describe('the path that a request is about', () => {
  const namespace = parseNamespace('http://docs.example.org/manual/');

  it('is the canonical URI of the target without the namespace, with its query', () => {
    assert.equal(requestedPath(targetOf('http://docs.example.org/manual/a%7e?x=%31'), namespace), 'a~?x=1');
    assert.equal(requestedPath(targetOf('http://docs.example.org/other/../manual/'), namespace), '');
  });

  it('where queries are ignored, may also be that without the query, and with delimiters as directories have them', () => {
    assert.equal(plainPath('a~?x=1?'), 'a~');
    assert.equal(plainPath('a~'), null);
    assert.equal(plainPath('?'), '');
    assert.equal(plainPath('g%2B%2B_1%3A2%40%21.deb?x=%2B'), 'g++_1:2@!.deb');
    assert.equal(plainPath('a%2Fb%3Fc%23d%25e%5B%20'), null);
    assert.equal(plainPath('a+b'), null);
  });

  it('is none outside the namespace, also where a path only begins like it', () => {
    for (const uri of [
      'http://docs.example.org/',
      'http://docs.example.org/manual',
      'http://docs.example.org/manual/../x',
    ]) {
      assert.equal(requestedPath(targetOf(uri), namespace), null, uri);
    }
  });

  it('is none below /.well-known/, even of a namespace that is all of its authority', () => {
    const all = parseNamespace('http://docs.example.org/');
    assert.equal(requestedPath(targetOf('http://docs.example.org/.well-known/x'), all), null);
    assert.equal(requestedPath(targetOf('http://docs.example.org/%2ewell-known/x'), all), null);
    assert.equal(requestedPath(targetOf('http://docs.example.org/a/.well-known/x'), all), 'a/.well-known/x');
  });

  it('any target: what canonicalUri says of its URI, by whatever short cut', () => {
    const path = fc.array(fc.constantFrom('a', '~', '/', '..', '.', '%2f', '%7E', '?', '%41', "'", 'manual', '%'), {
      maxLength: 8,
    });
    const authority = fc.constantFrom('docs.example.org', 'docs.example.org.', 'docs.example.org:8080', 'x');
    fc.assert(
      fc.property(fc.constantFrom('http', 'https'), authority, path, (scheme, host, pieces) => {
        const uri = `${scheme}://${host}/${pieces.join('')}`;
        let expected: string | null;
        try {
          expected = pathInside(namespace, canonicalUri(uri));
        } catch {
          assert.throws(() => requestedPath(targetOf(uri), namespace));
          return;
        }
        assert.equal(requestedPath(targetOf(uri), namespace), expected, uri);
      }),
    );
  });
});
