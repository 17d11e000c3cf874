import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { bytes, milliseconds } from '../../../config/units.js';
import { createLogger } from '../../../proxy/base/logger.js';
import { HealthFile } from '../../../wlis/health/health-file.js';
import { HealthTable } from '../../../wlis/health/health-table.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TempDir } from '../../support/temp-dir.js';
import { until } from '../../support/waiting.js';

const [m1, m2] = ['https://m1.example', 'https://m2.example'];

describe('what is remembered of health over a restart', () => {
  let directory: TempDir;
  let clock: FakeClock;
  let path: string;
  let codes: string[];
  const files: HealthFile[] = [];

  beforeEach(async () => {
    directory = await TempDir.create();
    clock = new FakeClock();
    path = `${directory.path}/finding/health.json`;
    codes = [];
  });

  afterEach(async () => {
    for (const file of files.splice(0)) await file.close();
    await directory.remove();
  });

  const life = async (every?: number): Promise<{ table: HealthTable; file: HealthFile }> => {
    const table = new HealthTable({ clock, chance: () => 0.5 });
    const write = (line: string): void => void codes.push((JSON.parse(line) as { code: string }).code);
    const logger = createLogger({ level: 'warn', write });
    const file = await HealthFile.open({ path, table, clock, logger, ...(every && { every: milliseconds(every) }) });
    file.begin();
    files.push(file);
    return { table, file };
  };

  /** A table that has seen one node well and one that lied and one that is away. */
  const lived = async (): Promise<void> => {
    const { table, file } = await life();
    for (let i = 0; i < 50; i++) {
      const attempt = table.begin(m1);
      clock.advance(20);
      attempt.answered();
      attempt.waits();
      clock.advance(100);
      attempt.received(bytes(300_001));
      attempt.done();
    }
    table.begin(m2).failed('false', 'half a character \ud83d');
    table.begin('https://m3.example').failed('unreachable');
    await file.close();
  };

  it('is the latency, the bandwidth, the breaker and the lies of each node', async () => {
    await lived();
    clock.advance(60_000);
    const { table } = await life();
    assert.ok(Math.abs((table.of(m1).latency ?? 0) - 20) < 1, `the latency is ${table.of(m1).latency}`);
    assert.equal(table.of(m1).measured, null);
    assert.equal(table.of(m1).bandwidth, 3_000_010);
    assert.equal(table.of(m2).breaker, 'open');
    assert.equal(table.of(m2).failure?.reason, 'false');
    assert.equal(table.blamed()[0]?.times, 1);
    assert.equal(table.of('https://m3.example').failure?.reason, 'unreachable');
    assert.notEqual(table.of('https://m3.example').breaker, 'open', 'its second is long over');
    clock.advance(540_001);
    assert.equal(table.of(m2).breaker, 'probing', 'ten minutes since the lie');
    assert.deepEqual(codes, []);
  });

  it('is no reason to fail, whatever the file holds', async () => {
    await lived();
    const good = await readFile(path, 'utf8');
    for (const bad of [
      '',
      'no JSON',
      good.slice(0, good.length / 2),
      good.replace('"kind":"health/1"', '"kind":"health/2"'),
      good.replace('"unreachable"', '"other"'),
      good.replace('"openings":1', '"openings":-1'),
      good.replace('"nodes":[', '"nodes":[7,'),
      good.replace(/"hours":\[\[/, '"hours":[["x",'),
      '\0'.repeat(1000),
    ]) {
      await writeFile(path, bad);
      codes.length = 0;
      const { table, file } = await life();
      assert.equal(table.size, 0, bad.slice(0, 200));
      assert.deepEqual(codes, ['health-forgotten'], bad.slice(0, 200));
      await file.close();
    }
  });

  it('is in a file for this user alone, of which nothing is left over', async () => {
    await lived();
    assert.deepEqual(await readdir(dirname(path)), ['health.json']);
  });

  it('is written now and then, if anything has changed', async () => {
    const { table } = await life(5);
    const exists = (): Promise<boolean> =>
      readFile(path, 'utf8').then(
        (text) => text.includes(m1),
        () => false,
      );
    table.begin(m1).done();
    await until(exists);
    const again = new HealthTable({ clock });
    const logger = createLogger({ level: 'silent' });
    const idle = await HealthFile.open({ path: `${directory.path}/idle/health.json`, table: again, clock, logger });
    await idle.close();
    assert.deepEqual(await readdir(directory.path), ['finding'], 'who has seen nothing writes nothing');
  });

  it('that cannot be written is told of, and keeps nobody from stopping', async () => {
    const { table, file } = await life();
    await mkdir(`${path}.tmp`, { recursive: true });
    table.begin(m1).done();
    await file.close();
    assert.deepEqual(codes, ['health-not-remembered']);
  });

  it('does not take the place of what is known already', async () => {
    await lived();
    const table = new HealthTable({ clock });
    const attempt = table.begin(m1);
    clock.advance(99);
    attempt.answered();
    attempt.done();
    const logger = createLogger({ level: 'silent' });
    const file = await HealthFile.open({ path, table, clock, logger });
    file.begin();
    files.push(file);
    assert.ok((table.of(m1).latency ?? 0) > 90, 'what was just measured counts');
    assert.equal(table.of(m2).breaker, 'open');
  });
});
