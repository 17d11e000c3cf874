import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes, milliseconds } from '../../config/units.js';
import { accessLine, type AccessEntry } from '../../proxy/base/access-line.js';
import { redaction } from '../../proxy/base/redaction.js';
import { accessEntry as entry } from './access-entry.js';

const nothing = redaction([]);
const common = accessLine('common', nothing);
const combined = accessLine('combined', nothing);
const json = accessLine('json', nothing);

describe('a line of the access log', () => {
  it("is Apache's common format, then outcome, duration, upstream time, bytes received, and the request id", () => {
    assert.equal(
      common(entry),
      '192.0.2.7 - - [21/Nov/2025:04:08:00 +0000] "GET http://a.example/x?y=1 HTTP/1.1" 200 1000 hit 0.432 - 88 k3f-1',
    );
  });

  it("is Apache's combined format, then the same", () => {
    assert.equal(
      combined(entry),
      '192.0.2.7 - - [21/Nov/2025:04:08:00 +0000] "GET http://a.example/x?y=1 HTTP/1.1" 200 1000 "-" "curl/8.5" hit 0.432 - 88 k3f-1',
    );
  });

  it('names the user and the upstream time where they are known', () => {
    const line = combined({ ...entry, user: 'alice b', upstreamTime: milliseconds(12.34), outcome: 'fwd=stale' });
    assert.match(line, /^192\.0\.2\.7 - alice\\x20b \[.* fwd=stale 0\.432 12\.34 88 k3f-1$/);
  });

  it('says at its end who broke the answer off, and has a hyphen for no content', () => {
    assert.match(
      combined({ ...entry, aborted: 'client', contentOut: bytes(0) }),
      / 200 - "-" .* k3f-1 aborted=client$/,
    );
    assert.match(common({ ...entry, aborted: 'upstream' }), / k3f-1 aborted=upstream$/);
  });

  it('is a JSON object with everything by name in the third format', () => {
    const whole = { ...entry, upstreamTime: milliseconds(1.26), firstByteTime: milliseconds(0) };
    assert.deepEqual(JSON.parse(json(whole)), {
      ...entry,
      time: '2025-11-21T04:08:00.123Z',
      duration: 0.432,
      upstreamTime: 1.26,
      firstByteTime: 0,
    });
    assert.deepEqual(JSON.parse(json({ ...entry, firstByteTime: null })), {
      ...entry,
      time: '2025-11-21T04:08:00.123Z',
      duration: 0.432,
      upstreamTime: null,
      firstByteTime: null,
    });
  });

  it('shows … for the secrets in the URI and in Referer, in every format', () => {
    const secret = { ...entry, uri: 'http://a.example/?token=abc&y=1', referer: 'http://u:pw@b.example/?TOKEN=def' };
    for (const format of ['common', 'combined', 'json'] as const) {
      const line = accessLine(format, redaction(['token']))(secret);
      assert.ok(line.includes('http://a.example/?token=…&y=1'), line);
      assert.equal(line.includes('http://…@b.example/?TOKEN=…'), format !== 'common', line);
    }
  });

  it('cannot be forged by quotes, line feeds or escapes in what the client sent', () => {
    const line = combined({ ...entry, uri: '/a"b\\', userAgent: 'x" 200\r\n1.2.3.4 \u001b[2J\u00e9' });
    assert.ok(line.includes('"GET /a\\"b\\\\ HTTP/1.1"'), line);
    assert.ok(line.includes('"x\\" 200\\x0d\\x0a1.2.3.4 \\x1b[2J\\xe9"'), line);
  });

  it('is one line of printable characters whatever the client sent', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, text, text, (uri, userAgent, referer, user) => {
        const sent = { ...entry, uri, userAgent, referer, user };
        const shown = redaction(['a', '*b']);
        for (const format of ['common', 'combined'] as const) {
          assert.match(accessLine(format, shown)(sent), /^[\x20-\x7e…]*$/);
        }
        // eslint-disable-next-line no-control-regex -- these must not be there
        assert.doesNotMatch(accessLine('json', shown)(sent), /[\u0000-\u001f\u007f-\u009f]/);
        assert.equal((JSON.parse(accessLine('json', shown)(sent)) as AccessEntry).userAgent, userAgent);
      }),
    );
  });
});
