import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes, epochMs, seconds } from '../../config/units.js';
import { errorTable, WillisError, type ErrorCode } from '../../proxy/base/errors.js';
import { readAll } from '../../proxy/http/body.js';
import { errorResponse, type ErrorResponseOptions } from '../../proxy/http/error-response.js';
import { Fields } from '../../proxy/http/fields.js';
import { escapeHtml } from '../../proxy/http/html-page.js';
import { acceptance } from '../../proxy/http/media-type.js';
import type { Response } from '../../proxy/http/message.js';
import { parseItem } from '../../proxy/http/structured-fields.js';

const now = epochMs(784111777000);
const node = { name: 'berlin-1' };
const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';

interface Case {
  code?: ErrorCode;
  message?: string;
  accept?: string;
  method?: string;
  href?: string;
  options?: ErrorResponseOptions;
}

function answer({
  code = 'connect-refused',
  message = 'no',
  accept,
  method = 'GET',
  href,
  options,
}: Case = {}): Response {
  const request = {
    method,
    fields: accept === undefined ? Fields.none : Fields.of({ Accept: accept }),
    id: 'r1',
    href: href ?? 'http://example.com/x',
  };
  return errorResponse(new WillisError(code, message), request, node, now, options);
}

const textOf = async (response: Response): Promise<string> =>
  response.body === null ? '' : (await readAll(response.body, bytes(1e6))).toString();
const typeOf = (response: Response): string | undefined => response.fields.first('content-type');

