import assert from 'node:assert/strict';
import { bytes, milliseconds, type Milliseconds } from '../../../config/units.js';
import { BlobStore } from '../../../replication/blob-store.js';
import { ContentPulls } from '../../../replication/pull/content-pulls.js';
import { Puller, type PullerOptions } from '../../../replication/pull/puller.js';
import type { Refusal } from '../../../replication/pull/source-trial.js';
import type { WantedContent } from '../../../replication/pull/wanted-contents.js';
import type { Digest } from '../../../wlis/trust/digest.js';
import { parseEpoch } from '../../../wlis/trust/epoch.js';
import { NotBelieved } from '../../../wlis/trust/not-believed.js';
import { FakeClock } from '../../support/fake-clock.js';
import { gate, type Gate } from '../../support/gate.js';
import { TempDir } from '../../support/temp-dir.js';
import { settled, until } from '../../support/waiting.js';
import { BLOCK, bytesOf, FakeHolder, sample, settings, type Sample } from './fake-holder.js';

const epoch = parseEpoch('1700000000000-0123456789abcdef');

const wanted = (content: Sample, seq: number | null = null, relatives: Sample[] = []): WantedContent => ({
  content,
  relatives,
  seq,
});

const samples = (name: string, count: number, length = 1000): Sample[] =>
  Array.from({ length: count }, (_, i) => sample(bytesOf(`${name} ${i}`, length)));

