import assert from 'node:assert/strict';
import { copyFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { CheckedLog, type LogOptions, type LogState } from '../../replication/checked-log.js';
import { TempDir } from '../support/temp-dir.js';

const groups = [['one'], ['two', 'three', 'four'], ['five'], ['', 'six']];
const buffers = (texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));

describe('a checked log', () => {
  let temporary: TempDir;
  let options: LogOptions;

  beforeEach(async () => {
    temporary = await TempDir.create();
    options = { path: join(temporary.path, 'log'), kind: 'test 1', durable: true };
  });

  afterEach(() => temporary.remove());

  /** What can be read of it, and in which state it is. */
  async function read(of: LogOptions = options): Promise<{ texts: string[]; found: LogState }> {
    const texts: string[] = [];
    const { log, found } = await CheckedLog.open(of, (payload) => void texts.push(payload.toString()));
    await log?.close();
    return { texts, found };
  }

  /** Gives where each group ends. */
  async function write(): Promise<number[]> {
    const log = await CheckedLog.begin(options);
    const ends = [Number(log.size)];
    for (const group of groups) {
      await log.append(buffers(group));
      ends.push(log.size);
    }
    await log.close();
    await log.close();
    return ends;
  }

  it('gives what was appended, in its order, whenever it is opened', async () => {
    assert.deepEqual(await read(), { texts: [], found: { state: 'new' } });
    await write();
    assert.deepEqual(await read(), { texts: groups.flat(), found: { state: 'whole' } });
    const { log } = await CheckedLog.open(options, () => undefined);
    await Promise.all([log?.append(buffers(['a'])), log?.append(buffers(['b', 'c']))]);
    await log?.close();
    assert.deepEqual((await read()).texts, [...groups.flat(), 'a', 'b', 'c']);
  });

  it('cut off anywhere, has the whole groups before, and says whether something acknowledged is lost', async () => {
    const ends = await write();
    const whole = await readFile(options.path);
    for (let length = 0; length < whole.length; length++) {
      for (const marked of [true, false]) {
        const of = { ...options, path: join(temporary.path, `cut-${length}-${String(marked)}`) };
        await writeFile(of.path, whole.subarray(0, length));
        if (marked) await copyFile(`${options.path}.mark`, `${of.path}.mark`);
        const { texts, found } = await read(of);
        const kept = ends.filter((end) => end <= length).length - 1;
        if (kept >= 0) assert.deepEqual(texts, groups.slice(0, kept).flat());
        // without its mark nothing tells that more was acknowledged
        const expected = marked || kept < 0 ? 'damaged' : ends.includes(length) ? 'whole' : 'torn';
        assert.equal(found.state, expected, `${length} ${String(marked)}`);
        await rm(of.path);
      }
    }
  });

  it('with a bit turned anywhere, gives nothing that was not appended, and says that something is lost', async () => {
    await write();
    const whole = await readFile(options.path);
    for (let at = 0; at < whole.length; at++) {
      const altered = Buffer.from(whole);
      altered[at] = (altered[at] as number) ^ (1 << (at % 8));
      await writeFile(options.path, altered);
      const { texts, found } = await read();
      assert.deepEqual(texts, groups.flat().slice(0, texts.length));
      assert.equal(found.state, 'damaged', String(at));
    }
  });

  it('with a bit turned anywhere in its mark, is believed as it stands', async () => {
    await write();
    const mark = await readFile(`${options.path}.mark`);
    for (let at = 0; at < mark.length; at++) {
      const altered = Buffer.from(mark);
      altered[at] = (altered[at] as number) ^ (1 << (at % 8));
      await writeFile(`${options.path}.mark`, altered);
      assert.deepEqual(await read(), { texts: groups.flat(), found: { state: 'whole' } });
    }
  });

  it('cuts off what follows the last whole group, once, and goes on there', async () => {
    await write();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (tail) => {
        await writeFile(options.path, Buffer.concat([await readFile(options.path), tail]));
        const first = await CheckedLog.open(options, () => undefined);
        assert.deepEqual(first.found, { state: 'torn', cut: tail.length });
        await first.log?.append(buffers(['next']));
        await first.log?.close();
        const { texts, found } = await read();
        assert.equal(texts.at(-1), 'next');
        assert.equal(found.state, 'whole');
      }),
      { numRuns: 25 },
    );
  });

  it('that is gone while its mark is there was lost', async () => {
    await write();
    await rm(options.path);
    assert.equal((await read()).found.state, 'damaged');
  });

  it('of another kind is not taken for its own', async () => {
    await write();
    assert.equal((await read({ ...options, kind: 'test 2' })).found.state, 'damaged');
  });

  it('is replaced in one step by a rewriting, behind the appends before it', async () => {
    const log = await CheckedLog.begin(options, buffers(['old']));
    const appended = log.append(buffers(['older']));
    const rewritten = log.rewrite(buffers(['new', 'newer']));
    await Promise.all([appended, rewritten, log.append(buffers(['newest']))]);
    await log.close();
    assert.deepEqual(await read(), { texts: ['new', 'newer', 'newest'], found: { state: 'whole' } });
  });

  it('is not confused by the mark of the file that a rewriting replaced', async () => {
    const log = await CheckedLog.begin(options, buffers(Array.from({ length: 50 }, (_, i) => `old ${i}`)));
    await log.append(buffers(['more']));
    await copyFile(`${options.path}.mark`, join(temporary.path, 'before'));
    await log.rewrite(buffers(['short']));
    await log.close();
    // as if the process had been killed before it wrote the new one
    await copyFile(join(temporary.path, 'before'), `${options.path}.mark`);
    assert.deepEqual(await read(), { texts: ['short'], found: { state: 'whole' } });
  });

  it('has an older state of itself taken for damage, when the mark tells of a later one', async () => {
    const ends = await write();
    await truncate(options.path, ends[2]);
    const { found } = await read();
    if (found.state !== 'damaged') assert.fail(found.state);
    assert.match(found.reason, /only \d+ of \d+ acknowledged bytes/);
  });

  it('rejects what it is given after it was closed', async () => {
    const log = await CheckedLog.begin(options);
    await log.close();
    await assert.rejects(log.append(buffers(['late'])), /closed/);
    await assert.rejects(log.rewrite([]), /closed/);
  });
});
