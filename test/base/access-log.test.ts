import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AccessLog, type AccessLogConfig } from '../../proxy/base/access-log.js';
import { TempDir } from '../support/temp-dir.js';
import { accessEntry as entry } from './access-entry.js';
import { collectedReports } from './collected-reports.js';

describe('the access log', () => {
  let directory: TempDir;
  beforeEach(async () => {
    directory = await TempDir.create();
  });
  afterEach(() => directory.remove());

  const open = (access: AccessLogConfig['access'], redact: string[] = []): AccessLog =>
    new AccessLog({ access, redact }, collectedReports());
  const lines = (path: string): string[] => readFileSync(path, 'utf8').split('\n').slice(0, -1);

  it('is appended to its file, complete once it is closed', async () => {
    const path = await directory.write('access.log', 'before\n');
    const log = open({ format: 'combined', path });
    for (let i = 0; i < 2000; i++) log.write({ ...entry, id: `n${i}` });
    await log.close();
    await log.close();
    assert.equal(lines(path).length, 2001);
    assert.equal(lines(path)[0], 'before');
    assert.match(lines(path)[2000] ?? '', / n1999$/);
  });

  it('writes nothing where it is off', async () => {
    const path = join(directory.path, 'none');
    const log = open({ format: 'off', path });
    log.write(entry);
    await log.reopen();
    await log.close();
    assert.equal(existsSync(path), false);
  });

  it('goes on in another form, with other secrets and in another file, and loses no line and writes none twice', async () => {
    const [first, second] = [join(directory.path, '1'), join(directory.path, '2')];
    const log = open({ format: 'common', path: first });
    const secret = { ...entry, uri: 'http://a.example/?pin=1' };
    log.write({ ...secret, id: 'a' });
    log.configure({ access: { format: 'json', path: first }, redact: [] });
    log.write({ ...secret, id: 'b' });
    log.configure({ access: { format: 'common', path: second }, redact: ['pin'] });
    log.write({ ...secret, id: 'c' });
    log.configure({ access: { format: 'off', path: second }, redact: [] });
    log.write({ ...secret, id: 'd' });
    log.configure({ access: { format: 'common', path: second }, redact: [] });
    log.write({ ...secret, id: 'e' });
    await log.close();
    assert.deepEqual(
      lines(first).map((line) => [/pin=\S+?(?=[ "])/.exec(line)?.[0], line.endsWith(' a'), line.includes('"id":"b"')]),
      [
        ['pin=1', true, false],
        ['pin=1', false, true],
      ],
    );
    assert.deepEqual(
      lines(second).map((line) => [/pin=\S+/.exec(line)?.[0], line.at(-1)]),
      [
        ['pin=…', 'c'],
        ['pin=1', 'e'],
      ],
    );
  });

  it('loses no line when its file is renamed and it is opened anew, as logrotate does', async () => {
    const path = join(directory.path, 'access.log');
    const log = open({ format: 'json', path });
    let written = 0;
    const write = (count: number): void => {
      for (let i = 0; i < count; i++) log.write({ ...entry, id: `n${written++}` });
    };
    for (const rotation of [1, 2, 3]) {
      write(1500);
      if (rotation > 1) await log.reopen();
      await new Promise<void>((resolve) => setImmediate(resolve));
      write(10);
      if (existsSync(path)) await rename(path, `${path}.${rotation}`);
      write(10);
      const reopened = log.reopen();
      write(10);
      await reopened;
    }
    write(10);
    await log.close();
    const files = ['access.log.1', 'access.log.2', 'access.log.3', 'access.log'].map(
      (name) => directory.path + '/' + name,
    );
    const all = files.filter(existsSync).flatMap(lines);
    assert.deepEqual(
      all.map((line) => (JSON.parse(line) as { id: string }).id),
      Array.from({ length: written }, (_, i) => `n${i}`),
    );
    assert.ok(files.filter(existsSync).length > 2, String(files.filter(existsSync).length));
  });

  it('stays with the file that it has where a new one cannot be opened', async () => {
    const path = await directory.write('logs/access.log', '');
    const log = open({ format: 'json', path });
    log.write({ ...entry, id: 'a' });
    await log.reopen();
    await rename(join(directory.path, 'logs'), join(directory.path, 'moved'));
    await assert.rejects(log.reopen(), { code: 'ENOENT' });
    log.write({ ...entry, id: 'b' });
    await log.close();
    assert.equal(lines(join(directory.path, 'moved/access.log')).length, 2);
    await rm(join(directory.path, 'moved'), { recursive: true });
  });

  it('to standard output passes every line, even into a slow pipe', () => {
    const script = `
      import { AccessLog } from ${JSON.stringify(new URL('../../proxy/base/access-log.ts', import.meta.url).href)};
      process.stdout.write('started\\n');
      const log = new AccessLog({ access: { format: 'combined', path: null }, redact: [] }, {});
      const entry = ${JSON.stringify(entry)};
      for (let i = 0; i < 5000; i++) log.write(entry);
      await log.close();`;
    const command = `"$0" --import tsx --input-type=module -e "$1" | { sleep 0.3; wc -l; }`;
    const counted = execFileSync('sh', ['-c', command, process.execPath, script], { encoding: 'utf8' });
    assert.equal(counted.trim(), '5001');
  });
});
