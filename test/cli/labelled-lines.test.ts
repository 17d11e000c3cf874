import assert from 'node:assert/strict';
import fc from 'fast-check';
import { labelledLines } from '../../proxy/cli/labelled-lines.js';
import { typedUrl } from '../../proxy/cli/typed-url.js';

const layout = { indent: 2, column: 6, width: 20 };

describe('lines with labels', () => {
  it('stand in two columns, wrapped at spaces', () => {
    assert.equal(
      labelledLines(
        [
          ['age', 'one two three'],
          ['key', 'x'],
        ],
        layout,
      ),
      '  age   one two\n        three\n  key   x\n',
    );
  });

  it('leave a word whole that is too long, and nothing behind the last word', () => {
    assert.equal(
      labelledLines([['a', `x ${'y'.repeat(30)} z`]], layout),
      `  a     x\n        ${'y'.repeat(30)}\n        z\n`,
    );
    assert.equal(labelledLines([['a', '']], layout), '  a\n');
  });

  it('do not count what only marks a part', () => {
    const marked = '\x1b[32mone two\x1b[39m xyz';
    assert.equal(labelledLines([['a', marked]], layout), `  a     ${marked}\n`);
  });

  it('lose no word, whatever the width', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1 }),
        fc.integer({ min: 9, max: 60 }),
        (words, width) => {
          const lines = labelledLines([['', words.join(' ')]], { indent: 0, column: 0, width });
          assert.deepEqual(lines.trim().split(/\s+/), words);
          for (const line of lines.split('\n')) assert.ok(line.length <= width, `${line.length} <= ${width}`);
        },
      ),
    );
  });
});

describe('a typed URL', () => {
  for (const [typed, url] of [
    ['http://a.test/b?c', 'http://a.test/b?c'],
    ['  http://a.test/b#part\n', 'http://a.test/b'],
    ['a.test/../b%20c', 'a.test/../b%20c'],
    ['http://a.test/ü b', 'http://a.test/%C3%BC%20b'],
    ['a.test/ü b', 'a.test/%C3%BC%20b'],
    ['http://bücher.test/', 'http://xn--bcher-kva.test/'],
  ] as const) {
    it(`'${typed.trim()}' is asked for as ${url}`, () => assert.equal(typedUrl(typed), url));
  }
});
