import assert from 'node:assert/strict';
import { milliseconds, seconds, type EpochMs } from '../../config/units.js';
import type { CacheKey } from '../../proxy/cache/cache-key.js';
import { explain, type Explanation, type ExplanationInput } from '../../proxy/cache/explanation.js';
import { endedAt, type Freshness } from '../../proxy/cache/freshness.js';
import type { StoredResponse } from '../../proxy/cache/stored-response.js';
import { Fields } from '../../proxy/http/fields.js';
import { part, receivedAt, stored } from './stored-example.js';

interface Asked {
  readonly method?: string;
  readonly fields?: Readonly<Record<string, string>>;
  /** Seconds since the examples were received. */
  readonly after?: number;
  readonly known?: Partial<Pick<ExplanationInput, 'underWay' | 'shareable' | 'rule'>>;
}

const later = (duration: number): EpochMs => (receivedAt + duration * 1000) as EpochMs;

function explained(
  candidates: StoredResponse[],
  { method = 'GET', fields = {}, after = 0, known = {} }: Asked = {},
): Explanation {
  const target = { scheme: 'http', host: 'example.org', port: 80, authority: 'example.org', path: '/a?b' } as const;
  return explain({
    request: { method, target, fields: Fields.of(fields), body: null },
    ...{ key: '|http://example.org/a?b' as CacheKey, rule: null, candidates },
    ...{ underWay: false, shareable: true, name: 'willis', now: later(after), ...known },
  });
}

const directed = (
  directives: Partial<Freshness['directives']>,
  more: Partial<Freshness> = {},
): { freshness: Freshness } => {
  const { freshness } = stored();
  return { freshness: { ...freshness, ...more, directives: { ...freshness.directives, ...directives } } };
};

const german = stored({ selecting: { names: ['accept-language'], values: ['de'] }, fields: { ETag: '"de"' } });
const french = stored({ selecting: { names: ['accept-language'], values: ['fr'] }, fields: { ETag: '"fr"' } });

