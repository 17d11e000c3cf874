import assert from 'node:assert/strict';
import fc from 'fast-check';
import { epochMs, milliseconds } from '../../config/units.js';
import { parseRequestDirectives, parseResponseDirectives } from '../../proxy/cache/cache-control.js';
import { computeFreshness } from '../../proxy/cache/freshness.js';
import { storability, storedFields } from '../../proxy/cache/storability.js';
import { Fields } from '../../proxy/http/fields.js';

const now = epochMs(Date.parse('2026-03-01T12:00:00Z'));
const at = (secondsFromNow: number): string => new Date(now + secondsFromNow * 1000).toUTCString();

interface Given {
  method?: string;
  request?: Record<string, string | string[]>;
  hasBody?: boolean;
  status?: number;
  response?: Record<string, string | string[]>;
  contentLocation?: string | null;
}

/** 'stored', or the reason why not. */
function verdict(given: Given): string {
  const { method = 'GET', request = {}, hasBody = false, status = 200, response = {}, contentLocation = null } = given;
  const fields = Fields.of({ Date: at(0), ...response });
  const requestFields = Fields.of({ Host: 'a.example', ...request });
  const directives = parseResponseDirectives(fields);
  const policy = { heuristicFraction: 0.1, heuristicMax: milliseconds(86_400_000), negative: milliseconds(10_000) };
  const result = storability({
    request: { method, fields: requestFields, hasBody },
    response: { status, fields },
    directives,
    requestDirectives: parseRequestDirectives(requestFields),
    freshness: computeFreshness({ status, fields, directives, requestTime: now, responseTime: now, policy }),
    targetHref: 'http://a.example/x',
    contentLocationHref: contentLocation,
  });
  return result.store ? 'stored' : result.reason;
}

const cc = (value: string | string[], more: Record<string, string | string[]> = {}) => ({
  'Cache-Control': value,
  ...more,
});
const fresh = cc('max-age=60');
const aged = { 'Last-Modified': at(-1000) };
const tagged = { ETag: '"a"' };

