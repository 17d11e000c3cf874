import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { bytes } from '../../../config/units.js';
import { fromBase64url } from '../../../wlis/trust/base64url.js';
import { blockCount, blocksAround, blockSizeFor, checkBlockList, MOST_BLOCKS } from '../../../wlis/trust/block-list.js';
import { BlockVerifier } from '../../../wlis/trust/block-verifier.js';
import { digestOfBytes, type Digest } from '../../../wlis/trust/digest.js';
import { vectors } from '../vectors.js';
import { disbelief } from './disbelief.js';

interface Vectors {
  readonly sizes: readonly { readonly length: number; readonly blockSize: number }[];
  readonly content: { length: number; digest: string; list: string; listDigest: string };
}

const table = vectors('block-list') as Vectors;

const platform = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();

/** Contents in blocks of four bytes: what the verifier does does not depend on their size. */
const contentOf = (data: Uint8Array) => {
  const length = bytes(data.length);
  const blockSize = bytes(4);
  const parts = Array.from({ length: Math.ceil(data.length / 4) }, (_, i) => platform(data.subarray(4 * i, 4 * i + 4)));
  return { length, blockSize, list: new Uint8Array(Buffer.concat(parts)) };
};

const pieces = (data: Uint8Array, cuts: readonly number[]): Uint8Array[] => {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (data.length + 1)), data.length])].sort((a, b) => a - b);
  return at.slice(1).map((end, i) => data.subarray(at[i], end));
};

const someBytes = fc.uint8Array({ maxLength: 40 });
const cuts = fc.array(fc.nat(100), { maxLength: 8 });

describe('block lists', () => {
  for (const { length, blockSize } of table.sizes) {
    it(`${length} bytes have blocks of ${blockSize}`, () => assert.equal(blockSizeFor(bytes(length)), blockSize));
  }

  it('have at most 4096 blocks, of the smallest power of two from 64 KiB on with which that is so', () => {
    fc.assert(
      fc.property(
        fc.maxSafeInteger().map((n) => bytes(Math.abs(n))),
        (length) => {
          const blockSize = blockSizeFor(length);
          assert.equal(blockCount({ length, blockSize }) <= MOST_BLOCKS, true);
          assert.equal(Number.isInteger(Math.log2(blockSize)) && blockSize >= 65_536, true);
          assert.equal(
            blockSize === 65_536 || blockCount({ length, blockSize: bytes(blockSize / 2) }) > MOST_BLOCKS,
            true,
          );
        },
      ),
    );
  });

  it('are believed by their digest and length', () => {
    const { length, list, listDigest } = table.content;
    const content = { length: bytes(length), blockSize: bytes(65_536), blocks: listDigest as Digest };
    const honest = fromBase64url(list)!;
    checkBlockList(honest, content);
    const altered = honest.slice();
    altered[40]! ^= 1;
    assert.throws(() => checkBlockList(altered, content), disbelief('wrong-digest'));
    const other = { ...content, blocks: digestOfBytes(honest.subarray(32)) };
    assert.throws(() => checkBlockList(honest.subarray(32), other), disbelief('malformed', /96 bytes instead of 128/));
  });

  it('a range is in the whole blocks around it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.nat(50), fc.nat(50), (length, a, b) => {
        const [from, to] = [Math.min(a, b, length), Math.min(Math.max(a, b), length)];
        const around = blocksAround({ length: bytes(length), blockSize: bytes(4) }, bytes(from), bytes(to));
        if (from === to) assert.equal(around.from, around.to);
        else assert.equal(around.from <= from && around.to >= to && from - around.from < 4 && around.to - to < 4, true);
        assert.equal(around.to <= length, true);
        assert.equal(around.from, Math.min(length, around.first * 4));
      }),
    );
  });
});

describe('content checked by blocks', () => {
  const verify = async (
    content: ReturnType<typeof contentOf>,
    chunks: readonly Uint8Array[],
    range?: ReturnType<typeof blocksAround>,
  ): Promise<{ passed: Uint8Array; next: number; error: unknown }> => {
    const verifier = new BlockVerifier(content, platform, range);
    const passed: Uint8Array[] = [];
    let error: unknown = null;
    try {
      for (const chunk of chunks) passed.push(...(await verifier.take(chunk)).map((block) => block.slice()));
      verifier.end();
    } catch (caught) {
      error = caught;
    }
    return { passed: new Uint8Array(Buffer.concat(passed)), next: verifier.next, error };
  };

  it('passes whole and unchanged, however it is cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(someBytes, cuts, async (data, at) => {
        const { passed, error } = await verify(contentOf(data), pieces(data, at));
        assert.equal(error, null);
        assert.deepEqual(passed, data);
      }),
    );
  });

  it('with a byte changed, passes up to the block before it, which is named, and no further', async () => {
    await fc.assert(
      fc.asyncProperty(someBytes, cuts, fc.nat(39), fc.integer({ min: 1, max: 255 }), async (data, at, where, by) => {
        fc.pre(where < data.length);
        const altered = data.slice();
        altered[where]! ^= by;
        const { passed, next, error } = await verify(contentOf(data), pieces(altered, at));
        const wrong = Math.floor(where / 4);
        assert.equal(disbelief('wrong-digest', new RegExp(`^block ${wrong} is not`))(error), true);
        assert.equal(next, wrong);
        assert.equal(passed.length <= 4 * wrong, true);
        assert.deepEqual(passed, data.subarray(0, passed.length));
      }),
    );
  });

  it('cut short, passes what was whole and says that there is more', async () => {
    await fc.assert(
      fc.asyncProperty(someBytes, cuts, fc.nat(39), async (data, at, end) => {
        fc.pre(end < data.length);
        const { passed, next, error } = await verify(contentOf(data), pieces(data.subarray(0, end), at));
        assert.equal(disbelief('malformed', /the content ends in block/)(error), true);
        assert.equal(next, Math.floor(end / 4));
        assert.deepEqual(passed, data.subarray(0, 4 * next));
      }),
    );
  });

  it('followed by more than its length, is refused', async () => {
    const data = Uint8Array.of(1, 2, 3, 4, 5);
    const { passed, error } = await verify(contentOf(data), [data, Uint8Array.of(6)]);
    assert.deepEqual(passed, data);
    assert.equal(disbelief('too-large')(error), true);
  });

  it('of a range passes as the blocks around it, and goes on after a break where the other source stopped', async () => {
    await fc.assert(
      fc.asyncProperty(someBytes, fc.nat(39), fc.nat(39), cuts, async (data, a, b, at) => {
        const [from, to] = [Math.min(a, b, data.length), Math.min(Math.max(a, b), data.length)];
        const content = contentOf(data);
        const range = blocksAround(content, bytes(from), bytes(to));
        const wanted = data.subarray(range.from, range.to);
        const { passed, error } = await verify(content, pieces(wanted, at), range);
        assert.equal(error, null);
        assert.deepEqual(passed, wanted.slice());
        const first = await verify(content, [data.subarray(0, from)]);
        const rest = blocksAround(content, bytes(4 * first.next), content.length);
        const second = await verify(content, [data.subarray(rest.from)], rest);
        assert.deepEqual(Buffer.concat([first.passed, second.passed]), Buffer.from(data));
      }),
    );
  });
});
