import assert from 'node:assert/strict';
import fc from 'fast-check';
import { normaliseField } from '../../proxy/cache/accept-normalisation.js';

const same = (name: string, ...values: string[]): void => {
  const forms = values.map((value) => normaliseField(name, value));
  assert.equal(new Set(forms).size, 1, JSON.stringify(forms));
};

const different = (name: string, ...values: string[]): void => {
  const forms = values.map((value) => normaliseField(name, value));
  assert.equal(new Set(forms).size, values.length, JSON.stringify(forms));
};

describe('accept-normalisation', () => {
  it('an absent field has no normal form but itself (RFC 9111 §4.1)', () => {
    for (const name of ['accept', 'accept-encoding', 'accept-language', 'foo']) {
      assert.equal(normaliseField(name, null), null);
      assert.notEqual(normaliseField(name, ''), null);
    }
  });

  describe('Accept-Encoding', () => {
    const name = 'accept-encoding';

    it('the order of codings of equal weight does not count (RFC 9110 §12.5.3)', () => {
      same(name, 'gzip, deflate, br', 'br,gzip,deflate', 'deflate ,\tbr, gzip');
    });

    it('white space, empty members and case do not count (RFC 9110 §5.6.1, §8.4.1)', () => {
      same(name, 'gzip, br', 'GZIP,Br', ' gzip ,, br ,', 'gzip ; q=1, br;Q=1.000');
    });

    it('x-gzip is gzip and x-compress is compress (RFC 9110 §8.4.1.1, §8.4.1.3)', () => {
      same(name, 'gzip, compress', 'x-gzip, x-compress', 'x-gzip, gzip, compress');
    });

    it('of weights only the order of preference counts (RFC 9110 §12.4.2)', () => {
      same(name, 'br;q=1.0, gzip;q=0.8, *;q=0.1', 'gzip;q=0.5, br;q=0.9, *;q=0.001');
      different(name, 'br, gzip;q=0.8', 'gzip, br;q=0.8', 'br, gzip');
    });

    it('a coding of weight zero is the same as one that is not named (RFC 9110 §12.5.3)', () => {
      same(name, 'gzip', 'gzip, br;q=0', 'gzip;q=0.5, compress;q=0.0');
    });

    it('next to a * it is not (RFC 9110 §12.5.3)', () => {
      different(name, 'gzip, *;q=0.5', 'gzip, br;q=0, *;q=0.5', 'gzip');
    });

    it('refusing identity counts, by its name or by * (RFC 9110 §12.5.3)', () => {
      same(name, 'gzip, identity;q=0', 'gzip, *;q=0');
      different(name, 'gzip', 'gzip, *;q=0');
      same(name, 'gzip, identity;q=0.5, *;q=0', 'gzip, identity;q=0.5');
    });

    it('an empty list, and one that accepts no coding, ask for identity (RFC 9110 §12.5.3)', () => {
      same(name, '', ',', 'identity', 'identity;q=0.5', 'gzip;q=0');
      different(name, '', '*', 'gzip', '*;q=0');
    });

    it('what is not by the grammar equals only itself', () => {
      different(
        name,
        'gzip',
        'gzip;q=2',
        'gzip;q=0.1234',
        'gzip;level=9',
        'gz ip',
        'gzip;q=1, gzip;q=0',
        '"gzip"',
        'gzip>br',
      );
      same(name, 'gzip;q=2, br', 'gzip;q=2,br');
    });

    it('what browsers send falls into few forms', () => {
      same(name, 'gzip, deflate, br, zstd', 'br, gzip, deflate, zstd');
      assert.equal(normaliseField(name, 'gzip, deflate, br'), 'br,deflate,gzip');
    });
  });

  describe('Accept-Language', () => {
    const name = 'accept-language';

    it('order, case and white space do not count (RFC 9110 §12.5.4)', () => {
      same(name, 'en, de', 'de, en', 'eN, De', ' en ,   de');
    });

    it('of weights only the order of preference counts (RFC 9110 §12.4.2)', () => {
      same(name, 'de, en;q=0.8, *;q=0.5', '*;q=0.1, en;q=0.2,DE;q=0.9');
      different(name, 'de, en;q=0.8', 'en, de;q=0.8', 'de, en');
    });

    it('a refused range counts (RFC 9110 §12.5.4, RFC 4647)', () => {
      different(name, 'en', 'en, en-GB;q=0', 'en, en-US;q=0');
      same(name, 'en, en-GB;q=0, en-US;q=0', 'en-us;q=0,en-gb;q=0.000,en;q=0.3');
    });

    it('what is not by the grammar equals only itself', () => {
      different(name, 'en-us', 'en_us', 'en us', 'en;q=x', 'en;q=0.5;q=0.5', 'toolongforasubtag');
    });
  });

  describe('Accept', () => {
    const name = 'accept';

    it('order, white space and the case of types and parameter names do not count (RFC 9110 §12.5.1)', () => {
      same(name, 'text/html, image/webp;q=0.8', 'image/WEBP ;q=0.8,Text/HTML', 'text/html;q=1.0, image/webp; q=0.80');
      same(name, 'text/html;level=1', 'text/html; LEVEL=1');
    });

    it('weights and parameters count', () => {
      different(
        name,
        'text/html',
        'text/html;q=0.5',
        'text/html;q=0',
        'text/html;level=1',
        'text/html;level=2',
        'text/*',
      );
      different(name, 'text/a;v=B', 'text/a;v=b');
    });

    it('what is not by the grammar equals only itself', () => {
      different(
        name,
        'text/html',
        'text',
        'text/html;q=7',
        'text/html;q=1;x=1',
        'text/html;x="a, b"',
        'text/html;x="a,b"',
      );
    });
  });

  describe('other fields', () => {
    it('white space around commas and at the ends does not count (RFC 9111 §4.1)', () => {
      same('foo', '1,2', '1, 2', ' 1\t, 2 ');
    });

    it('everything else does', () => {
      different('foo', '1,2', '2,1', '1,,2', '1 ,2 3', 'A', 'a', '', ',', '1;q=1', '1; q=1');
    });

    it('white space inside quoted strings counts', () => {
      different('foo', '"a,b"', '"a, b"', '"a\\", b"', '"a\\",b"');
      same('foo', '"a, b" , c', '"a, b",c');
    });
  });

  it('any text has a normal form, and equal texts have equal ones', () => {
    const text = fc.oneof(
      fc.string(),
      fc
        .array(fc.constantFrom('gzip', 'en', 'a/b', '*', ',', ';', 'q=', '0', '.5', '=', ' ', '"', '\\', '-'))
        .map((s) => s.join('')),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('accept', 'accept-encoding', 'accept-language', 'foo'),
        text,
        text,
        (name, value, other) => {
          const form = normaliseField(name, value);
          normaliseField(name, other);
          assert.equal(typeof form, 'string');
          assert.equal(normaliseField(name, value), form);
        },
      ),
    );
  });

  it('equal normal forms of encodings mean that the same codings are accepted, in the same order of preference', () => {
    const coding = fc.constantFrom('gzip', 'br', 'identity', '*');
    const preferences = fc.dictionary(coding, fc.constantFrom(0, 0.5, 1));
    const write = (weights: Record<string, number>): string =>
      Object.entries(weights)
        .map(([one, weight]) => `${one};q=${weight}`)
        .join(',');
    // the weight that a server computes for a coding, by RFC 9110 §12.5.3
    const weightOf = (weights: Record<string, number>, one: string): number =>
      weights[one] ?? weights['*'] ?? (one === 'identity' ? NaN : 0);
    const judged = (weights: Record<string, number>): string[] =>
      ['gzip', 'br', 'identity', 'zstd'].flatMap((a, i, all) => [
        `${a} ${weightOf(weights, a) === 0 ? 'refused' : 'accepted'}`,
        ...all.slice(i + 1).map((b) => {
          const [x, y] = [weightOf(weights, a), weightOf(weights, b)];
          return Number.isNaN(x) || Number.isNaN(y) ? '' : `${a}:${b} ${Math.sign(x - y)}`;
        }),
      ]);
    fc.assert(
      fc.property(preferences, preferences, (one, other) => {
        if (normaliseField('accept-encoding', write(one)) !== normaliseField('accept-encoding', write(other))) return;
        const [left, right] = [judged(one), judged(other)];
        // identity on its own is wanted the same, with and without a weight
        if (left.some((x, i) => x !== right[i] && x !== '' && right[i] !== '')) assert.deepEqual(left, right);
      }),
      { numRuns: 3000 },
    );
  });
});
