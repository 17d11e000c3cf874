import assert from 'node:assert/strict';
import { isOverridden } from '../../proxy/cache/overridden-request.js';
import { Fields } from '../../proxy/http/fields.js';

const target = { scheme: 'http', host: 'a.test', port: 8080, authority: 'a.test:8080', path: '/x?y' } as const;
const request = { method: 'GET', target };
const overridden = (
  sent: Record<string, string>,
  actsForOrigin = false,
  answer: Record<string, string> = {},
): boolean => isOverridden(Fields.of({ Host: 'a.test:8080', ...sent }), request, actsForOrigin, Fields.of(answer));

describe('requests that say that they are about something else (RFC 9111 §7.1)', () => {
  for (const [name, own, foreign] of [
    ['X-Original-URL', '/x?y', '/admin'],
    ['X-Rewrite-URL', '/x?y', '/admin'],
    ['X-HTTP-Method-Override', 'get', 'DELETE'],
    ['X-HTTP-Method', 'GET', 'POST'],
    ['X-Method-Override', 'GET', 'PUT'],
    ['X-Host', 'A.test:8080', 'evil.test'],
  ] as const) {
    it(`${name} makes it one, unless it repeats what the request is about`, () => {
      for (const actsForOrigin of [true, false]) {
        assert.equal(overridden({ [name]: foreign }, actsForOrigin), true);
        assert.equal(overridden({ [name]: own }, actsForOrigin), false);
      }
    });
  }

  it('X-Forwarded-* do only where this node has not written them itself', () => {
    for (const name of ['X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Forwarded-Port', 'X-Forwarded-Prefix']) {
      assert.equal(overridden({ [name]: 'evil' }), true, name);
      assert.equal(overridden({ [name]: 'evil' }, true), false, name);
    }
    assert.equal(overridden({ 'X-Forwarded-Host': 'a.test:8080', 'X-Forwarded-Proto': 'http' }), false);
  });

  it('who forwarded it does not make it one', () => {
    assert.equal(overridden({ 'X-Forwarded-For': '192.0.2.1', Forwarded: 'for=192.0.2.1', Via: '1.1 a' }), false);
  });

  it('a field that Vary nominates does not make it one (RFC 9111 §4.1)', () => {
    assert.equal(overridden({ 'X-Host': 'evil' }, false, { Vary: 'Accept, X-Host' }), false);
    assert.equal(overridden({ 'X-Host': 'evil', 'X-Original-URL': '/b' }, false, { Vary: 'X-Host' }), true);
  });
});
