import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../../config/units.js';
import { digestOf } from '../../../replication/content-hash.js';
import {
  bundleEnd,
  bundleMediaType,
  bundlePart,
  LEAST_BUNDLE,
  LONGEST_BUNDLED,
  sizeOfPart,
  type BundlePart,
} from '../../../replication/pull/bundle-format.js';
import { bundleBoundary, BundleParser, type BundledPart } from '../../../replication/pull/bundle-parser.js';
import { canonicalUri } from '../../../wlis/canonical-uri.js';
import { parseEpoch } from '../../../wlis/trust/epoch.js';
import { NotBelieved, type Disbelief } from '../../../wlis/trust/not-believed.js';

const boundary = 'willis-0123456789abcdef';
const epoch = parseEpoch('1700000000000-0123456789abcdef');

const partOf = (content: Buffer, seq = 1, changes: Partial<BundlePart['variant']> = {}): BundlePart => ({
  uri: canonicalUri('https://docs.example.org/manual/'),
  variant: { type: 'text/html', coding: null, language: null, digest: digestOf(content), ...changes },
  upTo: { epoch, seq },
  content,
});

const wireOf = (parts: readonly BundlePart[]): Buffer =>
  Buffer.concat([...parts.flatMap((part) => bundlePart(part, boundary)), bundleEnd(boundary)]);

function parsed(chunks: Iterable<Buffer>, maxBytes = bytes(1e9), into: BundledPart[] = []): BundledPart[] {
  const parser = new BundleParser(boundary, maxBytes);
  for (const chunk of chunks) for (const part of parser.take(chunk)) into.push(part);
  parser.end();
  return into;
}

function refusalOf(wire: Buffer | string, maxBytes = bytes(1e9)): readonly [Disbelief, string] {
  try {
    parsed([typeof wire === 'string' ? Buffer.from(wire, 'latin1') : wire], maxBytes);
  } catch (error) {
    assert.ok(error instanceof NotBelieved, String(error));
    return [error.reason, error.message];
  }
  return assert.fail('it should have been refused');
}

function* splitAt(wire: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, i = 0; at < wire.length; i++) {
    const size = sizes.length === 0 ? wire.length : (sizes[i % sizes.length] as number);
    yield wire.subarray(at, at + size);
    at += size;
  }
}

const contents = fc.array(
  fc.record({
    content: fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((data) => Buffer.from(data)),
      fc.constantFrom(Buffer.alloc(0), Buffer.alloc(65_536, 7), wireOf([]), wireOf([partOf(Buffer.from('in it'))])),
    ),
    step: fc.nat(3),
    language: fc.constantFrom(null, 'en', 'de-AT'),
  }),
  { maxLength: 8 },
);

const partsFrom = (list: readonly { content: Buffer; step: number; language: string | null }[]): BundlePart[] => {
  let seq = 0;
  return list.map(({ content, step, language }) => partOf(content, (seq += step), { language }));
};

