import assert from 'node:assert/strict';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { metricOf, Replicating } from '../support/replicating.js';
import { skipWithout } from '../support/skip-without.js';
import { until } from '../support/waiting.js';

/** Longer than contents are kept that nobody refers to any more. */
const long = 16 * 60_000;

describe('a reload of a node that holds namespaces', () => {
  let site: Replicating;

  afterEach(() => site.stop());

  const published = (path: string, keys: object = {}) => ({
    ...{ url: `${site.origin}${path}`, directory: site.path(path.slice(1, -1)), replicas: { accept: 'open' } },
    ...keys,
  });

  const publish = (...namespaces: object[]) => site.primary.reload({ primary: { namespaces } });

  const answered = (path: string, status: number): Promise<void> =>
    until(async () => (await site.visit(path)).status === status);

  /** Those of that name in the directory of the test. */
  const openFiles = (name: string): string[] =>
    readdirSync('/proc/self/fd')
      .flatMap((descriptor) => linkOf(`/proc/self/fd/${descriptor}`) ?? [])
      .filter((path) => path.startsWith(site.path('')) && path.endsWith(`/${name}`));

  it('founds all namespaces of an origin that are added at once', async () => {
    site = await Replicating.start();
    const names = ['one', 'two', 'three', 'four'];
    for (const name of names) await site.write('a.txt', name, site.path(name));
    await publish(...names.map((name) => published(`/${name}/`)));
    // nothing has a version that nobody can sign for
    const version = async (name: string) => (await site.visit(`/${name}/a.txt`)).get('wlis-namespace') ?? '';
    for (const name of names) await until(async () => (await version(name)).includes(';seq=1'));
  });

  it('leaves alone the namespaces about which nothing has changed', async () => {
    site = await Replicating.start();
    for (const name of ['one', 'two']) await site.write('a.txt', name, site.path(name));
    await publish(published('/one/'), published('/two/'));
    await site.published('/one/a.txt', 'one');
    await site.published('/two/a.txt', 'two');
    const replica = await site.replica({ url: `${site.origin}/one/` });
    const role = async (path: string) => (await site.visit(path, replica)).get('wlis-namespace') ?? '';
    await until(async () => (await role('/one/a.txt')).includes('role=replica;epoch='));
    const followed = () => metricOf(replica, 'willis_namespace_changes_total');
    const before = followed();
    assert.ok(before > 0, 'it counts since it was opened');
    const one = { url: `${site.origin}/one/`, from: site.origin };
    await replica.reload({ replicated: { namespaces: [one, { ...one, url: `${site.origin}/two/` }] } });
    await until(async () => (await role('/two/a.txt')).includes('role=replica;epoch='));
    assert.ok(followed() > before, 'that of the first namespace goes on');
    await replica.stop();
    // nor is anything left of the connections, which would be kept for half a minute
    await until(() => metricOf(site.primary, 'willis_connections_open') === 0);
  });

  it('leaves nothing open of a namespace that cannot be opened', async function () {
    if (!existsSync('/proc/self/fd')) skipWithout(this, 'system that tells which files a process has open');
    site = await Replicating.start();
    await until(() => openFiles('journal').length === 1);
    const [journal = ''] = openFiles('journal');
    await publish();
    assert.deepEqual(openFiles('journal'), []);
    // where the list of members should be
    const members = join(dirname(journal), 'members');
    await rm(members, { force: true });
    await mkdir(join(members, 'a'), { recursive: true });
    await site.publish();
    await answered('/', 503);
    assert.deepEqual(openFiles('journal'), []);
  });

  it('lets go of the contents of a namespace that is published no more', async () => {
    site = await Replicating.start({ config: { documents: { disk: '1MiB' } } });
    await site.write('a.txt', 'one', site.path('one'));
    await site.write('large.bin', Buffer.alloc(700_000, 'a'), site.path('two'));
    await publish(published('/one/'), published('/two/'));
    await answered('/two/large.bin', 200);
    await publish(published('/one/'));
    await answered('/two/large.bin', 421);
    site.primary.clock.advance(long);
    await site.write('large.bin', Buffer.alloc(700_000, 'b'), site.path('one'));
    // contents are looked through at every reload
    await publish(published('/one/', { scanEvery: '20s' }));
    await answered('/one/large.bin', 200);
  });

  it('lets go of what was published before, however often the namespace was opened anew', async () => {
    site = await Replicating.start({ config: { documents: { disk: '1MiB' } } });
    await site.write('large.bin', Buffer.alloc(700_000, 'a'));
    await answered('/large.bin', 200);
    for (const every of [21, 22, 23]) await site.publish({ scanEvery: `${every}s` });
    await site.write('large.bin', 'short');
    await site.published('/large.bin', 'short');
    site.primary.clock.advance(long);
    await site.publish({ scanEvery: '24s' });
    await site.write('other.bin', Buffer.alloc(700_000, 'b'));
    await answered('/other.bin', 200);
  });
});

/** Where a link leads; null if it is gone. */
function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
