import assert from 'node:assert/strict';
import { isIdempotentMethod, isSafeMethod } from '../../proxy/http/methods.js';

describe('methods', () => {
  it('GET, HEAD, OPTIONS and TRACE are safe (RFC 9110 §9.2.1)', () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE']) assert.equal(isSafeMethod(method), true, method);
  });

  it('PROPFIND, REPORT and SEARCH are safe by the IANA method registry', () => {
    for (const method of ['PROPFIND', 'REPORT', 'SEARCH']) assert.equal(isSafeMethod(method), true, method);
  });

  it('unsafe methods, unknown ones and other spellings are not safe (RFC 9110 §9.1, §9.2.1)', () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'CONNECT', 'M-SEARCH', 'FOO', 'get', '']) {
      assert.equal(isSafeMethod(method), false, method);
    }
  });

  it('safe methods, PUT and DELETE are idempotent (RFC 9110 §9.2.2)', () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'PROPFIND', 'MKCOL']) {
      assert.equal(isIdempotentMethod(method), true, method);
    }
  });

  it('POST, PATCH, LOCK, CONNECT and unknown methods are not idempotent (RFC 9110 §9.2.2)', () => {
    for (const method of ['POST', 'PATCH', 'LOCK', 'CONNECT', 'FOO', 'put']) {
      assert.equal(isIdempotentMethod(method), false, method);
    }
  });
});