describe('explaining', () => {
  describe('what is stored', () => {
    it('tells the key, and nothing of what is not stored', () => {
      const { method, uri, key, rule, stored: found, selected } = explained([]);
      assert.deepEqual(
        { method, uri, key, rule, found, selected },
        {
          ...{ method: 'GET', uri: 'http://example.org/a?b', key: '|http://example.org/a?b' },
          ...{ rule: null, found: [], selected: null },
        },
      );
    });

    it('tells age, lifetime with its source, and what is left of it, in whole seconds', () => {
      const { stored: found } = explained([stored()], { after: 12.6 });
      const { age, lifetime, lifetimeSource, freshFor, receivedAt: received } = found[0]!;
      const expected = {
        age: 12,
        lifetime: 60,
        lifetimeSource: 'max-age',
        freshFor: 47,
        received: '2026-11-21T04:00:00.000Z',
      };
      assert.deepEqual({ age, lifetime, lifetimeSource, freshFor, received }, expected);
    });

    it('tells status, validators, groups, what governs it and what it says of being stale', () => {
      const one = stored({
        ...directed({ staleWhileRevalidate: seconds(30), mustRevalidate: true }),
        fields: {
          ETag: 'W/"1"',
          'Last-Modified': 'Sat, 21 Nov 2026 03:00:00 GMT',
          'Content-Type': 'text/html',
          'Cache-Control': ['max-age=60', 'stale-while-revalidate=30'],
        },
        groups: ['scripts'],
      });
      const { status, etag, lastModified, contentType, groups, cacheControl, stale } = explained([one]).stored[0]!;
      assert.deepEqual(
        { status, etag, lastModified, contentType, groups, cacheControl, stale },
        {
          ...{ status: 200, etag: 'W/"1"', lastModified: 'Sat, 21 Nov 2026 03:00:00 GMT', contentType: 'text/html' },
          ...{ groups: ['scripts'], cacheControl: 'max-age=60, stale-while-revalidate=30' },
          stale: { forbidden: true, whileRevalidate: 30, ifError: null },
        },
      );
    });

    it('tells which parts of which length are held', () => {
      const { complete, length, held, heldBytes } = explained([
        part([
          [0, 2],
          [5, 9],
        ]),
      ]).stored[0]!;
      assert.deepEqual(
        { complete, length, held, heldBytes },
        {
          ...{ complete: false, length: 10, heldBytes: 6 },
          held: [
            { from: 0, to: 2 },
            { from: 5, to: 9 },
          ],
        },
      );
    });

    it('tells of each variant by which fields it is selected, and where the request differs (RFC 9111 §4.1)', () => {
      const { stored: found, selected } = explained([german, french], { fields: { 'Accept-Language': 'FR' } });
      assert.deepEqual(
        found.map(({ matches, selecting }) => ({ matches, selecting })),
        [
          { matches: false, selecting: [{ name: 'accept-language', stored: 'de', requested: 'fr' }] },
          { matches: true, selecting: [{ name: 'accept-language', stored: 'fr', requested: 'fr' }] },
        ],
      );
      assert.deepEqual(selected, { id: french.id, because: 'the only one whose selecting fields the request matches' });
    });

    it('tells why it is this one of several that match', () => {
      const plain = stored({ responseTime: later(5) });
      const older = stored({ responseTime: later(-5) });
      assert.match(explained([plain, older]).selected?.because ?? '', /the most recent, by Date/);
      const asked = { fields: { 'Accept-Language': 'de' } };
      assert.deepEqual(explained([plain, german], asked).selected, {
        id: german.id,
        because: 'the request matches several; a fresh one with Vary goes before those without',
      });
      assert.equal(explained([plain, german], { ...asked, after: 100 }).selected?.id, plain.id);
      assert.match(explained([plain, german], { ...asked, after: 100 }).selected?.because ?? '', /by Date/);
    });

    it('tells of what was invalidated, and of what was purged', () => {
      const purged = stored({ freshness: endedAt(stored().freshness, later(5)) });
      const [first, second] = explained([stored({ invalidated: true }), purged], { after: 12 }).stored;
      assert.deepEqual([first!.invalidated, first!.purged], [true, false]);
      const { purged: isPurged, lifetimeSource, freshFor, age } = second!;
      assert.deepEqual(
        { isPurged, lifetimeSource, freshFor, age },
        {
          ...{ isPurged: true, lifetimeSource: 'purged', freshFor: -7, age: 12 },
        },
      );
    });
  });

  describe('what happens next', () => {
    const next = (candidates: StoredResponse[], asked: Asked = {}): Explanation['next'] =>
      explained(candidates, asked).next;

    it('a hit, and for how long', () => {
      const one = stored();
      assert.deepEqual(next([one], { after: 12 }), {
        ...{ plan: 'hit', cacheStatus: 'willis; hit; ttl=48', uses: one.id },
        because: 'Answered from the store: the stored response is fresh for another 48 s.',
        ...{ asks: [], onFailure: null, collapse: 'alone' },
      });
    });

    it('a validation, by which validators, and what if it fails', () => {
      const one = stored({ ...directed({ staleIfError: seconds(10) }), fields: { ETag: '"1"', 'Last-Modified': 'x' } });
      const { because, ...rest } = next([one], { after: 65 });
      assert.equal(because, 'Validated: it has been stale for 5 s.');
      assert.deepEqual(rest, {
        ...{ plan: 'validate', cacheStatus: 'willis; fwd=stale', uses: one.id },
        asks: [
          ['If-None-Match', '"1"'],
          ['If-Modified-Since', 'x'],
        ],
        ...{ onFailure: { unreachable: 'stale', 'server-error': 'stale' }, collapse: 'leads' },
      });
      const failing = next([one], { after: 75 }).onFailure;
      assert.deepEqual(failing, { unreachable: 'error', 'server-error': 'error' });
      assert.deepEqual(next([stored()], { after: 65 }).onFailure, { unreachable: 'stale', 'server-error': 'error' });
    });

    it('the validation of variants none of which the request matches', () => {
      const { plan, because, asks, cacheStatus } = next([german, french]);
      assert.equal(plan, 'validate');
      assert.equal(cacheStatus, 'willis; fwd=vary-miss');
      assert.match(
        because,
        /none of the 2 stored responses matches the request's accept-language \(Vary, RFC 9111 §4\.1\)/,
      );
      assert.deepEqual(asks, [['If-None-Match', '"de", "fr"']]);
    });

    it('the completion of a part, by which range', () => {
      const one = part([[0, 4]], { fields: { ETag: '"1"' } });
      const { plan, asks, cacheStatus } = next([one]);
      assert.deepEqual([plan, cacheStatus], ['complete', 'willis; fwd=partial']);
      assert.deepEqual(asks, [
        ['Range', 'bytes=4-'],
        ['If-Range', '"1"'],
      ]);
      const without = next([part([[0, 4]])]);
      assert.deepEqual(without.asks, []);
      assert.match(without.because, /^Forwarded: a part is stored .* cannot be completed/);
      assert.match(next([one]).because, /^Completed: /);
    });

    it('whether it waits for others, or they for it', () => {
      assert.equal(next([], { known: { underWay: true } }).collapse, 'follows');
      assert.equal(next([]).collapse, 'leads');
      assert.equal(next([], { known: { shareable: false } }).collapse, 'alone');
      assert.equal(next([], { fields: { Range: 'bytes=0-' }, known: { underWay: true } }).collapse, 'alone');
      assert.match(next([], { known: { shareable: false } }).because, /an answer of late could serve no other request/);
    });

    const rule = { match: 'http://example.org/', store: false, lifetime: milliseconds(0), pin: false, maxBytes: null };
    const sentences: readonly [string, StoredResponse[], Asked, string, string, RegExp][] = [
      ['nothing stored', [], {}, 'fetch', 'fwd=uri-miss', /nothing is stored under this key\.$/],
      [
        'another method',
        [stored()],
        { method: 'POST' },
        'bypass',
        'fwd=method',
        /POST requests are not answered from it/,
      ],
      [
        'a rule',
        [],
        { known: { rule } },
        'bypass',
        'fwd=bypass; detail=rule',
        /the rule for http:\/\/example\.org\/ says/,
      ],
      [
        'a precondition',
        [stored()],
        { fields: { 'If-Match': '*' } },
        'bypass',
        'fwd=request; detail=precondition',
        /RFC 9111 §4\.3\.2/,
      ],
      [
        'no-cache',
        [stored(directed({ noCache: true }))],
        {},
        'validate',
        'fwd=stale; detail=no-cache',
        /no-cache, which wants/,
      ],
      ['an invalidated one', [stored({ invalidated: true })], {}, 'validate', 'fwd=stale; detail=invalidated', /§4\.4/],
      [
        'must-revalidate',
        [stored(directed({ mustRevalidate: true }))],
        { after: 90 },
        'validate',
        'fwd=stale',
        /30 s, and the origin server forbids/,
      ],
      ['a clock set back', [stored()], { after: -5 }, 'validate', 'fwd=stale', /the clock was set back/],
      [
        "the request's no-cache",
        [stored()],
        { fields: { Pragma: 'no-cache' } },
        'validate',
        'fwd=request; detail=request-no-cache',
        /the request says no-cache/,
      ],
      [
        "the request's max-age",
        [stored()],
        { after: 30, fields: { 'Cache-Control': 'max-age=10' } },
        'validate',
        'fwd=request; detail=request-max-age',
        /it is 30 s old, and the request accepts 10 s/,
      ],
      [
        "the request's min-fresh",
        [stored()],
        { after: 30, fields: { 'Cache-Control': 'min-fresh=90' } },
        'validate',
        'fwd=request; detail=request-min-fresh',
        /fresh for another 30 s, and the request wants 1 min 30 s/,
      ],
      [
        "the request's max-stale",
        [stored()],
        { after: 90, fields: { 'Cache-Control': 'max-stale' } },
        'hit',
        'hit; ttl=-30; detail=max-stale',
        /stale for 30 s, which the request accepts/,
      ],
      [
        'only-if-cached',
        [],
        { fields: { 'Cache-Control': 'only-if-cached' } },
        'refuse',
        'fwd=miss; detail=not-cached',
        /504: .* nothing is stored/,
      ],
      [
        'only-if-cached and a stale one',
        [stored()],
        { after: 90, fields: { 'Cache-Control': 'only-if-cached' } },
        'refuse',
        'fwd=miss; detail=not-cached',
        /would have to be validated/,
      ],
    ];
    for (const [what, candidates, asked, plan, status, sentence] of sentences) {
      it(`says what it does because of ${what}`, () => {
        const told = next(candidates, asked);
        assert.deepEqual([told.plan, told.cacheStatus], [plan, `willis; ${status}`]);
        assert.match(told.because, sentence);
      });
    }

    it('a purged one is validated, or used while that goes on', () => {
      const { freshness } = stored(directed({ staleWhileRevalidate: seconds(10) }));
      const one = stored({ freshness: endedAt(freshness, later(5)) });
      assert.match(
        next([one], { after: 7 }).because,
        /at once and validated behind the answer: it was purged softly and has been stale for 2 s/,
      );
      assert.match(next([one], { after: 27 }).because, /^Validated: it was purged softly and has been stale for 22 s/);
    });
  });
});
