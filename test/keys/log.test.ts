import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { answer } from '../support/origin-scripts.js';
import { TempDir } from '../support/temp-dir.js';
import { startWillis, type Willis } from '../support/willis.js';
import { flips } from './flips.js';

describe('the keys of log', () => {
  let willis: Willis;
  let dir: TempDir;

  beforeEach(async () => {
    dir = await TempDir.create();
    willis = await startWillis();
    willis.serve(answer(200, {}, 'content'));
  });
  afterEach(async () => {
    await willis.stop();
    await dir.remove();
  });

  const at = (name: string): string => join(dir.path, name);
  /** The lines of a log once there are so many; they are written soon, and not at once. */
  const lines = async (path: string, count: number): Promise<string[]> => {
    for (;;) {
      const text = await readFile(path, 'utf8').catch(() => '');
      const found = text.split('\n').slice(0, -1);
      if (found.length >= count) return found;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  flips('log.level', 'which events are logged', async () => {
    const refused = async (): Promise<void> => {
      await willis.ask('CONNECT', 'a.test:443');
    };
    await refused();
    assert.deepEqual(willis.events, []);
    await willis.reload({ log: { level: 'debug' } });
    await refused();
    const [event, ...more] = willis.events;
    assert.deepEqual([event?.['msg'], more], ['refused', []]);
    await willis.reload({ log: { level: 'error' } });
    await refused();
    assert.equal(willis.events.length, 1);
  });

  flips('log.access.path', 'where the access log goes', async () => {
    const to = async (name: string): Promise<string> => {
      await willis.reload({ log: { access: { format: 'json', path: at(name) } } });
      return at(name);
    };
    const first = await to('first.log');
    await willis.get('/1');
    const second = await to('second.log');
    await willis.get('/2');
    assert.match((await lines(second, 1)).join(), /\/2"/);
    assert.equal((await lines(first, 1)).length, 1);
    assert.match((await lines(first, 1)).join(), /\/1"/);
  });

  flips('log.access.format', 'its form', async () => {
    const path = at('access.log');
    for (const format of ['json', 'off', 'common', 'combined']) {
      await willis.reload({ log: { access: { format, path } } });
      await willis.get(`/${format}`, { 'User-Agent': 'agent/1' });
    }
    const [json = '', common = '', combined = '', ...more] = await lines(path, 3);
    assert.equal(new URL((JSON.parse(json) as { uri: string }).uri).pathname, '/json');
    assert.match(common, /"GET \S+\/common HTTP\/1\.1" 200 \d+ [^"]*$/);
    assert.match(combined, /"GET \S+\/combined HTTP\/1\.1" 200 \d+ "-" "agent\/1"/);
    assert.deepEqual(more, []);
  });

  flips('log.redact', 'whose values no log shows, neither that of requests nor that of events', async () => {
    const path = at('access.log');
    await willis.reload({ log: { level: 'debug', access: { format: 'combined', path } } });
    const uri = '/?token=first&pin=second';
    const ask = (): Promise<unknown> =>
      Promise.all([
        willis.get(uri, { Referer: `http://a.test${uri}`, Authorization: 'Basic c2VjcmV0', Cookie: 'a=secret' }),
        willis.ask('GET', uri, { Expect: 'nothing' }),
      ]);
    const shown = async (): Promise<string[]> => {
      const [event] = willis.events.slice(-1);
      const all = [...(await lines(path, 2)), JSON.stringify(event)].join(' ');
      assert.doesNotMatch(all, /c2VjcmV0|a=secret/);
      return [...all.matchAll(/(?:token|pin)=([^ "&]*)/g)].map(([, value = '']) => value);
    };
    await ask();
    assert.deepEqual(await shown(), Array.from({ length: 4 }, () => ['…', 'second']).flat());
    await willis.reload({ log: { redact: ['P*N'], access: { path: at('other.log') } } });
    await ask();
    const other = (await lines(at('other.log'), 2)).join();
    assert.deepEqual(
      [...other.matchAll(/token=(first|…)&pin=(second|…)/g)].map(([text]) => text),
      [...Array.from({ length: 3 }, () => 'token=first&pin=…')],
    );
    assert.equal(new URL(String(willis.events.at(-1)?.['uri'])).search, '?token=first&pin=%E2%80%A6');
  });
});
