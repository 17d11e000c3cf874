import assert from 'node:assert/strict';
import fc from 'fast-check';
import { epochMs, milliseconds } from '../../config/units.js';
import { parseRequestDirectives, parseResponseDirectives } from '../../proxy/cache/cache-control.js';
import { computeFreshness } from '../../proxy/cache/freshness.js';
import {
  decideReuse,
  mayServeStaleOnFailure,
  type ReuseInput,
  type ValidationFailure,
} from '../../proxy/cache/reuse.js';
import { Fields } from '../../proxy/http/fields.js';
import { formatHttpDate } from '../../proxy/http/http-date.js';

const stored = epochMs(Date.parse('2026-01-01T00:00:00Z'));

function response(cacheControl: string, invalidated = false): ReuseInput {
  const fields = Fields.of({ 'Cache-Control': cacheControl, Date: formatHttpDate(stored) });
  const freshness = computeFreshness({
    status: 200,
    fields,
    directives: parseResponseDirectives(fields),
    requestTime: stored,
    responseTime: stored,
    policy: { heuristicFraction: 0.1, heuristicMax: milliseconds(86_400_000), negative: milliseconds(10_000) },
  });
  return { freshness, invalidated };
}

const asked = (cacheControl?: string): ReturnType<typeof parseRequestDirectives> =>
  parseRequestDirectives(cacheControl === undefined ? Fields.none : Fields.of({ 'Cache-Control': cacheControl }));

const after = (seconds: number): ReturnType<typeof epochMs> => epochMs(stored + seconds * 1000);

describe('whether a stored response may answer', () => {
  const table: [
    title: string,
    response: string,
    request: string | undefined,
    age: number,
    kind: string,
    reason: string,
  ][] = [
    ['a fresh response is reused (RFC 9111 §4)', 'max-age=60', undefined, 59, 'reuse', 'fresh'],
    ['at its lifetime it is stale (§4.2)', 'max-age=60', undefined, 60, 'validate', 'stale'],
    ['no-cache is validated however fresh (§5.2.2.4)', 'max-age=60, no-cache', undefined, 1, 'validate', 'no-cache'],
    [
      'a qualified no-cache does not forbid reuse (§5.2.2.4)',
      'max-age=60, no-cache="x"',
      undefined,
      1,
      'reuse',
      'fresh',
    ],
    ['the request may ask for validation (§5.2.1.4)', 'max-age=60', 'no-cache', 1, 'validate', 'request-no-cache'],
    ['the request may limit the age (§5.2.1.1)', 'max-age=60', 'max-age=10', 11, 'validate', 'request-max-age'],
    ['an age within the request’s limit is reused (§5.2.1.1)', 'max-age=60', 'max-age=10', 10, 'reuse', 'fresh'],
    [
      'the request may want it fresh for longer (§5.2.1.3)',
      'max-age=60',
      'min-fresh=30',
      31,
      'validate',
      'request-min-fresh',
    ],
    ['min-fresh that is met is reused (§5.2.1.3)', 'max-age=60', 'min-fresh=30', 30, 'reuse', 'fresh'],
    ['the request may accept staleness (§5.2.1.2)', 'max-age=60', 'max-stale=20', 80, 'reuse', 'max-stale'],
    ['but no more of it than it says (§5.2.1.2)', 'max-age=60', 'max-stale=20', 81, 'validate', 'stale'],
    ['max-stale without a value accepts any (§5.2.1.2)', 'max-age=60', 'max-stale', 99_999, 'reuse', 'max-stale'],
    [
      'must-revalidate forbids max-stale (§5.2.2.2)',
      'max-age=60, must-revalidate',
      'max-stale',
      70,
      'validate',
      'stale',
    ],
    [
      'proxy-revalidate forbids max-stale (§5.2.2.8)',
      'max-age=60, proxy-revalidate',
      'max-stale',
      70,
      'validate',
      'stale',
    ],
    ['s-maxage forbids max-stale (§5.2.2.10)', 's-maxage=60', 'max-stale', 70, 'validate', 'stale'],
    ['at its lifetime it is stale for max-stale, too (§4.2.4)', 's-maxage=0', 'max-stale', 0, 'validate', 'stale'],
    ['what was received in the future is of unknown age (§4.2.3)', 'max-age=60', 'max-stale', -1, 'validate', 'stale'],
    [
      'max-age without max-stale wants nothing stale (§5.2.1.1)',
      'max-age=60, stale-while-revalidate=30',
      'max-age=90',
      70,
      'validate',
      'stale',
    ],
    [
      'max-stale extends the request’s max-age (§5.2.1)',
      'max-age=60',
      'max-age=60, max-stale=20',
      75,
      'reuse',
      'max-stale',
    ],
    [
      'stale-while-revalidate answers at once (RFC 5861 §3)',
      'max-age=60, stale-while-revalidate=30',
      undefined,
      90,
      'reuse-and-validate',
      'stale-while-revalidate',
    ],
    [
      'and not beyond its time (RFC 5861 §3)',
      'max-age=60, stale-while-revalidate=30',
      undefined,
      91,
      'validate',
      'stale',
    ],
    [
      'and not against must-revalidate (RFC 9111 §4.2.4)',
      'max-age=60, must-revalidate, stale-while-revalidate=30',
      undefined,
      70,
      'validate',
      'stale',
    ],
  ];
  for (const [title, responseDirectives, requestDirectives, age, kind, reason] of table) {
    it(title, () => {
      assert.deepEqual(decideReuse(response(responseDirectives), asked(requestDirectives), after(age)), {
        kind,
        reason,
      });
    });
  }

  it('an invalidated response is validated, however fresh (RFC 9111 §4.4)', () => {
    const decision = decideReuse(response('max-age=60', true), asked(), after(1));
    assert.deepEqual(decision, { kind: 'validate', reason: 'invalidated' });
  });
});

