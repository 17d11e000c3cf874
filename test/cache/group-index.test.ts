import assert from 'node:assert/strict';
import { originOfKey, type CacheKey } from '../../proxy/cache/cache-key.js';
import { GroupIndex, groupName } from '../../proxy/cache/group-index.js';
import { stored } from './stored-example.js';

describe('GroupIndex', () => {
  const a = '|http://example.org/a' as CacheKey;
  const b = '|http://example.org/b' as CacheKey;
  const name = groupName('|http://example.org', 'g');

  it('names every key that has a response in a group of the origin (RFC 9875 §2)', () => {
    const index = new GroupIndex();
    for (const key of [a, b]) index.add(stored({ key, groups: ['g', 'h', 'g'] }));
    index.add(stored({ key: '|http://other.example/' as CacheKey, groups: ['g'] }));
    assert.deepEqual(index.keysOf(name), [a, b]);
  });

  it('names a key as long as one of its responses is in the group', () => {
    const index = new GroupIndex();
    const [first, second] = [stored({ key: a, groups: ['g'] }), stored({ key: a, groups: ['g', 'h'] })];
    for (const one of [first, second]) index.add(one);
    index.remove(first);
    assert.deepEqual(index.keysOf(name), [a]);
    index.remove(second);
    assert.deepEqual(index.keysOf(name), []);
  });
});

describe('originOfKey', () => {
  const origin = (key: string): string => originOfKey(key as CacheKey);

  it('gives scope, scheme and authority of a key', () => {
    assert.equal(origin('|http://example.org/a/b?c=http://d/'), '|http://example.org');
    assert.equal(origin('site|https://example.org:8443/'), 'site|https://example.org:8443');
    assert.equal(origin('|http://[::1]:80/x|y'), '|http://[::1]:80');
    assert.equal(origin('|http://example.org'), '|http://example.org');
  });
});
