import assert from 'node:assert/strict';
import { strongValidatorOf } from '../../proxy/cache/strong-validator.js';
import { Fields } from '../../proxy/http/fields.js';
import { receivedAt } from './stored-example.js';

const strong = (fields: Record<string, string>): string | null => strongValidatorOf(Fields.of(fields), receivedAt);

describe('strong-validator', () => {
  const lastModified = 'Sat, 21 Nov 2026 03:00:00 GMT';
  const date = 'Sat, 21 Nov 2026 04:00:00 GMT';

  it('a strong entity-tag is one (RFC 9110 §8.8.1)', () => {
    assert.equal(strong({ ETag: '"a"' }), '"a"');
    assert.equal(strong({ ETag: '""' }), '""');
  });

  it('a weak or malformed entity-tag is none (RFC 9110 §8.8.1)', () => {
    for (const etag of ['W/"a"', 'a', '"a', '', 'w/"a"']) assert.equal(strong({ ETag: etag }), null, etag);
  });

  it('Last-Modified is one if Date is far enough behind it (RFC 9110 §8.8.2.2)', () => {
    assert.equal(strong({ 'Last-Modified': lastModified, Date: date }), lastModified);
    assert.equal(strong({ 'Last-Modified': date, Date: date }), null);
    assert.equal(strong({ 'Last-Modified': date, Date: lastModified }), null);
    assert.equal(strong({ 'Last-Modified': lastModified }), null);
    assert.equal(strong({ 'Last-Modified': 'then', Date: date }), null);
  });

  it('Last-Modified is none beside any entity-tag (RFC 9110 §13.1.5)', () => {
    assert.equal(strong({ ETag: 'W/"a"', 'Last-Modified': lastModified, Date: date }), null);
    assert.equal(strong({ ETag: '"a"', 'Last-Modified': lastModified, Date: date }), '"a"');
  });

  it('a response without validators has none', () => assert.equal(strong({ Date: date }), null));
});
