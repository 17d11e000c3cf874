import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isSharedName, lowerCaseName, sharedName } from '../../proxy/http/field-names.js';
import { Fields } from '../../proxy/http/fields.js';

const usual = fc.constantFrom('Content-Type', 'content-type', 'CONTENT-TYPE', 'ETag', 'Etag', 'WWW-Authenticate', 'TE');
const name = fc.oneof(usual, fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,30}$/));

describe('field names', () => {
  it('are compared without regard to case, usual ones and others (RFC 9110 §5.1)', () => {
    fc.assert(
      fc.property(name, (written) => {
        assert.equal(lowerCaseName(written), written.toLowerCase());
        assert.equal(new Fields([written, 'x']).first(written.toLowerCase()), 'x');
        assert.equal(sharedName(written), written);
      }),
    );
  });

  it('in the usual spellings are shared, in others not', () => {
    assert.deepEqual(['Cache-Control', 'cache-control', 'ETag'].map(isSharedName), [true, true, true]);
    assert.deepEqual(['CACHE-control', 'X-Unheard-Of', '__proto__'].map(isSharedName), [false, false, false]);
  });
});

describe('fields', () => {
  const lines = fc
    .array(fc.tuple(name, fc.stringMatching(/^[!-~]{0,20}$/)), { maxLength: 6 })
    .map((pairs) => pairs.flat());

  it('continued by further lines are as if these had been there from the beginning (RFC 9112 §5)', () => {
    fc.assert(
      fc.property(lines, lines, lines, (begun, first, second) => {
        const fields = new Fields(begun);
        for (const more of [first, second]) {
          const continued = fields.continuedBy(...more);
          const whole = new Fields([...begun, ...more]);
          assert.deepEqual(continued.lines, whole.lines);
          assert.equal(continued.wire(), whole.wire());
        }
        assert.equal(fields.wire(), new Fields(begun).wire());
      }),
    );
  });

  it('of which all are kept are the same fields', () => {
    fc.assert(
      fc.property(lines, (all) => {
        const fields = new Fields(all);
        assert.equal(
          fields.filter(() => true),
          fields,
        );
        const odd = fields.filter((_name, value) => value.length % 2 === 1);
        const expected = all.filter((_text, i) => (all[i | 1] as string).length % 2 === 1);
        assert.deepEqual(odd.lines, expected);
      }),
    );
  });
});
