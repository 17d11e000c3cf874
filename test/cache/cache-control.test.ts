import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseRequestDirectives, parseResponseDirectives } from '../../proxy/cache/cache-control.js';
import { Fields } from '../../proxy/http/fields.js';

const response = (...lines: string[]) => parseResponseDirectives(Fields.of({ 'Cache-Control': lines }));
const request = (...lines: string[]) => parseRequestDirectives(Fields.of({ 'Cache-Control': lines }));
const targeted = (cdn: string | string[], cacheControl = 'max-age=7') =>
  parseResponseDirectives(Fields.of({ 'Cache-Control': cacheControl, 'CDN-Cache-Control': cdn }));

describe('response directives', () => {
  it('a response without Cache-Control has none (RFC 9111 §5.2)', () => {
    assert.deepEqual(parseResponseDirectives(Fields.none), response(''));
    assert.equal(response('').maxAge, null);
    assert.equal(response('').private, false);
  });

  it('names are case-insensitive (RFC 9111 §5.2)', () => {
    const read = response('No-StOrE, PRIVATE, MaX-aGe=5, S-MaxAge=6, Must-Revalidate');
    assert.equal(read.noStore, true);
    assert.equal(read.private, true);
    assert.equal(read.maxAge, 5);
    assert.equal(read.sMaxage, 6);
    assert.equal(read.mustRevalidate, true);
  });

  it('every directive without an argument is recognised (RFC 9111 §5.2.2)', () => {
    const read = response(
      'must-revalidate, must-understand, no-cache, no-store, no-transform, private, proxy-revalidate, public',
    );
    const { mustRevalidate, mustUnderstand, noCache, noStore, noTransform, proxyRevalidate } = read;
    assert.deepEqual(
      [mustRevalidate, mustUnderstand, noCache, noStore, noTransform, read.private, proxyRevalidate, read.public],
      Array<boolean>(8).fill(true),
    );
  });

  it('stale-while-revalidate and stale-if-error carry seconds (RFC 5861 §3, §4)', () => {
    const read = response('stale-while-revalidate=30, stale-if-error=60');
    assert.equal(read.staleWhileRevalidate, 30);
    assert.equal(read.staleIfError, 60);
    assert.equal(response('stale-while-revalidate, stale-if-error=x').staleWhileRevalidate, null);
    assert.equal(response('stale-while-revalidate, stale-if-error=x').staleIfError, null);
  });

  it('directives of several lines are one list (RFC 9110 §5.3)', () => {
    const read = response('max-age=5', 'no-store');
    assert.equal(read.maxAge, 5);
    assert.equal(read.noStore, true);
  });

  it('empty list elements are ignored (RFC 9110 §5.6.1)', () => {
    assert.equal(response(', ,max-age=5,, ,').maxAge, 5);
  });

  it('white space around elements does not matter (RFC 9110 §5.6.1)', () => {
    assert.equal(response(' \tfoo\t ,\tmax-age=5\t').maxAge, 5);
  });

  it('unrecognised directives are ignored (RFC 9111 §5.2.3)', () => {
    assert.equal(response('foobar, community="UCI", immutable, max-age=5').maxAge, 5);
  });

  it('an argument may be a token or a quoted string (RFC 9111 §5.2)', () => {
    assert.equal(response('max-age="3600"').maxAge, 3600);
    assert.equal(response('max-age="3\\600"').maxAge, 3600);
  });

  it('what stands in a quoted string is no directive (RFC 9111 §5.2)', () => {
    assert.equal(response('extension="max-age=3600", max-age=1').maxAge, 1);
    assert.equal(response('max-age=1, extension="max-age=3600, no-store"').maxAge, 1);
    assert.equal(response('extension="a \\", no-store, \\"", max-age=1').noStore, false);
  });

  it('of duplicate freshness directives the first counts (RFC 9111 §4.2.1)', () => {
    assert.equal(response('max-age=1, max-age=1800').maxAge, 1);
    assert.equal(response('max-age=1800', 'max-age=1').maxAge, 1800);
    assert.equal(response('s-maxage=3, s-maxage=4').sMaxage, 3);
    assert.equal(response('max-age=x, max-age=4').maxAge, 'invalid');
  });

  it('leading zeros do not matter (RFC 9111 §1.2.2)', () => {
    assert.equal(response('max-age=003600').maxAge, 3600);
  });

  it('a number that is too large counts as 2^31 (RFC 9111 §1.2.2)', () => {
    for (const value of ['2147483648', '2147483649', '99999999999', '9'.repeat(400)]) {
      assert.equal(response(`max-age=${value}`).maxAge, 2 ** 31, value);
    }
    assert.equal(response('max-age=2147483647').maxAge, 2 ** 31 - 1);
  });

  for (const value of [
    '-1',
    '+1',
    '1.0',
    '1.5',
    "'3600'",
    'a1',
    '1a',
    '',
    '""',
    '"1 "',
    '1 2',
    '0x10',
    '1e3',
    '"1',
    '1"',
  ]) {
    it(`max-age and s-maxage with the value ${value || '(nothing)'} make a response stale (RFC 9111 §4.2.1)`, () => {
      assert.equal(response(`max-age=${value}`).maxAge, 'invalid');
      assert.equal(response(`s-maxage=${value}`).sMaxage, 'invalid');
    });
  }

  it('max-age without an argument makes a response stale (RFC 9111 §4.2.1)', () => {
    assert.equal(response('max-age').maxAge, 'invalid');
    assert.equal(response('s-maxage').sMaxage, 'invalid');
  });

  it('white space around "=" is outside the grammar, the value is not used (RFC 9111 §5.2)', () => {
    for (const text of ['max-age =100', 'max-age= 100', 'max-age = 100', 'max-age\t=100']) {
      assert.equal(response(text).maxAge, 'invalid', text);
    }
  });

  it('what cannot be read leaves the other directives alone (RFC 9111 §5.2)', () => {
    for (const broken of ['=5', '"x"', '@', 'foo bar', 'foo="x', 'foo=a=b', '\xff', ';']) {
      const read = response(`public, ${broken}, max-age=5`, 'no-transform');
      assert.equal(read.public, true, broken);
      assert.equal(read.noTransform, true, broken);
      assert.equal(read.maxAge, 5, broken);
      assert.equal(read.noStore, false, broken);
    }
  });

  it('an unfinished quoted string hides no directive, neither in its line nor in the next (RFC 9111 §5.2)', () => {
    assert.equal(response('foo="bar, no-store').noStore, true);
    assert.equal(response('foo="bar, no-store, baz="x"').noStore, true);
    assert.equal(response('foo="bar', 'no-store, baz="x"').noStore, true);
    assert.equal(response('foo="bar, max-age="100"').maxAge, 'invalid');
  });

  it('restrictive directives count however they are separated (RFC 9111 §5.2)', () => {
    assert.equal(response('private; max-age=60').private, true);
    assert.equal(response('max-age=60; private').private, true);
    assert.equal(response('max-age=60 no-store').noStore, true);
    assert.equal(response('public; no-cache').noCache, true);
    assert.equal(response('public; max-age=0').maxAge, 'invalid');
    assert.equal(response('foo max-age=0, max-age=60').maxAge, 60);
  });

  it('a permission that is not clearly given is not given (RFC 9111 §5.2)', () => {
    assert.equal(response('public; max-age=60').public, false);
    assert.equal(response('public=maybe').public, false);
    assert.equal(response('must-understand=x').mustUnderstand, false);
  });

  it('a restriction with an argument that it does not define still counts (RFC 9111 §5.2)', () => {
    const read = response('no-store=foo, must-revalidate="x", proxy-revalidate=, no-transform = 1');
    const { noStore, mustRevalidate, proxyRevalidate, noTransform } = read;
    assert.deepEqual([noStore, mustRevalidate, proxyRevalidate, noTransform], [true, true, true, true]);
  });

  it('qualified private and no-cache name fields, in lower case (RFC 9111 §5.2.2.4, §5.2.2.7)', () => {
    assert.deepEqual(response('private="Set-Cookie, X-User"').private, ['set-cookie', 'x-user']);
    assert.deepEqual(response('no-cache=" a ,,b,"').noCache, ['a', 'b']);
  });

  it('the token form of a qualified directive names one field (RFC 9111 §5.2.2.4)', () => {
    assert.deepEqual(response('private=Set-Cookie').private, ['set-cookie']);
    assert.deepEqual(response('no-cache=Set-Cookie').noCache, ['set-cookie']);
  });

  it('several qualified forms count together (RFC 9111 §5.2.2.7)', () => {
    assert.deepEqual(response('private="a"', 'private="b, a"').private, ['a', 'b']);
  });

  it('a qualified form that names nothing readable counts as unqualified (RFC 9111 §5.2.2.7)', () => {
    for (const argument of ['""', '" , "', '"a b"', '"a, b;c"', '"a', '', ' "a"', '"a"b']) {
      assert.equal(response(`private=${argument}`).private, true, argument);
      assert.equal(response(`no-cache=${argument}`).noCache, true, argument);
    }
  });

  it('with both forms present the unqualified one counts (RFC 9111 §5.2.2.4)', () => {
    assert.equal(response('private="a", private').private, true);
    assert.equal(response('no-cache', 'no-cache="a"').noCache, true);
  });

  it('names of objects are no directives', () => {
    assert.deepEqual(response('__proto__, constructor=1, toString'), response(''));
  });

  it('any number of unfinished quoted strings is read in reasonable time', () => {
    for (const text of ['a="\\",'.repeat(20_000), '"\\'.repeat(50_000), ' "'.repeat(50_000), 'a=b '.repeat(20_000)]) {
      assert.equal(response(text, 'max-age=5').noStore, false);
    }
  });
});

