import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes, epochMs, seconds } from '../../config/units.js';
import { WillisError, type ErrorFacts } from '../../proxy/base/errors.js';
import { readAll } from '../../proxy/http/body.js';
import { copyWords } from '../../proxy/http/error-offers.js';
import { errorResponse, type ErrorResponseOptions } from '../../proxy/http/error-response.js';
import { Fields } from '../../proxy/http/fields.js';

const now = epochMs(Date.parse('2026-11-21T17:03:30Z'));
const choicePage = (href: string): string => `http://proxy.wlis/choice?of=${encodeURIComponent(href)}`;
const facts: ErrorFacts = {
  alternatives: {
    tried: [
      { url: 'http://m1.example', because: 'unreachable' },
      { url: 'http://m2.example:81', because: 'its head has expired' },
    ],
    left: [
      { url: 'http://m3.example', because: 'holds another part' },
      { url: 'http://m4.example', because: null },
    ],
  },
  copy: { asOf: epochMs(Date.parse('2026-11-21T14:03:30Z')), age: seconds(3 * 3600) },
};

async function told(
  as: 'page' | 'problem',
  given: ErrorFacts = facts,
  options: ErrorResponseOptions = { choicePage },
  href = 'http://a.example/b?c=d&e',
): Promise<string> {
  const accept = as === 'page' ? 'text/html' : 'application/json';
  const request = { method: 'GET', fields: Fields.of({ Accept: accept }), id: 'r1', href };
  const error = new WillisError('content-unreachable', 'm1: no; m2: no', given);
  const { body } = errorResponse(error, request, { name: 'n' }, now, options);
  return body === null ? '' : (await readAll(body, bytes(1e6))).toString();
}

const problem = async (...given: Parameters<typeof told> extends [unknown, ...infer Rest] ? Rest : never) =>
  JSON.parse(await told('problem', ...given)) as Record<string, unknown>;

const choose = 'http://proxy.wlis/choice?of=http%3A%2F%2Fa.example%2Fb%3Fc%3Dd%26e';

describe('what an error answer offers a reader', () => {
  it('who was asked and why in vain, who was not, and where to choose', async () => {
    const page = await told('page');
    for (const part of [
      ...['Asked in vain', 'http://m1.example', 'unreachable', 'http://m2.example:81', 'its head has expired'],
      ...['Not asked', 'http://m3.example', 'holds another part', 'http://m4.example', '2 asked', `href="${choose}"`],
    ]) {
      assert.ok(page.includes(part), part);
    }
    assert.ok(!page.includes('m1: no; m2: no'), 'the same is said twice');
  });

  it('a copy with its age, and a link to the same address', async () => {
    const page = await told('page');
    assert.match(
      page,
      /has a copy from 21 Nov 2026, 14:03 UTC, 3 hours old\. <a href="http:\/\/a\.example\/b\?c=d&#38;e">/,
    );
    assert.doesNotMatch(await told('page', { alternatives: facts.alternatives ?? null }), /copy from/);
  });

  it('as members of a problem, too (RFC 9457 §3.2)', async () => {
    const { tried, left, choose: where, copy } = await problem();
    assert.deepEqual({ tried, left }, facts.alternatives);
    assert.equal(where, choose);
    assert.deepEqual(copy, { asOf: '2026-11-21T14:03:30.000Z', age: 10_800 });
  });

  it('nothing where there is nothing, or to strangers', async () => {
    const bare = Object.keys(await problem({}));
    assert.deepEqual(bare, ['title', 'status', 'detail', 'code', 'requestId', 'instance']);
    assert.deepEqual(Object.keys(await problem(facts, { concealUpstream: true, choicePage })), bare);
    const page = await told('page', facts, { concealUpstream: true, choicePage });
    for (const part of ['m1.example', 'm3.example', 'copy from', 'proxy.wlis', 'asked']) {
      assert.ok(!page.toLowerCase().includes(part), part);
    }
  });

  it('no place to choose where there is none', async () => {
    assert.doesNotMatch(await told('page', facts, {}), /proxy\.wlis/);
    assert.equal((await problem(facts, {}))['choose'], undefined);
  });

  it('no link for what is no address', async () => {
    for (const href of [
      'javascript:alert(1)',
      'http://a/"onclick=',
      `http://a/${'x'.repeat(5000)}`,
      'http://a/ü',
      '*',
    ]) {
      assert.doesNotMatch(
        await told('page', facts, { choicePage }, href),
        /href="(?!http:\/\/a\/&#34;onclick=|http:\/\/proxy)/,
      );
    }
  });

  it('at most 16 servers of each kind, each in a few words', async () => {
    const many = Array.from({ length: 1000 }, (_, i) => ({ url: `http://m${i}.example`, because: 'x'.repeat(10_000) }));
    const page = await told('page', { alternatives: { tried: many, left: many } });
    assert.ok(page.length < 20_000, String(page.length));
    assert.equal(page.match(/and 984 more/g)?.length, 2);
    assert.equal(((await problem({ alternatives: { tried: many, left: many } }))['tried'] as unknown[]).length, 16);
  });

  it('without any markup of others', async () => {
    const hostile = fc
      .array(fc.constantFrom('<', '>', '"', "'", '&', '<script>', '</ul>', '\u0000', '\u202e', 'a', 'ü'))
      .map((parts) => parts.join(''));
    const tags = (page: string): string[] | null => page.match(/<[^>]*>/g);
    const about = (url: string, because: string): ErrorFacts => ({
      alternatives: { tried: [{ url, because }], left: [{ url, because }] },
    });
    const benign = tags(await told('page', about('http://a', 'b')));
    await fc.assert(
      fc.asyncProperty(hostile, hostile, async (url, because) => {
        const page = await told('page', about(`http://a${url}`, `b${because}`));
        assert.deepEqual(tags(page), benign);
        assert.ok(!page.includes('\u0000') && !page.includes('\u202e'), 'something that does not show');
      }),
    );
  });

  it('ages in one word', () => {
    const asOf = epochMs(Date.parse('2026-02-03T04:05:06Z'));
    const words = (age: number): string => copyWords({ asOf, age: seconds(age) });
    assert.equal(words(0), '3 Feb 2026, 04:05 UTC, less than a minute old');
    assert.equal(words(60), '3 Feb 2026, 04:05 UTC, 1 minute old');
    assert.equal(words(7199), '3 Feb 2026, 04:05 UTC, 1 hour old');
    assert.equal(words(3 * 86_400), '3 Feb 2026, 04:05 UTC, 3 days old');
    assert.equal(
      copyWords({ asOf: epochMs(1e18), age: seconds(0) }),
      'a time that is not known, less than a minute old',
    );
  });
});
