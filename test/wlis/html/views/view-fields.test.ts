import assert from 'node:assert/strict';
import { Fields } from '../../../../proxy/http/fields.js';
import { ownLink } from '../../../../wlis/piggyback/link-field.js';
import { viewFields } from '../../../../wlis/html/views/view-fields.js';

const namesOf = (fields: Fields): string[] => [...fields.names()].sort();

describe('fields of a view', () => {
  it('are those of its original, but for what is about the bytes of the original, its freshness and its proof', () => {
    const original = Fields.of({
      ...{ 'Content-Type': 'text/html', 'Content-Encoding': 'br', 'Content-Language': 'de', Vary: 'Accept-Language' },
      ...{ Date: 'x', Age: '7', Via: '1.1 origin', 'Cache-Status': 'proxy; hit', 'Proxy-Status': 'proxy' },
      ...{ 'Last-Modified': 'y', 'Set-Cookie': ['a=1', 'b=2'], 'Content-Security-Policy': "default-src 'self'" },
      ...{ ETag: '"1"', 'Content-Length': '10', 'Accept-Ranges': 'bytes', Trailer: 'Digest' },
      ...{ Digest: 'x', 'Repr-Digest': 'x', 'Content-Digest': 'x', 'Content-MD5': 'x', 'Use-As-Dictionary': 'x' },
      'Unencoded-Digest': 'x',
      ...{ 'Cache-Control': 'max-age=60, public', Expires: 'x', Pragma: 'x', 'CDN-Cache-Control': 'max-age=9' },
      ...{ 'Surrogate-Control': 'max-age=9', 'Cache-Groups': '"a"' },
      ...{ 'WLIS-Head': 'x', 'WLIS-Proof': 'x', 'WLIS-Namespace': 'x', 'wlis-group': 'x' },
    });
    const fields = viewFields(original, '"view-x"');
    assert.deepEqual(namesOf(fields), [
      ...['age', 'cache-control', 'cache-status', 'content-encoding', 'content-language', 'content-security-policy'],
      ...['content-type', 'date', 'etag', 'last-modified', 'proxy-status', 'set-cookie', 'vary', 'via'],
    ]);
    assert.equal(fields.get('cache-control'), 'private, no-cache');
    assert.equal(fields.get('etag'), '"view-x"');
    assert.deepEqual(fields.all('set-cookie'), ['a=1', 'b=2']);
  });

  it('let nobody keep what nobody may keep', () => {
    const original = Fields.of({ 'Cache-Control': ['private', 'No-Store'] });
    assert.equal(viewFields(original, null).get('cache-control'), 'private, no-cache, no-store');
    assert.equal(viewFields(original, null).has('etag'), false);
  });

  it('are the same whether the original is a stored one with more lines or not, and forget none of these', () => {
    const stored = Fields.of({ 'Content-Type': 'text/html', ETag: '"1"', 'Cache-Control': 'max-age=60' });
    const sorted = (fields: Fields): string[] => fields.wire().split('\r\n').filter(Boolean).sort();
    for (const more of [
      ['Age', '1', 'Cache-Status', 'proxy; hit', 'Content-Length', '10'],
      ['Age', '2', 'Cache-Control', 'no-store', 'WLIS-Group', 'x'],
    ]) {
      for (const tag of ['"view-x"', '"view-y"', null]) {
        const joined = viewFields(new Fields([...stored.lines, ...more]), tag);
        assert.deepEqual(sorted(viewFields(stored.continuedBy(...more), tag)), sorted(joined));
        assert.equal(joined.has('content-length'), false);
        assert.equal(joined.get('cache-control')?.endsWith('no-store'), more.includes('no-store'));
      }
    }
  });

  it('say of nothing else that it has the same bytes (RFC 6249 §3), and keep the other links of the site', () => {
    const of = (...links: string[]): string[] => viewFields(Fields.of({ Link: links }), null).all('link');
    const style = '</a,b.css>; rel=preload; as=style; title="x, rel=duplicate"';
    assert.deepEqual(of(style), [style]);
    for (const copy of [
      '<http://m.example/a>; rel=duplicate',
      '<http://m.example/a>; pri=1; rel="duplicate"',
      '<http://m.example/a>; REL = "describedby Duplicate"',
      '<http://m.example/a.meta4>; rel=describedby; type="application/metalink4+xml"',
      ownLink({ url: 'http://m.example/set', rel: 'linkset', params: [] }),
    ]) {
      assert.deepEqual(of(copy), [], copy);
      assert.deepEqual(of(`${copy}, ${style}`), [style], copy);
    }
    assert.deepEqual(of('</d>; rel=describedby'), ['</d>; rel=describedby']);
  });
});
