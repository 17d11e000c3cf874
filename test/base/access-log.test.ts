import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { bytes, epochMs, milliseconds } from '../../config/units.js';
import { combinedLine, createAccessLog, jsonLine, type AccessEntry } from '../../proxy/base/access-log.js';
import { LineWriter } from '../../proxy/base/line-writer.js';
import { TempDir } from '../support/temp-dir.js';

const entry: AccessEntry = {
  time: epochMs(Date.UTC(2025, 10, 21, 4, 8, 0, 123)),
  client: '192.0.2.7',
  method: 'GET',
  uri: 'http://a.example/x?y=1',
  version: '1.1',
  status: 200,
  bytesOut: bytes(1024),
  bytesIn: bytes(0),
  duration: milliseconds(0.4321),
  outcome: 'hit',
  referer: null,
  userAgent: 'curl/8.5',
  id: 'k3f-1',
  aborted: false,
};

describe('a line of the access log', () => {
  it("is Apache's combined format with outcome, milliseconds and request id", () => {
    assert.equal(
      combinedLine(entry),
      '192.0.2.7 - - [21/Nov/2025:04:08:00 +0000] "GET http://a.example/x?y=1 HTTP/1.1" 200 1024 "-" "curl/8.5" hit 0.4 k3f-1',
    );
  });

  it('says at its end that the answer broke off, and has a hyphen for no bytes', () => {
    assert.match(combinedLine({ ...entry, aborted: true, bytesOut: bytes(0) }), / 200 - "-" .* k3f-1 aborted$/);
  });

  it('is a JSON object in the other format', () => {
    assert.deepEqual(JSON.parse(jsonLine(entry)), { ...entry, time: '2025-11-21T04:08:00.123Z', duration: 0.4 });
  });

  it('cannot be forged by quotes, line feeds or escapes in what the client sent', () => {
    const line = combinedLine({ ...entry, uri: '/a"b\\', userAgent: 'x" 200\r\n1.2.3.4 \u001b[2J\u00e9' });
    assert.ok(line.includes('"GET /a\\"b\\\\ HTTP/1.1"'));
    assert.ok(line.includes('"x\\" 200\\x0d\\x0a1.2.3.4 \\x1b[2J\\xe9"'));
  });

  it('is one line of printable characters whatever the client sent', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(text, text, text, (uri, userAgent, referer) => {
        const sent = { ...entry, uri, userAgent, referer };
        assert.match(combinedLine(sent), /^[\x20-\x7e]*$/);
        // eslint-disable-next-line no-control-regex -- these must not be there
        assert.doesNotMatch(jsonLine(sent), /[\u0000-\u001f\u007f-\u009f]/);
        assert.equal((JSON.parse(jsonLine(sent)) as AccessEntry).uri, uri);
      }),
    );
  });
});

describe('the access log', () => {
  let directory: TempDir;
  beforeEach(async () => {
    directory = await TempDir.create();
  });
  afterEach(() => directory.remove());

  it('is appended to its file, complete once it is closed', async () => {
    const path = await directory.write('access.log', 'before\n');
    const log = createAccessLog({ format: 'combined', path });
    for (let i = 0; i < 2000; i++) log.write({ ...entry, id: `n${i}` });
    await log.close();
    await log.close();
    const lines = readFileSync(path, 'latin1').split('\n');
    assert.equal(lines.length, 2002);
    assert.equal(lines[0], 'before');
    assert.ok(lines[2000]?.endsWith(' n1999'));
  });

  it('writes nothing where it is off', async () => {
    const path = join(directory.path, 'none');
    const log = createAccessLog({ format: 'off', path });
    log.write(entry);
    await log.close();
    assert.equal(existsSync(path), false);
  });

  it('that cannot be opened is reported once and makes no request fail', async () => {
    const failures: Error[] = [];
    const log = createAccessLog({ format: 'json', path: join(directory.path, 'missing/access.log') }, (error) =>
      failures.push(error),
    );
    log.write(entry);
    await log.close();
    log.write(entry);
    assert.deepEqual(
      failures.map((error) => (error as NodeJS.ErrnoException).code),
      ['ENOENT'],
    );
  });

  it('that takes lines more slowly than they come loses them beyond its bound, and reports it once', async () => {
    const path = join(directory.path, 'access.log');
    const failures: Error[] = [];
    const writer = new LineWriter({ to: path, bound: bytes(300), onFailure: (error) => failures.push(error) });
    for (let i = 0; i < 100; i++) writer.write('x'.repeat(99));
    await writer.close();
    assert.deepEqual(
      failures.map(({ message }) => message),
      ['too slow; lines are dropped'],
    );
    assert.equal(readFileSync(path, 'utf8').split('\n').length, 3 + 1);
  });

  it('on a disk that is full is reported once', async function () {
    if (!existsSync('/dev/full')) this.skip();
    const failures: Error[] = [];
    const writer = new LineWriter({
      to: '/dev/full',
      onFailure: (error) => failures.push(error),
    });
    for (let i = 0; i < 1000; i++) writer.write('x'.repeat(99));
    await writer.close();
    assert.deepEqual(
      failures.map((error) => (error as NodeJS.ErrnoException).code),
      ['ENOSPC'],
    );
  });

  it('goes on where the file can be written again', async () => {
    const path = join(directory.path, 'late/access.log');
    let failed = (): void => undefined;
    const failure = new Promise<void>((resolve) => {
      failed = resolve;
    });
    const writer = new LineWriter({ to: path, flushAfter: milliseconds(1), onFailure: () => failed() });
    const alive = setInterval(() => undefined, 1000);
    writer.write('first');
    await failure;
    clearInterval(alive);
    await mkdir(join(directory.path, 'late'));
    writer.write('second');
    await writer.close();
    assert.equal(readFileSync(path, 'utf8'), 'first\nsecond\n');
    await rm(path);
  });

  it('to standard output passes every line, even into a slow pipe', () => {
    const script = `
      import { createAccessLog } from ${JSON.stringify(new URL('../../proxy/base/access-log.ts', import.meta.url).href)};
      process.stdout.write('started\\n');
      const log = createAccessLog({ format: 'combined', path: null });
      const entry = ${JSON.stringify(entry)};
      for (let i = 0; i < 5000; i++) log.write(entry);
      await log.close();`;
    const command = `"$0" --import tsx --input-type=module -e "$1" | { sleep 0.3; wc -l; }`;
    const counted = execFileSync('sh', ['-c', command, process.execPath, script], { encoding: 'utf8' });
    assert.equal(counted.trim(), '5001');
  });
});
