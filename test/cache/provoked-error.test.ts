import assert from 'node:assert/strict';
import { mayBeProvoked } from '../../proxy/cache/provoked-error.js';
import { Fields } from '../../proxy/http/fields.js';

type Source = 'max-age' | 's-maxage' | 'expires' | 'heuristic' | 'negative' | 'none';

const response = (status: number, lifetimeSource: Source, fields: Record<string, string> = {}) => ({
  status,
  fields: Fields.of(fields),
  freshness: { lifetimeSource },
});
const ordinary = Fields.of({
  Host: 'a.test',
  'User-Agent': 'x',
  Accept: '*/*',
  'Accept-Encoding': 'gzip',
  'Sec-Fetch-Mode': 'navigate',
  'If-None-Match': '"1"',
  'X-Forwarded-For': '192.0.2.1',
  Forwarded: 'for=192.0.2.1',
  Via: '1.1 a',
  'CDN-Loop': 'a',
  Range: 'bytes=0-',
});

describe('errors that one request may have provoked', () => {
  it('no answer below 400 is one', () => {
    for (const status of [200, 204, 301, 304]) {
      assert.equal(mayBeProvoked(Fields.of({ 'X-Odd': '1' }), response(status, 'none')), false);
    }
  });

  it('what ordinary requests bring is not one', () => {
    for (const status of [400, 404, 410, 501])
      assert.equal(mayBeProvoked(ordinary, response(status, 'negative')), false);
  });

  for (const name of ['X-Odd', 'X-Forwarded-Scheme', 'X-Original-URL', 'X-HTTP-Method-Override', 'Content-Type']) {
    it(`without explicit freshness, ${name} makes it one`, () => {
      const sent = ordinary.plus(name, '1');
      for (const source of ['negative', 'heuristic', 'none'] as const) {
        assert.equal(mayBeProvoked(sent, response(404, source)), true);
      }
      for (const source of ['max-age', 's-maxage', 'expires'] as const) {
        assert.equal(mayBeProvoked(sent, response(404, source)), false);
      }
    });
  }

  it('a field that Vary nominates does not make it one', () => {
    const sent = ordinary.plus('X-Odd', '1');
    assert.equal(mayBeProvoked(sent, response(404, 'negative', { Vary: 'Accept, x-odd' })), false);
    assert.equal(mayBeProvoked(sent, response(404, 'negative', { Vary: 'X-Other' })), true);
  });

  it('an answer about the form of more than 8 KiB of fields is one, even with explicit freshness', () => {
    const large = ordinary.plus('Cookie', 'x'.repeat(8192));
    const small = ordinary.plus('Cookie', 'x'.repeat(4096));
    for (const status of [400, 413, 414, 415, 417, 431, 494, 501]) {
      assert.equal(mayBeProvoked(large, response(status, 'max-age')), true);
      assert.equal(mayBeProvoked(small, response(status, 'max-age')), false);
    }
    for (const status of [403, 404, 410, 500]) assert.equal(mayBeProvoked(large, response(status, 'max-age')), false);
  });
});
