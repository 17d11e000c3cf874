import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { fromBase64url, toBase64url } from '../../../wlis/trust/base64url.js';
import { digestBytes, digestFrom, digestOfBytes, digestOfText, parseDigest } from '../../../wlis/trust/digest.js';
import { sha256, sha256Into } from '../../../wlis/trust/sha256.js';
import { disbelief } from './disbelief.js';

const platform = (data: Uint8Array): Buffer => createHash('sha256').update(data).digest();

describe('SHA-256', () => {
  it('is that of the platform for every length up to three blocks', () => {
    const data = Uint8Array.from({ length: 200 }, (_, i) => (i * 37) & 255);
    for (let length = 0; length <= data.length; length++) {
      const part = data.subarray(0, length);
      assert.deepEqual(Buffer.from(sha256(part)), platform(part), `${length} bytes`);
    }
  });

  it('is that of the platform for any bytes, wherever they lie', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), fc.nat(1000), fc.nat(1000), (data, a, b) => {
        const [from, to] = [Math.min(a, b, data.length), Math.min(Math.max(a, b), data.length)];
        const target = new Uint8Array(40).fill(7);
        sha256Into(data, from, to, target, 5);
        assert.deepEqual(Buffer.from(target.subarray(5, 37)), platform(data.subarray(from, to)));
        assert.deepEqual([...target.subarray(0, 5), ...target.subarray(37)], new Array(8).fill(7));
      }),
    );
  });

  it('of a megabyte is that of the platform', () => {
    const data = new Uint8Array(1_048_576).fill(0xa5);
    assert.deepEqual(Buffer.from(sha256(data)), platform(data));
  });
});

describe('digests', () => {
  it('are written as 64 lower-case hexadecimal digits', () => {
    assert.equal(digestOfText('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    assert.equal(digestOfText('ü'), platform(Buffer.from('ü', 'utf8')).toString('hex'));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (data) => {
        assert.equal(digestOfBytes(data), platform(data).toString('hex'));
        assert.equal(digestFrom(digestBytes(digestOfBytes(data))), digestOfBytes(data));
      }),
    );
  });

  for (const text of ['', 'ab', 'A'.repeat(64), 'g'.repeat(64), 'a'.repeat(65), `${'a'.repeat(64)}\n`]) {
    it(`${JSON.stringify(text)} is none`, () => {
      assert.throws(() => parseDigest(text, 'root'), disbelief('malformed', /^root: .* no SHA-256 digest/));
    });
  }
});

describe('base64url', () => {
  it('is that of the platform, and is read back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (data) => {
        const text = toBase64url(data);
        assert.equal(text, Buffer.from(data).toString('base64url'));
        assert.deepEqual(fromBase64url(text), data);
      }),
    );
  });

  it('has one text for each sequence of bytes', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_=+/ -]{0,12}$/), (text) => {
        const data = fromBase64url(text);
        if (data !== null) assert.equal(toBase64url(data), text);
      }),
      { numRuns: 1000 },
    );
    for (const text of ['A', 'AB', 'AAB', 'AA==', 'A+', 'é', 'AAAAA']) assert.equal(fromBase64url(text), null, text);
  });
});
