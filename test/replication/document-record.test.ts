import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes, epochMs } from '../../config/units.js';
import { digestsIn, lengthIn } from '../../replication/document-blobs.js';
import { recordDigestOf, recordTextOf } from '../../replication/document-record.js';
import { documentText, parseDocument, type PublishedDocument } from '../../replication/source/published-document.js';
import { parseNamespace } from '../../wlis/namespace.js';
import { blockSizeFor, SMALLEST_BLOCK } from '../../wlis/trust/block-list.js';
import { digestOfText } from '../../wlis/trust/digest.js';
import { parseEpoch } from '../../wlis/trust/epoch.js';
import { parseRecord, recordDigest, recordText } from '../../wlis/trust/record.js';
import { oneBlockList, type Variant } from '../../wlis/trust/variant.js';

const namespace = parseNamespace('http://site.example/docs/');
const epoch = parseEpoch('1700000000000-0123456789abcdef');

/** Texts that try to look like parts of a record. */
const tricky = fc.constantFrom(
  ',"status":404',
  '"length":7',
  '"digest":"',
  '\\',
  '"',
  '{"epoch":',
  ',"status":',
  '"}]',
);
const printable = fc.string({
  unit: fc.constantFrom(...'a b z 0 9 , : { } [ ] " \\ / - = ; _'.split(' '), ' '),
  maxLength: 30,
});
const value = fc
  .oneof(
    tricky,
    printable,
    fc.tuple(tricky, printable, tricky).map((parts) => parts.join('')),
  )
  .map((text) => text.trim());
const field = fc.tuple(fc.constantFrom('cache-control', 'content-security-policy', 'vary', 'x-one', 'x-two'), value);

const variant: fc.Arbitrary<Variant> = fc
  .record({
    coding: fc.option(fc.constantFrom('br', 'gzip', 'zstd')),
    language: fc.option(fc.constantFrom('de', 'en-GB')),
    type: fc.option(fc.constantFrom('text/html', 'text/plain; charset="a,b"')),
    etag: fc.option(fc.constantFrom('"a"', 'W/"b"', '"{,:}"')),
    lastModified: fc.option(fc.nat(1_000_000_000).map((s) => epochMs(1000 * s))),
    length: fc.oneof(fc.nat(100), fc.integer({ min: 60_000, max: 70_000 }), fc.nat(2 ** 40)).map(bytes),
    content: fc.string(),
  })
  .map(({ content, length, ...rest }) => {
    const digest = digestOfText(content);
    const blocks = length <= SMALLEST_BLOCK ? oneBlockList(length, digest) : digestOfText(`list of ${content}`);
    return { ...rest, length, digest, blocks, blockSize: blockSizeFor(length) };
  });

const document: fc.Arbitrary<PublishedDocument> = fc
  .record({
    path: fc.constantFrom('', 'a', 'a/b.html', 'a%20b', "x,'status':", 'status:404'),
    fields: fc.array(field, { maxLength: 6 }),
    variants: fc.uniqueArray(variant, {
      minLength: 1,
      maxLength: 4,
      selector: ({ coding, language, type }) => JSON.stringify([coding, language, type]),
    }),
  })
  .map(({ fields, variants, path }) => ({
    path,
    status: 200,
    fields: fields.sort(([a], [b]) => (a < b ? -1 : Number(a > b))),
    // a strong entity-tag goes with one content
    variants: variants.map((one, index) => ({
      ...one,
      etag: one.etag === null ? null : `"${index}${one.etag.slice(-2)}`,
    })),
  }));

describe('the record of a change', () => {
  it('is made of the text of its document as it would be made of the document', () => {
    fc.assert(
      fc.property(document, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (published, seq) => {
        const text = documentText(published);
        const { path, status, fields, variants } = published;
        const whole = recordText({ kind: 'document', namespace, epoch, seq, path, status, fields, variants });
        assert.equal(recordTextOf({ path, seq, document: text }, namespace, epoch), whole);
        assert.equal(recordDigestOf({ path, seq, document: text }, namespace, epoch), recordDigest(whole));
        assert.deepEqual(parseDocument(path, text), published);
      }),
      { numRuns: 500 },
    );
  });

  it('of a removal is a record, and nothing in the trie', () => {
    const removal = { path: 'a/b', seq: 7, document: null };
    const record = parseRecord(recordTextOf(removal, namespace, epoch));
    assert.deepEqual(record, { kind: 'removal', namespace, path: 'a/b', epoch, seq: 7 });
    assert.equal(recordDigestOf(removal, namespace, epoch), null);
  });

  it('names all contents of its document, and how long they are, whatever its fields look like', () => {
    fc.assert(
      fc.property(document, (published) => {
        const { variants } = published;
        const text = documentText(published);
        const expected = variants.flatMap(({ length, digest, blocks }) =>
          length > SMALLEST_BLOCK ? [digest, blocks] : [digest],
        );
        assert.deepEqual(digestsIn(text).sort(), expected.sort());
        assert.equal(
          lengthIn(text),
          variants.reduce((sum, { length }) => sum + length, 0),
        );
      }),
    );
  });
});
