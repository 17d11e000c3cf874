import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { openKeyValue } from '../../../proxy/base/key-value.js';
import { faultsOf, type TableFault } from '../../../proxy/cache/disk/index-table.js';
import { unsnappy } from '../../../proxy/cache/disk/snappy.js';
import { TempDir } from '../../support/temp-dir.js';

describe('a table of an index', () => {
  let directory: TempDir;
  let tables: Buffer[];

  before(async () => {
    directory = await TempDir.create();
    // what is opened again has its log made into tables
    for (const turn of [1, 2]) {
      const index = await openKeyValue(directory.path);
      for (let i = 0; i < 400 / turn; i++) {
        const value = Buffer.from(`${`${i} `.repeat(i % 97)}${Math.imul(i, 0x9e37_79b1)}`);
        await index.change([{ type: 'put', key: `k!${turn}${i}`, value }]);
      }
      await index.close();
    }
    const last = await openKeyValue(directory.path);
    await last.close();
    const names = readdirSync(directory.path).filter((name) => name.endsWith('.ldb'));
    tables = names.map((name) => readFileSync(join(directory.path, name)));
  });
  after(() => directory.remove());

  it('is right as it was written, compressed or not', () => {
    assert.notEqual(tables.length, 0);
    for (const table of tables) assert.equal(faultOf(table), null);
  });

  it('is damaged if any bit of it flips, but for those of no meaning in its footer', () => {
    for (const table of tables) {
      const spare = spareIn(table);
      for (let at = 0; at < table.length; at++) {
        const flipped = Buffer.from(table);
        flipped.writeUInt8(table.readUInt8(at) ^ (1 << (at % 8)), at);
        assert.equal(faultOf(flipped) !== null, !spare(at), `byte ${at} of ${table.length}`);
      }
    }
  });

  it('is torn if it ends early, wherever', () => {
    const [table] = tables;
    assert.ok(table !== undefined, 'there is no table');
    for (let length = 0; length < table.length; length += 13)
      assert.equal(faultOf(table.subarray(0, length)), 'torn', `${length}`);
  });

  it('is never taken for right, nor anything but looked at, if it is anything', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        assert.equal(faultOf(Buffer.from(noise)), 'torn');
        const ending = Buffer.from('57fb808b247547db', 'hex');
        assert.equal(faultOf(Buffer.concat([noise, ending])) !== null, true);
      }),
    );
  });
});

describe('Snappy', () => {
  it('has literals of all lengths, and copies that overlap themselves', () => {
    const long = Buffer.alloc(70, 'q');
    for (const [packed, plain] of [
      [[0], ''],
      [[3, 2 << 2, 97, 98, 99], 'abc'],
      [[70, 60 << 2, 69, ...long], long.toString()],
      [[70, 61 << 2, 69, 0, ...long], long.toString()],
      // a copy of length 4 to 11 with 11 bits of distance, one with 16, one with 32
      [[9, 0, 97, (4 << 2) | 1, 1], 'a'.repeat(9)],
      [[9, 1 << 2, 97, 98, (6 << 2) | 2, 2, 0], 'ababababa'],
      [[9, 1 << 2, 97, 98, (6 << 2) | 3, 2, 0, 0, 0], 'ababababa'],
    ] as const) {
      assert.equal(unsnappy(Buffer.from(packed), 1000)?.toString(), plain, JSON.stringify(packed));
    }
  });

  it('that reaches beyond its beginning, its end or its length is refused', () => {
    for (const packed of [
      [],
      [0x80],
      [3, 2 << 2, 97, 98],
      [2, 2 << 2, 97, 98, 99],
      [9, 0, 97, (4 << 2) | 1, 2],
      [9, 0, 97, (4 << 2) | 1, 0],
      [9, 0, 97, (4 << 2) | 1],
      [8, 0, 97, (4 << 2) | 1, 1],
      [10, 0, 97, (4 << 2) | 1, 1],
      [3, 60 << 2],
    ]) {
      assert.equal(unsnappy(Buffer.from(packed), 1000), null, JSON.stringify(packed));
    }
    assert.equal(unsnappy(Buffer.from([3, 2 << 2, 97, 98, 99]), 2), null);
  });
});

function faultOf(table: Buffer): TableFault | null {
  const checking = faultsOf(table);
  for (;;) {
    const step = checking.next();
    if (step.done === true) return step.value;
  }
}

/** The footer has zeros between its handles and its last eight bytes. */
function spareIn(table: Buffer): (at: number) => boolean {
  let begin = table.length - 48;
  for (let ends = 0; ends < 4; begin++) if (table.readUInt8(begin) < 0x80) ends++;
  return (at) => at >= begin && at < table.length - 8;
}