describe('CDN-Cache-Control', () => {
  it('replaces Cache-Control where it is valid and not empty (RFC 9213 §2.2)', () => {
    const read = targeted('max-age=60', 'no-store, private, max-age=7');
    assert.equal(read.source, 'cdn-cache-control');
    assert.equal(read.maxAge, 60);
    assert.equal(read.noStore, false);
    assert.equal(read.private, false);
  });

  it('is ignored if it cannot be parsed (RFC 9213 §2.2)', () => {
    for (const value of [
      'max-age=60,',
      'max-age=',
      'Max-Age=60',
      'max-age=60 no-store',
      'max-age= 60',
      '"x"',
      'a=1, ,b',
    ]) {
      assert.equal(targeted(value).source, 'cache-control', value);
      assert.equal(targeted(value).maxAge, 7, value);
    }
  });

  it('is ignored if it is empty (RFC 9213 §2.2)', () => {
    assert.equal(targeted('').source, 'cache-control');
    assert.equal(targeted('  ').maxAge, 7);
  });

  it('its lines are joined before parsing (RFC 9651 §4.2)', () => {
    const read = targeted(['max-age=60', 'no-transform']);
    assert.equal(read.maxAge, 60);
    assert.equal(read.noTransform, true);
  });

  it('a later member replaces an earlier one of that key (RFC 9651 §4.2.2)', () => {
    assert.equal(targeted('max-age=60, max-age=5').maxAge, 5);
  });

  it('parameters are ignored (RFC 9213 §2.1)', () => {
    assert.equal(targeted('max-age=60;foo="no-store"').maxAge, 60);
    assert.equal(targeted('no-store;a').noStore, true);
  });

  it('a lifetime of another type than Integer makes a response stale (RFC 9213 §2.1)', () => {
    for (const value of [
      'max-age="60"',
      'max-age=abc',
      'max-age=1.5',
      'max-age',
      'max-age=(1 2)',
      'max-age=-5',
      'max-age=:AA==:',
    ]) {
      assert.equal(targeted(value).maxAge, 'invalid', value);
    }
  });

  it('a directive with the value ?0 is absent (RFC 9651 §3.3.6)', () => {
    const read = targeted('no-store=?0, private=?0, public=?0, must-revalidate=?1, max-age=?0');
    assert.equal(read.noStore, false);
    assert.equal(read.private, false);
    assert.equal(read.public, false);
    assert.equal(read.mustRevalidate, true);
    assert.equal(read.maxAge, null);
  });

  it('a restriction counts whatever the type of its value, a permission does not (RFC 9213 §2.1)', () => {
    assert.equal(targeted('no-store=1').noStore, true);
    assert.equal(targeted('private=5').private, true);
    assert.equal(targeted('no-cache=("a" "b")').noCache, true);
    assert.equal(targeted('public=5').public, false);
  });

  it('qualified forms are Strings or Tokens (RFC 9213 §2.1)', () => {
    assert.deepEqual(targeted('private=Set-Cookie').private, ['set-cookie']);
    assert.deepEqual(targeted('private="A, b"').private, ['a', 'b']);
    assert.equal(targeted('no-cache=""').noCache, true);
  });

  it('unknown members are ignored (RFC 9213 §2.1)', () => {
    assert.equal(targeted('foo=bar, max-age=60').maxAge, 60);
    assert.equal(targeted('foo').source, 'cdn-cache-control');
    assert.equal(targeted('foo').maxAge, null);
  });

  it('a number that is too large counts as 2^31 (RFC 9111 §1.2.2)', () => {
    assert.equal(targeted('max-age=99999999999').maxAge, 2 ** 31);
  });
});

