import assert from 'node:assert/strict';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { answer } from '../support/origin-scripts.js';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import { startWillis, type LoggedEvent, type Willis } from '../support/willis.js';

describe('an access log that cannot be written', () => {
  let directory: TempDir;
  let willis: Willis;
  let over: boolean;
  beforeEach(async () => {
    over = false;
    directory = await TempDir.create();
  });
  afterEach(async () => {
    over = true;
    await willis.stop();
    await directory.remove();
  });

  const start = async (path: string): Promise<void> => {
    willis = await startWillis({ config: { log: { level: 'info', access: { format: 'json', path } } } });
    willis.serve(answer(200, { 'Cache-Control': 'max-age=60' }, 'content'));
  };
  /** So many requests, with long lines in the log, on one connection. */
  const ask = async (count: number): Promise<void> => {
    const client = await willis.connect();
    for (let i = 0; i < count; i++) {
      client.request('GET', `/?${'x'.repeat(15_000)}`, { Host: 'site.test' });
      assert.equal((await client.receive()).status, 200);
    }
    client.close();
  };
  const events = (code: string): LoggedEvent[] => willis.events.filter((event) => event['code'] === code);
  const untilLogged = async (code: string): Promise<LoggedEvent> => {
    await until(() => over || events(code).length > 0);
    const [event] = events(code);
    assert.ok(event !== undefined, `${code} did not come`);
    return event;
  };
  const dropped = (): unknown =>
    willis.node.metrics.snapshot().families.find(({ name }) => name === 'willis_access_log_dropped_lines_total')
      ?.samples[0]?.value;

  it('because the disk is full keeps no request from being answered; one event says so, and lines that are lost are counted', async () => {
    await start('/dev/full');
    assert.equal(dropped(), 0);
    await ask(400);
    await untilLogged('access-log-failing');
    await ask(10);
    const lost = dropped() as number;
    assert.ok(lost > 0 && lost < 410, String(lost));
    await willis.stop();
    assert.equal(dropped(), 410);
    assert.equal(events('access-log-failing').length, 1);
  });

  it('for a while goes on with what it has kept, and an event says how much is missing', async () => {
    const path = join(directory.path, 'later/access.log');
    await start(path);
    await ask(400);
    await untilLogged('access-log-failing');
    await ask(1);
    const lost = dropped() as number;
    await mkdir(join(directory.path, 'later'));
    await ask(1);
    const recovered = await untilLogged('access-log-recovered');
    assert.equal(recovered['dropped'], dropped());
    await willis.stop();
    const lines = (await readFile(path, 'utf8')).split('\n').length - 1;
    assert.equal(lines + (dropped() as number), 402);
    assert.ok(lost <= (dropped() as number), String(lost));
    assert.equal(events('access-log-failing').length, 1);
  });

  it('anew stays where it is, whatever becomes of the attempt', async () => {
    const path = await directory.write('logs/access.log', '');
    await start(path);
    await ask(1);
    await willis.node.reopenLogs();
    await rename(join(directory.path, 'logs'), join(directory.path, 'gone'));
    await assert.rejects(willis.node.reopenLogs(), { code: 'ENOENT' });
    await ask(1);
    await willis.stop();
    assert.equal((await readFile(join(directory.path, 'gone/access.log'), 'utf8')).split('\n').length, 3);
  });
});
