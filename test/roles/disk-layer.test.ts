import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RefusedConfiguration } from '../../proxy/roles/refused-configuration.js';
import { answer } from '../support/origin-scripts.js';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import { outcomeOf, startWillis, type Sections, type Willis } from '../support/willis.js';

const fresh = { 'Cache-Control': 'max-age=600' };
const disk = { disk: '64MiB' };

describe('a store on disk behind a node', () => {
  let directory: TempDir;
  let open: Willis[];

  beforeEach(async () => {
    directory = await TempDir.create();
    open = [];
  });
  afterEach(async () => {
    for (const willis of open) await willis.stop();
    await directory.remove();
  });

  const start = async (config: Sections): Promise<Willis> => {
    const willis = await startWillis({ config });
    open.push(willis);
    willis.serve(answer(200, fresh, 'content'));
    return willis;
  };
  const here = (): Sections => ({ node: { data: directory.path }, cache: disk });

  const refusedFor = (key: string, message: RegExp) => (error: unknown) =>
    error instanceof RefusedConfiguration && error.problems[0]?.key === key && message.test(error.message);

  it('that another node has open keeps a node from starting, and a reload from being applied', async () => {
    await start(here());
    await assert.rejects(start(here()), refusedFor('node.data', /no other node uses.*used by another process/));
    const other = await start({ cache: { memory: '1MiB' } });
    await assert.rejects(
      other.reload({ ...here(), cache: { ...disk, memory: 0 } }),
      refusedFor('node.data', /no other node uses/),
    );
    await other.get('/a');
    assert.equal(outcomeOf(await other.get('/a')), 'hit');
  });

  it('of a later format, or in a directory that cannot be made, is refused', async () => {
    await mkdir(join(directory.path, 'store'));
    await writeFile(join(directory.path, 'store', 'format'), 'willis store 999\n');
    await assert.rejects(start(here()), refusedFor('node.data', /format 999/));
    const file = await directory.write('file', '');
    const willis = await start({});
    await assert.rejects(
      willis.reload({ node: { data: file }, cache: disk }),
      refusedFor('node.data', /ENOTDIR|EEXIST/),
    );
    assert.equal(await readFile(file, 'utf8'), '');
  });

  it('that cannot be used for the moment keeps no node from starting', async () => {
    const first = await start(here());
    await first.get('/a');
    await first.stop();
    await rm(join(directory.path, 'store', 'tmp'), { recursive: true });
    await directory.write('store/tmp', 'no directory');
    const willis = await start(here());
    assert.equal(outcomeOf(await willis.get('/a')), 'uri-miss');
    assert.equal(outcomeOf(await willis.get('/a')), 'hit');
    assert.match(willis.node.metrics.text(), /^willis_store_well\{store="disk"\} 0$/m);
  });

  it('is given back when a listener of the same reload cannot be opened', async () => {
    const taken = await start({});
    const willis = await start({});
    const site = `127.0.0.1:${taken.sitePort}`;
    await assert.rejects(
      willis.reload({ ...here(), listen: { site } }),
      refusedFor('listen.site', /in use|EADDRINUSE/),
    );
    await start(here());
  });

  it('tells what it holds in the metrics', async () => {
    const willis = await start(here());
    await willis.get('/a');
    await until(() => willis.node.metrics.text().includes('willis_store_responses{store="disk"} 1\n'));
    const text = willis.node.metrics.text();
    assert.match(text, /^willis_store_responses\{store="disk"\} 1$/m);
    assert.match(text, /^willis_store_limit_bytes\{store="disk"\} 67108864$/m);
    assert.match(text, /^willis_store_well\{store="disk"\} 1$/m);
    assert.match(text, /^willis_store_lost_total\{store="disk"\} 0$/m);
  });

  it('never keeps a request from being answered: without its directory it answers, and says that it fails', async () => {
    const willis = await start({ ...here(), log: { level: 'warn' } });
    await rm(join(directory.path, 'store'), { recursive: true });
    willis.serve(answer(200, fresh, Buffer.alloc(200_000)));
    for (const path of ['/a', '/b', '/a']) assert.equal((await willis.get(path)).status, 200);
    const codes = willis.events.map(({ code }) => code);
    assert.deepEqual(codes.filter((code) => code === 'disk-unwell').length, 1);
    assert.match(willis.node.metrics.text(), /^willis_store_well\{store="disk"\} 0$/m);
  });

  it('is said to fail, as an error, only when it fails: what the operator ordered is an event that says so', async () => {
    const willis = await start({ ...here(), listen: { admin: '127.0.0.1:0' }, log: { level: 'info' } });
    const unwell = (): unknown[] =>
      willis.events.filter(({ code }) => code === 'disk-unwell').map(({ level, reason, msg }) => [level, reason, msg]);
    const rebuilt = await fetch(`http://127.0.0.1:${willis.adminPort}/api/store/rebuild`, { method: 'POST' });
    assert.match(await rebuilt.text(), /"type":"done"/);
    const ordered = 'the index on disk is being made anew by order of the operator; the store goes on in memory';
    assert.deepEqual(unwell(), [[30, 'ordered', ordered]]);
    await until(() => willis.events.some(({ code }) => code === 'disk-recovered'));
    await rm(join(directory.path, 'store'), { recursive: true });
    willis.serve(answer(200, fresh, Buffer.alloc(200_000)));
    await willis.get('/a');
    await until(() => unwell().length > 1);
    assert.deepEqual(unwell()[1], [50, 'failing', 'the disk fails; the store goes on in memory']);
  });

  it('that fails is named in Cache-Status where an answer is stored nowhere for it', async () => {
    const willis = await start({ ...here(), cache: { ...disk, memory: 0 } });
    await rm(join(directory.path, 'store'), { recursive: true });
    willis.serve(answer(200, fresh, Buffer.alloc(200_000)));
    await willis.get('/a');
    await until(() => willis.node.metrics.text().includes('willis_store_well{store="disk"} 0\n'));
    assert.match((await willis.get('/b')).get('cache-status') ?? '', /fwd=uri-miss.*detail=disk-unwell/);
  });
});