describe('a bundle', () => {
  it('gives what was put into it, wherever it is cut on its way', () => {
    fc.assert(
      fc.property(contents, fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 5 }), (list, sizes) => {
        const parts = partsFrom(list);
        assert.deepEqual(
          parsed(splitAt(wireOf(parts), sizes)),
          parts.map(({ content, upTo, variant }) => ({ digest: variant.digest, content, ...upTo })),
        );
      }),
      { numRuns: 60 },
    );
    const parts = [partOf(Buffer.from('one')), partOf(Buffer.alloc(65_536, 1), 2)];
    assert.equal(parsed(splitAt(wireOf(parts), [1])).length, 2);
  });

  it('is refused when anything of its end is missing; what it gave before is true', () => {
    fc.assert(
      fc.property(contents, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (list, share) => {
        const parts = partsFrom(list);
        const wire = wireOf(parts);
        const given: BundledPart[] = [];
        const cut = wire.subarray(0, Math.floor(share * wire.length));
        assert.throws(() => parsed([cut], bytes(1e9), given), NotBelieved);
        assert.deepEqual(
          given.map(({ content }) => content),
          parts.slice(0, given.length).map(({ content }) => content),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('with any byte altered gives nothing that is not what its digest says', () => {
    const list = fc.array(
      fc.uint8Array({ maxLength: 40 }).map((data) => Buffer.from(data)),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(list, fc.nat(), fc.integer({ min: 1, max: 255 }), (some, place, change) => {
        const wire = wireOf(some.map((content, i) => partOf(content, i + 1)));
        const at = place % wire.length;
        wire[at] = (wire[at] as number) ^ change;
        const given: BundledPart[] = [];
        try {
          parsed([wire], bytes(1e9), given);
        } catch (error) {
          assert.ok(error instanceof NotBelieved, String(error));
        }
        for (const { content, digest } of given) assert.equal(digestOf(content), digest);
      }),
      { numRuns: 500 },
    );
  });

  it('is multipart/mixed of HTTP responses with digest, length and number, each with its URI', () => {
    const wire = wireOf([partOf(Buffer.from('<p>'), 812, { coding: 'gzip', language: 'en' })]).toString('latin1');
    assert.deepEqual(wire.split('\r\n'), [
      '--willis-0123456789abcdef',
      'Content-Type: application/http;msgtype=response',
      '',
      'HTTP/1.1 200 OK',
      'Content-Length: 3',
      'Content-Location: https://docs.example.org/manual/',
      'Content-Type: text/html',
      'Content-Encoding: gzip',
      'Content-Language: en',
      `Repr-Digest: sha-256=:${Buffer.from(digestOf(Buffer.from('<p>')), 'hex').toString('base64')}:`,
      'WLIS-Seq: 812;epoch="1700000000000-0123456789abcdef"',
      '',
      '<p>',
      '--willis-0123456789abcdef--',
      '',
    ]);
    assert.equal(bundleBoundary(bundleMediaType(boundary)), boundary);
    assert.equal(bundleBoundary('Multipart/Mixed; boundary="a_b"'), 'a_b');
    for (const type of [undefined, '', 'multipart/mixed', 'text/html; boundary=a', 'multipart/mixed; boundary=a b']) {
      assert.throws(() => bundleBoundary(type), NotBelieved);
    }
  });

  it('has contents of up to 64 KiB, every one of which fits into the least bundle that can be asked for', () => {
    const longest = partOf(Buffer.alloc(LONGEST_BUNDLED), 1, { type: `text/${'x'.repeat(507)}` });
    const uri = canonicalUri(`https://docs.example.org/${'x'.repeat(16_384 - 25)}`);
    const pieces = bundlePart({ ...longest, uri }, boundary);
    assert.equal(parsed([...pieces, bundleEnd(boundary)], LEAST_BUNDLE).length, 1);
    assert.ok(sizeOfPart(pieces) + bundleEnd(boundary).length < LEAST_BUNDLE, 'it does not fit in');
    assert.throws(() => bundlePart(partOf(Buffer.alloc(LONGEST_BUNDLED + 1)), boundary), RangeError);
  });

  const head = (...lines: string[]): string =>
    [`--${boundary}`, 'Content-Type: application/http;msgtype=response', '', 'HTTP/1.1 200 OK', ...lines, '', ''].join(
      '\r\n',
    );
  const digestLine = `Repr-Digest: sha-256=:${Buffer.from(digestOf(Buffer.from('abc')), 'hex').toString('base64')}:`;
  const seqLine = `WLIS-Seq: 1;epoch="${epoch}"`;
  const end = `--${boundary}--\r\n`;

  it('is refused for what cannot be in it, with what is wrong', () => {
    const right = `${head('Content-Length: 3', digestLine, seqLine)}abc\r\n`;
    assert.equal(parsed([Buffer.from(`${right}${end}`)]).length, 1);
    const cases: readonly (readonly [wire: string, reason: Disbelief, says: RegExp])[] = [
      [`preamble\r\n${right}${end}`, 'malformed', /preamble/],
      [`${right}${end}more`, 'malformed', /behind its end/],
      [`${right}--another\r\n`, 'malformed', /--another/],
      [`${head('Content-Length: 2', digestLine, seqLine)}abc\r\n${end}`, 'malformed', /longer than it says/],
      [`${head('Content-Length: 3', digestLine, seqLine)}abd\r\n${end}`, 'wrong-digest', /is not/],
      [head('Content-Length: 65537', digestLine, seqLine), 'too-large', /65537/],
      [head('Content-Length: 3', 'Content-Length: 3', digestLine, seqLine), 'malformed', /2 lines of content-length/],
      [head('Content-Length: 3', 'Transfer-Encoding: chunked', digestLine, seqLine), 'malformed', /Transfer-Encoding/],
      [head('Content-Length: -3', digestLine, seqLine), 'malformed', /content-length "-3"/],
      [head('Content-Length: 3', seqLine), 'malformed', /0 lines of repr-digest/],
      [head('Content-Length: 3', 'Repr-Digest: md5=:aaaa:', seqLine), 'malformed', /md5/],
      [head('Content-Length: 3', digestLine), 'malformed', /0 lines of wlis-seq/],
      [head('Content-Length: 3', digestLine, 'WLIS-Seq: 1'), 'malformed', /wlis-seq "1"/],
      [head('Content-Length: 3', digestLine, 'WLIS-Seq: 1;epoch="1-2"'), 'malformed', /no epoch/],
      [head('Content-Length : 3', digestLine, seqLine), 'malformed', /field name/],
      [right.replace('200 OK', '304 Not Modified'), 'malformed', /304/],
      [right.replace('msgtype=response', 'msgtype=request'), 'malformed', /not of the type/],
      [right.replace('\r\nContent-Type', '\r\nX-More: 1\r\nContent-Type'), 'malformed', /not of the type/],
      [head(`X: ${'x'.repeat(30_000)}`), 'too-large', /head/],
      [`--${boundary}${'x'.repeat(300)}`, 'too-large', /line/],
      [head(...Array.from({ length: 100 }, () => 'A: b')), 'malformed', /field lines/],
    ];
    for (const [wire, reason, says] of cases) {
      const [found, message] = refusalOf(wire);
      assert.equal(found, reason, message);
      assert.match(message, says);
    }
  });

  it('is refused where its numbers go back, or another epoch begins', () => {
    const two = (seq: number, other = epoch): Buffer =>
      wireOf([partOf(Buffer.from('a'), 5), { ...partOf(Buffer.from('b')), upTo: { epoch: other, seq } }]);
    assert.equal(parsed([two(5)]).length, 2);
    assert.match(refusalOf(two(4))[1], /comes after/);
    assert.match(refusalOf(two(6, parseEpoch('1700000000001-0123456789abcdef')))[1], /comes after/);
  });

  it('is refused beyond the bytes that were asked for, however it goes on', () => {
    const wire = wireOf([partOf(Buffer.alloc(60_000)), partOf(Buffer.alloc(60_000, 1), 2)]);
    assert.equal(parsed([wire], bytes(wire.length)).length, 2);
    assert.equal(refusalOf(wire, bytes(wire.length - 1))[0], 'too-large');
  });
});
