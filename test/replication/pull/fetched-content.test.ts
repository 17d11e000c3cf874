import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { bytes, milliseconds } from '../../../config/units.js';
import { BlobStore } from '../../../replication/blob-store.js';
import { ContentPulls } from '../../../replication/pull/content-pulls.js';
import { FetchedContent } from '../../../replication/pull/fetched-content.js';
import { NoSource } from '../../../replication/pull/source-trial.js';
import { FakeClock } from '../../support/fake-clock.js';
import { gate } from '../../support/gate.js';
import { TempDir } from '../../support/temp-dir.js';
import { until } from '../../support/waiting.js';
import { BLOCK, bytesOf, FakeHolder, FakeSources, sample, settings, type Sample } from './fake-holder.js';

describe('content that is fetched when it is read', () => {
  const long = sample(bytesOf('long', 5 * BLOCK + 100));
  const short = sample(bytesOf('short', 5000));
  let temporary: TempDir;
  let store: BlobStore;
  let pulls: ContentPulls;
  let damages: Error[];

  async function openStore(limit: number): Promise<void> {
    const onDamaged = (error: unknown): void => assert.fail(String(error));
    const options = { directory: temporary.path, keep: milliseconds(600_000), clock: new FakeClock(), onDamaged };
    store = await BlobStore.open({ ...options, limit: bytes(limit) });
    pulls = new ContentPulls(store, settings());
  }

  beforeEach(async () => {
    temporary = await TempDir.create();
    damages = [];
    await openStore(1e9);
  });

  afterEach(async () => {
    await store.close();
    await temporary.remove();
  });

  const contentFrom = (from: FakeSources, isKept: boolean, relatives: readonly Sample[] = []): FetchedContent =>
    new FetchedContent({
      store,
      pulls,
      sources: from.sources,
      onRefused: from.onRefused,
      onBytes: from.onBytes,
      onSpared: from.onSpared,
      isKept: () => isKept,
      relativesOf: () => relatives,
      onDamaged: (error) => damages.push(error),
    });

  async function read(content: FetchedContent, of: Sample, from = 0, to: number = of.length): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of content.read(of, bytes(from), bytes(to))) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  for (const isKept of [false, true]) {
    describe(isKept ? 'and kept' : 'and passes', () => {
      it('is given in every range, as it is', async () => {
        const ranges = [
          [0, 1],
          [BLOCK - 1, BLOCK + 1],
          [3 * BLOCK, 4 * BLOCK],
          [long.length - 1, long.length + 100],
          [7, 7],
          [0, long.length],
        ] as const;
        for (const [i, [from, to]] of ranges.entries()) {
          const content = sample(bytesOf(`${i}`, long.length));
          const holder = new FakeHolder('https://a.example', [content]);
          const fetched = contentFrom(new FakeSources(holder), isKept);
          assert.deepEqual(await read(fetched, content, from, to), content.data.subarray(from, to));
        }
        const holder = new FakeHolder('https://a.example', [short]);
        assert.deepEqual(
          await read(contentFrom(new FakeSources(holder), isKept), short, 10, 20),
          short.data.subarray(10, 20),
        );
      });

      it('has no wrong byte in it, whoever lies, and goes on elsewhere', async () => {
        const liar = new FakeHolder('https://liar.example', [long]);
        liar.tamper = (piece, at) => (at > 2 * BLOCK ? Buffer.alloc(piece.length) : piece);
        const from = new FakeSources(liar, new FakeHolder('https://honest.example', [long]));
        const given: Buffer[] = [];
        for await (const chunk of contentFrom(from, isKept).read(long, bytes(0), long.length)) {
          given.push(chunk);
          const position = given.reduce((sum, { length }) => sum + length, 0);
          assert.ok(
            chunk.equals(long.data.subarray(position - chunk.length, position)),
            `wrong before byte ${position}`,
          );
        }
        assert.deepEqual(Buffer.concat(given), long.data);
        assert.deepEqual(
          from.refused.map(({ url, reason }) => [url, reason]),
          [['https://liar.example', 'wrong-digest']],
        );
      });

      it('breaks visibly when nobody gives the rest', async () => {
        const holder = new FakeHolder('https://a.example', [long]);
        holder.tamper = (piece, at) => {
          if (at > 2 * BLOCK) throw holder.failed('unreachable');
          return piece;
        };
        await assert.rejects(read(contentFrom(new FakeSources(holder), isKept), long), NoSource);
      });

      it('ends at once when nobody reads any more', async () => {
        const holder = new FakeHolder('https://a.example', [long]);
        let ended: AbortSignal | undefined;
        holder.before = (_, signal) => void (ended = signal);
        holder.tamper = (piece, at) => (at > 3 * BLOCK ? gate().promise.then(() => piece) : piece);
        const reading = contentFrom(new FakeSources(holder), isKept).read(long, bytes(0), long.length);
        const iterator = reading[Symbol.asyncIterator]();
        await iterator.next();
        await iterator.next();
        await iterator.return?.();
        await until(() => ended?.aborted === true);
        assert.equal((await iterator.next()).done, true);
      });
    });
  }

  it('is read from the store when it is there, and asks nobody', async () => {
    const holder = new FakeHolder('https://a.example', [long]);
    const content = contentFrom(new FakeSources(holder), true);
    assert.equal(content.has(long), false);
    await read(content, long);
    assert.equal(content.has(long), true);
    const { length } = holder.asked;
    assert.deepEqual(await read(content, long, 100, 200), long.data.subarray(100, 200));
    assert.equal(holder.asked.length, length);
  });

  it('does not stay in the store when it is to pass only, and its list is asked for once', async () => {
    const holder = new FakeHolder('https://a.example', [long]);
    const content = contentFrom(new FakeSources(holder), false);
    await read(content, long, 0, 10);
    await read(content, long, BLOCK, BLOCK + 10);
    assert.deepEqual(holder.asked, ['list 0', `blob 0 0-${BLOCK}`, `blob 0 ${BLOCK}-${2 * BLOCK}`]);
    assert.deepEqual([store.usage.blobs, store.usage.partial], [0, 0]);
  });

  it('comes once for all who read it at the same time, and each gets it as it comes', async () => {
    const holder = new FakeHolder('https://a.example', [long]);
    const held = gate();
    holder.tamper = (piece, at) => (at > 4 * BLOCK ? held.promise.then(() => piece) : piece);
    const content = contentFrom(new FakeSources(holder), true);
    const first = content.read(long, bytes(0), long.length)[Symbol.asyncIterator]();
    assert.deepEqual((await first.next()).value, long.data.subarray(0, BLOCK));
    const others = [read(content, long), read(content, long, BLOCK, 2 * BLOCK)];
    assert.deepEqual(await others[1], long.data.subarray(BLOCK, 2 * BLOCK));
    await first.return?.();
    held.open();
    assert.deepEqual(await others[0], long.data);
    assert.equal(holder.given, long.length);
  });

  it('goes on later behind what had come when its last reader went', async () => {
    const holder = new FakeHolder('https://a.example', [long]);
    holder.pieceSize = BLOCK;
    const content = contentFrom(new FakeSources(holder), true);
    const held = gate();
    holder.tamper = (piece, at) => (at >= 3 * BLOCK ? held.promise.then(() => piece) : piece);
    const iterator = content.read(long, bytes(0), long.length)[Symbol.asyncIterator]();
    for (let i = 0; i < 3; i++) await iterator.next();
    await iterator.return?.();
    held.open();
    holder.asked.length = 0;
    assert.deepEqual(await read(content, long), long.data);
    assert.deepEqual(
      holder.asked.filter((call) => call.startsWith('blob')),
      [`blob 0 ${3 * BLOCK}-${long.length}`],
    );
  });

  it('fetches a range far ahead by itself', async () => {
    const large = sample(bytesOf('large', 5 * 1024 * 1024));
    const holder = new FakeHolder('https://a.example', [large]);
    const content = contentFrom(new FakeSources(holder), true);
    const from = large.length - 10;
    assert.deepEqual(await read(content, large, from), large.data.subarray(from));
    assert.deepEqual(holder.asked.at(-1), `blob 0 ${large.length - BLOCK}-${large.length}`);
  });

  it('is given though there is no room to keep it', async () => {
    await store.close();
    await openStore(1000);
    for (const one of [long, short]) {
      const content = contentFrom(new FakeSources(new FakeHolder('https://a.example', [one])), true);
      assert.deepEqual(await read(content, one, 10), one.data.subarray(10));
    }
  });

  it('is given though somebody else is writing it into the store', async () => {
    const draft = await store.resume(long, long.list, new AbortController().signal);
    const content = contentFrom(new FakeSources(new FakeHolder('https://a.example', [long])), true);
    assert.deepEqual(await read(content, long, 10), long.data.subarray(10));
    await draft.close();
  });

  it('comes from elsewhere from where the store turns out to be damaged, and that is told', async () => {
    const holder = new FakeHolder('https://a.example', [long]);
    const content = contentFrom(new FakeSources(holder), true);
    await read(content, long);
    await store.sync();
    const file = await open(join(temporary.path, 'large', long.digest.slice(0, 2), long.digest.slice(2)), 'r+');
    await file.write('!', 2 * BLOCK);
    await file.close();
    assert.deepEqual(await read(content, long, 5), long.data.subarray(5));
    assert.deepEqual(holder.asked.at(-1), `blob 0 ${2 * BLOCK}-${long.length}`);
    assert.equal(damages.length, 1);
  });

  it('that is kept takes blocks from what is here already', async () => {
    const old = sample(Buffer.concat([long.data.subarray(0, 3 * BLOCK), bytesOf('old', 3 * BLOCK)]));
    const holder = new FakeHolder('https://a.example', [old, long]);
    const from = new FakeSources(holder);
    await read(contentFrom(from, true), old);
    holder.asked.length = 0;
    assert.deepEqual(await read(contentFrom(from, true, [old]), long), long.data);
    assert.deepEqual(holder.asked, ['list 1', `blob 1 ${3 * BLOCK}-${long.length}`]);
  });
});
