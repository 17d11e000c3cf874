import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import type { CacheKey } from '../../proxy/cache/cache-key.js';
import { ownMetadata } from '../../proxy/cache/own-metadata.js';
import type { ResponseMetadata } from '../../proxy/cache/stored-response.js';
import { Fields } from '../../proxy/http/fields.js';
import { metadata } from './response-store/samples.js';

const collectGarbage = (): void => {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
};

const text = fc.stringMatching(/^[ -~\x80-\xff]{0,2000}$/);
const name = fc.oneof(fc.constantFrom('Vary', 'Date', 'ETag', 'Content-Type'), fc.stringMatching(/^[A-Za-z-]{1,40}$/));
const some = fc.record({
  lines: fc.array(fc.tuple(name, text), { maxLength: 8 }).map((pairs) => pairs.flat()),
  values: fc.array(fc.option(text), { maxLength: 3 }),
  groups: fc.array(text, { maxLength: 3 }),
  key: text,
  reason: text,
  source: fc.option(text.map((url) => ({ url, role: 'mirror' as const, version: null, isUnconfirmed: false }))),
  contentName: fc.option(text, { nil: undefined }),
});

const sample = ({
  lines,
  values,
  groups,
  key,
  reason,
  ...rest
}: typeof some extends fc.Arbitrary<infer T> ? T : never) =>
  metadata({
    key: `site|${key}` as CacheKey,
    reason,
    fields: new Fields(lines),
    selecting: { names: values.map((_value, i) => `field-${i}-with-a-long-name`), values },
    groups,
    ...rest,
  });

describe('metadata that are kept in memory', () => {
  it('say the same as those that came, also in place of others', () => {
    fc.assert(
      fc.property(some, some, (one, other) => {
        const [first, second] = [sample(one), sample(other)];
        const own = ownMetadata(first, null);
        assert.deepEqual(own, first);
        assert.deepEqual(ownMetadata({ ...second, key: first.key }, own), { ...second, key: first.key });
      }),
    );
  });

  it('keep nothing alive of the messages out of which they were cut', () => {
    const size = 256 * 1024;
    const cut = (i: number): ResponseMetadata => {
      const message = Buffer.alloc(size, `${i} characters of one message, `).toString('latin1');
      const piece = (at: number): string => message.slice(at, at + 40);
      return metadata({
        key: piece(0) as CacheKey,
        reason: piece(1),
        fields: new Fields([piece(2), piece(3), 'Content-Type', piece(4), 'Date', piece(5)]),
        selecting: { names: [piece(6)], values: [piece(7)] },
        groups: [piece(8)],
      });
    };
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    const kept = Array.from({ length: 100 }, (_, i) => ownMetadata(cut(i), null));
    collectGarbage();
    const grown = process.memoryUsage().heapUsed - before;
    assert.equal(kept.length, 100);
    assert.ok(grown < (100 * size) / 4, `${grown} bytes`);
  });
});
