import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes, epochMs } from '../../../config/units.js';
import { canonicalJson, type Json, type JsonObject } from '../../../wlis/trust/canonical-json.js';
import { blockSizeFor } from '../../../wlis/trust/block-list.js';
import { documentFields } from '../../../wlis/trust/document-fields.js';
import { digestOfText, type Digest } from '../../../wlis/trust/digest.js';
import { fieldsBlock } from '../../../wlis/trust/fields-block.js';
import { NotBelieved } from '../../../wlis/trust/not-believed.js';
import { NOT_FOUND, parseRecord, recordDigest, recordKey, recordText } from '../../../wlis/trust/record.js';
import { vectors } from '../vectors.js';
import { disbelief } from './disbelief.js';
import { firstEpoch, manual, recordOf, variantOf } from './record-example.js';

interface Vectors {
  readonly records: readonly { readonly text: string; readonly digest: string; readonly key: string }[];
}

const { records } = vectors('record') as Vectors;

/** The text of a record with some members changed, as somebody who does not use this code could send it. */
const forged = (change: Readonly<Record<string, Json | undefined>>): string => {
  const honest = JSON.parse(recordText(recordOf('page'))) as JsonObject;
  return canonicalJson({ ...honest, ...change });
};

const forgedVariant = (change: Readonly<Record<string, Json | undefined>>): string => {
  const [honest] = (JSON.parse(recordText(recordOf('page'))) as { variants: JsonObject[] }).variants;
  return forged({ variants: [{ ...honest, ...change }] });
};