describe('request directives', () => {
  it('all that RFC 9111 §5.2.1 defines are recognised', () => {
    const read = request('max-age=1, max-stale=2, min-fresh=3, no-cache, no-store, no-transform, only-if-cached');
    assert.deepEqual(read, {
      noStore: true,
      noCache: true,
      onlyIfCached: true,
      noTransform: true,
      maxAge: 1,
      minFresh: 3,
      maxStale: 2,
      staleIfError: null,
    });
  });

  it('names are case-insensitive, arguments may be quoted (RFC 9111 §5.2)', () => {
    assert.equal(request('MAX-AGE="5"').maxAge, 5);
    assert.equal(request('Only-If-Cached').onlyIfCached, true);
  });

  it('max-stale without a value accepts any staleness (RFC 9111 §5.2.1.2)', () => {
    assert.equal(request('max-stale').maxStale, Infinity);
  });

  it('max-stale with an unusable value counts as absent (RFC 9111 §5.2.1.2)', () => {
    for (const value of ['', 'x', '-1', '1.5', '""', ' 5'])
      assert.equal(request(`max-stale=${value}`).maxStale, null, value);
    assert.equal(request('max-stale =5').maxStale, null);
  });

  it('an unusable max-age asks for validation (RFC 9111 §5.2.1.1)', () => {
    for (const text of ['max-age', 'max-age=', 'max-age=x', 'max-age=-1', 'max-age =5']) {
      assert.equal(request(text).maxAge, 0, text);
    }
  });

  it('an unusable min-fresh is ignored (RFC 9111 §5.2.1.3)', () => {
    assert.equal(request('min-fresh=x').minFresh, null);
  });

  it('stale-if-error may stand in a request (RFC 5861 §4)', () => {
    assert.equal(request('stale-if-error=600').staleIfError, 600);
  });

  it('Pragma: no-cache counts as no-cache where there is no Cache-Control (RFC 9111 §5.4)', () => {
    assert.equal(parseRequestDirectives(Fields.of({ Pragma: 'No-Cache' })).noCache, true);
    assert.equal(parseRequestDirectives(Fields.of({ Pragma: ['foo="no-cache"', 'x, no-cache'] })).noCache, true);
    assert.equal(parseRequestDirectives(Fields.of({ Pragma: 'foo' })).noCache, false);
  });

  it('Pragma is ignored where there is a Cache-Control, whatever that says (RFC 9111 §5.4)', () => {
    for (const value of ['max-age=60', '', 'foo']) {
      const fields = Fields.of({ Pragma: 'no-cache', 'Cache-Control': value });
      assert.equal(parseRequestDirectives(fields).noCache, false, value);
    }
  });

  it('an ordinary request has none', () => {
    assert.deepEqual(parseRequestDirectives(Fields.of({ Accept: '*/*' })), request(''));
  });
});

