import assert from 'node:assert/strict';
import { bytes } from '../../config/units.js';
import { WillisError } from '../../proxy/base/errors.js';
import { BufferedBody, readAll, type Body } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import { Fill, type FillOptions } from '../../proxy/cache/fill.js';
import type { ResponseWriter } from '../../proxy/cache/response-store.js';
import type { StoredResponse } from '../../proxy/cache/stored-response.js';

/** A source that gives what the test puts in, when it puts it in. */
class PushBody implements Body {
  readonly trailers = Fields.none;
  cancelled = false;
  reads = 0;
  readonly #queue: (Buffer | null | Error)[] = [];
  #waiting: { resolve: (chunk: Buffer | null) => void; reject: (error: Error) => void } | null = null;

  constructor(readonly length: ReturnType<typeof bytes> | null = null) {}

  push(item: string | null | Error): void {
    const value = typeof item === 'string' ? Buffer.from(item) : item;
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) this.#queue.push(value);
    else if (value instanceof Error) waiting.reject(value);
    else waiting.resolve(value);
  }

  read(): Buffer | null | Promise<Buffer | null> {
    this.reads++;
    const next = this.#queue.shift();
    if (next instanceof Error) throw next;
    if (next !== undefined) return next;
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
  }

  cancel(): void {
    this.cancelled = true;
  }
}

class RecordingWriter implements ResponseWriter {
  text = '';
  outcome: 'committed' | 'kept' | 'dropped' | null = null;
  stored: StoredResponse | null = null;
  keepsBuffers = false;

  constructor(private readonly limit = Infinity) {}

  append(chunk: Buffer): boolean {
    this.text += chunk.toString();
    return this.text.length <= this.limit;
  }

  commit(): StoredResponse | null {
    this.outcome = 'committed';
    return this.stored;
  }

  abandon(keep: boolean): null {
    this.outcome = keep ? 'kept' : 'dropped';
    return null;
  }
}

