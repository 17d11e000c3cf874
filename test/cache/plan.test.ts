import assert from 'node:assert/strict';
import { milliseconds, seconds, type EpochMs } from '../../config/units.js';
import { parseRequestDirectives } from '../../proxy/cache/cache-control.js';
import { plan, planWithoutStored, type Plan } from '../../proxy/cache/plan.js';
import type { StoredResponse } from '../../proxy/cache/stored-response.js';
import { BufferedBody } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import { part, receivedAt, stored } from './stored-example.js';

interface Asked {
  readonly method?: string;
  readonly fields?: Record<string, string>;
  readonly content?: string;
}

const later = (duration: number): EpochMs => (receivedAt + duration) as EpochMs;

function planFor({ method = 'GET', fields = {}, content }: Asked, candidates: StoredResponse[], after = 0): Plan {
  const request = {
    method,
    fields: Fields.of(fields),
    body: content === undefined ? null : BufferedBody.from(content),
  };
  const directives = parseRequestDirectives(request.fields);
  return planWithoutStored(request, directives, null) ?? plan(request, directives, candidates, later(after));
}

const rule = { match: 'http://example.org/', store: false, lifetime: milliseconds(0), pin: false, maxBytes: null };

describe('the plan for a request', () => {
  const fresh = stored();
  const german = stored({ selecting: { names: ['accept-language'], values: ['de'] } });

  it('is a hit where a stored response is fresh (RFC 9111 §4.2)', () => {
    assert.deepEqual(planFor({}, [fresh]), { kind: 'hit', stored: fresh, why: 'fresh' });
    assert.deepEqual(planFor({ method: 'HEAD' }, [fresh]), { kind: 'hit', stored: fresh, why: 'fresh' });
  });

  it('is a hit where the request accepts what is stale (RFC 9111 §5.2.1.2)', () => {
    const asked = { fields: { 'Cache-Control': 'max-stale=10' } };
    assert.deepEqual(planFor(asked, [fresh], 65_000), { kind: 'hit', stored: fresh, why: 'max-stale' });
  });

  it('is a hit and a validation behind it within stale-while-revalidate (RFC 5861 §3)', () => {
    const { freshness } = fresh;
    const directives = { ...freshness.directives, staleWhileRevalidate: seconds(30) };
    const one = stored({ freshness: { ...freshness, directives } });
    const expected = { kind: 'hit-and-validate', stored: one, why: 'stale-while-revalidate' };
    assert.deepEqual(planFor({}, [one], 65_000), expected);
  });

  it('is to validate a stale response, together with others who ask', () => {
    const expected = { kind: 'validate', stored: fresh, why: 'stale', reason: { fwd: 'stale' }, collapse: true };
    assert.deepEqual(planFor({}, [fresh], 60_000), expected);
  });

  it('is to validate for the request alone where that is what the request asks for (RFC 9211 §2.2)', () => {
    const expected = {
      ...{ kind: 'validate', stored: fresh, why: 'request-no-cache' },
      ...{ reason: { fwd: 'request', detail: 'request-no-cache' }, collapse: false },
    };
    assert.deepEqual(planFor({ fields: { 'Cache-Control': 'no-cache' } }, [fresh]), expected);
  });

  it('is to fetch where nothing is stored, and to validate all variants where none matches (RFC 9111 §4.1)', () => {
    assert.deepEqual(planFor({}, []), { kind: 'fetch', reason: { fwd: 'uri-miss' }, collapse: true });
    const expected = { kind: 'validate', stored: null, why: 'stale', reason: { fwd: 'vary-miss' }, collapse: true };
    assert.deepEqual(planFor({ fields: { 'Accept-Language': 'en' } }, [german]), expected);
  });

  for (const name of ['Range', 'Authorization', 'If-None-Match', 'If-Modified-Since']) {
    it(`is not to be shared where the request has ${name}`, () => {
      const { kind, ...rest } = planFor({ fields: { [name]: '"x"' } }, []);
      assert.deepEqual([kind, rest], ['fetch', { reason: { fwd: 'uri-miss' }, collapse: false }]);
    });
  }

  it('is to complete a part that lacks what the request wants (RFC 9111 §3.3), and a hit where it does not', () => {
    const some = part([[0, 4]]);
    assert.deepEqual(planFor({}, [some]), { kind: 'complete', stored: some, reason: { fwd: 'partial' } });
    assert.equal(planFor({ fields: { Range: 'bytes=1-3' } }, [some]).kind, 'hit');
    assert.equal(planFor({ method: 'HEAD' }, [some]).kind, 'hit');
  });

  it('is to pass by the store for other methods, content, and preconditions that are for the origin server', () => {
    assert.deepEqual(planFor({ method: 'POST' }, [fresh]), { kind: 'bypass', reason: { fwd: 'method' } });
    const content = { kind: 'bypass', reason: { fwd: 'bypass', detail: 'content' } };
    assert.deepEqual(planFor({ content: 'x' }, [fresh]), content);
    assert.equal(planFor({ content: '' }, [fresh]).kind, 'hit');
    const precondition = { kind: 'bypass', reason: { fwd: 'request', detail: 'precondition' } };
    assert.deepEqual(planFor({ fields: { 'If-Match': '"x"' } }, [fresh]), precondition);
    assert.deepEqual(planFor({ fields: { 'If-Unmodified-Since': 'x' } }, [fresh]), precondition);
  });

  it('is to pass by the store where a rule of the operator says so', () => {
    const request = { method: 'GET', fields: Fields.none, body: null };
    const directives = parseRequestDirectives(request.fields);
    const expected = { kind: 'bypass', reason: { fwd: 'bypass', detail: 'rule' } };
    assert.deepEqual(planWithoutStored(request, directives, rule), expected);
    assert.equal(planWithoutStored(request, directives, { ...rule, store: true }), null);
  });

  const refused: [string, Asked, StoredResponse[], Plan & { kind: 'refuse' }][] = [
    ['nothing is stored', {}, [], { kind: 'refuse', reason: { fwd: 'uri-miss' } }],
    ['no variant matches', {}, [german], { kind: 'refuse', reason: { fwd: 'vary-miss' } }],
    ['bytes are missing', {}, [part([[0, 4]])], { kind: 'refuse', reason: { fwd: 'partial' } }],
    [
      'it would have to be validated',
      {},
      [stored({ invalidated: true })],
      {
        ...{ kind: 'refuse', reason: { fwd: 'stale', detail: 'invalidated' } },
      },
    ],
    ['of its method', { method: 'POST' }, [fresh], { kind: 'refuse', reason: { fwd: 'method' } }],
  ];
  for (const [why, asked, candidates, expected] of refused) {
    it(`is to refuse a request with only-if-cached where ${why} (RFC 9111 §5.2.1.7)`, () => {
      assert.deepEqual(planFor({ ...asked, fields: { 'Cache-Control': 'only-if-cached' } }, candidates), expected);
    });
  }

  it('is a hit with only-if-cached where the stored response is fresh', () => {
    assert.equal(planFor({ fields: { 'Cache-Control': 'only-if-cached' } }, [fresh]).kind, 'hit');
  });
});