describe('error answers', () => {
  it('are problem details unless the client prefers a page (RFC 9457 §3)', async () => {
    const response = answer({ message: 'connect ECONNREFUSED 192.0.2.1:80' });
    assert.equal(response.status, 502);
    assert.equal(response.reason, 'Bad Gateway');
    assert.equal(typeOf(response), 'application/problem+json');
    assert.deepEqual(JSON.parse(await textOf(response)), {
      title: 'Bad Gateway',
      status: 502,
      detail: 'The server refused the connection. connect ECONNREFUSED 192.0.2.1:80',
      code: 'connect-refused',
      requestId: 'r1',
      instance: 'urn:willis:request:r1',
    });
  });

  it('are pages where text/html is named and liked no less than JSON (RFC 9110 §12.5.1)', () => {
    for (const accept of [browser, 'text/html', 'TEXT/HTML;q=0.5, application/json;q=0.5', 'text/*, */*;q=0']) {
      assert.equal(typeOf(answer({ accept })), 'text/html; charset=utf-8', accept);
    }
    for (const accept of [
      ...['*/*', 'text/*, application/*', 'application/json', 'text/html;q=0.5, application/json', 'text/html;q=0'],
      ...['text/html;q=0.9, */*', 'image/png', '', 'text/html;q=2', 'text/html;level=1', 'xtext/html'],
    ]) {
      assert.equal(typeOf(answer({ accept })), 'application/problem+json', accept);
    }
  });

  it('are not for caches, vary on Accept, and say who failed (RFC 9111 §5.2.2.5, RFC 9110 §12.5.5, RFC 9209)', () => {
    for (const accept of ['*/*', browser]) {
      const { fields } = answer({ accept });
      assert.equal(fields.get('cache-control'), 'no-store');
      assert.equal(fields.get('vary'), 'Accept');
      assert.equal(fields.get('date'), 'Sun, 06 Nov 1994 08:49:37 GMT');
      assert.equal(fields.get('content-language'), 'en');
      assert.equal(fields.get('proxy-status'), 'berlin-1;error=connection_refused;details="no"');
    }
  });

  it('have the exact length, and no content for HEAD (RFC 9110 §9.3.2)', async () => {
    for (const accept of ['*/*', browser]) {
      const get = answer({ accept, message: 'höher' });
      const head = answer({ accept, message: 'höher', method: 'HEAD' });
      assert.equal(head.body, null);
      assert.deepEqual(head.fields.lines, get.fields.lines);
      assert.equal(Number(get.fields.get('content-length')), Buffer.byteLength(await textOf(get)));
    }
  });

  it('503 says when to come again, 405 what is allowed (RFC 9110 §10.2.3, §10.2.1)', () => {
    assert.equal(answer({ code: 'too-busy' }).fields.get('retry-after'), '5');
    assert.equal(answer({ code: 'too-busy', options: { retryAfter: seconds(1.2) } }).fields.get('retry-after'), '2');
    assert.equal(answer().fields.has('retry-after'), false);
    const options = { allow: ['GET', 'HEAD'] };
    assert.equal(answer({ code: 'method-not-allowed', options }).fields.get('allow'), 'GET, HEAD');
    assert.equal(answer({ code: 'method-not-allowed' }).fields.get('allow'), '');
  });

  it('have the fields that the error brings: a challenge, another time to come again (RFC 9110 §11.7.1, RFC 6585 §4)', () => {
    const request = { method: 'GET', fields: Fields.none, id: 'r1', href: 'http://a/' };
    const challenges = ['Proxy-Authenticate', 'Basic realm="a"', 'Proxy-Authenticate', 'Bearer realm="a"'];
    const asked = new WillisError('authentication-required', 'no', { answerFields: challenges });
    const { fields } = errorResponse(asked, request, node, now);
    assert.deepEqual(fields.all('proxy-authenticate'), ['Basic realm="a"', 'Bearer realm="a"']);
    const busy = new WillisError('too-busy', 'no', { answerFields: ['Retry-After', '60'] });
    assert.deepEqual(errorResponse(busy, request, node, now).fields.all('retry-after'), ['60']);
  });

  it('can be given where nothing but its id is known of the request', async () => {
    for (const accept of ['*/*', browser]) {
      const request = { method: 'GET', fields: Fields.of({ Accept: accept }), id: 'r1', href: null };
      const response = errorResponse(new WillisError('bad-request', 'two Host fields'), request, node, now);
      const content = await textOf(response);
      assert.match(content, /r1/);
      assert.doesNotMatch(content, /null|undefined/);
    }
  });

  it('every code of the error table gives both forms, with a reason phrase', async () => {
    for (const code of Object.keys(errorTable) as ErrorCode[]) {
      const page = answer({ code, accept: browser });
      assert.ok(page.reason !== '', code);
      assert.ok((await textOf(page)).includes(escapeHtml(errorTable[code].title)), code);
      assert.equal((JSON.parse(await textOf(answer({ code }))) as { status: number }).status, errorTable[code].status);
      assert.notEqual(parseItem(page.fields.get('proxy-status') ?? ''), null);
    }
  });

  it('what failed inside is not told outside (RFC 9209 §4)', async () => {
    const secret = 'ENOENT /etc/secret';
    for (const accept of ['*/*', browser]) {
      const inside = answer({ code: 'internal', message: secret, accept });
      const options = { concealUpstream: true };
      const concealed = answer({ message: secret, accept, options });
      const byRule = answer({ code: 'access-denied', message: secret, accept, options });
      for (const response of [inside, concealed, byRule]) {
        assert.equal((response.fields.wire() + (await textOf(response))).includes('secret'), false);
        assert.equal(response.fields.get('proxy-status')?.includes('details'), false);
      }
    }
  });

  it('the page says what, where, whose fault, what to try, and what to quote', async () => {
    const page = await textOf(answer({ accept: browser, message: 'ECONNREFUSED', href: 'http://example.com:81/a?b' }));
    for (const part of [
      ...['The server refused the connection.', 'http://example.com:81/a?b', 'failed here', 'The proxy is working'],
      ...['What to try', 'ECONNREFUSED', 'connect-refused', 'r1', 'berlin-1', '<html lang="en">', 'viewport'],
    ]) {
      assert.ok(page.includes(part), part);
    }
    assert.equal(/<script|https?:\/\/(?!example\.com)/i.test(page), false);
  });

  it('the page for a name that leads nowhere accuses no server', async () => {
    const page = await textOf(answer({ code: 'name-unknown', accept: browser, href: 'http://manual.wlis/' }));
    for (const part of ['leads nowhere', 'there is no server that it could have asked']) {
      assert.ok(page.includes(part), part);
    }
    assert.equal(page.includes('the server, or the way to it'), false);
  });

  it('nothing that a peer sent becomes markup or a field line', async () => {
    const hostile = fc.array(
      fc.constantFrom('<', '>', '"', "'", '&', '<script>', '\r\n', '\u0000', '\u202e', '</code>', 'a', 'ü', '`', '-->'),
    );
    const benign = await textOf(answer({ accept: browser, message: 'a', href: 'http://a/' }));
    const tags = (page: string) => page.match(/<[^>]*>/g)?.map((tag) => tag.toLowerCase());
    await fc.assert(
      fc.asyncProperty(hostile, hostile, async (href, message) => {
        const response = answer({
          accept: browser,
          href: `http://a/${href.join('')}`,
          message: `a${message.join('')}`,
        });
        const page = await textOf(response);
        assert.deepEqual(tags(page), tags(benign));
        assert.equal(page.includes('\u0000') || page.includes('\u202e'), false);
        for (const line of response.fields.lines) assert.equal(/[\r\n\0]/.test(line), false);
      }),
    );
  });

  it('a very long address does not make a very long page', async () => {
    const page = await textOf(answer({ accept: browser, href: `http://example.com/${'x'.repeat(60_000)}` }));
    assert.ok(page.length < 8000, String(page.length));
  });
});

describe('Accept (RFC 9110 §12.5.1)', () => {
  it('the most specific range decides, in whatever order', () => {
    assert.deepEqual(acceptance('*/*;q=0.1, text/*;q=0.5, text/html;q=0.3', 'text/html'), {
      quality: 0.3,
      named: true,
    });
    assert.deepEqual(acceptance('*/*;q=0.1, text/*;q=0.5', 'text/html'), { quality: 0.5, named: false });
    assert.deepEqual(acceptance('image/png, */* ; q=0.1', 'text/html'), { quality: 0.1, named: false });
    assert.deepEqual(acceptance('image/png', 'text/html'), { quality: 0, named: false });
    assert.deepEqual(acceptance(undefined, 'text/html'), { quality: 1, named: false });
  });
});
