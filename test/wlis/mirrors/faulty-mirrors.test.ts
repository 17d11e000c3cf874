import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WillisError } from '../../../proxy/base/errors.js';
import { answer } from '../../support/origin-scripts.js';
import type { OriginHandler } from '../../support/scripted-origin.js';
import { breakingAfter, digestField, later, longAgo, MirroredSite, serving } from './mirrored-site.js';

const content = Buffer.from(Array.from({ length: 120_000 }, (_, i) => (i * 7919 + (i >> 8)) & 0xff)).toString('latin1');
const other = content.replaceAll('a', 'b');
const fields = { 'Last-Modified': longAgo };

type Fault = { readonly kind: string; readonly at: number };

/** A server with that fault. What it has under the same validators is always the document itself. */
function faulty({ kind, at }: Fault): OriginHandler {
  const good = serving({ 'a.txt': { content: Buffer.from(content, 'latin1'), fields } });
  switch (kind) {
    case 'breaks':
      return breakingAfter(at, good);
    case 'another version':
      return serving({ 'a.txt': { content: Buffer.from(other, 'latin1'), fields: { 'Last-Modified': later } } });
    case 'another length':
      return serving({ 'a.txt': { content: Buffer.from(content.slice(0, at), 'latin1'), fields } });
    case 'no ranges':
      return ({ headers, ...request }, response, index) => {
        const others = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'range'));
        return good({ ...request, headers: others }, response, index);
      };
    case 'wrong range':
      return ({ method, headers }, response, index) => {
        if (headers.range === undefined)
          return good({ method, headers, url: '/docs/a.txt' } as Parameters<OriginHandler>[0], response, index);
        const part = Buffer.from(content.slice(at, at + 100), 'latin1');
        response.writeHead(206, {
          ...fields,
          'Content-Range': `bytes ${at}-${at + 99}/${content.length}`,
          'Content-Length': '100',
        });
        response.end(part);
      };
    case 'missing':
      return answer(404);
    case 'down':
      return answer(503);
    case 'redirects':
      return answer(302, { Location: 'http://elsewhere.test/' });
    case 'closes':
      return (_request, response) => void response.destroy();
    default:
      return good;
  }
}

const kinds = [
  'well',
  'breaks',
  'another version',
  'another length',
  'no ranges',
  'wrong range',
  'missing',
  'down',
  'redirects',
  'closes',
];

describe('mirrors with faults', () => {
  it('give exactly the document, a part of it and a visible break, or an error; never another byte', async function () {
    this.timeout(60_000);
    const site = await MirroredSite.start(faulty({ kind: 'well', at: 0 }), [answer(404), answer(404), answer(404)]);
    const fault = fc.record({ kind: fc.constantFrom(...kinds), at: fc.integer({ min: 1, max: content.length - 200 }) });
    const range = fc.option(fc.tuple(fc.nat(content.length - 1), fc.nat(50_000)));
    const outcomes = new Map<string, number>();
    try {
      await fc.assert(
        fc.asyncProperty(
          fault,
          fc.array(fault, { minLength: 3, maxLength: 3 }),
          fc.nat(3),
          range,
          async (first, faults, place, wanted) => {
            site.original.handle(faulty(first));
            site.mirrors.forEach((mirror, index) => mirror.handle(faulty(faults[index] as Fault)));
            site.order = [...site.mirrors.slice(0, place), site.original, ...site.mirrors.slice(place)];
            // what was marked, and which looked down, is forgotten
            site.clock.advance(10 * 86_400_000);
            const asked = wanted === null ? {} : { Range: `bytes=${wanted[0]}-${wanted[0] + wanted[1]}` };
            outcomes.set(...(await outcome(site, asked, first)));
          },
        ),
        { numRuns: 150, seed: 20_261_121 },
      );
    } finally {
      await site.stop();
    }
    for (const seen of ['whole', 'part', 'broken', 'error']) assert.ok(outcomes.has(seen), `${seen} has come up`);
  });

  async function outcome(
    site: MirroredSite,
    asked: Record<string, string>,
    original: Fault,
  ): Promise<[string, number]> {
    const isOther = original.kind === 'another version';
    const isCut = original.kind === 'another length';
    const truths = [content, ...(isOther ? [other] : []), ...(isCut ? [content.slice(0, original.at)] : [])];
    const received: Buffer[] = [];
    let from = 0;
    try {
      const response = await site.ask('a.txt', asked);
      if (response.status !== 200 && response.status !== 206) {
        response.body?.cancel();
        return ['error', 1];
      }
      from = Number(/^bytes (\d+)-/.exec(response.fields.get('content-range') ?? '')?.[1] ?? 0);
      for (let chunk = await response.body?.read(); chunk != null; chunk = await response.body?.read())
        received.push(chunk);
      const got = Buffer.concat(received).toString('latin1');
      assert.ok(
        truths.some((truth) => truth.slice(from, from + got.length) === got),
        'the bytes are those of one version',
      );
      assert.equal(String(got.length), response.fields.get('content-length'));
      return [response.status === 200 ? 'whole' : 'part', 1];
    } catch (error) {
      if (!(error instanceof WillisError)) throw error;
      const got = Buffer.concat(received).toString('latin1');
      assert.ok(
        truths.some((truth) => truth.slice(from, from + got.length) === got),
        'so far they are those of one version',
      );
      return [received.length > 0 ? 'broken' : 'error', 1];
    }
  }

  it('that send more than they say, without an end, end where the document does', async () => {
    const endless: OriginHandler = (_request, response) => {
      response.writeHead(200, fields);
      const more = (): void => {
        while (!response.destroyed && response.write(content));
        response.once('drain', more);
      };
      more();
    };
    const site = await MirroredSite.start(faulty({ kind: 'well', at: 0 }), [endless]);
    const got = await site.get();
    assert.deepEqual([got.content === content, got.answeredBy?.role], [true, 'primary']);
    assert.deepEqual(
      got.answeredBy?.skipped.map(({ because }) => because),
      ['no length'],
    );
    await site.stop();
  });

  it('of an https original that are reached without TLS answer only what a digest speaks for', async () => {
    const { compare, versionIn } = await import('../../../wlis/mirrors/document-version.js');
    const { Fields } = await import('../../../proxy/http/fields.js');
    const site = await MirroredSite.start(answer(404), []);
    const now = site.clock.now();
    const date = { Date: site.clock.httpDate(), 'Last-Modified': longAgo, 'Content-Length': '120000' };
    const version = (more: Record<string, string>) =>
      versionIn({ status: 200, fields: Fields.of({ ...date, ...more }) }, 'GET', now);
    const how = { isWhole: false, byDigestOnly: true };
    assert.deepEqual(compare(version({}), version({}), how), { equal: false, because: 'no digest, and no TLS' });
    const said = { 'Repr-Digest': digestField('x') };
    assert.deepEqual(compare(version(said), version(said), how), { equal: true, by: 'digest' });
    await site.stop();
  });
});
