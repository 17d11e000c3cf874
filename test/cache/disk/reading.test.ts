import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { bytes } from '../../../config/units.js';
import type { DiskOptions } from '../../../proxy/cache/disk/disk-options.js';
import type { DiskStore } from '../../../proxy/cache/disk/disk-store.js';
import type { StoredResponse } from '../../../proxy/cache/stored-response.js';
import type { Body } from '../../../proxy/http/body.js';
import { key, only, put } from '../response-store/samples.js';
import { DiskExample } from './disk-example.js';
import { slowDisk } from './slow-disk.js';

const long = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * i) % 251));
const huge = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => (i * i) % 241));

describe('reading stored responses from disk', () => {
  let example: DiskExample;
  beforeEach(async () => {
    example = await DiskExample.create();
  });
  afterEach(() => example.remove());

  const stored = async (content: Buffer, over: Partial<DiskOptions>): Promise<[DiskStore, StoredResponse]> => {
    const first = await example.open();
    await put(first, content);
    await first.close();
    const store = await example.open(over);
    return [store, await only(store)];
  };

  const flip = (fromEnd: number): void => {
    const [path] = example.bodyFiles();
    const content = readFileSync(path!);
    content[content.length - fromEnd]! ^= 4;
    writeFileSync(path!, content);
  };

  const whole = (store: DiskStore, one: StoredResponse): Body => store.open(one, bytes(0), bytes(one.length ?? 0));

  const rest = async (body: Body): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    for (let chunk = await body.read(); chunk !== null; chunk = await body.read()) chunks.push(chunk);
    return Buffer.concat(chunks);
  };

  it('is over within the turn where the kernel has them in memory', async () => {
    for (const [path, content] of [['/short', Buffer.from('hello')] as const, ['/long', long] as const]) {
      const store = await example.open();
      await put(store, content, { key: key(path) });
      const found = store.lookUp(key(path));
      assert.ok(Array.isArray(found), 'not found at once');
      const [one] = found as [StoredResponse];
      assert.equal(store.ready(one, bytes(0), bytes(content.length)), true);
      const body = whole(store, one);
      assert.deepEqual(body.read(), content);
      assert.equal(body.read(), null);
      await store.close();
    }
  });

  it('leaves waiting for a slow disk to the thread pool', async () => {
    const [store] = await stored(long, { ...slowDisk(), inline: bytes(0) });
    await store.lookUp(key('/'));
    const found = store.lookUp(key('/'));
    assert.ok(found instanceof Promise, 'found at once');
    const [one] = (await found) as [StoredResponse];
    assert.ok(store.ready(one, bytes(0), bytes(long.length)) instanceof Promise, 'read at once');
    assert.deepEqual(await rest(whole(store, one)), long);
  });

  for (const [name, machine, readsAhead] of [
    ['at once', {}, false],
    ['by the thread pool', slowDisk(), true],
  ] as const) {
    it(`${name} finds what was changed after it had been read and found right`, async () => {
      const [store, one] = await stored(long, machine);
      assert.deepEqual(await rest(whole(store, one)), long);
      flip(10_000);
      const again = await only(store);
      assert.equal(await store.ready(again, bytes(0), bytes(long.length)), false);
      assert.deepEqual(await store.lookUp(key('/')), []);
      assert.equal(example.lost.length, 1);
    });

    it(`${name} breaks a transfer at the damage, whenever the next bytes are asked for`, async () => {
      const [store, one] = await stored(huge, machine);
      // in the second block
      flip(huge.length - 70_000);
      assert.equal(await store.ready(one, bytes(0), bytes(huge.length)), true);
      const body = whole(store, one);
      const first = await body.read();
      assert.deepEqual(first, huge.subarray(0, 65_536));
      // what is read ahead fails before anybody asks for it
      while (readsAhead && example.lost.length === 0) await new Promise(setImmediate);
      await assert.rejects(async () => body.read(), /could not be read/);
    });

    it(`${name} gives nothing more after it is cancelled`, async () => {
      const [store, one] = await stored(huge, machine);
      const body = whole(store, one);
      assert.deepEqual(await body.read(), huge.subarray(0, 65_536));
      body.cancel();
      assert.equal(await body.read(), null);
    });
  }
});