describe('storing: the request', () => {
  it('the answer to GET may be stored (RFC 9110 §9.3.1)', () => {
    assert.equal(verdict({ response: fresh }), 'stored');
  });

  for (const method of ['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'get', 'FOO']) {
    it(`the answer to ${method} is not (RFC 9111 §3)`, () => {
      assert.equal(verdict({ method, response: fresh, contentLocation: 'http://a.example/x' }), 'method');
    });
  }

  it('the answer to POST is, with explicit freshness and its target as Content-Location (RFC 9110 §9.3.3)', () => {
    const post = { method: 'POST', hasBody: true, contentLocation: 'http://a.example/x' };
    assert.equal(verdict({ ...post, response: fresh }), 'stored');
    assert.equal(verdict({ ...post, response: { Expires: at(60) } }), 'stored');
    assert.equal(verdict({ ...post, response: aged }), 'method');
    assert.equal(verdict({ ...post, response: cc('public', aged) }), 'method');
    assert.equal(verdict({ ...post, response: cc('max-age=x', tagged) }), 'method');
    assert.equal(verdict({ ...post, response: fresh, contentLocation: 'http://a.example/y' }), 'method');
    assert.equal(verdict({ ...post, response: fresh, contentLocation: null }), 'method');
    assert.equal(verdict({ ...post, response: fresh, status: 404 }), 'method');
    assert.equal(verdict({ ...post, response: cc('max-age=60, no-store') }), 'no-store');
  });

  it('the answer to a GET with content is not (RFC 9110 §9.3.1)', () => {
    assert.equal(verdict({ hasBody: true, response: fresh }), 'request-body');
  });

  it('the answer to a request with no-store is not (RFC 9111 §5.2.1.5)', () => {
    assert.equal(verdict({ request: cc('No-Store'), response: fresh }), 'request-no-store');
  });

  it('a Cookie in the request does not matter (RFC 9111 §3)', () => {
    assert.equal(verdict({ request: { Cookie: 'a=b' }, response: fresh }), 'stored');
  });
});

describe('storing: the status', () => {
  it('an interim response is never stored (RFC 9111 §3)', () => {
    for (const status of [100, 102, 103]) assert.equal(verdict({ status, response: fresh }), 'status');
  });

  it('a 304 is never stored as such (RFC 9111 §3)', () => {
    assert.equal(verdict({ status: 304, response: fresh }), 'status');
  });

  for (const status of [200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 504, 599]) {
    it(`a ${status} with explicit freshness is stored (RFC 9111 §3)`, () => {
      assert.equal(verdict({ status, response: fresh }), 'stored');
      assert.equal(verdict({ status, response: cc('s-maxage=60') }), 'stored');
      assert.equal(verdict({ status, response: { Expires: at(60) } }), 'stored');
      assert.equal(verdict({ status, response: cc('public', aged) }), 'stored');
    });
  }

  for (const status of [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 451, 501]) {
    it(`a ${status} without explicit freshness is stored on a heuristic (RFC 9110 §15.1)`, () => {
      assert.equal(verdict({ status, response: aged }), 'stored');
    });
  }

  for (const status of [201, 202, 205, 302, 303, 307, 400, 403, 409, 413, 500, 502, 503, 504, 505, 599]) {
    it(`a ${status} without explicit freshness is not stored (RFC 9110 §15.1)`, () => {
      assert.equal(verdict({ status, response: { ...aged, ...tagged } }), 'not-cacheable');
    });
  }

  for (const status of [226, 401, 407, 408, 412, 416, 417, 421, 425, 426, 428, 429, 431, 511]) {
    it(`a ${status} is about one message and never stored`, () => {
      assert.equal(verdict({ status, response: cc('public, max-age=60') }), 'status');
    });
  }

  it('with must-understand an unknown status is not stored (RFC 9111 §5.2.2.3)', () => {
    assert.equal(verdict({ status: 599, response: cc('max-age=60, must-understand') }), 'must-understand');
    assert.equal(verdict({ status: 599, response: cc('max-age=60, must-understand, no-store') }), 'must-understand');
  });

  it('with must-understand and an understood status no-store is ignored (RFC 9111 §5.2.2.3)', () => {
    assert.equal(verdict({ response: cc('max-age=60, must-understand, no-store') }), 'stored');
    assert.equal(verdict({ status: 404, response: cc('no-store, must-understand, max-age=60') }), 'stored');
  });
});

describe('storing: the directives', () => {
  it('a response with no-store is not stored, whatever its freshness (RFC 9111 §5.2.2.5)', () => {
    assert.equal(verdict({ response: cc('no-store') }), 'no-store');
    assert.equal(verdict({ response: cc('max-age=10000, no-store', { Expires: at(60) }) }), 'no-store');
    assert.equal(verdict({ response: cc(['public, max-age=60', 'NO-STORE']) }), 'no-store');
  });

  it('a response with private is not stored in a shared cache (RFC 9111 §5.2.2.7)', () => {
    assert.equal(verdict({ response: cc('Private, max-age=60') }), 'private');
    assert.equal(verdict({ response: cc('public, private') }), 'private');
    assert.equal(verdict({ response: cc('private="", max-age=60') }), 'private');
  });

  it('a qualified private withholds fields, not the response (RFC 9111 §5.2.2.7)', () => {
    assert.equal(verdict({ response: cc('private="X-User", max-age=60', { 'X-User': '1' }) }), 'stored');
  });

  it('a response is not stored without a field that its bytes depend on (RFC 9111 §5.2.2.7)', () => {
    const coded = { 'Content-Encoding': 'gzip' };
    assert.equal(verdict({ response: cc('private="content-encoding", max-age=60', coded) }), 'private');
    assert.equal(verdict({ response: cc('no-cache="Content-Encoding", max-age=60', coded) }), 'no-cache');
    assert.equal(verdict({ response: cc('private="content-encoding", max-age=60') }), 'stored');
    assert.equal(verdict({ response: cc('private="vary", max-age=60', { Vary: 'Accept' }) }), 'private');
  });

  it('a response with no-cache and a validator is stored (RFC 9111 §5.2.2.4)', () => {
    assert.equal(verdict({ response: cc('no-cache', tagged) }), 'stored');
    assert.equal(verdict({ response: cc('no-cache', aged) }), 'stored');
    assert.equal(verdict({ response: cc('no-cache, max-age=60') }), 'useless');
  });

  for (const allowing of ['public', 's-maxage=60', 'must-revalidate']) {
    it(`the answer to a request with Authorization is stored with ${allowing} (RFC 9111 §3.5)`, () => {
      const response = cc(`max-age=60, ${allowing}`);
      assert.equal(verdict({ request: { Authorization: 'Basic eDp5' }, response }), 'stored');
    });
  }

  for (const other of ['max-age=60', 'proxy-revalidate, max-age=60', 's-maxage=x, max-age=60', 'public; max-age=60']) {
    it(`the answer to a request with Authorization is not stored with ${other} alone (RFC 9111 §3.5)`, () => {
      assert.equal(verdict({ request: { Authorization: 'Basic eDp5' }, response: cc(other) }), 'authorization');
    });
  }

  it('Expires does not allow to store the answer to a request with Authorization (RFC 9111 §3.5)', () => {
    assert.equal(verdict({ request: { authorization: 'x' }, response: { Expires: at(60) } }), 'authorization');
  });

  it('CDN-Cache-Control decides in the place of Cache-Control (RFC 9213 §2.2)', () => {
    assert.equal(verdict({ response: cc('no-store', { 'CDN-Cache-Control': 'max-age=60' }) }), 'stored');
    assert.equal(verdict({ response: cc('max-age=60', { 'CDN-Cache-Control': 'no-store' }) }), 'no-store');
    assert.equal(verdict({ response: cc('private', { 'CDN-Cache-Control': 'max-age=60,' }) }), 'private');
    const expires = { Expires: at(60), 'CDN-Cache-Control': 'no-transform' };
    assert.equal(verdict({ status: 302, response: expires }), 'not-cacheable');
  });
});

describe('storing: the fields', () => {
  it('a response with Vary: * is not stored (RFC 9111 §4.1)', () => {
    assert.equal(verdict({ response: cc('max-age=60', { Vary: '*' }) }), 'vary');
    assert.equal(verdict({ response: cc('max-age=60', { Vary: 'Accept, *' }) }), 'vary');
    assert.equal(verdict({ response: cc('max-age=60', { Vary: ['Accept', '*'] }) }), 'vary');
    assert.equal(verdict({ response: cc('max-age=60', { Vary: 'Accept' }) }), 'stored');
  });

  it('a response with Set-Cookie is stored if its freshness is explicit (RFC 9111 §7.3)', () => {
    const cookie = { 'Set-Cookie': 'a=b' };
    assert.equal(verdict({ response: cc('max-age=60', cookie) }), 'stored');
    assert.equal(verdict({ response: cc('public', { ...cookie, ...aged }) }), 'stored');
    assert.equal(verdict({ response: { ...cookie, Expires: at(60) } }), 'stored');
  });

  it('a response with Set-Cookie is not stored on a heuristic, nor to be validated for others (RFC 9111 §7.3)', () => {
    const cookie = { 'Set-Cookie': 'a=b' };
    assert.equal(verdict({ response: { ...cookie, ...aged } }), 'set-cookie');
    assert.equal(verdict({ status: 404, response: cookie }), 'set-cookie');
    assert.equal(verdict({ response: cc('max-age=0', { ...cookie, ...tagged }) }), 'set-cookie');
    assert.equal(verdict({ response: cc('no-cache', { ...cookie, ...tagged }) }), 'set-cookie');
  });

  it('a Set-Cookie that is not stored itself is no reason against (RFC 9111 §5.2.2.7)', () => {
    const response = { 'Set-Cookie': 'a=b', ...aged };
    assert.equal(verdict({ response: cc('private="Set-Cookie"', response) }), 'stored');
    assert.equal(verdict({ response: cc('no-cache=Set-Cookie', response) }), 'stored');
  });

  it('a response that is never fresh is stored only with a validator (RFC 9111 §4.3.1)', () => {
    assert.equal(verdict({}), 'useless');
    assert.equal(verdict({ response: cc('max-age=0') }), 'useless');
    assert.equal(verdict({ response: { Expires: '0' } }), 'useless');
    assert.equal(verdict({ response: cc('max-age=0', { ETag: 'unquoted' }) }), 'useless');
    assert.equal(verdict({ response: tagged }), 'stored');
    assert.equal(verdict({ response: { ETag: 'W/"a"' } }), 'stored');
    assert.equal(verdict({ response: cc('max-age=0', aged) }), 'stored');
    assert.equal(verdict({ response: cc('max-age=x', tagged) }), 'stored');
  });

  it('a validator helps only where a precondition would be evaluated (RFC 9110 §13.2.1)', () => {
    assert.equal(verdict({ status: 500, response: cc('max-age=0', tagged) }), 'useless');
    assert.equal(verdict({ status: 404, response: cc('no-cache', tagged) }), 'useless');
    assert.equal(verdict({ status: 302, response: cc('max-age=0', tagged) }), 'useless');
  });

  it('a response that may be used stale is stored without a lifetime (RFC 5861)', () => {
    assert.equal(verdict({ response: cc('max-age=0, stale-while-revalidate=60') }), 'stored');
    assert.equal(verdict({ response: cc('max-age=0, stale-if-error=60') }), 'stored');
    assert.equal(verdict({ response: cc('max-age=0, stale-if-error=60, must-revalidate') }), 'useless');
    assert.equal(verdict({ status: 500, response: cc('max-age=0, stale-if-error=60') }), 'useless');
  });
});

describe('storing: parts', () => {
  const part = (more: Record<string, string | string[]> = {}): Given => ({
    status: 206,
    request: { Range: 'bytes=0-9' },
    response: cc('max-age=60', { 'Content-Range': 'bytes 0-9/100', ...tagged, ...more }),
  });

  it('a 206 of one part that says which bytes it brings is stored (RFC 9111 §3.3)', () => {
    assert.equal(verdict(part()), 'stored');
    assert.equal(verdict(part({ 'Content-Length': '10' })), 'stored');
  });

  it('a 206 of several parts is not (RFC 9110 §15.3.7.2)', () => {
    assert.equal(verdict(part({ 'Content-Type': 'Multipart/ByteRanges; boundary=x' })), 'multipart');
  });

  it('a 206 without a valid Content-Range is not (RFC 9110 §14.4)', () => {
    for (const value of ['bytes */100', 'bytes 9-0/100', 'bytes 0-100/100', 'lines 0-9/100', '0-9/100', '']) {
      assert.equal(verdict(part({ 'Content-Range': value })), 'content-range', value);
    }
    assert.equal(verdict({ status: 206, response: fresh }), 'content-range');
    assert.equal(verdict(part({ 'Content-Range': ['bytes 0-9/100', 'bytes 0-8/100'] })), 'content-range');
  });

  it('a 206 whose Content-Length is not that of its range is not (RFC 9110 §15.3.7.1)', () => {
    assert.equal(verdict(part({ 'Content-Length': '11' })), 'content-range');
  });

  it('a part of an unknown whole needs a strong validator (RFC 9111 §3.4)', () => {
    const unknown = { 'Content-Range': 'bytes 0-9/*' };
    assert.equal(verdict(part(unknown)), 'stored');
    assert.equal(verdict(part({ ...unknown, ETag: 'W/"a"' })), 'no-validator');
    assert.equal(verdict(part({ ...unknown, ETag: 'a' })), 'no-validator');
    assert.equal(verdict(part({ ...unknown, ETag: 'a', 'Last-Modified': at(-60) })), 'no-validator');
    assert.equal(verdict(part({ ...unknown, ETag: [], 'Last-Modified': at(-60) })), 'stored');
    assert.equal(verdict(part({ ...unknown, ETag: [], 'Last-Modified': at(-59) })), 'no-validator');
    assert.equal(verdict(part({ ETag: 'W/"a"', 'Content-Range': 'bytes 0-9/100' })), 'stored');
  });
});

describe('stored fields', () => {
  const stored = (record: Record<string, string | string[]>, status?: number): Record<string, string[]> => {
    const fields = Fields.of(record);
    const kept = storedFields(fields, parseResponseDirectives(fields), now, status);
    return Object.fromEntries([...kept.names()].map((name) => [name, kept.all(name)]));
  };
  const date = { date: [at(0)] };

  it('all fields are stored, unknown ones too, in their order (RFC 9111 §3.1)', () => {
    const fields = Fields.of({
      Date: at(0),
      'X-A': ['1', '2'],
      'Set-Cookie': ['a=b', 'c=d'],
      'Cache-Status': 'x; hit',
    });
    assert.equal(storedFields(fields, parseResponseDirectives(fields), now), fields);
  });

  it('fields of the message are not stored (RFC 9111 §3.1, §5.1)', () => {
    const record = { Date: at(0), Age: '5', 'Content-Length': '5', 'Content-Range': 'bytes 0-4/9' };
    assert.deepEqual(stored(record), date);
    assert.deepEqual(stored(record, 206), date);
    assert.deepEqual(stored(record, 200), { ...date, 'content-range': ['bytes 0-4/9'] });
  });

  it('hop-by-hop fields are not stored (RFC 9111 §3.1)', () => {
    const names = [
      'Connection',
      'Keep-Alive',
      'Proxy-Authenticate',
      'Proxy-Authentication-Info',
      'Proxy-Authorization',
    ];
    const more = ['Proxy-Connection', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade'];
    const record = Object.fromEntries([...names, ...more].map((name) => [name, 'x']));
    assert.deepEqual(stored({ Date: at(0), ...record }), date);
  });

  it('fields that a qualified private names are not stored (RFC 9111 §5.2.2.7)', () => {
    const value = 'private="X-User, x-other"';
    const record = cc(value, { Date: at(0), 'x-USER': ['1', '2'], 'X-Other': '3', 'X-Third': '4' });
    assert.deepEqual(stored(record), { ...date, 'cache-control': [value], 'x-third': ['4'] });
  });

  it('fields that a qualified no-cache names are not stored (RFC 9111 §5.2.2.4)', () => {
    const record = cc('no-cache="set-cookie"', { Date: at(0), 'Set-Cookie': 'a=b' });
    assert.deepEqual(Object.keys(stored(record)), ['cache-control', 'date']);
  });

  it('Date is added where it is missing or cannot be read (RFC 9110 §6.6.1)', () => {
    assert.deepEqual(stored({ 'X-A': '1' }), { 'x-a': ['1'], ...date });
    assert.deepEqual(stored({ date: 'foo', 'X-A': '1' }), { 'x-a': ['1'], ...date });
    assert.deepEqual(stored({ Date: at(-100) }), { date: [at(-100)] });
  });
});

describe('storing, of any response', () => {
  const casing = (word: string) =>
    fc
      .array(fc.boolean(), { minLength: word.length, maxLength: word.length })
      .map((upper) => upper.map((up, i) => (up ? word.charAt(i).toUpperCase() : word.charAt(i))).join(''));
  const forbidding = fc.oneof(casing('no-store'), casing('private'));
  const suffix = fc.constantFrom('', '=', '=""', '=" "', ' ', ';', '; x', ' =x"', '="a', ' foo', '=\x80', '/1');
  const other = fc.constantFrom(
    ...['public', 'max-age=60', 's-maxage=60', 'foo', 'foo="a, b"', 'foo="a\\"b"', 'foo bar', 'must-revalidate', ''],
    ...['max-age=60;', '@', 'x="y"z', ' ', '=', 'private="x-user"', 'immutable'],
  );
  const separator = fc.constantFrom(',', ', ', ' ,\t', ',,');

  it('no spelling of no-store or private, among whatever else, lets a response be stored', () => {
    const lists = fc.tuple(
      fc.array(other, { maxLength: 4 }),
      forbidding,
      suffix,
      fc.array(other, { maxLength: 4 }),
      separator,
    );
    fc.assert(
      fc.property(
        lists,
        fc.boolean(),
        fc.constantFrom(200, 301, 404, 599),
        ([before, word, end, after, comma], split, status) => {
          const line = [...before, word + end, ...after];
          const value = split ? line : line.join(comma);
          assert.notEqual(verdict({ status, response: cc(value, { ...tagged, ...aged }) }), 'stored', String(value));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('a word after a semicolon or a space forbids as well', () => {
    fc.assert(
      fc.property(forbidding, fc.constantFrom(';', '; ', ' ', '\t'), other, (word, between, first) => {
        fc.pre(first !== '' && first !== ' ');
        assert.notEqual(verdict({ response: cc(`max-age=60, ${first}${between}${word}`, tagged) }), 'stored');
      }),
    );
  });

  it('no input makes it throw', () => {
    const record = fc.dictionary(
      fc.constantFrom('Cache-Control', 'Vary', 'ETag', 'Content-Range', 'Expires', 'Date'),
      fc.string(),
    );
    fc.assert(
      fc.property(
        record,
        fc.integer({ min: 100, max: 999 }),
        fc.constantFrom('GET', 'POST', 'X'),
        (response, status, method) => {
          verdict({ method, status, response });
        },
      ),
    );
  });
});
