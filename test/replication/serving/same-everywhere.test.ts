import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { bytes, epochMs, milliseconds } from '../../../config/units.js';
import { DocumentHandler } from '../../../replication/serving/document-handler.js';
import type { PublishedDocument } from '../../../replication/source/published-document.js';
import { FakeClock } from '../../support/fake-clock.js';
import { runCount } from '../../support/run-count.js';
import { block, ContentExample, HeldExample, received, reprDigest, visitor, type Received } from './held-example.js';

const uri = 'http://docs.example.org/page';

/** What differs between the nodes that hold a namespace. */
const ofNode = new Set(['date', 'age', 'wlis-namespace', 'cache-status']);

const lengths = fc.constantFrom(0, 1, 5, 300, 65_536, 65_537, 150_000);

interface Example {
  readonly document: Omit<PublishedDocument, 'path'>;
  readonly content: ContentExample;
}

const variant = fc.record({
  coding: fc.constantFrom(null, 'br', 'gzip'),
  language: fc.constantFrom(null, 'en', 'de'),
  type: fc.constantFrom('text/html; charset=utf-8', 'application/json'),
  lastModified: fc.constantFrom(null, epochMs(1_690_000_000_000), epochMs(1_767_225_600_000)),
  isTagged: fc.constantFrom('strong', 'weak', 'none'),
  length: lengths,
});

const documents: fc.Arbitrary<Example> = fc
  .record({
    status: fc.constantFrom(200, 200, 200, 301, 404, 410),
    variants: fc.uniqueArray(variant, {
      minLength: 1,
      maxLength: 4,
      selector: ({ coding, language, type }) => JSON.stringify([coding, language, type]),
    }),
    fields: fc.constantFrom(
      {},
      { Vary: 'Origin' },
      { 'Cache-Control': 'max-age=60', Vary: 'accept-encoding' },
      { Vary: '*' },
    ),
  })
  .map(({ status, variants, fields }) => {
    const content = new ContentExample();
    const listed = variants.map(({ isTagged, length, ...over }, index) => {
      const etag = isTagged === 'none' ? null : `${isTagged === 'weak' ? 'W/' : ''}"${index}"`;
      return content.add(Buffer.alloc(length, `content ${index} `), { ...over, etag });
    });
    const location: Record<string, string> = status === 301 ? { Location: '/elsewhere' } : {};
    const document = { status: status as 200, fields: block({ ...fields, ...location }), variants: listed };
    return { document, content };
  });

const dates = fc.constantFrom('Sat, 22 Jul 2023 04:26:40 GMT', 'Thu, 01 Jan 2026 00:00:00 GMT', 'never');
const tags = fc.constantFrom('"0"', 'W/"1"', '*', '"0", "1", "2"', 'x');
const requestFields = fc.record(
  {
    'Accept-Encoding': fc.constantFrom('gzip, br', 'br;q=0.5, gzip', 'identity;q=0', '*', ''),
    'Accept-Language': fc.constantFrom('de', 'en, de;q=0.5', '*', 'it'),
    Accept: fc.constantFrom('application/json', '*/*', 'text/html;q=0.5'),
    Range: fc.constantFrom(
      'bytes=0-',
      'bytes=2-4',
      'bytes=-7',
      'bytes=0-1,100000-100009',
      'bytes=900000-',
      'lines=1-2',
    ),
    'If-Range': fc.oneof(tags, dates),
    'If-Match': tags,
    'If-None-Match': tags,
    'If-Modified-Since': dates,
    'If-Unmodified-Since': dates,
    Cookie: fc.constant('a=b'),
  },
  { requiredKeys: [] },
);

interface Node {
  readonly held: HeldExample;
  readonly handler: DocumentHandler;
}

function primaryWith({ document, content }: Example): Node {
  const clock = new FakeClock('2026-01-01T00:00:00Z');
  const held = new HeldExample(undefined, content).put('page', document);
  return { held, handler: new DocumentHandler({ name: 'primary', clock, memory: bytes(10_000_000) }) };
}

/** A replica that got hold of it otherwise, with another clock, and memory for nothing. */
function replicaWith({ document, content }: Example): Node {
  const held = new HeldExample(undefined, content).put('other', document).put('page', document);
  held.role = 'replica';
  held.confirmedAge = milliseconds(70_000);
  for (const { digest } of document.variants) content.notHere.add(digest);
  const clock = new FakeClock('2026-01-01T00:02:00Z');
  return { held, handler: new DocumentHandler({ name: 'replica', clock, memory: bytes(0) }) };
}

async function asked({ held, handler }: Node, fields: Record<string, string>, method = 'GET'): Promise<Received> {
  return received(handler.answer(visitor(uri, { method, fields }), held));
}