describe('records', () => {
  for (const { text, digest, key } of records) {
    it(`${text.slice(0, 60)}… is read and written as it is, with its digest and key`, () => {
      const record = parseRecord(text);
      assert.equal(recordText(record), text);
      assert.equal(recordDigest(text), digest);
      assert.equal(recordKey(record), key);
    });
  }

  it('are the same whatever the order and the case in which the fields came', () => {
    const lines = [
      ['Vary', 'Accept'],
      ['X-One', 'a'],
      ['content-security-policy', "default-src 'self'"],
    ] as const;
    fc.assert(
      fc.property(fc.shuffledSubarray([...lines], { minLength: 3 }), fc.boolean(), (shuffled, upper) => {
        const received = shuffled.flatMap(([name, value]) => [upper ? name.toUpperCase() : name, value]);
        assert.deepEqual(fieldsBlock(received), fieldsBlock(lines.flat()));
      }),
    );
  });

  it('changed in any character, are another record or none', () => {
    const text = records[0]!.text;
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 0x20, max: 0x7e }), (at, code) => {
        const altered = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        if (altered === text) return;
        assert.notEqual(recordDigest(altered), records[0]!.digest);
        try {
          assert.equal(recordText(parseRecord(altered)), altered);
        } catch (error) {
          assert.ok(error instanceof NotBelieved, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('say of a removal that there is nothing more to say', () => {
    const removal = { kind: 'removal', namespace: manual, path: 'gone', epoch: firstEpoch, seq: 9 } as const;
    assert.deepEqual(parseRecord(recordText(removal)), removal);
    const text = canonicalJson({ ...JSON.parse(recordText(removal)), status: 200 } as JsonObject);
    assert.throws(() => parseRecord(text), disbelief('malformed', /unknown member "status"/));
  });

  it('a variant of more than 64 KiB has a block size and the digest of its block list', () => {
    const length = bytes(5_000_000_000);
    const large = { length, blockSize: blockSizeFor(length), blocks: digestOfText('list') };
    const record = recordOf('large', { variants: [variantOf('', { ...large, digest: digestOfText('all') })] });
    assert.deepEqual(parseRecord(recordText(record)), record);
    assert.match(recordText(record), /"blockSize":2097152/);
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['a path that leads out of the namespace', forged({ path: '../secret' }), /no canonical path/],
    ['a path with encoded dots', forged({ path: '%2e%2e/x' }), /no canonical path/],
    ['another host in the path', forged({ path: '//evil.example/../../../x' }), /no canonical path/],
    ['a path in another spelling', forged({ path: '%7Ea' }), /no canonical path/],
    ['a fragment', forged({ path: 'a#b' }), /no canonical path/],
    ['a path below /.well-known/', forged({ namespace: 'https://a/', path: '.well-known/x' }), /no canonical path/],
    ['a namespace that is none', forged({ namespace: 'https://a/b' }), /ends in '\/'/],
    ['a namespace in another spelling', forged({ namespace: 'https://A/' }), /canonical spelling/],
    ['a number that is none', forged({ seq: 0 }), /'seq' is no integer/],
    ['an epoch that is none', forged({ epoch: 'x' }), /no epoch/],
    ['a status that documents do not have', forged({ status: 206 }), /'status'/],
    ['a redirect that leads nowhere', forged({ status: 301 }), /without one Location/],
    ['a document without a variant', forged({ variants: [] }), /status 200 without a variant/],
    ['the answer for what is not there with another status', forged({ path: NOT_FOUND }), /#404 with status 200/],
    ['an unknown kind', forged({ kind: 'document/2' }), /unknown kind "document\/2"/],
    ['an unknown member', forged({ extra: 1 }), /unknown member "extra"/],
    ['an unknown member of a variant', forgedVariant({ extra: 1 }), /variant 0: has an unknown member "extra"/],
    ['a field that is set for a user', forged({ fields: [['set-cookie', 'a=b']] }), /set-cookie cannot be sealed/],
    ['a field name in capitals', forged({ fields: [['Vary', 'a']] }), /no name in lower case/],
    [
      'fields out of order',
      forged({
        fields: [
          ['vary', 'a'],
          ['age-x', 'b'],
        ],
      }),
      /age-x stands behind vary/,
    ],
    [
      'a field with a line break',
      forged({ fields: [['x', 'a\r\nset-cookie: b']] }),
      /x: a value that no field can have/,
    ],
    ['a field with white space around it', forged({ fields: [['x', ' a']] }), /x: a value/],
    ['a field that is no pair', forged({ fields: [['x']] }), /no pair/],
    ['a media type with a line break', forgedVariant({ type: 'text/html\r\nx: y' }), /'type' cannot be/],
    ['an entity-tag without quotes', forgedVariant({ etag: 'x' }), /'etag' cannot be/],
    ['a coding in capitals', forgedVariant({ coding: 'BR' }), /'coding' cannot be/],
    ['a date of half a second', forgedVariant({ lastModified: 1500 }), /whole seconds/],
    ['a negative length', forgedVariant({ length: -1 }), /'length' is no integer/],
    ['blocks of a content of one block', forgedVariant({ blocks: digestOfText('x') }), /unknown member "blocks"/],
    ['a large content without blocks', forgedVariant({ length: 65_537 }), /no 'blockSize'/],
    [
      'blocks so large that nobody could check them piece by piece',
      forgedVariant({ length: 1_000_000, blockSize: 1_048_576, blocks: digestOfText('x') }),
      /blocks of 1048576 bytes for 1000000 bytes/,
    ],
  ];
  for (const [what, text, message] of refused) {
    it(`${what} is refused`, () => assert.throws(() => parseRecord(text), disbelief('malformed', message)));
  }

  it('more fields, variants or characters than anything honest has are refused', () => {
    const fields = Array.from({ length: 129 }, () => ['x', 'y']);
    assert.throws(() => parseRecord(forged({ fields })), disbelief('too-large', /more than 128 lines/));
    const long = [['x', 'y'.repeat(33_000)]];
    assert.throws(() => parseRecord(forged({ fields: long })), disbelief('too-large', /more than 32768 characters/));
    const variants = Array.from({ length: 65 }, () => ({}));
    assert.throws(() => parseRecord(forged({ variants })), disbelief('too-large', /more than 64 'variants'/));
    assert.throws(() => parseRecord(forged({ extra: 'y'.repeat(131_072) })), disbelief('too-large', /^record: longer/));
  });

  it('two variants that nothing tells apart, or two contents with one strong entity-tag, are refused', () => {
    const same = recordOf('x', { variants: [variantOf('a'), variantOf('b')] });
    assert.throws(() => recordText(same), disbelief('malformed', /nothing tells apart/));
    const tagged = (etag: string) =>
      recordOf('x', { variants: [variantOf('a', { etag }), variantOf('b', { etag, coding: 'br' })] });
    assert.throws(() => recordText(tagged('"1"')), disbelief('malformed', /one strong entity-tag/));
    assert.notEqual(recordText(tagged('W/"1"')), null);
  });

  it('what no reader would take is not written, so that nobody signs it', () => {
    assert.throws(() => recordText(recordOf('../x')), disbelief('malformed'));
    assert.throws(() => recordText(recordOf('x', { seq: 0.5 })), disbelief('malformed'));
    assert.throws(() => recordText(recordOf('x', { fields: [['date', 'x']] })), disbelief('malformed', /date cannot/));
  });
});

describe('the fields that a record seals', () => {
  it('are those of the document: not of the message, the node, the connection, a variant, or the user', () => {
    const never = [
      ...['Date', 'Age', 'Via', 'Cache-Status', 'Content-Length', 'Transfer-Encoding', 'Connection', 'WLIS-Namespace'],
      ...['WLIS-Anything', 'Set-Cookie', 'Clear-Site-Data', 'Strict-Transport-Security', 'Alt-Svc', 'NEL'],
      ...['Service-Worker-Allowed', 'Report-To', 'Reporting-Endpoints', 'Proxy-Authenticate', 'Content-Type', 'ETag'],
    ];
    const sealed = ['Cache-Control', 'Content-Disposition', 'Content-Security-Policy', 'Location', 'Vary', 'X-Own'];
    const lines = [...never, ...sealed, 'Access-Control-Allow-Origin'].flatMap((name) => [name, '1']);
    const names = fieldsBlock(lines).map(([name]) => name);
    assert.deepEqual(names, ['access-control-allow-origin', ...sealed.map((name) => name.toLowerCase())]);
  });

  it('have the links of the document, without those to its replicas', () => {
    const lines = ['Link', '</a>; rel=next', 'Link', '<http://r/>; rel="duplicate"; wlis', 'Link', '<b>; x="; wlisp"'];
    assert.deepEqual(fieldsBlock(lines), [
      ['link', '</a>; rel=next'],
      ['link', '<b>; x="; wlisp"'],
    ]);
  });

  it('and those of the variant make up the answer', () => {
    const record = recordOf('x', {
      fields: fieldsBlock(['Vary', 'Accept-Encoding']),
      variants: [
        variantOf('hello\n', { coding: 'br', language: 'de', etag: '"1"', lastModified: epochMs(784_111_777_000) }),
      ],
    });
    assert.deepEqual(documentFields(record, record.variants[0]!), [
      ...['vary', 'Accept-Encoding', 'content-type', 'text/plain', 'content-encoding', 'br', 'content-language', 'de'],
      ...['etag', '"1"', 'last-modified', 'Sun, 06 Nov 1994 08:49:37 GMT'],
      ...['repr-digest', 'sha-256=:WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=:'],
    ]);
    assert.deepEqual(documentFields(record, null), ['vary', 'Accept-Encoding']);
  });

  it('the digest in Repr-Digest is that of the record, in base 64 with padding (RFC 9530 §2)', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (data) => {
        const digest = Buffer.from(data).toString('hex') as Digest;
        const lines = documentFields(recordOf('x'), variantOf('', { digest }));
        assert.equal(lines.at(-1), `sha-256=:${Buffer.from(data).toString('base64')}:`);
      }),
    );
  });
});
