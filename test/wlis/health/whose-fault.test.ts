import assert from 'node:assert/strict';
import { Fields } from '../../../proxy/http/fields.js';
import { whoseFault } from '../../../wlis/health/whose-fault.js';

describe('whose fault an answer is', () => {
  const of = (status: number, fields: Record<string, string> = {}) => whoseFault(status, Fields.of(fields));

  it('is nobody’s below 500', () => {
    for (const status of [200, 206, 304, 404, 429, 499]) assert.equal(of(status), null);
  });

  it('is that of the node that answers 5xx by itself', () => {
    assert.equal(of(500), 'node');
    assert.equal(of(503, { 'Proxy-Status': 'm1; error=connection_limit_reached' }), 'node');
    assert.equal(of(500, { 'Proxy-Status': 'm1; error=proxy_internal_error; details="x"' }), 'node');
    assert.equal(of(503, { 'Cache-Status': 'm1; fwd=uri-miss' }), 'node');
  });

  it('is not that of the node where it only passed on what another said, or could not reach that', () => {
    assert.equal(of(502, { 'Proxy-Status': 'm1; error=connection_refused; details="primary"' }), 'beyond');
    assert.equal(of(504, { 'Proxy-Status': 'm1; error=http_response_timeout' }), 'beyond');
    assert.equal(of(500, { 'Proxy-Status': 'm1; received-status=500' }), 'beyond');
    assert.equal(of(503, { 'Cache-Status': 'm1; fwd=uri-miss; fwd-status=503' }), 'beyond');
  });

  it('is nobody’s where the node was asked for nothing but what it has', () => {
    assert.equal(of(504, { 'Proxy-Status': 'm1; error=http_request_denied' }), 'nobody');
  });

  it('is that of the node where its fields cannot be read', () => {
    assert.equal(of(502, { 'Proxy-Status': '"', 'Cache-Status': '(((' }), 'node');
  });
});
