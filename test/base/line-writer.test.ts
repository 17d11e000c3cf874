import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { bytes, milliseconds } from '../../config/units.js';
import { LineWriter, type LineWriterOptions } from '../../proxy/base/line-writer.js';
import { TempDir } from '../support/temp-dir.js';
import { collectedReports, type CollectedReports } from './collected-reports.js';

const line = 'x'.repeat(99);

describe('a writer of lines', () => {
  let directory: TempDir;
  let reports: CollectedReports;
  let alive: NodeJS.Timeout;
  beforeEach(async () => {
    directory = await TempDir.create();
    reports = collectedReports();
    // its own timers let the process end
    alive = setInterval(() => undefined, 1000);
  });
  afterEach(async () => {
    clearInterval(alive);
    await directory.remove();
  });

  const writerTo = (to: string, options: Partial<LineWriterOptions> = {}): LineWriter =>
    new LineWriter({ to, reports, flushAfter: milliseconds(1), ...options });
  const full = (to: string): LineWriter => writerTo(to, { bound: bytes(1000) });

  it('whose file cannot be opened reports it once, and counts as lost what it could not write', async () => {
    const writer = writerTo(join(directory.path, 'missing/log'));
    for (let i = 0; i < 3; i++) {
      const failing = reports.next('failing');
      writer.write(line);
      if (i === 0) await failing;
    }
    await writer.close();
    writer.write(line);
    assert.deepEqual(reports.events, ['failing ENOENT', 'abandoned 3']);
    assert.equal(reports.lost, 3);
  });

  it('that is given lines faster than it can write them drops those beyond its bound, and says so and how many', async () => {
    const path = join(directory.path, 'log');
    const writer = writerTo(path, { bound: bytes(300) });
    for (let i = 0; i < 100; i++) writer.write(line);
    await writer.close();
    assert.deepEqual(reports.events, ['failing too slow; lines are dropped', 'recovered 97']);
    assert.equal(reports.lost, 97);
    assert.equal(readFileSync(path, 'utf8').split('\n').length, 3 + 1);
  });

  it('says once that its disk is full, keeps what it has room for, and counts the rest', async () => {
    const writer = full('/dev/full');
    writer.write(line);
    await reports.next('failing');
    for (let i = 0; i < 100; i++) writer.write(line);
    assert.equal(reports.lost, 101 - 10);
    await writer.close();
    assert.deepEqual(reports.events, ['failing ENOSPC', 'abandoned 101']);
    assert.equal(reports.lost, 101);
  });

  it('goes on where the file can be written again, and says how many lines are missing', async () => {
    const path = join(directory.path, 'late/log');
    const writer = full(path);
    writer.write('first');
    await reports.next('failing');
    for (let i = 0; i < 20; i++) writer.write(line);
    const lost = reports.lost;
    assert.ok(lost > 0, String(lost));
    await mkdir(join(directory.path, 'late'));
    await reports.next('recovered');
    writer.write('last');
    await writer.close();
    assert.deepEqual(reports.events, ['failing ENOENT', `recovered ${lost}`]);
    const written = readFileSync(path, 'utf8').split('\n');
    assert.deepEqual([written[0], written.at(-2), written.length], ['first', 'last', 1 + 20 - lost + 1 + 1]);
  });

  it('tells of a second failure as of the first', async () => {
    const path = join(directory.path, 'some/log');
    const writer = writerTo(path);
    writer.write('first');
    await reports.next('failing');
    await mkdir(join(directory.path, 'some'));
    writer.write('second');
    await reports.next('recovered');
    await writer.close();
    const again = writerTo('/dev/full');
    again.write('third');
    await reports.next('failing');
    await again.close();
    assert.deepEqual(reports.events, ['failing ENOENT', 'recovered 0', 'failing ENOSPC', 'abandoned 1']);
    assert.equal(readFileSync(path, 'utf8'), 'first\nsecond\n');
  });

  it('writes each line whole to one file or the other when it is opened anew in the midst of them', async () => {
    const path = join(directory.path, 'log');
    const writer = writerTo(path);
    const reopened: Promise<void>[] = [];
    for (let i = 0; i < 5000; i++) {
      writer.write(`${i} ${line}`);
      if (i % 1000 !== 999) continue;
      await rename(path, `${path}.${i}`).catch(() => undefined);
      reopened.push(writer.reopen());
    }
    await Promise.all(reopened);
    await writer.close();
    const files = [999, 1999, 2999, 3999, 4999].map((i) => `${path}.${i}`).concat(path);
    const text = files.map((file) => (existsSync(file) ? readFileSync(file, 'utf8') : '')).join('');
    assert.equal(text, Array.from({ length: 5000 }, (_, i) => `${i} ${line}\n`).join(''));
    assert.deepEqual(reports.events, []);
  });
});
