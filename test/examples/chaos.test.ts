import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { Chance } from '../../examples/demo/chaos/chance.js';
import { Front } from '../../examples/demo/chaos/front.js';
import { judge } from '../../examples/demo/chaos/judgement.js';
import { Tally } from '../../examples/demo/chaos/tally.js';
import { contentOf, WrittenFiles } from '../../examples/demo/chaos/written-files.js';
import { freePorts } from '../../examples/demo/free-ports.js';
import { parseOptions } from '../../examples/demo/options.js';
import { TempDir } from '../support/temp-dir.js';

describe('the options of the demonstration', () => {
  it('are none, or --chaos with a time and a seed', () => {
    assert.deepEqual(parseOptions([]), { mode: 'show' });
    assert.deepEqual(parseOptions(['--chaos']), { mode: 'chaos', time: 600_000, seed: 1 });
    assert.deepEqual(parseOptions(['--chaos', '--for', '90s', '--seed', '7']), {
      mode: 'chaos',
      time: 90_000,
      seed: 7,
    });
    assert.deepEqual(parseOptions(['--help']), { mode: 'help' });
  });

  it('say what is wrong with them', () => {
    assert.throws(() => parseOptions(['--chaos', '--for', '10']), /--for wants a time .* not 10/);
    assert.throws(() => parseOptions(['--chaos', '--for', '9s']), /--for wants a time/);
    assert.throws(() => parseOptions(['--chaos', '--seed', '-1']), /seed/);
    assert.throws(() => parseOptions(['--for', '10m']), /go with --chaos/);
    assert.throws(() => parseOptions(['--kaos']), /kaos/);
  });
});

describe('what a reader in chaos gets', () => {
  const file = { path: 'notes/note-0.bin', length: 10_000, version: 9 };

  it('is true if it is any version from the one on that was read before', () => {
    for (const version of [7, 8, 9]) {
      const bytes = contentOf(file, version);
      assert.deepEqual(judge(file, 7, { bytes, from: 0 }), { kind: 'true', version });
      assert.deepEqual(judge(file, 7, { bytes: bytes.subarray(4000, 4100), from: 4000 }), { kind: 'true', version });
    }
  });

  it('is too old if it is an earlier one', () => {
    assert.deepEqual(judge(file, 7, { bytes: contentOf(file, 6), from: 0 }), { kind: 'older', version: 6 });
  });

  it('is false if one byte is, if two versions are mixed, and if it is from another place or another file', () => {
    const changed = contentOf(file, 9);
    changed[9999] = (changed[9999] ?? 0) ^ 1;
    const mixed = Buffer.concat([contentOf(file, 9).subarray(0, 9000), contentOf(file, 8).subarray(9000)]);
    const other = contentOf({ ...file, path: 'notes/note-1.bin' }, 9);
    const shifted = contentOf(file, 9).subarray(1, 101);
    for (const bytes of [changed, mixed, other, shifted]) {
      assert.deepEqual(judge(file, 1, { bytes, from: 0 }), { kind: 'false' });
    }
  });
});

describe('the files that are edited in chaos', () => {
  it('are there in their first version, and after an edit in the next', async () => {
    const room = await TempDir.create();
    try {
      const files = await WrittenFiles.write(room.path);
      const [first] = files.all;
      assert.ok(first !== undefined, 'there are files');
      assert.deepEqual(await readFile(join(room.path, first.path)), contentOf(first, 1));
      await files.edit(first.path);
      assert.equal(first.version, 2);
      assert.deepEqual(await readFile(join(room.path, first.path)), contentOf(first, 2));
    } finally {
      await room.remove();
    }
  });
});

describe('the chance of a seed', () => {
  it('is the same each time, and another one for another seed', () => {
    const some = (seed: number): number[] => {
      const chance = new Chance(seed);
      return Array.from({ length: 20 }, () => chance.between(1, 1000));
    };
    assert.deepEqual(some(3), some(3));
    assert.notDeepEqual(some(3), some(4));
    assert.deepEqual(new Chance(5).shuffled([1, 2, 3, 4]).sort(), [1, 2, 3, 4]);
  });
});

describe('the tally', () => {
  it('counts answers and failures, and tells within which time which share of them was there', () => {
    let now = 0;
    const tally = new Tally(() => now);
    for (let took = 1; took <= 100; took++) tally.answered('whole', 'primary', 10, took);
    now = 5000;
    tally.fail('something');
    assert.deepEqual(
      [tally.requests, tally.bytes, tally.failed, tally.failures],
      [100, 1000, 1, [{ at: 5000, what: 'something' }]],
    );
    assert.deepEqual([tally.within(0.5), tally.within(0.99), tally.within(1)], [51, 100, 100]);
    assert.equal(new Tally(() => now).within(0.5), null);
  });
});

describe('what stands before a node in chaos', () => {
  let server: Server;
  let front: Front;
  let url: string;
  const taken: Socket[] = [];

  beforeEach(async () => {
    server = createServer((socket) => {
      taken.push(socket.on('error', () => undefined));
      socket.on('data', (data) => socket.write(`heard ${data.toString()}`));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const [port = 0] = await freePorts(1);
    url = `http://127.0.0.1:${port}`;
    front = await Front.open(url, `127.0.0.1:${(server.address() as AddressInfo).port}`);
  });

  afterEach(async () => {
    await front.close();
    for (const socket of taken.splice(0)) socket.destroy();
    server.close();
  });

  const visit = async (): Promise<Socket> => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    return socket.setEncoding('utf8');
  };

  /** @returns whether by an error */
  const closed = (socket: Socket): Promise<boolean> => new Promise((resolve) => socket.on('close', resolve));

  it('passes on; as a black hole it takes connections and nothing comes back; afterwards those break and new ones pass', async () => {
    const before = await visit();
    before.write('one');
    assert.deepEqual(await once(before, 'data'), ['heard one']);

    front.swallow();
    const heard: unknown[] = [];
    before.on('data', (data) => heard.push(data));
    before.write('two');
    const during = await visit();
    during.on('data', (data) => heard.push(data));
    during.write('three');
    const broken = Promise.all([closed(before), closed(during)]);
    front.pass();
    await broken;
    assert.deepEqual(heard, []);

    const after = await visit();
    after.write('four');
    assert.deepEqual(await once(after, 'data'), ['heard four']);
    after.destroy();
  });

  it('breaks connections when the node does', async () => {
    const visitor = await visit();
    visitor.write('one');
    await once(visitor, 'data');
    const broken = closed(visitor);
    taken.at(-1)?.resetAndDestroy();
    assert.equal(await broken, true, 'by a reset');
  });
});
