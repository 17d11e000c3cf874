import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../config/units.js';
import { WillisError } from '../../proxy/base/errors.js';
import { InputBuffer } from '../../proxy/http/input-buffer.js';
import { HeadReceiver, type HeadLimits, type RequestHead } from '../../proxy/http/receive.js';
import { hrefOf } from '../../proxy/http/target-uri.js';
import { hostileHeads } from './hostile-requests.js';

const limits: HeadLimits = { headerBytes: bytes(4096), headers: 32, uri: bytes(1024) };

function receive(text: string, secure = false): RequestHead {
  const input = new InputBuffer();
  input.append(Buffer.from(text, 'latin1'));
  const head = new HeadReceiver({ limits, secure, ownAuthority: '192.0.2.1:8080' }).receive(input);
  assert.ok(head, 'no head');
  assert.equal(input.length, 0);
  return head;
}

function href(head: RequestHead): string {
  assert.notEqual(head.target.form, 'authority');
  return head.target.form === 'authority' ? '' : hrefOf(head.target.target);
}

describe('receiving a head', () => {
  it('a request line and fields are taken as received, values without white space around (RFC 9112 §3, §5)', () => {
    const head = receive('GET /a?b HTTP/1.1\r\nHost: a.example\r\nX-One:\t b c \t\r\nx-two:\r\nObs: \xe4\r\n\r\n');
    assert.equal(head.method, 'GET');
    assert.equal(head.version, '1.1');
    assert.deepEqual(head.fields.lines, ['Host', 'a.example', 'X-One', 'b c', 'x-two', '', 'Obs', '\xe4']);
    assert.deepEqual(head.framing, { kind: 'none' });
  });

  it('a method may be any token and is case-sensitive (RFC 9110 §9.1)', () => {
    assert.equal(receive("m-!#$%&'*+.^_`|~9 / HTTP/1.1\r\nHost: a\r\n\r\n").method, "m-!#$%&'*+.^_`|~9");
    assert.equal(receive('get / HTTP/1.1\r\nHost: a\r\n\r\n').method, 'get');
  });

  it('up to two empty lines before a request line are skipped (RFC 9112 §2.2)', () => {
    assert.equal(href(receive('\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n')), 'http://a/');
  });

  it('a later minor version is served as HTTP/1.1 (RFC 9110 §2.5)', () => {
    assert.equal(receive('GET / HTTP/1.7\r\nHost: a\r\n\r\n').version, '1.1');
    assert.equal(receive('GET / HTTP/1.0\r\n\r\n').version, '1.0');
  });

  it('HTTP/1.1 is persistent unless Connection says close, HTTP/1.0 never (RFC 9112 §9.3)', () => {
    const persistent = (version: string, ...lines: string[]): boolean =>
      receive([`GET / HTTP/${version}`, 'Host: a', ...lines, '', ''].join('\r\n')).persistent;
    assert.equal(persistent('1.1'), true);
    assert.equal(persistent('1.1', 'Connection: keep-alive'), true);
    assert.equal(persistent('1.1', 'Connection: Close'), false);
    assert.equal(persistent('1.1', 'Connection: x', 'connection: y , CLOSE'), false);
    assert.equal(persistent('1.0'), false);
    assert.equal(persistent('1.0', 'Connection: keep-alive'), false);
  });

  it('framing is by Content-Length or by chunked (RFC 9112 §6.3)', () => {
    const framing = (line: string): RequestHead['framing'] =>
      receive(`POST / HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\n`).framing;
    assert.deepEqual(framing('Content-Length: 0'), { kind: 'length', length: 0 });
    assert.deepEqual(framing('content-length: 9007199254740991'), { kind: 'length', length: 9007199254740991 });
    assert.deepEqual(framing('Transfer-Encoding: CHUNKED'), { kind: 'chunked' });
  });

  it('WebSocket is asked for by a GET without content, with Upgrade in Connection (RFC 9110 §7.8)', () => {
    const asks = (method: string, version: string, ...lines: string[]): boolean =>
      receive([`${method} / HTTP/${version}`, 'Host: a', ...lines, '', ''].join('\r\n')).webSocket;
    assert.equal(asks('GET', '1.1', 'Upgrade: WebSocket', 'Connection: keep-alive, Upgrade'), true);
    assert.equal(asks('GET', '1.1', 'Upgrade: websocket'), false);
    assert.equal(asks('GET', '1.1', 'Connection: upgrade', 'Upgrade: h2c'), false);
    assert.equal(asks('GET', '1.0', 'Connection: upgrade', 'Upgrade: websocket'), false);
    assert.equal(asks('POST', '1.1', 'Connection: upgrade', 'Upgrade: websocket'), false);
    assert.equal(asks('GET', '1.1', 'Connection: upgrade', 'Upgrade: websocket', 'Content-Length: 2'), false);
  });

  it('a head is refused as soon as it is certain to be over its limit', () => {
    const input = new InputBuffer();
    const heads = new HeadReceiver({ limits, secure: false, ownAuthority: 'a' });
    input.append(Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(4096)}`));
    assert.throws(() => heads.receive(input), { code: 'fields-too-large' });
  });

  it('a head of exactly its limit is accepted', () => {
    const start = 'GET / HTTP/1.1\r\nHost: a\r\nX: ';
    assert.notEqual(receive(`${start}${'x'.repeat(4096 - start.length - 4)}\r\n\r\n`), null);
  });

  for (const { why, bytes: text, status } of hostileHeads) {
    it(`is refused with ${status}: ${why}`, () => {
      for (const step of [text.length, 1, 7]) {
        const input = new InputBuffer();
        const heads = new HeadReceiver({ limits, secure: false, ownAuthority: 'a' });
        assert.throws(
          () => {
            for (let i = 0; i < text.length; i += step) {
              input.append(Buffer.from(text.slice(i, i + step), 'latin1'));
              heads.receive(input);
            }
          },
          (error) => error instanceof WillisError && error.kind.status === status,
        );
      }
    });
  }

  it('whatever arrives, it is a head, an unfinished head, or refused with a word of the error table', () => {
    const piece = fc.constantFrom(
      'GET ',
      '/',
      ' HTTP/1.1',
      '\r\n',
      '\r',
      '\n',
      'Host: a',
      ':',
      ' ',
      'chunked',
      '\0',
      'x',
    );
    const text = fc.oneof(
      fc.array(piece).map((pieces) => pieces.join('')),
      fc.string(),
    );
    fc.assert(
      fc.property(text, (received) => {
        const input = new InputBuffer();
        input.append(Buffer.from(received, 'latin1'));
        try {
          new HeadReceiver({ limits, secure: false, ownAuthority: 'a' }).receive(input);
        } catch (error) {
          assert.ok(error instanceof WillisError && error.kind.fault === 'downstream', String(error));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('many small pieces cost in proportion to their sum', () => {
    const input = new InputBuffer();
    const large = { headerBytes: bytes(1_048_576), headers: 10, uri: bytes(1024) };
    const heads = new HeadReceiver({ limits: large, secure: false, ownAuthority: 'a' });
    input.append(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nX: '));
    const one = Buffer.from('x');
    for (let i = 0; i < 500_000; i++) {
      input.append(one);
      assert.equal(heads.receive(input), null);
    }
    input.append(Buffer.from('\r\n\r\n'));
    assert.equal(heads.receive(input)?.fields.first('x')?.length, 500_000);
  });
});