describe('whether a stale response may stand in when validation fails', () => {
  const table: [title: string, response: string, failure: ValidationFailure, staleness: number, may: boolean][] = [
    ['disconnected: yes (RFC 9111 §4.2.4)', 'max-age=60', 'unreachable', 1000, true],
    ['a server error: not unless somebody allows it (RFC 9111 §4.3.3)', 'max-age=60', 'server-error', 1, false],
    ['stale-if-error allows it (RFC 5861 §4)', 'max-age=60, stale-if-error=30', 'server-error', 30, true],
    ['for its time only (RFC 5861 §4)', 'max-age=60, stale-if-error=30', 'server-error', 31, false],
    [
      'must-revalidate never (RFC 9111 §5.2.2.2)',
      'max-age=60, must-revalidate, stale-if-error=99',
      'unreachable',
      1,
      false,
    ],
    ['proxy-revalidate never (RFC 9111 §5.2.2.8)', 'max-age=60, proxy-revalidate', 'unreachable', 1, false],
    ['s-maxage never (RFC 9111 §5.2.2.10)', 's-maxage=60', 'unreachable', 1, false],
  ];
  for (const [title, directives, failure, staleness, may] of table) {
    it(title, () => {
      const input = response(directives);
      assert.equal(mayServeStaleOnFailure(input, 'stale', asked(), failure, after(60 + staleness)), may);
    });
  }

  it('the request may allow it too (RFC 5861 §4)', () => {
    const input = response('max-age=60');
    assert.equal(mayServeStaleOnFailure(input, 'stale', asked('stale-if-error=30'), 'server-error', after(80)), true);
  });

  it('never when the request asked for validation (RFC 9111 §5.2.1.4)', () => {
    const input = response('max-age=60');
    assert.equal(mayServeStaleOnFailure(input, 'request-no-cache', asked('no-cache'), 'unreachable', after(1)), false);
  });
});

describe('reuse, whatever response and request say', () => {
  const lifetime = fc.integer({ min: 0, max: 100 });
  const oneOf = (...names: string[]): fc.Arbitrary<string> =>
    fc.oneof(
      fc.constantFrom(...names),
      fc.tuple(fc.constantFrom(...names), lifetime).map(([name, n]) => `${name}=${n}`),
    );
  const list = (one: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc.array(one, { maxLength: 5 }).map((all) => all.join(', '));
  const ofResponse = list(
    fc.oneof(
      fc.constantFrom('must-revalidate', 'proxy-revalidate', 'no-cache', 'no-cache="x"', 'public', 'immutable'),
      oneOf('max-age', 's-maxage', 'stale-while-revalidate', 'stale-if-error'),
    ),
  );
  const ofRequest = list(oneOf('max-age', 'min-fresh', 'max-stale', 'stale-if-error', 'no-cache', 'only-if-cached'));
  const age = fc.integer({ min: -5, max: 300 });
  const forbidding = /must-revalidate|proxy-revalidate|s-maxage|no-cache(?!=)/;

  it('nothing stale is used where a directive forbids it, validated or not (RFC 9111 §4.2.4)', () => {
    fc.assert(
      fc.property(ofResponse, ofRequest, age, (said, wanted, elapsed) => {
        if (!forbidding.test(said)) return;
        const input = response(said);
        const now = after(elapsed);
        const decision = decideReuse(input, asked(wanted), now);
        if (decision.kind !== 'validate') assert.equal(decision.reason, 'fresh');
        for (const failure of ['unreachable', 'server-error'] as const)
          assert.equal(mayServeStaleOnFailure(input, 'stale', asked(wanted), failure, now), false);
      }),
      { numRuns: 1000 },
    );
  });

  it('without validation only what is fresh, or allowed to be stale for that long, is used (RFC 9111 §4.2)', () => {
    fc.assert(
      fc.property(ofResponse, ofRequest, age, (said, wanted, elapsed) => {
        const { freshness } = response(said);
        const decision = decideReuse({ freshness, invalidated: false }, asked(wanted), after(elapsed));
        const staleness = elapsed - freshness.lifetime;
        if (decision.kind === 'validate') return;
        if (decision.reason === 'fresh')
          assert.ok(elapsed >= 0 && staleness < 0, `elapsed ${elapsed}, staleness ${staleness}`);
        else {
          const allowed =
            decision.kind === 'reuse' ? asked(wanted).maxStale : freshness.directives.staleWhileRevalidate;
          assert.ok(staleness <= (allowed ?? -1), String(staleness));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
