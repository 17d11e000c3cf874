import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { DirectReads } from '../../proxy/forward/direct-reads.js';
import { rawOrigin, type RawOrigin } from '../support/raw-origin.js';

describe('a connection that is read directly', () => {
  let origin: RawOrigin;
  let socket: Socket;
  let far: Socket;
  let reads: DirectReads;

  beforeEach(async () => {
    const accepted = new Promise<Socket>((resolve) => {
      rawOrigin(() => undefined, { onConnection: resolve }).then(
        (started) => {
          origin = started;
          reads = new DirectReads();
          const { onread } = reads;
          socket = connect({ port: origin.port, host: '127.0.0.1', allowHalfOpen: true, onread });
          reads.attach(socket);
        },
        () => undefined,
      );
    });
    far = await accepted;
  });
  afterEach(async () => {
    socket.destroy();
    await origin.close();
  });

  /** Writes, and waits until the socket holds so much. */
  const hold = async (text: string, held: number): Promise<void> => {
    far.write(text);
    while (socket.readableLength < held && !socket.destroyed) await new Promise((resolve) => setImmediate(resolve));
  };

  it('is a stream like any other as long as there is no sink', async () => {
    await hold('first ', 6);
    await hold('second ', 13);
    far.end('third');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    assert.equal(text, 'first second third');
  });

  it('gives up what it holds as a stream before anything goes to the sink', async () => {
    await hold('a', 1);
    const seen: string[] = [];
    reads.passTo((chunk) => {
      seen.push(`sink ${chunk.toString()}`);
      return true;
    });
    await hold('b', 2);
    socket.on('data', (chunk: Buffer) => seen.push(`stream ${chunk.toString()}`));
    while (socket.readableLength > 0 && !socket.destroyed) await new Promise((resolve) => setImmediate(resolve));
    far.end('c');
    await once(socket, 'end');
    assert.equal(seen.map((line) => line.replace('stream ', '')).join(''), 'absink c');
  });

  it('is not read while the sink needs the bytes, and is when it is resumed', async () => {
    const chunks: Buffer[] = [];
    let more!: () => void;
    reads.passTo((chunk) => {
      chunks.push(chunk);
      more();
      return false;
    });
    socket.on('data', () => assert.fail('nothing was held'));
    let [received, texts] = [0, ''];
    far.end('abcdefgh'.repeat(12_500));
    while (received < 100_000) {
      const next = new Promise<void>((resolve) => (more = resolve));
      socket.resume();
      await next;
      const [chunk] = chunks.splice(0);
      const before = chunk!.toString();
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(chunk!.toString(), before);
      assert.deepEqual(chunks, []);
      received += chunk!.length;
      texts += before;
    }
    assert.equal(texts, 'abcdefgh'.repeat(12_500));
    const ended = once(socket, 'end');
    socket.resume();
    await ended;
  });

  it('is read in larger pieces the more comes', async () => {
    const size = 8_000_000;
    let [received, largest] = [0, 0];
    reads.passTo((chunk) => {
      received += chunk.length;
      largest = Math.max(largest, chunk.length);
      return true;
    });
    socket.on('data', (chunk: Buffer) => (received += chunk.length));
    far.end(Buffer.alloc(size));
    await once(socket, 'end');
    assert.equal(received, size);
    assert.ok(largest > 16_384, `${largest}`);
  });
});
