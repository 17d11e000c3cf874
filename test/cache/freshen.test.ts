import assert from 'node:assert/strict';
import { bytes } from '../../config/units.js';
import { canFreshenFromHead, freshenedFields } from '../../proxy/cache/freshen.js';
import { Fields } from '../../proxy/http/fields.js';
import { stored, type Example } from './stored-example.js';

type Lines = Record<string, string | string[]>;

const freshened = (old: Lines, newer: Lines): Fields => freshenedFields(Fields.of(old), Fields.of(newer));

describe('freshen', () => {
  describe('fields of a stored response after an update (RFC 9111 §3.2)', () => {
    it('a field that the newer response omits stays', () => {
      assert.equal(freshened({ 'Test-Header': 'A' }, { Date: 'now' }).get('test-header'), 'A');
    });

    it('a field that the stored response lacks is added', () => {
      assert.equal(freshened({}, { 'Test-Header': 'B' }).get('test-header'), 'B');
    });

    for (const name of [
      'Test-Header',
      'X-Test-Header',
      'Content-Foo',
      'Cache-Control',
      'Content-Location',
      'Content-Language',
      'Content-Security-Policy',
      'Content-Type',
      'Clear-Site-Data',
      'Date',
      'Expires',
      'ETag',
      'Last-Modified',
      'Set-Cookie',
      'Vary',
      'Repr-Digest',
      'X-Frame-Options',
    ]) {
      it(`${name} is replaced`, () =>
        assert.deepEqual(freshened({ [name]: 'A' }, { [name]: 'B' }).all(name.toLowerCase()), ['B']));
    }

    it('Content-Length is not', () => {
      assert.deepEqual(freshened({ 'Content-Length': '10' }, { 'Content-Length': '0' }).all('content-length'), ['10']);
      assert.equal(freshened({}, { 'Content-Length': '0' }).has('content-length'), false);
    });

    for (const name of ['Content-Range', 'Transfer-Encoding', 'Age', 'Trailer']) {
      it(`${name} is of the message and never taken over`, () => {
        assert.equal(freshened({}, { [name]: 'B' }).has(name.toLowerCase()), false);
      });
    }

    for (const name of ['Content-Encoding', 'Content-MD5', 'Content-Digest']) {
      it(`${name} describes the stored bytes and stays`, () => {
        assert.deepEqual(freshened({ [name]: 'A' }, { [name]: 'B' }).all(name.toLowerCase()), ['A']);
        assert.equal(freshened({}, { [name]: 'B' }).has(name.toLowerCase()), false);
      });
    }

    it('all stored lines of a name give way to all new ones, whatever their case', () => {
      const fields = freshened({ 'Set-Cookie': ['a=1', 'b=2'], X: '1' }, { 'set-cookie': ['c=3', 'd=4'] });
      assert.deepEqual(fields.all('set-cookie'), ['c=3', 'd=4']);
      assert.equal(fields.get('x'), '1');
    });

    it('a strong entity-tag is kept against its own weak form', () => {
      assert.equal(freshened({ ETag: '"a"' }, { ETag: 'W/"a"' }).get('etag'), '"a"');
      assert.equal(freshened({ ETag: 'W/"a"' }, { ETag: '"a"' }).get('etag'), '"a"');
      assert.equal(freshened({ ETag: '"a"' }, { ETag: 'W/"b"' }).get('etag'), 'W/"b"');
    });

    it('neither of what is given is changed', () => {
      const [old, newer] = [Fields.of({ A: '1' }), Fields.of({ A: '2' })];
      freshenedFields(old, newer);
      assert.deepEqual(
        [old.lines, newer.lines],
        [
          ['A', '1'],
          ['A', '2'],
        ],
      );
    });
  });

  describe('a response to HEAD (RFC 9111 §4.3.5)', () => {
    const lastModified = 'Wed, 01 Jan 2020 00:00:00 GMT';
    const agrees = (mine: Lines, theirs: Lines, example: Example = {}, status = 200): boolean =>
      canFreshenFromHead(stored({ fields: mine, ...example }), { status, fields: Fields.of(theirs) });

    it('freshens a stored response with the same validators', () => {
      assert.equal(agrees({ ETag: '"a"' }, { ETag: '"a"' }), true);
      assert.equal(agrees({ 'Last-Modified': lastModified }, { 'Last-Modified': lastModified }), true);
      assert.equal(
        agrees({ ETag: '"a"', 'Last-Modified': lastModified }, { ETag: '"a"', 'Last-Modified': lastModified }),
        true,
      );
    });

    it('only the validators that it has are compared', () => {
      assert.equal(agrees({ ETag: '"a"', 'Last-Modified': lastModified }, { 'Last-Modified': lastModified }), true);
    });

    it('does not freshen one with another ETag or Last-Modified', () => {
      assert.equal(agrees({ ETag: '"a"' }, { ETag: '"b"' }), false);
      assert.equal(agrees({ ETag: '"a"' }, { ETag: 'W/"a"' }), false);
      const other = 'Thu, 02 Jan 2020 00:00:00 GMT';
      assert.equal(
        agrees({ ETag: '"a"', 'Last-Modified': lastModified }, { ETag: '"a"', 'Last-Modified': other }),
        false,
      );
    });

    it('does not freshen one without the validator that came', () => {
      assert.equal(agrees({}, { ETag: '"a"' }), false);
      assert.equal(agrees({}, { 'Last-Modified': lastModified }), false);
    });

    it('does not freshen one whose validators all went missing', () => {
      assert.equal(agrees({ ETag: '"a"' }, {}), false);
    });

    it('freshens one without validators, which HEAD is for (RFC 9111 §4.3.5)', () => {
      assert.equal(agrees({}, {}), true);
    });

    it('compares Content-Length where it is given', () => {
      assert.equal(agrees({ ETag: '"a"' }, { ETag: '"a"', 'Content-Length': '10' }), true);
      assert.equal(agrees({ ETag: '"a"' }, { ETag: '"a"', 'Content-Length': '11' }), false);
      assert.equal(agrees({}, { 'Content-Length': '10' }), true);
      assert.equal(
        agrees({}, { 'Content-Length': '10' }, { length: null, held: [{ from: bytes(0), to: bytes(5) }] }),
        false,
      );
    });

    it('other statuses freshen nothing, and nothing but a 200 is freshened', () => {
      assert.equal(agrees({ ETag: '"a"' }, { ETag: '"a"' }, {}, 410), false);
      assert.equal(agrees({ ETag: '"a"' }, { ETag: '"a"' }, { status: 404 }), false);
    });
  });
});
