import assert from 'node:assert/strict';
import { bytes, milliseconds } from '../../../config/units.js';
import { BlobStoreError } from '../../../replication/blob-store-error.js';
import { BlobStore } from '../../../replication/blob-store.js';
import { ContentPull } from '../../../replication/pull/content-pull.js';
import { NoSource } from '../../../replication/pull/source-trial.js';
import { NotBelieved } from '../../../wlis/trust/not-believed.js';
import { FakeClock } from '../../support/fake-clock.js';
import { gate } from '../../support/gate.js';
import { TempDir } from '../../support/temp-dir.js';
import { BLOCK, bytesOf, FakeHolder, FakeSources, sample, settings, type Sample } from './fake-holder.js';

describe('the pull of a content', () => {
  const long = sample(bytesOf('long', 5 * BLOCK + 100));
  const short = sample(bytesOf('short', 5000));
  let temporary: TempDir;
  let store: BlobStore;

  beforeEach(async () => {
    temporary = await TempDir.create();
    store = await BlobStore.open({
      directory: temporary.path,
      limit: bytes(1e9),
      keep: milliseconds(600_000),
      clock: new FakeClock(),
      onDamaged: (error) => assert.fail(String(error)),
    });
  });

  afterEach(async () => {
    await store.close();
    await temporary.remove();
  });

  interface More {
    readonly relatives?: readonly Sample[];
    readonly patience?: number;
    readonly signal?: AbortSignal;
  }

  function pull(content: Sample, from: FakeSources, { relatives = [], patience, signal }: More = {}): Promise<void> {
    const options = { store, content, relatives, from, settings: settings(patience) };
    return new ContentPull(options).run(signal ?? new AbortController().signal);
  }

  async function isThere({ digest, data, blocks }: Sample): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of store.read(digest, bytes(0), bytes(data.length), blocks)) chunks.push(chunk);
    assert.ok(Buffer.concat(chunks).equals(data), 'what is in the store is another content');
  }

  const put = async ({ data, length }: Sample): Promise<void> => {
    const inOne = async function* (): AsyncGenerator<Buffer> {
      yield await Promise.resolve(data);
    };
    await store.put(inOne(), length);
  };

  it('gets each length whole, asking for no more than it has, and for nothing when it is there', async () => {
    for (const size of [0, 1, 32_768, 65_536, 65_537, 2 * BLOCK, 5 * BLOCK + 1]) {
      const content = sample(bytesOf(String(size), size));
      const holder = new FakeHolder('https://a.example', [content]);
      const from = new FakeSources(holder);
      await pull(content, from);
      await isThere(content);
      assert.deepEqual([holder.given, from.refused], [size, []]);
      const { length } = holder.asked;
      assert.equal(length, size === 0 ? 0 : size <= BLOCK ? 1 : 2);
      await pull(content, from);
      assert.equal(holder.asked.length, length);
    }
  });

  it('goes on elsewhere at the first missing block when a source breaks off, and names nobody for that', async () => {
    const first = new FakeHolder('https://a.example', [long]);
    first.tamper = (piece, at) => {
      if (at >= 2 * BLOCK + 20_000 - 10_000) throw first.failed('unreachable');
      return piece;
    };
    const second = new FakeHolder('https://b.example', [long]);
    const from = new FakeSources(first, second);
    await pull(long, from);
    await isThere(long);
    assert.deepEqual(first.asked, ['list 0', `blob 0 0-${long.length}`, `blob 0 ${2 * BLOCK}-${long.length}`]);
    assert.deepEqual(second.asked, [`blob 0 ${2 * BLOCK}-${long.length}`]);
    assert.deepEqual(from.refused, []);
  });

  it('asks a source that breaks off again as long as blocks come from it', async () => {
    const holder = new FakeHolder('https://a.example', [long]);
    let left = 0;
    holder.before = () => void (left = 100_000);
    holder.tamper = (piece) => {
      left -= piece.length;
      if (left < 0) throw holder.failed('unreachable');
      return piece;
    };
    await pull(long, new FakeSources(holder));
    await isThere(long);
    assert.deepEqual(
      holder.asked.slice(1),
      [0, 1, 2, 3, 4].map((block) => `blob 0 ${block * BLOCK}-${long.length}`),
    );
  });

  it('refuses a wrong block, names its source, and goes on elsewhere at that block', async () => {
    const pieceSizes = [10_000, BLOCK, 3 * BLOCK, long.length];
    for (const [i, pieceSize] of pieceSizes.entries()) {
      const content = sample(bytesOf(`lie ${i}`, long.length));
      const liar = new FakeHolder('https://liar.example', [content]);
      liar.pieceSize = pieceSize;
      liar.tamper = (piece, at) => {
        const wrong = Buffer.from(piece);
        if (at + piece.length === content.length)
          wrong.writeUInt8(wrong.readUInt8(wrong.length - 1) ^ 1, wrong.length - 1);
        return wrong;
      };
      const honest = new FakeHolder('https://honest.example', [content]);
      const from = new FakeSources(liar, honest);
      await pull(content, from);
      await isThere(content);
      assert.deepEqual(
        from.refused.map(({ url, digest, reason }) => [url, digest, reason]),
        [['https://liar.example', content.digest, 'wrong-digest']],
      );
      assert.deepEqual(honest.asked, [`blob 0 ${5 * BLOCK}-${content.length}`]);
      assert.equal(liar.asked.length, 2);
    }
  });

  it('refuses a short content that is another one, one that is too long, and takes one that ends early for broken off', async () => {
    const lies: readonly (readonly [lie: (piece: Buffer) => Buffer, reason: string | null])[] = [
      [(piece) => Buffer.alloc(piece.length), 'wrong-digest'],
      [(piece) => Buffer.concat([piece, Buffer.alloc(1)]), 'too-large'],
      [(piece) => piece.subarray(1), null],
    ];
    for (const [i, [lie, reason]] of lies.entries()) {
      const content = sample(bytesOf(`short ${i}`, 5000));
      const liar = new FakeHolder('https://liar.example', [content]);
      liar.tamper = lie;
      const from = new FakeSources(liar, new FakeHolder('https://honest.example', [content]));
      await pull(content, from);
      await isThere(content);
      assert.deepEqual(
        from.refused.map((one) => one.reason),
        reason === null ? [] : [reason],
      );
    }
  });

  it('names a source whose call could not be believed, or which sends another block list', async () => {
    const first = new FakeHolder('https://a.example', [long]);
    first.before = () => Promise.reject(first.failed('not-believed', 'too-large'));
    const second = new FakeHolder('https://b.example');
    second.blockList = () => Promise.resolve(Buffer.alloc(6 * 32));
    const third = new FakeHolder('https://c.example', [long]);
    const from = new FakeSources(first, second, third);
    await pull(long, from);
    assert.deepEqual(
      from.refused.map(({ url, digest, reason }) => [url, digest === long.blocks, reason]),
      [
        ['https://a.example', true, 'too-large'],
        ['https://b.example', true, 'wrong-digest'],
        ['https://a.example', false, 'too-large'],
      ],
    );
  });

  it('leaves a source that falls silent, or only drips, for another one', async () => {
    const never = gate();
    const silent = new FakeHolder('https://silent.example', [long]);
    silent.tamper = async (piece, at) => {
      if (at >= BLOCK) await never.promise;
      return piece;
    };
    const dripping = new FakeHolder('https://dripping.example', [long]);
    dripping.pieceSize = 1;
    dripping.tamper = async (piece) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return piece;
    };
    const from = new FakeSources(silent, dripping, new FakeHolder('https://c.example', [long]));
    await pull(long, from, { patience: 50 });
    await isThere(long);
    assert.ok(dripping.given < 16_384, `${dripping.given} bytes dripped`);
    assert.deepEqual(from.refused, []);
  });

  it('says that nobody gives it, and of each why; whether nobody answered or nobody has it', async () => {
    const away = new FakeHolder('https://away.example');
    away.before = () => Promise.reject(away.failed('unreachable'));
    const lacking = new FakeHolder('https://lacking.example');
    const failure = async (...holders: FakeHolder[]): Promise<NoSource> => {
      const error: unknown = await pull(short, new FakeSources(...holders)).catch((reason: unknown) => reason);
      assert.ok(error instanceof NoSource, String(error));
      return error;
    };
    assert.equal((await failure()).isOutage, true);
    assert.equal((await failure(away)).isOutage, true);
    assert.equal((await failure(lacking)).isOutage, false);
    const both = await failure(away, lacking);
    assert.equal(both.isOutage, false);
    assert.match(both.message, /https:\/\/away\.example: unreachable; https:\/\/lacking\.example: gone/);
  });

  it('goes on behind what it had got when it is cancelled, whoever asked for it first', async () => {
    const holder = new FakeHolder('https://a.example', [long]);
    const cancelling = new AbortController();
    holder.tamper = (piece, at) => {
      if (at > 3 * BLOCK + 20_000) cancelling.abort(new Error('of the test'));
      return piece;
    };
    await assert.rejects(pull(long, new FakeSources(holder), { signal: cancelling.signal }), /of the test/);
    assert.equal(store.usage.partial, 3 * BLOCK);
    holder.tamper = (piece) => piece;
    const from = new FakeSources(holder);
    await pull(long, from);
    await isThere(long);
    assert.equal(from.received, long.length - 3 * BLOCK);
    assert.equal(store.usage.partial, 0);
  });

  it('ends at once when it is cancelled, though a source hangs and does not obey', async () => {
    const never = gate();
    const hanging = new FakeHolder('https://a.example', [short]);
    hanging.before = () => never.promise;
    const cancelling = new AbortController();
    const pulled = pull(short, new FakeSources(hanging), { signal: cancelling.signal });
    cancelling.abort(new Error('of the test'));
    await assert.rejects(pulled, /of the test/);
  });

  it('takes blocks that are here from older contents, wherever they stand in them, and pulls only the others', async () => {
    const old = sample(bytesOf('old', 20 * BLOCK));
    const other = sample(bytesOf('other', 3 * BLOCK));
    await put(old);
    await put(other);
    const block = (of: Sample, number: number): Buffer => of.data.subarray(number * BLOCK, (number + 1) * BLOCK);
    const fresh = sample(
      Buffer.concat([
        old.data.subarray(2 * BLOCK, 9 * BLOCK),
        bytesOf('new', 2 * BLOCK),
        block(other, 1),
        block(old, 0),
        bytesOf('end', 10),
      ]),
    );
    const holder = new FakeHolder('https://a.example', [fresh]);
    const from = new FakeSources(holder);
    await pull(fresh, from, { relatives: [old, other, sample(bytesOf('not here', 70_000))] });
    await isThere(fresh);
    assert.deepEqual(holder.asked, [
      'list 0',
      `blob 0 ${7 * BLOCK}-${9 * BLOCK}`,
      `blob 0 ${11 * BLOCK}-${fresh.length}`,
    ]);
    assert.equal(from.spared, 9 * BLOCK);
  });

  it('gets a block that it has several times once', async () => {
    const content = sample(Buffer.concat([Buffer.alloc(10 * BLOCK), bytesOf('end', BLOCK), Buffer.alloc(BLOCK)]));
    const holder = new FakeHolder('https://a.example', [content]);
    await pull(content, new FakeSources(holder));
    await isThere(content);
    assert.equal(holder.given, 2 * BLOCK);
  });

  it('pulls one block, and the list, of a file of 100 MB of which one block has changed', async () => {
    const data = bytesOf('large', 25 * BLOCK);
    const old = sample(Buffer.concat(Array.from({ length: 61 }, (_, i) => Buffer.concat([data, Buffer.from([i])]))));
    assert.ok(old.length > 99e6, `only ${old.length} bytes`);
    await put(old);
    const changed = Buffer.from(old.data);
    changed.write('changed', 50e6);
    const fresh = sample(changed);
    const holder = new FakeHolder('https://a.example', [fresh]);
    const from = new FakeSources(holder);
    await pull(fresh, from, { relatives: [old] });
    await isThere(fresh);
    assert.equal(holder.given, BLOCK);
    assert.equal(from.received, BLOCK + fresh.list.length);
    assert.equal(from.spared, fresh.length - BLOCK);
  });

  it('pulls blocks that were to be copied when the older content turns out to be gone or damaged', async () => {
    const old = sample(bytesOf('old', 4 * BLOCK));
    await put(old);
    const fresh = sample(Buffer.concat([old.data, bytesOf('more', 10)]));
    const read = store.read.bind(store);
    const broken = Object.create(store) as BlobStore;
    const methods = {
      lengthOf: store.lengthOf.bind(store),
      put: store.put.bind(store),
      resume: store.resume.bind(store),
      readWhole: store.readWhole.bind(store),
      read: async function* (...[digest, from, , blocks]: Parameters<BlobStore['read']>): AsyncGenerator<Buffer> {
        yield* read(digest, from, bytes(from + 2 * BLOCK), blocks);
        throw new BlobStoreError('damaged', 'of the test');
      },
    };
    for (const [name, value] of Object.entries(methods)) Object.defineProperty(broken, name, { value });
    const holder = new FakeHolder('https://a.example', [fresh]);
    const from = new FakeSources(holder);
    const options = { store: broken, content: fresh, relatives: [old], from, settings: settings() };
    await new ContentPull(options).run(new AbortController().signal);
    await isThere(fresh);
    assert.deepEqual(holder.asked.at(-1), `blob 0 ${2 * BLOCK}-${fresh.length}`);
  });

  it('refuses for good what cannot be as its record says, and blames no source for that', async () => {
    const holder = new FakeHolder('https://a.example', [long, short]);
    const from = new FakeSources(holder);
    const impossible: readonly Sample[] = [
      { ...long, digest: short.digest, blocks: long.blocks },
      { ...long, length: bytes(long.length - BLOCK) },
      { ...sample(Buffer.alloc(0)), digest: long.digest },
    ];
    holder.add({ ...long, digest: short.digest });
    for (const content of impossible) await assert.rejects(pull(content, from), NotBelieved);
    await pull(short, new FakeSources(new FakeHolder('https://b.example', [short])));
    await assert.rejects(pull({ ...short, length: bytes(4999) }, from), /has 5000 bytes, not 4999/);
    assert.deepEqual(from.refused, []);
    assert.equal(store.usage.partial, 0);
  });

  it('reports a store that is full', async () => {
    await store.close();
    const clock = new FakeClock();
    const limit = bytes(100_000);
    const keep = milliseconds(1);
    store = await BlobStore.open({ directory: temporary.path, limit, keep, clock, onDamaged: () => undefined });
    const error: unknown = await pull(long, new FakeSources(new FakeHolder('https://a.example', [long]))).catch(
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof BlobStoreError, String(error));
    assert.equal(error.fault, 'full');
  });

  it('tells of blocks as they come, and gives them verified', async () => {
    const holder = new FakeHolder('https://a.example', [long]);
    const held = gate();
    holder.tamper = async (piece, at) => {
      if (at > 3 * BLOCK) await held.promise;
      return piece;
    };
    const from = new FakeSources(holder);
    const pulling = new ContentPull({ store, content: long, relatives: [], from, settings: settings() });
    const ending = new AbortController();
    const run = pulling.run(ending.signal);
    while (pulling.position < 3 * BLOCK) await pulling.moved;
    assert.deepEqual(await pulling.block(2), long.data.subarray(2 * BLOCK, 3 * BLOCK));
    held.open();
    await run;
    assert.equal(await pulling.block(2), null);
  });
});
