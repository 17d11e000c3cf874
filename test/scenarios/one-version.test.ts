import assert from 'node:assert/strict';
import fc from 'fast-check';
import { answer, answerBrokenOff } from '../support/origin-scripts.js';
import type { RawResponse } from '../support/raw-client.js';
import { runCount } from '../support/run-count.js';
import type { OriginHandler } from '../support/scripted-origin.js';
import { startWillis, type Willis } from '../support/willis.js';

/** Every version has its own letters and its own length, and names itself by a strong entity-tag. */
const contentOf = (version: number): string =>
  Array.from({ length: 300 + 70 * (version % 4) }, (_, i) =>
    String.fromCharCode(97 + ((i * 7 + version * 5) % 26)),
  ).join('');

type Step =
  | { readonly do: 'ask'; readonly range: string | null; readonly ifRange: boolean }
  | { readonly do: 'change' }
  | { readonly do: 'wait' }
  /** The next answer is cut off after so many bytes. */
  | { readonly do: 'cut'; readonly after: number };

const position = fc.integer({ min: 0, max: 600 });
const spec = fc.oneof(
  fc.tuple(position, fc.integer({ min: 0, max: 250 })).map(([from, length]) => `${from}-${from + length}`),
  position.map((from) => `${from}-`),
  position.map((suffix) => `-${suffix}`),
);
const range = fc.array(spec, { minLength: 1, maxLength: 3 }).map((specs) => `bytes=${specs.join(',')}`);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('ask' as const), range: fc.option(range), ifRange: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ do: 'change' }, { do: 'wait' }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), after: fc.integer({ min: 0, max: 200 }) }) },
);

/** Fails unless an answer consists of bytes of the one version that its entity-tag names, in the places it says. */
function assertOneVersion(response: RawResponse): void {
  if (response.status === 416) return;
  const content = contentOf(Number(/^"v(\d+)"$/.exec(response.get('etag') ?? '')?.[1]));
  if (response.status === 200) {
    assert.equal(response.body.toString(), content);
    return;
  }
  assert.equal(response.status, 206);
  const boundary = /^multipart\/byteranges; boundary=(.*)$/.exec(response.get('content-type') ?? '')?.[1];
  const text = response.body.toString();
  const parts =
    boundary === undefined
      ? [`Content-Range: ${String(response.get('content-range'))}\r\n\r\n${text}`]
      : text
          .split(`--${boundary}`)
          .slice(1, -1)
          .map((part) => part.slice(0, -2));
  for (const part of parts) {
    const [, from, last, length, bytes] = /Content-Range: bytes (\d+)-(\d+)\/(\d+)\r\n\r\n(.*)$/s.exec(part) ?? [];
    assert.equal(Number(length), content.length);
    assert.equal(bytes, content.slice(Number(from), Number(last) + 1));
  }
}

describe('whatever is stored, and in whatever parts', () => {
  let willis: Willis;
  let version = 0;
  let cut: number | null = null;

  before(async () => {
    willis = await startWillis();
    willis.serve(origin);
  });
  after(() => willis.stop());

  /** One range, If-Range and If-None-Match by the book; other Range fields are ignored. */
  const origin: OriginHandler = (request, response, index) => {
    const content = contentOf(version);
    const etag = `"v${version}"`;
    const fields = { 'Cache-Control': 'max-age=60', ETag: etag };
    const known = request.headers['if-none-match']?.split(', ').includes(etag);
    if (known === true) return answer(304, fields)(request, response, index);
    const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const same = (request.headers['if-range'] ?? etag) === etag;
    const from = asked === null || !same ? 0 : Number(asked[1]);
    const to =
      asked === null || !same || asked[2] === '' ? content.length : Math.min(content.length, Number(asked[2]) + 1);
    if (from >= to) return answer(416, { 'Content-Range': `bytes */${content.length}` })(request, response, index);
    const partial = asked !== null && same;
    const all = partial ? { ...fields, 'Content-Range': `bytes ${from}-${to - 1}/${content.length}` } : fields;
    const body = content.slice(from, to);
    const broken = cut;
    cut = null;
    return broken === null || broken >= body.length
      ? answer(partial ? 206 : 200, all, body)(request, response, index)
      : answerBrokenOff(partial ? 206 : 200, { ...all, 'Content-Length': String(body.length) }, body.slice(0, broken))(
          request,
          response,
          index,
        );
  };

  const take = async (one: Step, path: string): Promise<void> => {
    if (one.do === 'change') version++;
    else if (one.do === 'wait') willis.clock.advance(61_000);
    else if (one.do === 'cut') cut = one.after;
    else {
      const fields = {
        ...(one.range !== null && { Range: one.range }),
        ...(one.ifRange && { 'If-Range': `"v${version}"` }),
      };
      const client = await willis.begin('GET', path, fields);
      const breaks = cut !== null;
      const response = await client.receive().catch((error: unknown) => {
        if (!breaks) throw error;
      });
      client.close();
      if (response !== undefined) assertOneVersion(response);
    }
  };

  it('every answer consists of bytes of one version, and is whole or breaks (RFC 9111 §3.3, §3.4; RFC 9110 §13.1.5)', async () => {
    let runs = 0;
    const property = fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 14 }), async (steps) => {
      cut = null;
      const path = `/${runs++}`;
      for (const one of steps) await take(one, path);
    });
    await fc.assert(property, { numRuns: runCount(150) });
  });
});
