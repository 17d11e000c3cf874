import assert from 'node:assert/strict';
import { BufferedBody } from '../../../../proxy/http/body.js';
import { Fields } from '../../../../proxy/http/fields.js';
import { viewable } from '../../../../wlis/html/views/viewable.js';

type Headers = Record<string, string | string[]>;

const html = { 'Content-Type': 'text/html; charset=utf-8' };

interface Answered {
  readonly status?: number;
  readonly content?: string | null;
}

function judged(fields: Headers, { status = 200, content = '<html>' }: Answered = {}): string {
  const body = content === null ? null : BufferedBody.from(content);
  const verdict = viewable({ status, fields: Fields.of(fields), body });
  return verdict.kind === 'viewable' ? verdict.coding : verdict.because;
}

describe('answers of which a view may be made', () => {
  it('are 200 with content', () => {
    assert.equal(judged(html), 'identity');
    for (const status of [201, 203, 204, 206, 304, 307, 401, 404, 410, 500])
      assert.equal(judged(html, { status }), 'status', `${status}`);
    assert.equal(judged(html, { content: null }), 'no-content', 'to HEAD');
    assert.equal(judged(html, { content: '' }), 'no-content');
    assert.equal(judged({ ...html, 'Content-Range': 'bytes 0-5/6' }), 'partial');
  });

  it('say once that they are HTML', () => {
    for (const type of ['text/html', 'TEXT/HTML', 'text/html;charset="utf-8"', 'text/html ; level=1'])
      assert.equal(judged({ 'Content-Type': type }), 'identity', type);
    for (const type of [
      ...['application/xhtml+xml', 'text/plain', 'text/htmlx', 'multipart/mixed; boundary=x', '', 'html'],
      ...['text/html, text/plain', ['text/html', 'text/html']],
    ])
      assert.equal(judged({ 'Content-Type': type }), 'media-type', String(type));
    assert.equal(judged({}), 'media-type');
  });

  it('may be changed (RFC 9111 §5.2.2.6), and are signed by nobody (RFC 9421)', () => {
    assert.equal(judged({ ...html, 'Cache-Control': 'max-age=60, No-Transform' }), 'no-transform');
    assert.equal(judged({ ...html, 'Cache-Control': ['max-age=60', 'no-transform'] }), 'no-transform');
    assert.equal(judged({ ...html, 'Signature-Input': 'sig1=("@status")' }), 'signed');
    assert.equal(judged({ ...html, Signature: 'sig1=:AA==:' }), 'signed');
  });

  it('are to be shown and not to be saved (RFC 6266 §4.2)', () => {
    for (const value of ['inline', 'INLINE; filename="a.html"']) {
      assert.equal(judged({ ...html, 'Content-Disposition': value }), 'identity', value);
    }
    for (const value of ['attachment', 'Attachment; filename=a.html', 'form-data', 'filename=a.html', ''])
      assert.equal(judged({ ...html, 'Content-Disposition': value }), 'disposition', value);
  });

  it('are judged by what each says besides what is stored, too', () => {
    const body = BufferedBody.from('<html>');
    const stored = Fields.of(html);
    const answer = (...lines: string[]): ReturnType<typeof viewable> =>
      viewable({ status: 200, fields: stored.continuedBy(...lines), body });
    const plain = answer('Age', '1');
    assert.equal(plain.kind, 'viewable');
    assert.equal(answer('Age', '2', 'Content-Length', '6'), plain, 'the same, by which its view is found faster');
    for (const [name, value, because] of [
      ['Cache-Control', 'no-transform', 'no-transform'],
      ['Content-Type', 'text/plain', 'media-type'],
      ['content-encoding', 'zstd', 'content-coding'],
      ['Signature', 'sig1=:AA==:', 'signed'],
    ] as const)
      assert.deepEqual(answer('Age', '3', name, value), { kind: 'original', because }, name);
    assert.equal(answer('Age', '4'), plain);
  });

  it('have no coding, or one that can be undone (RFC 9110 §8.4.1)', () => {
    for (const coding of ['gzip', 'br', 'deflate', 'identity'])
      assert.equal(judged({ ...html, 'Content-Encoding': coding.toUpperCase() }), coding);
    assert.equal(judged({ ...html, 'Content-Encoding': 'x-gzip' }), 'gzip');
    for (const coding of ['zstd', 'compress', 'gzip, br', 'identity, gzip', ['gzip', 'gzip'], 'aes128gcm', ''])
      assert.equal(judged({ ...html, 'Content-Encoding': coding }), 'content-coding', String(coding));
  });
});
