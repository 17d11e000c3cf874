import assert from 'node:assert/strict';
import { crc32c } from '../../proxy/http/crc32c.js';

describe('CRC32c', () => {
  for (const [what, data, sum] of [
    ['32 bytes of zero', Buffer.alloc(32), 0x8a9136aa],
    ['32 bytes of ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['32 ascending bytes', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
    ['32 descending bytes', Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
    ['the check of the catalogue', Buffer.from('123456789'), 0xe3069283],
    ['nothing', Buffer.alloc(0), 0],
  ] as const) {
    it(`of ${what} is as published (RFC 3720 §B.4)`, () => {
      assert.equal(crc32c(data), sum);
    });
  }

  it('takes the given bytes for 0', () => {
    const data = Buffer.alloc(32);
    data.fill('abcd', 7, 11);
    assert.equal(crc32c(data, 7, 11), 0x8a9136aa);
    assert.notEqual(crc32c(data, 7, 10), 0x8a9136aa);
  });
});
