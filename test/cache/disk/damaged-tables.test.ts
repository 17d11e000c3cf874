import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytes } from '../../../config/units.js';
import type { DiskOptions } from '../../../proxy/cache/disk/disk-options.js';
import type { DiskStore } from '../../../proxy/cache/disk/disk-store.js';
import { Seeded } from '../../faults/seeded.js';
import { isStored, key, put } from '../response-store/samples.js';
import { DiskExample, given } from './disk-example.js';

const count = 60;
const path = (i: number): ReturnType<typeof key> => key(`/${i}`);

describe('an index on disk with a damaged table', () => {
  let example: DiskExample;
  let directory: string;

  beforeEach(async () => {
    example = await DiskExample.create();
    directory = join(example.directory, '..', 'copy');
  });
  afterEach(() => example.remove());

  /** Half of them was invalidated, in a later table than it is stored in; a quarter purged. */
  const fill = async (over: Partial<DiskOptions> = {}): Promise<void> => {
    const first = await example.open(over);
    for (let i = 0; i < count; i++) await put(first, contentOf(i), { key: path(i), groups: i % 4 < 2 ? ['g'] : [] });
    await first.close();
    const second = await example.open(over);
    await second.invalidateGroup('|http://example.com', 'g');
    await second.purge(
      { kind: 'uri', uris: purged.map((i) => `http://example.com/${i}`) },
      'hard',
      example.clock.now(),
    );
    await second.close();
    await (await example.open(over)).close();
  };

  /** A copy of the directory in which a bit has flipped. */
  const flip = (random: Seeded): void => {
    rmSync(directory, { recursive: true, force: true });
    cpSync(example.directory, directory, { recursive: true });
    const table = random.pick(tablesIn(directory));
    // not where a footer has no meaning
    flipAt(table, random.between(0, statSync(table).size - 49), random.between(0, 7));
  };

  const expectRight = async (store: DiskStore): Promise<void> => {
    let found = 0;
    for (let i = 0; i < count; i++) {
      for (const one of await store.peek(path(i))) {
        found++;
        if (i % 4 < 2 || purged.includes(i)) assert.equal(one.invalidated, true, `${i} may be used`);
      }
    }
    assert.equal(store.usage().responses, found);
    await store.invalidateGroup('|http://example.com', 'g');
    for (let i = 0; i < count; i++) {
      const [one] = await store.lookUp(path(i));
      if (one === undefined) continue;
      assert.equal(one.invalidated || i % 4 >= 2, true);
      const bytesOf = await given(store, one);
      if (bytesOf !== null) assert.equal(bytesOf, contentOf(i));
    }
  };

  it('uses nothing that was invalidated or purged, whichever bit has flipped, and goes on', async () => {
    await fill();
    const random = new Seeded(4);
    for (let round = 0; round < 25; round++) {
      flip(random);
      const store = await example.open({ directory });
      assert.match(example.notices.join(), /is repaired/);
      assert.equal(existsSync(join(directory, 'rebuild')), false);
      await expectRight(store);
      await put(store, 'new', { key: path(1) });
      await store.close();
      example.notices.length = 0;
      const next = await example.open({ directory });
      assert.equal(await isStored(next, path(1)), true);
      assert.deepEqual(example.notices, []);
      await next.close();
    }
  });

  it('has all that is in files again', async () => {
    await fill({ inline: bytes(0) });
    flip(new Seeded(5));
    const store = await example.open({ directory, inline: bytes(0) });
    for (let i = 0; i < count; i++) {
      if (purged.includes(i)) continue;
      const [one] = await store.lookUp(path(i));
      assert.ok(one !== undefined, `${i} is gone`);
      assert.equal(one.invalidated, true);
      assert.equal(await given(store, one), contentOf(i));
    }
  });

  it('that is too large to be looked through at the start is noticed later, and repaired while the store is in use', async () => {
    await fill();
    cpSync(example.directory, directory, { recursive: true });
    // amid the responses, which nobody reads at the start; what it reads has the first keys
    const [largest] = tablesIn(directory).sort((one, other) => statSync(other).size - statSync(one).size);
    assert.ok(largest !== undefined, 'there is no table');
    flipAt(largest, Math.floor(statSync(largest).size / 2), 0);
    const well = example.nextWell();
    const store = await example.open({ directory, checkedAtStart: bytes(0) });
    await well;
    assert.match(String(example.unwell[0]), /the table \d+\.ldb is damaged/);
    assert.equal(example.unwell.length, 1);
    await expectRight(store);
  });

  it('is none where a process was killed while it wrote one', async () => {
    await fill();
    const [table] = tablesIn(example.directory);
    assert.ok(table !== undefined, 'there is no table');
    const torn = readFileSync(table).subarray(0, 200);
    const last = Math.max(
      ...readdirSync(join(example.directory, 'index')).map((name) => parseInt(/\d+/.exec(name)?.[0] ?? '0')),
    );
    // names that will be given again, too
    for (const number of [last + 1, last + 2, last + 3, 999_999])
      writeFileSync(join(example.directory, 'index', `${String(number).padStart(6, '0')}.ldb`), torn);
    const store = await example.open();
    assert.deepEqual(example.notices, []);
    for (let i = 2; i < count; i += 4) {
      const [one] = await store.peek(path(i));
      assert.equal(one?.invalidated, purged.includes(i) ? undefined : false);
    }
  });
});

const purged = Array.from({ length: count / 4 }, (_, i) => i * 4 + 3);
const contentOf = (i: number): string => `${i} `.repeat(50 + i);

function flipAt(table: string, at: number, bit: number): void {
  const content = readFileSync(table);
  content.writeUInt8(content.readUInt8(at) ^ (1 << bit), at);
  writeFileSync(table, content);
}

function tablesIn(directory: string): string[] {
  const index = join(directory, 'index');
  const tables = readdirSync(index).filter((name) => name.endsWith('.ldb'));
  assert.ok(tables.length > 0, 'there are no tables');
  return tables.map((name) => join(index, name));
}
