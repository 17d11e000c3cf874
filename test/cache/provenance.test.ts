import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { bytes } from '../../config/units.js';
import { cacheKeyOf, keyOfUri } from '../../proxy/cache/cache-key.js';
import { decodeRecord } from '../../proxy/cache/disk/key-record.js';
import { MemoryStore } from '../../proxy/cache/memory-store.js';
import type { ResponseStore } from '../../proxy/cache/response-store.js';
import { TieredStore } from '../../proxy/cache/tiered-store.js';
import { WillisError } from '../../proxy/base/errors.js';
import type { AnsweredBy } from '../../proxy/forward/answered-by.js';
import type { Provenance, Source } from '../../proxy/http/provenance.js';
import { Fields } from '../../proxy/http/fields.js';
import { readAll } from '../../proxy/http/body.js';
import { targetOf, visitor } from '../replication/serving/held-example.js';
import { page, pageUri, ViewFixture } from '../wlis/html/views/view-fixture.js';
import { DiskExample } from './disk/disk-example.js';
import { draft } from './response-store/samples.js';

const by = (url: string, more: Partial<AnsweredBy> = {}): AnsweredBy => ({
  ...{ url, role: 'replica', score: 12, skipped: [], isUnconfirmed: false, version: { epoch: 'e', seq: 7 } },
  ...more,
});

const sourceAt = (url: string, more: Partial<Source> = {}): Source => ({
  ...{ url, role: 'replica', isUnconfirmed: false, version: { epoch: 'e', seq: 7 } },
  ...more,
});

const readable = ({ receivedAt, ageThen, freshUntil, source, contentName }: Provenance) => ({
  ...{ receivedAt, ageThen, freshUntil, source, contentName },
});

/** What the answer to a request says of where it comes from. */
async function provenance(
  site: ViewFixture,
  headers: Record<string, string> = {},
): Promise<ReturnType<typeof readable>> {
  const request = visitor(pageUri, { fields: headers });
  const response = await site.original(request);
  if (response.body !== null) await readAll(response.body, bytes(1_000_000));
  assert.ok(response.provenance !== undefined, 'it is known');
  return readable(response.provenance);
}

