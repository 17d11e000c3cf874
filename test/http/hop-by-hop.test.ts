import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Fields } from '../../proxy/http/fields.js';
import { connectionOptions, withoutHopByHop } from '../../proxy/http/hop-by-hop.js';

describe('hop-by-hop fields (RFC 9110 §7.6.1)', () => {
  it('Connection and the fields it names go no further (RFC 9110 §7.6.1)', () => {
    const fields = new Fields([
      ...['A', '1', 'Connection', 'close, b', 'B', '2', 'b', '3'],
      ...['connection', ' ,C\t, keep-alive', 'C', '4', 'D', '5', 'Close', '6'],
    ]);
    assert.deepEqual(withoutHopByHop(fields).lines, ['A', '1', 'D', '5']);
    assert.deepEqual([...connectionOptions(fields)], ['close', 'b', 'c', 'keep-alive']);
  });

  for (const name of [
    'Keep-Alive',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'Proxy-Authenticate',
    'Proxy-Authorization',
    'Proxy-Authentication-Info',
    'HTTP2-Settings',
  ]) {
    it(`${name} goes no further even if Connection does not name it (RFC 9110 §7.6.1)`, () => {
      assert.deepEqual(withoutHopByHop(new Fields([name, 'x', 'A', '1'])).lines, ['A', '1']);
    });
  }

  for (const name of [
    ...[
      'Host',
      'Content-Length',
      'Content-Type',
      'Content-Encoding',
      'Content-Range',
      'Cache-Control',
      'Authorization',
    ],
    ...['Cookie', 'Set-Cookie', 'Vary', 'ETag', 'Date', 'Age', 'Expires', 'Via', 'CDN-Loop', 'Forwarded', 'Range'],
    ...['X-Forwarded-For', 'X-Real-IP', 'If-None-Match', 'Accept-Encoding', 'Location', 'Last-Modified', 'Pragma'],
  ]) {
    it(`a Connection that names ${name} does not remove it (RFC 9110 §7.6.1)`, () => {
      const fields = new Fields(['Connection', `close, ${name.toLowerCase()}`, name, 'x']);
      assert.deepEqual(withoutHopByHop(fields).lines, [name, 'x']);
    });
  }

  it('a quote does not hide an option (RFC 9110 §7.6.1)', () => {
    const fields = Fields.of({ Connection: '", secret, "', Secret: '1', A: '2' });
    assert.deepEqual(withoutHopByHop(fields).lines, ['A', '2']);
  });

  it('fields without anything hop-by-hop stay the same object', () => {
    const fields = Fields.of({ A: '1', Host: 'x' });
    assert.equal(withoutHopByHop(fields), fields);
  });

  it('what is left keeps its order, and doing it twice changes nothing more (RFC 9110 §5.3)', () => {
    const name = fc.constantFrom('A', 'b', 'TE', 'Connection', 'Host', 'Via');
    const value = fc.constantFrom('a', 'b, host', 'close', '', 'via,,A');
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (lines) => {
        const once = withoutHopByHop(new Fields(lines.flat()));
        assert.deepEqual(withoutHopByHop(once).lines, once.lines);
        assert.equal(once.has('connection') || once.has('te'), false);
        const hosts = lines.filter(([n]) => n === 'Host').map(([, v]) => v);
        assert.deepEqual(once.all('host'), hosts);
      }),
    );
  });
});
