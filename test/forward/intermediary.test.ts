import assert from 'node:assert/strict';
import { bytes, epochMs } from '../../config/units.js';
import { Cancellation } from '../../proxy/base/cancellation.js';
import { WillisError } from '../../proxy/base/errors.js';
import { finalAnswerHere, outgoingFields } from '../../proxy/forward/intermediary.js';
import { readAll } from '../../proxy/http/body.js';
import { emptyRecord } from '../../proxy/http/exchange-record.js';
import { Fields } from '../../proxy/http/fields.js';
import type { Request } from '../../proxy/http/message.js';

const identity = { name: 'node', instance: 'ab12' };
const now = epochMs(0);

const request = (
  method: string,
  fields: Record<string, string | string[]>,
  form: Request['form'] = 'origin',
): Request => ({
  method,
  target: { scheme: 'http', host: 'a.test', port: 80, authority: 'a.test', path: '/p?q' },
  form,
  version: '1.1',
  fields: Fields.of(fields),
  body: null,
  client: { address: '127.0.0.1', port: 1, secure: false },
  receivedAt: now,
  id: 'id',
  cancellation: new Cancellation(),
  record: emptyRecord(),
  inform: () => undefined,
});

const answerTo = (method: string, fields: Record<string, string | string[]>, form?: Request['form']) =>
  finalAnswerHere(request(method, fields, form), identity, now);
const failure = (code: string) => (error: unknown) => error instanceof WillisError && error.code === code;

describe('an intermediary', () => {
  describe('refuses a request that it has forwarded before by 508 (RFC 9110 §7.6.3, RFC 8586 §2)', () => {
    const own = outgoingFields(request('GET', {}), identity, 'a.test');
    const cases: Record<string, Record<string, string | string[]>> = {
      'by Via': { Via: own.get('via') ?? '' },
      'by a Via among others': { Via: ['1.0 before', `${own.get('via') ?? ''}, 1.1 behind`] },
      'by CDN-Loop': { 'CDN-Loop': own.get('cdn-loop') ?? '' },
      'by a CDN-Loop among others': { 'CDN-Loop': ['other', `${own.get('cdn-loop') ?? ''} , third; a=b`] },
    };
    for (const [name, fields] of Object.entries(cases)) {
      it(name, () => assert.throws(() => answerTo('GET', fields), failure('loop')));
    }

    it('but not one of another process of the same name', () => {
      assert.equal(answerTo('GET', { Via: '1.1 node (Willis cd34)', 'CDN-Loop': 'node;n=cd34, other' }), null);
    });
  });

  it('meets only the expectation 100-continue; others are 417 (RFC 9110 §10.1.1)', () => {
    assert.equal(answerTo('PUT', { Expect: '100-Continue' }), null);
    for (const value of ['200-ok', '100-continue, x', '']) {
      assert.throws(() => answerTo('PUT', { Expect: value }), failure('expectation-failed'), value);
    }
  });

  describe('Max-Forwards (RFC 9110 §7.6.2)', () => {
    it('0 on TRACE: the request comes back, without credentials (RFC 9110 §9.3.8)', async () => {
      const secrets = { Authorization: 'Basic eA==', Cookie: 'a=b', 'Proxy-Authorization': 'Basic eA==' };
      const answer = answerTo('TRACE', { Host: 'a.test', 'Max-Forwards': '0', 'X-A': 'b', ...secrets });
      assert.equal(answer?.status, 200);
      assert.equal(answer.fields.get('content-type'), 'message/http');
      const content = await readAll(answer.body!, bytes(10_000));
      assert.equal(content.toString(), 'TRACE /p?q HTTP/1.1\r\nHost: a.test\r\nMax-Forwards: 0\r\nX-A: b\r\n\r\n');
      const absolute = await readAll(answerTo('TRACE', { 'Max-Forwards': '0' }, 'absolute')!.body!, bytes(10_000));
      assert.match(absolute.toString(), /^TRACE http:\/\/a\.test\/p\?q HTTP\/1\.1\r\n/);
    });

    it('0 on OPTIONS: this node answers for itself', () => {
      const answer = answerTo('OPTIONS', { 'Max-Forwards': '0' });
      assert.equal(answer?.status, 200);
      assert.match(answer.fields.get('allow') ?? '', /\bGET\b/);
      assert.equal(answer.fields.get('content-length'), '0');
    });

    it('more than 0 is one less further on', () => {
      for (const method of ['TRACE', 'OPTIONS']) {
        assert.equal(answerTo(method, { 'Max-Forwards': '1' }), null);
        const fields = outgoingFields(request(method, { 'Max-Forwards': '10' }), identity, 'a.test');
        assert.deepEqual(fields.all('max-forwards'), ['9']);
      }
    });

    it('on other methods, or that is no number, is not looked at', () => {
      assert.equal(answerTo('GET', { 'Max-Forwards': '0' }), null);
      assert.equal(
        outgoingFields(request('GET', { 'Max-Forwards': '5' }), identity, 'a.test').get('max-forwards'),
        '5',
      );
      for (const value of ['-1', '1x', '', '1.0', '99999999999']) {
        assert.equal(answerTo('TRACE', { 'Max-Forwards': value }), null, value);
        const fields = outgoingFields(request('TRACE', { 'Max-Forwards': value }), identity, 'a.test');
        assert.deepEqual(fields.all('max-forwards'), [value]);
      }
    });
  });

  it('sends one Host, its own Via and CDN-Loop, and no hop-by-hop field (RFC 9110 §7.6.1, §7.6.3)', () => {
    const received = {
      Host: 'x.test',
      Via: '1.0 a',
      Connection: 'X-Hop',
      'X-Hop': '1',
      Expect: '100-continue',
      'X-B': '2',
    };
    const fields = outgoingFields({ ...request('PUT', received), version: '1.0' }, identity, 'b.test:8');
    assert.deepEqual(fields.lines, [
      ...['Host', 'b.test:8', 'Via', '1.0 a', 'X-B', '2', 'Via', '1.0 node (Willis ab12)'],
      ...['CDN-Loop', 'node;n=ab12'],
    ]);
  });
});