/** Without what is of the node, and the boundary between parts, which nobody may foresee. */
function endToEnd({ status, fields, content }: Received): unknown {
  const boundary = /boundary=(.*)$/.exec(fields['content-type'] ?? '')?.[1];
  const without = (text: string): string => (boundary === undefined ? text : text.replaceAll(boundary, '#'));
  const kept = Object.entries(fields).filter(
    ([name]) => !ofNode.has(name) && (boundary === undefined || name !== 'content-length'),
  );
  const digest = createHash('sha256')
    .update(without(content.toString('latin1')))
    .digest('hex');
  return { status, fields: kept.map(([name, value]) => [name, without(value)]).sort(), digest };
}

const given = (fields: Partial<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined));

describe('any document and any request', () => {
  it('a primary and a replica answer with the same status, end-to-end fields and bytes', async () => {
    await fc.assert(
      fc.asyncProperty(documents, requestFields, fc.constantFrom('GET', 'HEAD'), async (example, fields, method) => {
        // a Last-Modified within the last minute is a strong validator later on (RFC 9110 §8.8.2.2)
        const young = example.document.variants.some(({ lastModified }) => (lastModified ?? 0) > 1_767_000_000_000);
        if (young && fields['If-Range']?.includes('GMT') === true) return;
        const [primary, replica] = [primaryWith(example), replicaWith(example)];
        for (let i = 0; i < 2; i++) {
          const [one, other] = [
            await asked(primary, given(fields), method),
            await asked(replica, given(fields), method),
          ];
          assert.deepEqual(endToEnd(one), endToEnd(other));
          assert.equal(other.fields['age'], '70');
        }
      }),
      { numRuns: runCount(200) },
    );
  });

  it('an answer keeps the rules of RFC 9110', async () => {
    await fc.assert(
      fc.asyncProperty(documents, requestFields, async (example, fields) => {
        const node = primaryWith(example);
        const { document, content } = example;
        const answer = await asked(node, given(fields));
        const rangeless = { ...fields, Range: undefined, 'If-Range': undefined };
        const head = await asked(node, given(rangeless), 'HEAD');
        const whole = await asked(node, given(rangeless));
        assert.deepEqual(endToEnd({ ...whole, content: head.content }), endToEnd(head), 'HEAD differs from GET');
        const plain = Object.fromEntries(Object.entries(rangeless).filter(([name]) => !name.startsWith('If-')));
        const selected = await asked(node, given(plain));
        const isIt = document.variants.some(
          ({ digest, coding, type }) =>
            content.contents.get(digest)?.equals(selected.content) === true &&
            selected.fields['content-type'] === (type ?? undefined) &&
            selected.fields['content-encoding'] === (coding ?? undefined),
        );
        assert.ok(isIt, 'no variant has these fields and this content');
        assert.equal(selected.status, document.status);
        assert.equal(selected.fields['repr-digest'], reprDigest(selected.content));
        assert.equal(selected.fields['content-length'], String(selected.content.length));
        switch (answer.status) {
          case 206:
            assert.equal(answer.fields['repr-digest'], selected.fields['repr-digest']);
            checkRange(answer, selected);
            break;
          case 304:
            assert.ok('If-None-Match' in fields || 'If-Modified-Since' in fields, 'an unconditional 304');
            for (const name of ['etag', 'vary', 'cache-control'])
              assert.equal(answer.fields[name], selected.fields[name]);
            break;
          case 412:
            assert.ok('If-Match' in fields || 'If-Unmodified-Since' in fields, 'an unconditional 412');
            break;
          case 416:
            assert.equal(answer.fields['content-range'], `bytes */${selected.content.length}`);
            break;
          default:
            assert.deepEqual(endToEnd(answer), endToEnd(selected));
        }
        if (answer.status !== document.status) assert.equal(document.status, 200);
        if ([200, 206, 304].includes(answer.status)) checkVary(answer, document);
      }),
      { numRuns: runCount(300) },
    );
  });
});

function checkRange(answer: Received, selected: Received): void {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.fields['content-range'] ?? '');
  if (match === null) {
    assert.match(answer.fields['content-type'] ?? '', /^multipart\/byteranges; boundary=/);
    return;
  }
  const [, first, last, length] = match.map(Number);
  assert.equal(length, selected.content.length);
  assert.ok(answer.content.equals(selected.content.subarray(first, (last ?? 0) + 1)), 'other bytes');
}

/** What selects is named, once, or everything is. */
function checkVary({ fields }: Received, { variants }: Example['document']): void {
  const names = (fields['vary'] ?? '').split(/, */).map((name) => name.toLowerCase());
  assert.equal(new Set(names).size, names.length);
  if (names.includes('*')) return;
  const differ = (of: (one: (typeof variants)[number]) => unknown): boolean => new Set(variants.map(of)).size > 1;
  if (differ(({ coding }) => coding)) assert.ok(names.includes('accept-encoding'), 'no accept-encoding');
  if (differ(({ language }) => language)) assert.ok(names.includes('accept-language'), 'no accept-language');
  if (differ(({ type }) => type)) assert.ok(names.includes('accept'), 'no accept');
}
