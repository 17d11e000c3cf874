import assert from 'node:assert/strict';
import { Fields } from '../../../proxy/http/fields.js';
import type { TargetUri } from '../../../proxy/http/target-uri.js';
import { namedFields, type ShownPart } from '../../../wlis/names/named-fields.js';

const http = (path: string): TargetUri => {
  return { scheme: 'http', host: 'docs.example', port: 80, authority: 'docs.example', path };
};
const part: ShownPart = { origin: 'http://manual.wlis', path: '/', of: http('/m/') };
const target = http('/m/sub/page');

const shown = (name: string, value: string): string | undefined =>
  namedFields(Fields.of({ [name]: value }), target, part, false).get(name.toLowerCase());

describe('the fields of an answer that is shown under a name', () => {
  for (const [reference, expected] of [
    ['http://docs.example/m/x?y#z', 'http://manual.wlis/x?y#z'],
    ['http://docs.example:80/m/', 'http://manual.wlis/'],
    ['//docs.example/m/x', 'http://manual.wlis/x'],
    ['/m/x', 'http://manual.wlis/x'],
    ['other#z', 'http://manual.wlis/sub/other#z'],
    ['../../m/x', 'http://manual.wlis/x'],
    ['/elsewhere', 'http://docs.example/elsewhere'],
    ['../../elsewhere', 'http://docs.example/elsewhere'],
    ['/m', 'http://docs.example/m'],
    ['https://docs.example/m/x', 'https://docs.example/m/x'],
    ['http://docs.example:8080/m/x', 'http://docs.example:8080/m/x'],
    ['http://docs.example.evil/m/x', 'http://docs.example.evil/m/x'],
    ['mailto:a@docs.example', 'mailto:a@docs.example'],
  ] as const) {
    it(`a Location of ${reference} leads to ${expected}`, () => {
      assert.equal(shown('Location', reference), expected);
      assert.equal(shown('Content-Location', reference), expected);
    });
  }

  it('what is no reference stays as it is', () => {
    for (const odd of ['http://user@docs.example/m/x', 'http://[/m/x']) assert.equal(shown('Location', odd), odd);
  });

  it('nothing else is changed, cookies neither', () => {
    const fields = Fields.of({
      ETag: '"1"',
      'Set-Cookie': 'a=b; Domain=docs.example; Secure',
      Link: '</m/x>; rel=next',
    });
    assert.deepEqual(namedFields(fields, target, part, false).lines, fields.lines);
  });

  it('without TLS, Secure cookies and policies for TLS stay out, and other cookies do not (decision 21)', () => {
    const cookies = ['a=1', 'b=2; Secure', 'c=3; path=/; SECURE; HttpOnly', '__Host-d=4', '__Secure-e=5', 'secure=6'];
    const fields = Fields.of({ 'Set-Cookie': cookies, 'Strict-Transport-Security': 'max-age=1', ETag: '"1"' });
    const kept = namedFields(fields, target, part, true);
    assert.deepEqual(kept.all('set-cookie'), ['a=1', 'secure=6']);
    assert.equal(kept.has('strict-transport-security'), false);
    assert.equal(kept.get('etag'), '"1"');
  });
});