const options = (changed: Partial<FillOptions> = {}): FillOptions => ({
  readAhead: bytes(8),
  completeWithin: bytes(4),
  keepPart: () => true,
  ...changed,
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const ended = (fill: Fill): Promise<void> => new Promise((resolve) => fill.whenEnded(resolve));
const text = async (body: Body): Promise<string> => (await readAll(body, bytes(1_000_000))).toString();

describe('one transfer for the store and several readers', () => {
  it('gives every reader the whole from its first byte, whenever it joins', async () => {
    const source = new PushBody();
    const writer = new RecordingWriter();
    const fill = new Fill(source, writer, options());
    const first = text(fill.reader());
    source.push('hello ');
    await turn();
    const second = text(fill.reader());
    source.push('world');
    source.push(null);
    assert.deepEqual(await Promise.all([first, second]), ['hello world', 'hello world']);
    assert.equal(await text(fill.reader()), 'hello world');
    assert.equal(writer.text, 'hello world');
    assert.equal(writer.outcome, 'committed');
  });

  it('gives a reader what the source has at hand at once, though nothing comes after it for a long time', async () => {
    const source = new PushBody();
    const fill = new Fill(source, new RecordingWriter(), options());
    source.push('hello');
    assert.equal(String(await Promise.race([fill.reader().read(), turn().then(() => 'nothing')])), 'hello');
  });

  it('with nobody left to read it, is given up as soon as the store gives up on it', async () => {
    const source = new PushBody(bytes(8));
    const fill = new Fill(source, new RecordingWriter(2), options({ completeWithin: bytes(8) }));
    fill.reader().cancel();
    assert.equal(source.cancelled, false);
    source.push('1234');
    await turn();
    assert.equal(source.cancelled, true);
    await ended(fill);
  });

  it('gives a reader exactly the positions it asked for', async () => {
    const source = new PushBody(bytes(10));
    const fill = new Fill(source, new RecordingWriter(), options());
    const middle = fill.reader(bytes(3), bytes(7));
    assert.equal(middle.length, 4);
    const rest = text(fill.reader(bytes(5)));
    const wanted = text(middle);
    source.push('01');
    source.push('23456789');
    source.push(null);
    assert.equal(await wanted, '3456');
    assert.equal(await rest, '56789');
  });

  it('holds the source back when the fastest reader stops', async () => {
    const source = new PushBody();
    const fill = new Fill(source, new RecordingWriter(), options());
    const reader = fill.reader();
    const chunk = reader.read();
    for (let i = 0; i < 20; i++) source.push('1234');
    assert.equal(String(await chunk), '1234');
    await turn();
    // the 4 read, 8 ahead of them, and nothing more
    assert.equal(source.reads, 3);
  });

  it('does not let a slow reader hold back a fast one while the store takes the bytes', async () => {
    const source = new PushBody();
    const fill = new Fill(source, new RecordingWriter(), options());
    const slow = fill.reader();
    const fast = text(fill.reader());
    for (let i = 0; i < 20; i++) source.push('1234');
    source.push(null);
    assert.equal((await fast).length, 80);
    assert.equal((await text(slow)).length, 80);
  });

  it('goes on without the store when it gives up, and is then joinable no more', async () => {
    const source = new PushBody();
    const fill = new Fill(source, new RecordingWriter(6), options());
    const reader = text(fill.reader());
    for (let i = 0; i < 5; i++) source.push('1234');
    source.push(null);
    assert.equal((await reader).length, 20);
    assert.equal(fill.joinable, false);
    await ended(fill);
  });

  it('is given up, and its part kept, when the last reader leaves a transfer that is far from its end', async () => {
    const source = new PushBody(bytes(100));
    const writer = new RecordingWriter();
    const fill = new Fill(source, writer, options());
    const one = fill.reader();
    const other = fill.reader();
    const chunk = one.read();
    source.push('1234');
    await chunk;
    one.cancel();
    assert.equal(source.cancelled, false);
    other.cancel();
    assert.equal(source.cancelled, true);
    assert.equal(writer.outcome, 'kept');
  });

  it('is completed for the store when the last reader leaves it nearly done', async () => {
    const source = new PushBody(bytes(8));
    const writer = new RecordingWriter();
    const fill = new Fill(source, writer, options());
    const reader = fill.reader();
    const chunk = reader.read();
    source.push('1234');
    await chunk;
    reader.cancel();
    source.push('5678');
    source.push(null);
    await ended(fill);
    assert.equal(source.cancelled, false);
    assert.equal(writer.outcome, 'committed');
  });

  it('breaks for every reader when the source breaks, and is never stored as whole', async () => {
    const source = new PushBody();
    const writer = new RecordingWriter();
    const fill = new Fill(source, writer, options({ keepPart: () => false }));
    const readers = [text(fill.reader()), text(fill.reader())];
    source.push('1234');
    source.push(new WillisError('upstream-incomplete', 'gone'));
    for (const result of await Promise.allSettled(readers)) {
      assert.equal(result.status, 'rejected');
      assert.equal((result.reason as WillisError).code, 'upstream-incomplete');
    }
    assert.equal(writer.outcome, 'dropped');
  });

  it('stays alive while it is held, and ends when it is let go without a reader', async () => {
    const source = new PushBody();
    const writer = new RecordingWriter();
    const fill = new Fill(source, writer, options());
    const release = fill.hold();
    await turn();
    assert.equal(source.cancelled, false);
    release();
    assert.equal(source.cancelled, true);
    await ended(fill);
  });

  describe('of which no more is kept than a window', () => {
    const content = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i).repeat(4));
    const stored = {} as StoredResponse;
    /** Gives what the writer has, as the store would. */
    const behind = (writer: RecordingWriter): FillOptions =>
      options({
        backing: {
          window: bytes(16),
          open: (_, from, to) => BufferedBody.from(writer.text.slice(from, to)),
        },
      });
    const filled = (source: PushBody): PushBody => {
      for (const chunk of content) source.push(chunk);
      source.push(null);
      return source;
    };

    it('gives the rest from the store to a reader who fell behind, when it is stored', async () => {
      const writer = new RecordingWriter();
      writer.stored = stored;
      const fill = new Fill(filled(new PushBody()), writer, behind(writer));
      const [slow, slower, whole] = [fill.reader(), fill.reader(bytes(1), bytes(50)), text(fill.reader())];
      assert.equal((await slow.read())?.toString(), 'aaaa');
      assert.equal(await whole, content.join(''));
      assert.equal(fill.joinable, false);
      assert.equal(await text(slow), content.slice(1).join(''));
      assert.equal(await text(slower), content.join('').slice(1, 50));
    });

    it('lets a reader who fell behind wait for the end of the transfer', async () => {
      const source = new PushBody();
      const writer = new RecordingWriter();
      writer.stored = stored;
      const fill = new Fill(source, writer, behind(writer));
      const fast = fill.reader();
      const late = fill.reader();
      for (const chunk of content) {
        source.push(chunk);
        await fast.read();
      }
      let arrived = false;
      const reading = text(late).then((all) => {
        arrived = true;
        return all;
      });
      await turn();
      assert.equal(arrived, false);
      source.push(null);
      await text(fast);
      assert.equal(await reading, content.join(''));
    });

    it('breaks for a reader who fell behind, if it is not stored in the end', async () => {
      const writer = new RecordingWriter();
      const fill = new Fill(filled(new PushBody()), writer, behind(writer));
      const [late, fast] = [fill.reader(), fill.reader()];
      assert.equal(await text(fast), content.join(''));
      await assert.rejects(text(late), /not stored after all/);
    });

    it('is kept as a whole where the store has it in memory anyway', async () => {
      const writer = new RecordingWriter();
      writer.keepsBuffers = true;
      const fill = new Fill(filled(new PushBody()), writer, behind(writer));
      const [late, fast] = [fill.reader(), fill.reader()];
      assert.equal(await text(fast), content.join(''));
      assert.equal(await text(late), content.join(''));
    });
  });
});
