import assert from 'node:assert/strict';
import fc from 'fast-check';
import { redaction } from '../../proxy/base/redaction.js';

const { uri, sentence } = redaction(['*token*', '*secret*', '*key', 'sig', 'user[*]', 'a*b*c']);

describe('the redaction of what is logged', () => {
  const cases: readonly (readonly [why: string, text: string, shown: string])[] = [
    ['the value of a named parameter', 'http://a/x?a=1&token=2&b=3', 'http://a/x?a=1&token=…&b=3'],
    ['in any case', 'http://a/?ToKeN=1', 'http://a/?ToKeN=…'],
    ['after a semicolon too', 'http://a/?x=1;sig=2;y=3', 'http://a/?x=1;sig=…;y=3'],
    ['a name that is percent-encoded', 'http://a/?%74oke%6E=1&s%69g=2', 'http://a/?%74oke%6E=…&s%69g=…'],
    ['a name in UTF-8, or in what is none', 'http://a/?token%C3%A9=1&token%E9=2', 'http://a/?token%C3%A9=…&token%E9=…'],
    ['wildcards anywhere', 'http://a/?my_token_1=1&apikey=2&keys=3', 'http://a/?my_token_1=…&apikey=…&keys=3'],
    ['wildcards in the midst', 'http://a/?abc=1&axxbyyc=2&acb=3&ab=4', 'http://a/?abc=…&axxbyyc=…&acb=3&ab=4'],
    ['brackets', 'http://a/?user[pin]=1&user%5Bpin%5D=2', 'http://a/?user[pin]=…&user%5Bpin%5D=…'],
    ['all of a value, whatever it has in it', 'http://a/?sig=a=b?c/d e"f', 'http://a/?sig=…'],
    ['each time a name comes', 'http://a/?sig=1&sig=2', 'http://a/?sig=…&sig=…'],
    ['the parameters of a URI in a parameter', 'http://a/?to=http://b/?sig=1&c=2', 'http://a/?to=http://b/?sig=…&c=2'],
    ['what stands in a fragment like a parameter', 'http://a/?x=1#access_token=2', 'http://a/?x=1#access_token=…'],
    ['an empty value', 'http://a/?sig=', 'http://a/?sig=…'],
    ['userinfo', 'http://me:pass@a/x@y', 'http://…@a/x@y'],
    ['userinfo without a password, and without a scheme', '//me@a/', '//…@a/'],
    ['userinfo with at signs in it', 'http://a@b:c@d/', 'http://…@d/'],
    ['but no other parameter', 'http://a/?page=1&sigh=2&tok=3', 'http://a/?page=1&sigh=2&tok=3'],
    ['but no name without a value', 'http://a/?token&sig', 'http://a/?token&sig'],
    ['but nothing in a path', 'http://a/token=1;sig=2', 'http://a/token=1;sig=2'],
    ['but no address in a path or a query', 'http://a/x@y?mail=a@b', 'http://a/x@y?mail=a@b'],
  ];
  for (const [why, text, shown] of cases) {
    it(`hides ${why}: ${text}`, () => assert.equal(uri(text), shown));
  }

  it('in a sentence hides what is secret in each of its words, and keeps the others', () => {
    assert.equal(
      sentence('http://me:x@a/?sig=1 came back to http://b/?token=2 again?'),
      'http://…@a/?sig=… came back to http://b/?token=… again?',
    );
    assert.equal(sentence('no room for me@example.org'), 'no room for me@example.org');
  });

  it('without patterns hides userinfo only', () => {
    assert.equal(redaction([]).uri('http://me:x@a/?token=1'), 'http://…@a/?token=1');
  });

  it('shows no secret whatever stands around it, and changes nothing else', () => {
    const word = fc.stringMatching(/^[a-m0-9/%?:+.-]{0,8}$/);
    const parameter = fc.record({ name: fc.constantFrom('page', 'token', 'SIG', 'my%5Fkey', 'q'), value: word });
    fc.assert(
      fc.property(fc.array(parameter, { minLength: 1 }), fc.array(fc.constantFrom('&', ';')), (parameters, marks) => {
        const written = (hide: boolean): string =>
          parameters
            .map(({ name, value }, i) => {
              const secret = hide && name !== 'page' && name !== 'q';
              return `${i === 0 ? '' : (marks[i] ?? '&')}${name}=${secret ? '…' : value}`;
            })
            .join('');
        assert.equal(uri(`http://a.example/x?${written(false)}`), `http://a.example/x?${written(true)}`);
      }),
    );
  });

  it('takes time in proportion to the text, whatever it is', () => {
    // each of these would take minutes if it took time in proportion to the square
    const length = 1_000_000;
    for (const piece of ['?', '&', '//', '//@', '?a=', '%', '?token=', 'a*b', '#', '@', '?a=b&', '//x']) {
      uri(`http://a/?${piece.repeat(length / piece.length)}`);
      uri(piece.repeat(length / piece.length));
    }
    redaction(['*a*a*a*a*a*a*b']).uri(`http://a/?${'a'.repeat(length)}=1`);
  });
});