describe('directive parsers, with any input', () => {
  const pieces = fc.constantFrom(
    ...[
      'max-age',
      'private',
      'no-store',
      '=',
      '"',
      '\\',
      ',',
      ' ',
      '\t',
      ';',
      '5',
      '-',
      '(',
      ')',
      ':',
      '?1',
      'é',
      '*',
      'a',
    ],
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 20 }).map((parts) => parts.join('')),
  );

  it('never throw', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 3 }), text, (lines, cdn) => {
        response(...lines);
        request(...lines);
        targeted(cdn);
        parseRequestDirectives(Fields.of({ Pragma: lines }));
      }),
    );
  });

  it('give lifetimes that are whole, not negative and at most 2^31', () => {
    fc.assert(
      fc.property(text, (value) => {
        for (const lifetime of [response(`max-age=${value}`).maxAge, targeted(`max-age=${value}`).maxAge]) {
          if (lifetime === null || lifetime === 'invalid') continue;
          assert.ok(Number.isInteger(lifetime) && lifetime >= 0 && lifetime <= 2 ** 31, String(lifetime));
        }
      }),
    );
  });

  it('give only lower-case field names', () => {
    fc.assert(
      fc.property(text, (value) => {
        const names = response(`private="${value}"`).private;
        if (typeof names === 'object') for (const name of names) assert.match(name, /^[^\sA-Z,"]+$/);
      }),
    );
  });
});
