import assert from 'node:assert/strict';
import { bytes } from '../../config/units.js';
import type { StoredResponse } from '../../proxy/cache/stored-response.js';
import {
  classifyValidation,
  conditionalFields,
  confirmsOnly,
  isForClient,
  selectFor304,
} from '../../proxy/cache/validation.js';
import { Fields } from '../../proxy/http/fields.js';
import { part, stored } from './stored-example.js';

type Lines = Record<string, string | string[]>;

const monday = 'Mon, 16 Nov 2026 00:00:00 GMT';
const tuesday = 'Tue, 17 Nov 2026 00:00:00 GMT';

const withFields = (fields: Lines, foo?: string): StoredResponse =>
  stored({ fields, ...(foo !== undefined && { selecting: { names: ['foo'], values: [foo] } }) });

/** The conditions of the request for one selected response, as a record. */
function sentFor(
  request: Lines,
  selected: StoredResponse | null,
  others: readonly StoredResponse[] = [],
): Record<string, string> {
  const all = selected === null ? others : [selected, ...others];
  const fields = conditionalFields(Fields.of(request), all, selected);
  return Object.fromEntries([...fields.names()].map((name) => [name, fields.get(name) ?? '']));
}

describe('validation', () => {
  describe('the conditional request (RFC 9111 §4.3.1)', () => {
    it('carries the entity-tag in If-None-Match', () => {
      assert.deepEqual(sentFor({ Host: 'a' }, withFields({ ETag: '"a"' })), { host: 'a', 'if-none-match': '"a"' });
      assert.deepEqual(sentFor({}, withFields({ ETag: 'W/"a"' })), { 'if-none-match': 'W/"a"' });
    });

    it('carries Last-Modified in If-Modified-Since', () => {
      assert.deepEqual(sentFor({}, withFields({ 'Last-Modified': monday })), { 'if-modified-since': monday });
    });

    it('carries both if the response has both', () => {
      assert.deepEqual(sentFor({}, withFields({ ETag: '"a"', 'Last-Modified': monday })), {
        'if-none-match': '"a"',
        'if-modified-since': monday,
      });
    });

    it('is the request as it came if the response has no validator', () => {
      const request = Fields.of({ Range: 'bytes=0-1' });
      const one = withFields({});
      assert.equal(conditionalFields(request, [one], one), request);
    });

    it('offers the entity-tags of other variants too, without If-Modified-Since then', () => {
      const mine = withFields({ ETag: '"a"', 'Last-Modified': monday }, '1');
      const others = [withFields({ ETag: '"b"' }, '2'), withFields({ 'Last-Modified': monday }, '3')];
      assert.deepEqual(sentFor({}, mine, others), { 'if-none-match': '"a", "b"' });
    });

    it('offers what is stored for others if nothing is selected (RFC 9111 §4.1)', () => {
      const others = [withFields({ ETag: '"b"' }, '2'), withFields({ ETag: '"c"' }, '3')];
      assert.deepEqual(sentFor({}, null, others), { 'if-none-match': '"b", "c"' });
    });

    it('offers each tag once, and no more than sixteen', () => {
      const variants = Array.from({ length: 40 }, (_, i) => withFields({ ETag: `"${i >> 1}"` }, `${i}`));
      const [first = null, ...others] = variants;
      const tags = sentFor({}, first, others)['if-none-match']?.split(', ') ?? [];
      assert.ok(tags.length <= 16 && tags.length > 1, String(tags.length));
      assert.equal(new Set(tags).size, tags.length);
      assert.equal(tags[0], '"0"');
    });

    it('is not about other variants if the selected one has only Last-Modified', () => {
      const mine = withFields({ 'Last-Modified': monday }, '1');
      assert.deepEqual(sentFor({}, mine, [withFields({ ETag: '"b"' }, '2')]), { 'if-modified-since': monday });
    });

    it('is not made from responses other than successes, for which conditions are not evaluated (RFC 9110 §13.2.1)', () => {
      assert.deepEqual(sentFor({}, stored({ status: 404, fields: { ETag: '"a"', 'Last-Modified': monday } })), {});
    });

    it('is made from no malformed entity-tag', () => {
      assert.deepEqual(sentFor({}, withFields({ ETag: 'a' })), {});
      assert.deepEqual(sentFor({}, withFields({ ETag: 'a', 'Last-Modified': monday })), {
        'if-modified-since': monday,
      });
    });

    it('leaves out Range and If-Range where the whole is stored', () => {
      const request = { Range: 'bytes=0-1', 'If-Range': '"z"', Accept: '*/*' };
      assert.deepEqual(sentFor(request, withFields({ ETag: '"a"' })), { accept: '*/*', 'if-none-match': '"a"' });
    });
  });

  describe("the client's own conditions (RFC 9111 §4.3.2)", () => {
    const mine = withFields({ ETag: '"a"', 'Last-Modified': monday });

    it('its entity-tags are sent in one list with the stored ones', () => {
      assert.equal(sentFor({ 'If-None-Match': ['"x"', 'W/"y,z"'] }, mine)['if-none-match'], '"x", W/"y,z", "a"');
      assert.equal(sentFor({ 'If-None-Match': '"a", "x"' }, mine)['if-none-match'], '"a", "x"');
    });

    it('a * stays alone', () => {
      assert.deepEqual(sentFor({ 'If-None-Match': '*' }, mine), { 'if-none-match': '*' });
    });

    it('its If-Modified-Since gives way to the stored Last-Modified, by which its own can then be answered', () => {
      assert.deepEqual(sentFor({ 'If-Modified-Since': tuesday }, mine), {
        'if-none-match': '"a"',
        'if-modified-since': monday,
      });
      assert.deepEqual(sentFor({ 'If-Modified-Since': tuesday }, withFields({ ETag: '"a"' })), {
        'if-none-match': '"a"',
      });
      assert.deepEqual(sentFor({ 'If-Modified-Since': tuesday }, withFields({ 'Last-Modified': monday })), {
        'if-modified-since': monday,
      });
    });

    it('its entity-tags are left alone where the stored response has none, since If-Modified-Since would not be looked at', () => {
      const request = { 'If-None-Match': '"x"', 'If-Modified-Since': tuesday };
      assert.deepEqual(sentFor(request, withFields({ 'Last-Modified': monday })), {
        'if-none-match': '"x"',
        'if-modified-since': tuesday,
      });
    });

    it('members that are no entity-tags are left out', () => {
      assert.equal(sentFor({ 'If-None-Match': 'x, "y"' }, mine)['if-none-match'], '"y", "a"');
    });

    it('If-Match and If-Unmodified-Since are the origin server\u2019s and stay', () => {
      const sent = sentFor({ 'If-Match': '"m"', 'If-Unmodified-Since': tuesday }, mine);
      assert.equal(sent['if-match'], '"m"');
      assert.equal(sent['if-unmodified-since'], tuesday);
    });
  });

  describe('parts (RFC 9111 §4.3.2)', () => {
    const request = Fields.of({ Range: 'bytes=0-3', 'If-Range': '"a"' });
    const half = part([[0, 5]], { fields: { ETag: '"a"', 'Last-Modified': monday } });

    it('the tag of a partial response is not offered', () => {
      assert.equal(conditionalFields(request, [half], half), request);
      assert.equal(conditionalFields(request, [half], null), request);
    });

    it('unless the request is for a range that it holds, which is then asked for still', () => {
      const sent = conditionalFields(request, [half], half, { from: bytes(0), to: bytes(4) });
      assert.equal(sent.get('if-none-match'), '"a"');
      assert.equal(sent.get('range'), 'bytes=0-3');
      assert.equal(sent.get('if-range'), '"a"');
      assert.equal(sent.has('if-modified-since'), false);
    });

    it('nor if the range reaches beyond what it holds', () => {
      assert.equal(conditionalFields(request, [half], half, { from: bytes(0), to: bytes(6) }), request);
    });
  });

  describe('what the answer means (RFC 9111 §4.3.3)', () => {
    it('304 freshens, a full response replaces, a 5xx may be taken as no answer', () => {
      assert.equal(classifyValidation(304), 'not-modified');
      for (const status of [200, 203, 206, 301, 404, 410]) assert.equal(classifyValidation(status), 'replace');
      for (const status of [500, 502, 503, 504, 599]) assert.equal(classifyValidation(status), 'server-error');
    });

    it("412 and 416 are about the request's own conditions (RFC 9110 §15.5.13, §15.5.17)", () => {
      for (const status of [412, 416]) assert.equal(classifyValidation(status), 'unrelated');
    });

    it('407, 408, 425, 429 and 431 are about the client or the moment (RFC 9110 §15.5, RFC 6585, RFC 8470)', () => {
      for (const status of [407, 408, 425, 429, 431]) assert.equal(classifyValidation(status), 'unrelated');
    });
  });

  describe('what a 304 updates (RFC 9111 §4.3.4)', () => {
    const update = (
      all: StoredResponse[],
      from304: Lines,
      validated: StoredResponse | null = all[0] ?? null,
      request: Lines = {},
    ): StoredResponse[] => {
      const fields = Fields.of(request);
      const sent = conditionalFields(fields, all, validated);
      return selectFor304(all, Fields.of(from304), { request: fields, sent, validated });
    };
    const dated = (day: number, fields: Lines): StoredResponse =>
      withFields({ ...fields, Date: `Wed, ${day} Nov 2026 00:00:00 GMT` });

    it('all stored responses with the same strong validator', () => {
      const [one, two, three] = [withFields({ ETag: '"a"' }), withFields({ ETag: '"a"' }), withFields({ ETag: '"b"' })];
      assert.deepEqual(update([one, two, three], { ETag: '"a"' }), [one, two]);
      assert.deepEqual(update([one, two, three], { ETag: '"b"' }), [three]);
    });

    it('none if no stored response has the same strong validator', () => {
      const weak = withFields({ ETag: 'W/"a"', 'Last-Modified': monday });
      assert.deepEqual(update([weak], { ETag: '"a"', 'Last-Modified': monday }), []);
      assert.deepEqual(update([withFields({ ETag: '"a"' })], { ETag: '"b"' }), []);
      assert.deepEqual(update([withFields({})], { ETag: '"b"' }), []);
    });

    it('the most recent one that matches a weak entity-tag', () => {
      const [older, newer, other] = [11, 18, 25].map((day) => dated(day, { ETag: day === 25 ? 'W/"b"' : 'W/"a"' }));
      assert.deepEqual(update([older!, newer!, other!], { ETag: 'W/"a"' }), [newer]);
      assert.deepEqual(update([older!, newer!, other!], { ETag: 'W/"c"' }), []);
    });

    it('a weak entity-tag matches a strong one by weak comparison (RFC 9110 §8.8.3.2)', () => {
      const one = withFields({ ETag: '"a"' });
      assert.deepEqual(update([one], { ETag: 'W/"a"' }), [one]);
    });

    it('the most recent one with the same Last-Modified', () => {
      const [older, newer, other] = [11, 18, 25].map((day) =>
        dated(day, { 'Last-Modified': day === 25 ? tuesday : monday }),
      );
      assert.deepEqual(update([older!, newer!, other!], { 'Last-Modified': monday }), [newer]);
      assert.deepEqual(update([older!], { 'Last-Modified': tuesday }), []);
    });

    it('an entity-tag counts for more than Last-Modified', () => {
      const one = withFields({ ETag: '"a"', 'Last-Modified': monday });
      assert.deepEqual(update([one], { ETag: '"b"', 'Last-Modified': monday }), []);
      assert.deepEqual(update([one], { ETag: 'W/"b"', 'Last-Modified': monday }), []);
      assert.deepEqual(update([one], { ETag: '"a"', 'Last-Modified': tuesday }), [one]);
    });

    it('without any validator the only stored response, if it has none either', () => {
      const one = withFields({});
      assert.deepEqual(update([one], {}), [one]);
      assert.deepEqual(update([one, withFields({})], {}, one), []);
    });

    it('without any validator also the one that was validated, if only its validators were sent', () => {
      const [one, other] = [withFields({ ETag: '"a"' }), withFields({ ETag: '"b"' })];
      const dateOnly = withFields({ 'Last-Modified': monday });
      assert.deepEqual(update([one], {}), [one]);
      assert.deepEqual(update([dateOnly, other], {}, dateOnly), [dateOnly]);
      assert.deepEqual(update([one, other], {}, one), []);
      assert.deepEqual(update([one], {}, one, { 'If-None-Match': '"client"' }), []);
      assert.deepEqual(update([one], {}, one, { 'If-None-Match': '*' }), []);
    });

    it('a response for another variant only if its entity-tag was sent', () => {
      const mine = withFields({ ETag: '"a"', 'Last-Modified': monday }, '1');
      const other = withFields({ ETag: '"b"', 'Last-Modified': monday }, '2');
      assert.deepEqual(update([mine, other], { ETag: '"b"' }, mine, { Foo: '1' }), [other]);
      assert.deepEqual(update([mine, other], { 'Last-Modified': monday }, mine, { Foo: '1' }), [mine]);
      assert.deepEqual(update([other], { ETag: '"b"' }, null, { Foo: '1' }), [other]);
      const untold = withFields({ ETag: '"c"' }, '3');
      const validation = {
        request: Fields.of({ Foo: '1' }),
        sent: Fields.of({ 'If-None-Match': '"a"' }),
        validated: mine,
      };
      assert.deepEqual(selectFor304([mine, untold], Fields.of({ ETag: '"c"' }), validation), []);
    });

    it('never a stored error: a 304 stands for a success (RFC 9110 §13.2.1)', () => {
      const missing = stored({ status: 404 });
      assert.deepEqual(update([missing], {}), []);
      assert.deepEqual(update([stored({ status: 301, fields: { ETag: '"a"' } })], { ETag: '"a"' }), []);
    });

    it('a malformed entity-tag is compared as it is written', () => {
      const one = withFields({ ETag: 'a', 'Last-Modified': monday });
      assert.deepEqual(update([one], { ETag: 'a' }), [one]);
      assert.deepEqual(update([one], { ETag: 'b' }), []);
    });
  });

  describe('a 304 that updates nothing', () => {
    const weak = withFields({ ETag: 'W/"a"' });
    const asked = { request: Fields.none, sent: Fields.of({ 'If-None-Match': 'W/"a"' }), validated: weak };

    it('still confirms the validated response if it bears the other form of its tag (RFC 9110 §13.1.2)', () => {
      assert.deepEqual(selectFor304([weak], Fields.of({ ETag: '"a"' }), asked), []);
      assert.equal(confirmsOnly(Fields.of({ ETag: '"a"' }), asked), true);
    });

    it('confirms nothing with another tag, or one that was not asked for', () => {
      assert.equal(confirmsOnly(Fields.of({ ETag: '"b"' }), asked), false);
      assert.equal(confirmsOnly(Fields.none, asked), false);
      assert.equal(confirmsOnly(Fields.of({ ETag: '"a"' }), { ...asked, sent: Fields.none }), false);
      assert.equal(confirmsOnly(Fields.of({ ETag: '"a"' }), { ...asked, validated: null }), false);
    });

    const forClient = (request: Lines, sent: Lines, from304: Lines): boolean =>
      isForClient(Fields.of(from304), { request: Fields.of(request), sent: Fields.of(sent), validated: null });

    it("is the client's if its tag is in the client's list (RFC 9111 §4.3.2)", () => {
      assert.equal(forClient({ 'If-None-Match': '"x"' }, { 'If-None-Match': '"x", "a"' }, { ETag: '"x"' }), true);
      assert.equal(forClient({ 'If-None-Match': 'W/"x"' }, { 'If-None-Match': 'W/"x", "a"' }, { ETag: '"x"' }), true);
    });

    it("is the client's if only its conditions were sent", () => {
      assert.equal(forClient({ 'If-None-Match': '"x"' }, { 'If-None-Match': '"x"' }, {}), true);
      assert.equal(forClient({ 'If-None-Match': '*' }, { 'If-None-Match': '*' }, { ETag: '"a"' }), true);
      assert.equal(forClient({ 'If-Modified-Since': monday }, { 'If-Modified-Since': monday }, {}), true);
    });

    it("is not the client's otherwise (RFC 9111 §4.3.2)", () => {
      assert.equal(forClient({}, { 'If-None-Match': '"a"' }, { ETag: '"a"' }), false);
      assert.equal(forClient({}, {}, {}), false);
      assert.equal(forClient({ 'If-None-Match': '"x"' }, { 'If-None-Match': '"x", "a"' }, { ETag: '"a"' }), false);
      assert.equal(forClient({ 'If-None-Match': '"x"' }, { 'If-None-Match': '"x", "a"' }, {}), false);
      assert.equal(forClient({ 'If-Modified-Since': tuesday }, { 'If-Modified-Since': monday }, {}), false);
    });
  });
});
