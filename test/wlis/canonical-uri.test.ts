import assert from 'node:assert/strict';
import fc from 'fast-check';
import { canonicalUri, canonicalUriOf } from '../../wlis/canonical-uri.js';
import { NotCanonical } from '../../wlis/not-canonical.js';
import { vectors } from './vectors.js';

interface Vectors {
  readonly canonical: readonly { readonly uri: string; readonly canonical: string }[];
  readonly refused: readonly string[];
}

const table = vectors('canonical-uri') as Vectors;

/** Texts that are mostly made of what canonical URIs have rules for. */
const paths = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '/',
        '/',
        '.',
        '..',
        '%2e',
        '%2E',
        '%2f',
        '%7E',
        '%41',
        '%c3%bc',
        '%FF',
        '?',
        "'",
        '%27',
        '|',
        ' ',
      ),
      fc.string({ unit: 'grapheme', maxLength: 3 }),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => `/${pieces.join('')}`);

const hosts = fc.constantFrom(
  'Example.org',
  'a.b',
  'bücher.example',
  '192.0.2.1',
  '[2001:DB8::1]',
  'a:80',
  'a:8080',
  'a.',
);

const uris = fc.tuple(fc.constantFrom('http', 'https', 'HTTP'), hosts, paths).map(([s, h, p]) => `${s}://${h}${p}`);

const tried = (uri: string): string | null => {
  try {
    return canonicalUri(uri);
  } catch (error) {
    assert.ok(error instanceof NotCanonical, String(error));
    return null;
  }
};

describe('canonical URIs', () => {
  for (const { uri, canonical } of table.canonical) {
    it(`${JSON.stringify(uri)} is written ${canonical}`, () => assert.equal(canonicalUri(uri), canonical));
  }

  for (const uri of table.refused) {
    it(`${JSON.stringify(uri)} is refused`, () => assert.throws(() => canonicalUri(uri), NotCanonical));
  }

  it('a canonical URI is its own canonical spelling', () => {
    fc.assert(
      fc.property(uris, (uri) => {
        const once = tried(uri);
        if (once !== null) assert.equal(canonicalUri(once), once);
      }),
      { numRuns: 1000 },
    );
  });

  it('what a browser makes of a URI before it asks for it has the same spelling as the URI itself', () => {
    fc.assert(
      fc.property(uris, (uri) => {
        const direct = tried(uri);
        if (direct === null) return;
        const sent = new URL(uri);
        sent.hash = '';
        assert.equal(canonicalUri(sent.href), direct);
      }),
      { numRuns: 1000 },
    );
  });

  it('has nothing in it that RFC 3986 does not allow, and no dot segment', () => {
    fc.assert(
      fc.property(uris, (uri) => {
        const canonical = tried(uri);
        if (canonical === null) return;
        assert.match(canonical, /^https?:\/\/[^/?#]+\/(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})*$/);
        assert.doesNotMatch(canonical.replace(/\?.*/, ''), /\/\.{1,2}(?:\/|$)/);
      }),
    );
  });

  it('whether a character is percent-encoded makes no difference if it is unreserved (RFC 3986 §2.3)', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9._~/-]{0,20}$/), fc.array(fc.boolean()), (path, encoded) => {
        const other = Array.from(path, (character, i) => {
          const isEncoded = encoded[i] === true && character !== '/';
          return isEncoded ? `%${character.charCodeAt(0).toString(16)}` : character;
        });
        assert.equal(canonicalUri(`http://a/${other.join('')}`), canonicalUri(`http://a/${path}`));
      }),
    );
  });

  it('is the same of the parts of a request', () => {
    assert.equal(canonicalUriOf('https', 'Docs.example.org:443', '/%7Ea?x'), 'https://docs.example.org/~a?x');
    assert.equal(canonicalUriOf('http', '[2001:db8::1]:8080', ''), 'http://[2001:db8::1]:8080/');
    assert.throws(() => canonicalUriOf('http', 'a/b', '/'), NotCanonical);
    assert.throws(() => canonicalUriOf('http', 'a:1:2', '/'), NotCanonical);
  });

  it('a URI of more than 16384 characters, or that becomes as long, is refused', () => {
    const room = 16_384 - 'http://a/'.length;
    assert.equal(canonicalUri(`http://a/${'x'.repeat(room)}`).length, 16_384);
    assert.throws(() => canonicalUri(`http://a/${'x'.repeat(room + 1)}`), NotCanonical);
    assert.throws(() => canonicalUri(`http://a/${'ü'.repeat(room / 2)}`), NotCanonical);
  });
});