describe('a puller', () => {
  let temporary: TempDir;
  let store: BlobStore;
  let pulls: ContentPulls;
  let had: Digest[];
  let failed: (readonly [Digest | null, unknown])[];
  let refused: Refusal[];
  let delays: { readonly time: Milliseconds; readonly over: Gate; readonly signal: AbortSignal }[];
  const pullers: Puller[] = [];

  beforeEach(async () => {
    temporary = await TempDir.create();
    [had, failed, refused, delays] = [[], [], [], []];
    store = await BlobStore.open({
      directory: temporary.path,
      limit: bytes(1e9),
      keep: milliseconds(600_000),
      clock: new FakeClock(),
      onDamaged: (error) => assert.fail(String(error)),
    });
    pulls = new ContentPulls(store, settings());
  });

  afterEach(async () => {
    for (const puller of pullers.splice(0)) await puller.stop();
    await store.close();
    await temporary.remove();
  });

  function pullerFrom(holders: readonly FakeHolder[], options: Partial<PullerOptions> = {}): Puller {
    const puller = new Puller({
      store,
      pulls,
      sources: () => holders,
      onHave: (digest) => had.push(digest),
      onFailed: (digest, error) => failed.push([digest, error]),
      onRefused: (refusal) => refused.push(refusal),
      delay: (time, signal) => {
        const over = gate();
        delays.push({ time, over, signal });
        signal.addEventListener('abort', () => over.open());
        return over.promise;
      },
      chance: () => 0.5,
      ...options,
    });
    pullers.push(puller);
    return puller;
  }

  const want = (puller: Puller, ...contents: WantedContent[]): void => puller.want({ epoch, contents });

  it('gets what is wanted, in its order, so many at once, and tells of each once', async () => {
    const contents = samples('one', 20, 40_000);
    const holder = new FakeHolder('https://a.example', contents);
    let [running, most] = [0, 0];
    holder.before = () => void (most = Math.max(most, ++running));
    const onHave = (digest: Digest): void => {
      had.push(digest);
      running--;
    };
    const puller = pullerFrom([holder], { concurrency: 3, onHave });
    want(puller, ...contents.map((content) => wanted(content)));
    assert.deepEqual(puller.progress, { done: 0, total: 20, bytesDone: 0, bytesTotal: 800_000 });
    await until(() => had.length === 20);
    assert.deepEqual(new Set(had), new Set(contents.map(({ digest }) => digest)));
    assert.deepEqual(
      holder.asked.map((call) => Number(call.split(' ')[1])),
      contents.map((_, i) => i),
    );
    assert.equal(most, 3);
    assert.deepEqual(puller.progress, { done: 20, total: 20, bytesDone: 800_000, bytesTotal: 800_000 });
    assert.equal(puller.counters.bytesPulled, 800_000);
  });

  it('does not pull what is in the store, nor one content twice that is wanted twice', async () => {
    const [one, two] = samples('one', 2) as [Sample, Sample];
    const holder = new FakeHolder('https://a.example', [one, two]);
    const puller = pullerFrom([holder]);
    want(puller, wanted(one), wanted(one));
    await until(() => had.length === 1);
    want(puller, wanted(one), wanted(two));
    assert.equal(puller.progress.total, 1);
    await until(() => had.length === 2);
    assert.deepEqual(had, [one.digest, two.digest]);
    assert.equal(holder.asked.length, 2);
  });

  it('ends what is not wanted any more, goes on with what still is, and later where it had ended', async () => {
    const [one, two] = samples('long', 2, 4 * BLOCK) as [Sample, Sample];
    const holder = new FakeHolder('https://a.example', [one, two]);
    const held = gate();
    holder.tamper = async (piece, at) => {
      if (at > 3 * BLOCK) await held.promise;
      return piece;
    };
    const puller = pullerFrom([holder]);
    want(puller, wanted(one), wanted(two));
    await until(() => puller.progress.bytesDone === 6 * BLOCK);
    want(puller, wanted(two));
    assert.deepEqual(puller.progress, { done: 0, total: 1, bytesDone: 3 * BLOCK, bytesTotal: 4 * BLOCK });
    held.open();
    await until(() => had.length === 1);
    want(puller, wanted(one), wanted(two));
    await until(() => had.length === 2);
    assert.deepEqual(had, [two.digest, one.digest]);
    assert.deepEqual(holder.asked.filter((call) => call.startsWith('blob')).sort(), [
      `blob 0 0-${one.length}`,
      `blob 0 ${3 * BLOCK}-${one.length}`,
      `blob 1 0-${two.length}`,
    ]);
  });

  it('pulls nothing while it is paused, and then goes on where it was', async () => {
    const content = sample(bytesOf('long', 4 * BLOCK));
    const holder = new FakeHolder('https://a.example', [content]);
    const held = gate();
    holder.tamper = async (piece, at) => {
      if (at > 2 * BLOCK && !held.isOpen) await held.promise;
      return piece;
    };
    const puller = pullerFrom([holder]);
    want(puller, wanted(content));
    await until(() => puller.progress.bytesDone === 2 * BLOCK);
    puller.pause();
    held.open();
    const { length } = holder.asked;
    want(puller, wanted(content));
    assert.equal(await settled(() => holder.asked.length), length);
    puller.resume();
    await until(() => had.length === 1);
    assert.equal(puller.counters.bytesPulled < content.length + content.list.length + BLOCK, true);
  });

  it('tries nothing more while nobody answers, then again, each time after longer, or at once when it is told to', async () => {
    const contents = samples('one', 30);
    const holder = new FakeHolder('https://a.example', contents);
    let isAway = true;
    holder.before = () => (isAway ? Promise.reject(holder.failed('unreachable')) : undefined);
    const puller = pullerFrom([holder], { concurrency: 4 });
    puller.want({ epoch: null, contents: contents.map((content) => wanted(content)) });
    await until(() => failed.length === 4);
    assert.equal(await settled(() => holder.asked.length), 4);
    assert.deepEqual(
      delays.map(({ time }) => time),
      [750],
    );
    delays[0]?.over.open();
    await until(() => failed.length === 8);
    assert.equal(await settled(() => holder.asked.length), 8);
    puller.retry();
    await until(() => failed.length === 12);
    assert.deepEqual(
      delays.map(({ time }) => time),
      [750, 1500, 3000],
    );
    isAway = false;
    puller.retry();
    await until(() => had.length === 30);
    assert.deepEqual(
      delays.map(({ signal }) => signal.aborted),
      [true, true, true],
    );
    isAway = true;
    const [more] = samples('more', 1) as [Sample];
    want(puller, wanted(more));
    await until(() => failed.length === 13);
    assert.equal(delays.at(-1)?.time, 750);
  });

  it('goes on with the others when nobody has one of them, and tries that again later', async () => {
    const contents = samples('one', 5);
    const [missing, ...others] = contents as [Sample, ...Sample[]];
    const holder = new FakeHolder('https://a.example', others);
    const puller = pullerFrom([holder], { concurrency: 1 });
    want(puller, ...contents.map((content) => wanted(content)));
    await until(() => had.length === 4);
    assert.deepEqual(
      failed.map(([digest]) => digest),
      [missing.digest],
    );
    holder.add(missing);
    delays[0]?.over.open();
    await until(() => had.length === 5);
  });

  it('goes on with the others when somebody else is writing one of them into the store, and finds that there later', async () => {
    const [one, two] = samples('one', 2, 2 * BLOCK) as [Sample, Sample];
    const holder = new FakeHolder('https://a.example', [one, two]);
    const draft = await store.resume(one, one.list, new AbortController().signal);
    const puller = pullerFrom([holder], { concurrency: 1 });
    want(puller, wanted(one), wanted(two));
    await until(() => had.length === 1 && failed.length === 1);
    assert.deepEqual(had, [two.digest]);
    for (const at of [0, BLOCK]) await draft.append(one.data.subarray(at, at + BLOCK));
    await draft.complete();
    puller.retry();
    await until(() => had.length === 2);
    assert.deepEqual(
      holder.asked.filter((call) => call.startsWith('blob 0')),
      [],
    );
  });

  it('gives up what no content can be, and names a liar', async () => {
    const [one, two] = samples('one', 2) as [Sample, Sample];
    const holder = new FakeHolder('https://a.example', [one, two]);
    holder.tamper = (piece) => (piece.equals(two.data) ? Buffer.alloc(1000) : piece);
    const honest = new FakeHolder('https://b.example', [two]);
    const puller = pullerFrom([holder, honest]);
    want(puller, wanted({ ...one, length: bytes(0) }), wanted(two));
    await until(() => had.length === 1 && failed.length === 1);
    assert.ok(failed[0]?.[1] instanceof NotBelieved, String(failed[0]?.[1]));
    assert.deepEqual(
      refused.map(({ url, reason }) => [url, reason]),
      [['https://a.example', 'wrong-digest']],
    );
    assert.equal(puller.progress.total, 1);
    assert.equal(delays.length, 0);
  });

  it('has part in a pull that another one has begun into the same store', async () => {
    const content = sample(bytesOf('shared', 3 * BLOCK));
    const holder = new FakeHolder('https://a.example', [content]);
    const held = gate();
    holder.tamper = (piece) => held.promise.then(() => piece);
    const [first, second] = [pullerFrom([holder]), pullerFrom([holder])];
    want(first, wanted(content));
    await until(() => holder.asked.length === 2);
    want(second, wanted(content));
    want(first);
    held.open();
    await until(() => had.length === 1);
    assert.equal(holder.asked.length, 2);
    assert.deepEqual([first.progress.total, second.progress.done], [0, 1]);
  });

  it('ends all when it is stopped, and waits for that; twice is as once', async () => {
    const content = sample(bytesOf('long', 4 * BLOCK));
    const holder = new FakeHolder('https://a.example', [content]);
    holder.tamper = (piece, at) => (at > 2 * BLOCK ? gate().promise.then(() => piece) : piece);
    const puller = pullerFrom([holder]);
    want(puller, wanted(content));
    await until(() => puller.progress.bytesDone === 2 * BLOCK);
    await Promise.all([puller.stop(), puller.stop()]);
    assert.equal(store.usage.partial, 2 * BLOCK);
    want(puller, wanted(content));
    assert.equal(holder.asked.length, 2);
  });

  describe('with many short contents', () => {
    const contents = samples('short', 100);
    let holder: FakeHolder;

    beforeEach(() => {
      holder = new FakeHolder('https://a.example', contents);
      holder.bundled = contents.map((one, i) => ({ sample: one, seq: i + 1 }));
    });

    const numbered = (from = 0, to = contents.length): WantedContent[] =>
      contents.slice(from, to).map((content, i) => wanted(content, from + i + 1));

    it('gets them in a bundle that begins with the first of them, beside long ones by themselves', async () => {
      const long = sample(bytesOf('long', 2 * BLOCK));
      holder.add(long);
      const puller = pullerFrom([holder]);
      want(puller, ...numbered(30), wanted(long, 101));
      await until(() => had.length === 71);
      assert.deepEqual([...holder.asked].sort(), ['blob 100 0-131072', 'bundle 30', 'list 100']);
      assert.equal(holder.given, 70 * 1000 + 2 * BLOCK);
    });

    it('asks for none for a few of them, or for those whose number is not known', async () => {
      const puller = pullerFrom([holder]);
      want(puller, ...numbered(0, 7), ...contents.slice(50).map((content) => wanted(content)));
      await until(() => had.length === 57);
      assert.equal(
        holder.asked.some((call) => call.startsWith('bundle')),
        false,
      );
    });

    it('goes on behind what it has got when a bundle breaks off, and by themselves when nobody has bundles', async () => {
      let count = 0;
      holder.tamper = (piece) => {
        if (count++ === 40) throw holder.failed('unreachable');
        return piece;
      };
      const puller = pullerFrom([holder]);
      want(puller, ...numbered());
      await until(() => had.length === 100);
      assert.deepEqual(holder.asked, ['bundle 0', 'bundle 40']);
      assert.equal(holder.given, 100_000);

      const more = samples('more', 10);
      for (const one of more) holder.add(one);
      holder.before = (call) => {
        if (call.startsWith('bundle')) throw holder.failed('refused', 'forgotten');
      };
      want(puller, ...more.map((content, i) => wanted(content, i + 1)));
      await until(() => had.length === 110);
      assert.equal(holder.asked.length, 2 + 1 + 10);
    });

    it('gives bundles up when most of what they have is not wanted', async () => {
      const others = samples('other', 100, 5000);
      holder.bundled = [...others, ...contents].map((one, i) => ({ sample: one, seq: i + 1 }));
      const puller = pullerFrom([holder]);
      const bundled = [...contents.entries()].map(([i, content]) => wanted(content, i + 101));
      want(puller, wanted(contents[0] as Sample, 1), ...bundled.slice(1));
      await until(() => had.length === 100);
      assert.ok(holder.given < 100_000 + BLOCK + 10_000, `${holder.given} bytes`);
    });

    it('pulls by themselves what bundles leave out, and takes no content for another', async () => {
      const left = contents[3] as Sample;
      holder.bundled = holder.bundled.filter(({ sample: one }) => one !== left);
      const liar = new FakeHolder('https://liar.example', contents);
      liar.bundled = holder.bundled;
      liar.tamper = () => bytesOf('lie', 1000);
      const puller = pullerFrom([liar, holder]);
      want(puller, ...numbered());
      await until(() => had.length === 100);
      assert.deepEqual(
        refused.map(({ url, digest, reason }) => [url, digest, reason]),
        [
          ['https://liar.example', null, 'wrong-digest'],
          ['https://liar.example', left.digest, 'wrong-digest'],
        ],
      );
    });

    it('asks for the bundle again when nobody had answered', async () => {
      let isAway = true;
      holder.before = () => (isAway ? Promise.reject(holder.failed('unreachable')) : undefined);
      const puller = pullerFrom([holder], { concurrency: 2 });
      want(puller, ...numbered());
      await until(() => delays.length === 1);
      await settled(() => holder.asked.length);
      isAway = false;
      holder.asked.length = 0;
      puller.retry();
      await until(() => had.length === 100);
      assert.deepEqual(holder.asked, ['bundle 0']);
    });
  });
});
