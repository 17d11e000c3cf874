import assert from 'node:assert/strict';
import fc from 'fast-check';
import { pathPatternFault, patternTest, uriPatternFault } from '../../config/uri-pattern.js';

describe('a pattern', () => {
  const cases: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
    ['https://www.example.org/live/', 'https://www.example.org/live/a/b', true],
    ['https://www.example.org/live/', 'https://www.example.org/lively', false],
    ['https://www.example.org/live', 'https://www.example.org/live', true],
    ['https://www.example.org/live', 'https://www.example.org/live/a', false],
    ['*://*.example.org/**.png', 'http://a.example.org/x/y.png', true],
    ['*://*.example.org/**.png', 'http://a.example.org/x/y.jpg', false],
    ['*://*.example.org/*.png', 'http://a.example.org/x/y.png', false],
    ['http://*.example.org/a/', 'http://evil.test/.example.org/a/', false],
    ['/a*c/', '/abc/d', true],
    ['/a.c', '/abc', false],
    ['**', '', true],
  ];
  for (const [pattern, text, matches] of cases) {
    it(`${pattern} ${matches ? 'matches' : 'does not match'} '${text}'`, () => {
      assert.equal(patternTest(pattern)(text), matches);
    });
  }

  it('says what the same regular expression says', () => {
    const steps = fc.array(fc.constantFrom('a', 'b', '/', '.', '*', '**'), { maxLength: 6 });
    const text = fc.array(fc.constantFrom('a', 'b', '/', '.'), { maxLength: 8 }).map((all) => all.join(''));
    fc.assert(
      fc.property(steps, text, (parts, tested) => {
        const pattern = parts.join('');
        const source = pattern.replace(/\*+|\./g, (one) => (one === '.' ? '\\.' : one === '*' ? '[^/]*' : '.*'));
        const expected = new RegExp(`^${source}${pattern.endsWith('/') ? '' : '$'}`, 's').test(tested);
        assert.equal(patternTest(pattern)(tested), expected, pattern);
      }),
    );
  });

  it('takes time in proportion to the text, whatever it is', () => {
    assert.equal(patternTest('/**a**a**a**a**a**a**b')(`/${'a'.repeat(16_000)}`), false);
  });

  it('has a scheme, a host and a path, without query and spaces', () => {
    for (const good of ['*://*/', 'https://a.example:8443/x', 'HTTP://[::1]/**', 'http://*.example.org:*/a/']) {
      assert.equal(uriPatternFault(good), null, good);
    }
    for (const bad of [
      'a.example/',
      'ftp://a/',
      'http://a',
      'http://a/?q',
      'http://a b/',
      'http://u@a/',
      'http:///x',
    ]) {
      assert.notEqual(uriPatternFault(bad), null, bad);
    }
  });

  it('of a path begins with a slash or a wildcard, and has eight wildcards at most', () => {
    for (const good of ['/', '/a/**', '**.exe', `/${'*a'.repeat(8)}`]) assert.equal(pathPatternFault(good), null, good);
    for (const bad of ['', 'a', '/a b', '/é', '/a?b', `/${'*a'.repeat(9)}`]) {
      assert.notEqual(pathPatternFault(bad), null, bad);
    }
  });
});