describe('where an answer comes from', () => {
  it('is told of what has just come, of hits, and of what is not stored', async () => {
    const site = new ViewFixture();
    site.origin = () => ({ fields: { Age: '10', ETag: '"1"' }, answeredBy: by('http://m1.example') });
    const received = site.clock.now();
    const told = await provenance(site);
    assert.deepEqual(
      { ...told, contentName: '' },
      {
        receivedAt: received,
        ageThen: 10,
        freshUntil: received + 50_000,
        source: sourceAt('http://m1.example'),
        contentName: '',
      },
    );
    site.clock.advance(20_000);
    assert.deepEqual(await provenance(site), told, 'a hit');
    assert.deepEqual(await provenance(site, { 'If-None-Match': '"1"' }), told, 'a 304 out of the store');
    assert.deepEqual(await provenance(site, { Range: 'bytes=0-3' }), told, 'a part');
    site.origin = () => ({ fields: { 'Cache-Control': 'private', Age: '3' } });
    assert.deepEqual(await provenance(site, { 'Cache-Control': 'no-cache' }), {
      ...{ receivedAt: site.clock.now(), ageThen: 3, freshUntil: null, source: null, contentName: null },
    });
  });

  it('says that what has to be confirmed each time is never fresh', async () => {
    for (const control of ['no-cache, max-age=60', 'max-age=0']) {
      const site = new ViewFixture();
      site.origin = () => ({ fields: { 'Cache-Control': control, ETag: '"1"' } });
      assert.equal((await provenance(site)).freshUntil, null, control);
    }
  });

  it('changes with a confirmation: another node is another source, the content is the same', async () => {
    const site = new ViewFixture();
    site.origin = () => ({ fields: { ETag: '"1"' }, answeredBy: by('http://m1.example') });
    const before = await provenance(site);
    site.clock.advance(61_000);
    const other = { role: 'primary', isUnconfirmed: true, version: null } as const;
    const { version, ...unproven } = by('http://docs.example.org', other);
    assert.equal(version, null);
    site.origin = () => ({ status: 304, fields: { ETag: '"1"' }, answeredBy: unproven });
    const after = await provenance(site);
    assert.deepEqual(after.source, sourceAt('http://docs.example.org', other));
    assert.equal(after.contentName, before.contentName);
    assert.equal(after.receivedAt, site.clock.now());
    assert.deepEqual(await provenance(site), after, 'a hit');
    site.clock.advance(61_000);
    site.origin = () => ({ fields: { ETag: '"2"' }, answeredBy: by('http://m2.example') });
    const replaced = await provenance(site);
    assert.equal(replaced.source?.url, 'http://m2.example');
    assert.notEqual(replaced.contentName, before.contentName);
  });

  it('is that of before where a stale response stands in', async () => {
    const site = new ViewFixture();
    site.origin = () => ({ answeredBy: by('http://m1.example') });
    const before = await provenance(site);
    site.clock.advance(61_000);
    site.origin = () => {
      throw new WillisError('connect-refused', 'nobody is there');
    };
    assert.deepEqual(await provenance(site), before);
  });

  it('says that a stale response stands in, but not of one that is fresh, or was confirmed', async () => {
    const site = new ViewFixture();
    const standsIn = async (): Promise<boolean> => {
      const { body, provenance: told } = await site.original(visitor(pageUri));
      body?.cancel();
      return told?.standsIn === true;
    };
    site.origin = () => ({ fields: { ETag: '"1"' } });
    assert.deepEqual(await provenance(site), await provenance(site));
    assert.equal(await standsIn(), false);
    site.clock.advance(61_000);
    site.origin = () => {
      throw new WillisError('connect-refused', 'nobody is there');
    };
    assert.equal(await standsIn(), true);
    site.origin = () => ({ status: 304, fields: { ETag: '"1"' } });
    assert.equal(await standsIn(), false);
  });

  it('is the same for all who wait for one transfer', async () => {
    const site = new ViewFixture();
    site.origin = () => ({ answeredBy: by('http://m1.example') });
    const all = await Promise.all([provenance(site), provenance(site), provenance(site)]);
    assert.equal(site.asked.length, 1);
    assert.deepEqual(all[1], all[0]);
    assert.deepEqual(all[2], all[0]);
  });

  it('outlives the process on a disk, also as a copy in memory', async () => {
    const disk = await DiskExample.create();
    try {
      const open = async (): Promise<ResponseStore> =>
        new TieredStore(
          new MemoryStore({ limit: bytes(1_000_000), maxDocument: bytes(100_000), variants: 4 }),
          await disk.open(),
        );
      const first = new ViewFixture({ store: await open() });
      first.origin = () => ({ fields: { ETag: '"1"' }, answeredBy: by('http://m1.example', { isUnconfirmed: true }) });
      const before = await provenance(first);
      assert.deepEqual(before.source, sourceAt('http://m1.example', { isUnconfirmed: true }));
      await first.store.close();
      const second = new ViewFixture({ store: await open(), clock: first.clock });
      for (let i = 0; i < 4; i++) assert.deepEqual(await provenance(second), before);
      assert.equal(second.asked.length, 0);
    } finally {
      await disk.remove();
    }
  });

  it('begins with the first confirmation of what was stored before contents had names', async () => {
    const site = new ViewFixture();
    const old = { key: keyOfUri(pageUri, ''), fields: Fields.of({ ETag: '"1"', 'Content-Type': 'text/html' }) };
    const writer = site.store.write(draft(site.store, old));
    await writer?.append(Buffer.from(page));
    await writer?.commit(Fields.none);
    site.origin = () => ({ status: 304, fields: { ETag: '"1"' } });
    const told = await provenance(site);
    assert.equal(typeof told.contentName, 'string');
    assert.deepEqual(await provenance(site), told);
    assert.equal(site.asked.length, 1);
  });

  it('is unknown of what was stored before it was kept', () => {
    const key = keyOfUri('http://example.org/', '');
    const freshness = [
      60,
      'max-age',
      0,
      1000,
      ['cache-control', ...Array<boolean>(8).fill(false), 60, null, null, null],
    ];
    const response = [
      ...[200, 'OK', ['Content-Type', 'text/html'], [], [], 1000, 1000, freshness, [], 'id'],
      ...[1, 'run', 0, [['s', 1, 0, 4, 65_536, 0, 'digest']], 4, [], false],
    ];
    const json = Buffer.from(JSON.stringify([1, 5, 6, [response], 'list']));
    const value = Buffer.concat([Buffer.alloc(4), json]);
    value.writeUInt32BE(crc32(json, crc32(key)));
    const record = decodeRecord(key, value, { run: 'run', floor: 0, marks: null });
    const [stored] = record?.responses ?? [];
    assert.deepEqual(
      [stored?.status, stored?.complete, stored?.source, stored?.contentName],
      [200, true, null, undefined],
    );
    assert.deepEqual(stored?.fields, Fields.of({ 'Content-Type': 'text/html' }));
    assert.equal(cacheKeyOf(targetOf('http://example.org/'), ''), key);
  });
});
