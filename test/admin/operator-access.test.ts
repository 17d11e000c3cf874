import assert from 'node:assert/strict';
import { OperatorAccess } from '../../proxy/admin/operator-access.js';
import { Fields } from '../../proxy/http/fields.js';
import type { Request } from '../../proxy/http/message.js';
import { parseRequestTarget } from '../../proxy/http/request-target.js';

interface Asking {
  readonly host?: string;
  readonly from?: string;
  readonly secure?: boolean;
  readonly fields?: Readonly<Record<string, string>>;
}

function requestOf({ host = 'localhost:3180', from = '127.0.0.1', secure = false, fields = {} }: Asking): Request {
  const context = { method: 'GET', host, secure, ownAuthority: '' };
  const { target } = parseRequestTarget('/api/stats', context) as { target: Request['target'] };
  return {
    ...{ method: 'GET', target, form: 'origin', version: '1.1', body: null, id: 'x' },
    ...{ fields: Fields.of(fields), client: { address: from, port: 1, secure } },
  } as Request;
}

const codeOf = (access: OperatorAccess, asking: Asking): string => {
  try {
    access.admit(requestOf(asking));
    return 'admitted';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

const elsewhere = '203.0.113.7';
const bearer = (token: string): Readonly<Record<string, string>> => ({ Authorization: `Bearer ${token}` });

describe('access to the operator side', () => {
  const open = new OperatorAccess({ token: null, hosts: [] });
  const guarded = new OperatorAccess({ token: 'c2VjcmV0', hosts: ['Willis.example.net'] });

  it('is for programs of this machine', () => {
    for (const from of ['127.0.0.1', '127.8.9.10', '::1']) {
      assert.equal(codeOf(open, { from }), 'admitted');
      assert.equal(codeOf(guarded, { from }), 'admitted');
    }
  });

  it('is for nobody else where there is no token', () => {
    assert.equal(codeOf(open, { from: elsewhere }), 'operator-refused');
    assert.equal(codeOf(open, { from: elsewhere, fields: bearer('') }), 'operator-refused');
    assert.equal(codeOf(open, { from: elsewhere, fields: bearer('null') }), 'operator-refused');
  });

  it('is for who has the token, from anywhere (RFC 6750 §2.1)', () => {
    assert.equal(codeOf(guarded, { from: elsewhere, fields: bearer('c2VjcmV0') }), 'admitted');
    assert.equal(codeOf(guarded, { from: elsewhere, fields: { Authorization: 'bearer  c2VjcmV0' } }), 'admitted');
  });

  for (const [what, value] of Object.entries({
    'another token': 'Bearer c2VjcmV1',
    'a part of it': 'Bearer c2Vjcm',
    'more than it': 'Bearer c2VjcmV0c2VjcmV0',
    'an empty one': 'Bearer ',
    'another scheme': 'Basic c2VjcmV0',
    'two of them': 'Bearer c2VjcmV0, Bearer c2VjcmV0',
  })) {
    it(`is refused with 401 for ${what}, on this machine too`, () => {
      for (const from of [elsewhere, '127.0.0.1']) {
        assert.equal(codeOf(guarded, { from, fields: { Authorization: value } }), 'operator-token');
      }
    });
  }

  it('is refused with 401 from elsewhere without a token', () => {
    assert.equal(codeOf(guarded, { from: elsewhere }), 'operator-token');
  });

  for (const name of ['Via', 'Forwarded', 'X-Forwarded-For']) {
    it(`is not given to what a proxy of this machine passes on, as ${name} tells`, () => {
      const fields = { [name]: '1.1 proxy' };
      assert.equal(codeOf(open, { fields }), 'operator-refused');
      assert.equal(codeOf(guarded, { fields }), 'operator-token');
      assert.equal(codeOf(guarded, { fields: { ...fields, ...bearer('c2VjcmV0') } }), 'admitted');
    });
  }

  it('is by addresses, localhost and configured names, so that no other name can be bound to it', () => {
    for (const host of [
      'localhost',
      'LocalHost:3180',
      '127.0.0.1:3180',
      '[::1]:3180',
      '192.168.1.5',
      '[2001:db8::1]',
    ]) {
      assert.equal(codeOf(open, { host }), 'admitted', host);
    }
    for (const host of [
      'attacker.example',
      'localhost.attacker.example',
      '127.0.0.1.nip.example',
      'willis.example.net',
    ]) {
      assert.equal(codeOf(open, { host }), 'misdirected', host);
    }
    assert.equal(codeOf(guarded, { host: 'willis.example.NET:3180' }), 'admitted');
    const asking = { host: 'attacker.example', from: elsewhere, fields: bearer('c2VjcmV0') };
    assert.equal(codeOf(guarded, asking), 'misdirected');
  });

  it('is not for pages of other origins (RFC 6454 §7)', () => {
    const origin = (value: string): Asking => ({ fields: { Origin: value } });
    assert.equal(codeOf(open, origin('http://localhost:3180')), 'admitted');
    assert.equal(codeOf(open, { ...origin('https://localhost:3180'), secure: true }), 'admitted');
    for (const value of ['http://localhost', 'https://localhost:3180', 'http://attacker.example', 'null', '']) {
      assert.equal(codeOf(open, origin(value)), 'operator-refused', value);
    }
  });
});
