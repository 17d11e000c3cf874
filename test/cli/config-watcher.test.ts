import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { appendFile, mkdir, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { milliseconds } from '../../config/units.js';
import { ConfigWatcher, type WatcherTimes } from '../../proxy/cli/config-watcher.js';
import { TempDir } from '../support/temp-dir.js';

const never = milliseconds(1_000_000);
const times: WatcherTimes = { settle: milliseconds(60), absence: milliseconds(400), scan: never };

describe('the watcher of configuration files', () => {
  let dir: TempDir;
  let watcher: ConfigWatcher;
  /** The content of the watched file at each change that was told. */
  let told: string[];
  let wake: () => void;

  beforeEach(async () => {
    dir = await TempDir.create();
    told = [];
    wake = () => undefined;
  });
  afterEach(async () => {
    watcher.close();
    await dir.remove();
  });

  const at = (name: string): string => join(dir.path, name);
  const contentOf = (path: string): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      return String((error as NodeJS.ErrnoException).code);
    }
  };
  const untilTold = async (count: number): Promise<void> => {
    while (told.length < count) await new Promise<void>((resolve) => (wake = resolve));
  };
  /** Begins to watch; what is there is told once, in case that it came between the first reading and now. */
  const watch = async (path: string, over: Partial<WatcherTimes> = {}): Promise<void> => {
    const tell = (): Promise<void> => {
      told.push(contentOf(path));
      wake();
      return Promise.resolve();
    };
    watcher = new ConfigWatcher(tell, { ...times, ...over });
    watcher.watch([path]);
    await untilTold(1);
  };

  it('tells of a file that is written in place, when all pieces of it are there', async () => {
    const file = await dir.write('a.yaml', 'one');
    await watch(file, { settle: milliseconds(300) });
    await writeFile(file, 'two');
    for (const piece of [', three', ', four']) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await appendFile(file, piece);
    }
    await untilTold(2);
    assert.deepEqual(told, ['one', 'two, three, four']);
  });

  it('tells of a file that another one was renamed to, again and again', async () => {
    const file = await dir.write('a.yaml', 'one');
    await watch(file);
    for (const [index, content] of ['two', 'three'].entries()) {
      await rename(await dir.write('a.yaml~', content), file);
      await untilTold(index + 2);
    }
    assert.deepEqual(told, ['one', 'two', 'three']);
  });

  it('tells of a directory of links that leads elsewhere, as orchestrators swap it', async () => {
    await dir.write('..1/a.yaml', 'one');
    await dir.write('..2/a.yaml', 'two');
    await symlink('..1', at('..data'));
    await symlink(join('..data', 'a.yaml'), at('a.yaml'));
    await watch(at('a.yaml'));
    await symlink('..2', at('..tmp'));
    await rename(at('..tmp'), at('..data'));
    await untilTold(2);
    await writeFile(at('..2/a.yaml'), 'three');
    await untilTold(3);
    assert.deepEqual(told, ['one', 'two', 'three']);
  });

  it('tells of a link elsewhere whose target changes', async () => {
    await dir.write('elsewhere/deep/a.yaml', 'one');
    await mkdir(at('here'));
    await symlink('../elsewhere/deep/a.yaml', at('here/a.yaml'));
    await watch(at('here/a.yaml'));
    await writeFile(at('elsewhere/deep/a.yaml'), 'two');
    await untilTold(2);
    assert.deepEqual(told, ['one', 'two']);
  });

  it('tells nothing of a file that was touched, or written with what it had', async () => {
    const file = await dir.write('a.yaml', 'one');
    await watch(file);
    await utimes(file, 1, 1);
    await writeFile(file, 'one');
    await rename(await dir.write('a.yaml~', 'one'), file);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await writeFile(file, 'two');
    await untilTold(2);
    assert.deepEqual(told, ['one', 'two']);
  });

  it('tells nothing of a file that was gone for a moment', async () => {
    const file = await dir.write('a.yaml', 'one');
    await watch(file, { absence: never });
    await unlink(file);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await writeFile(file, 'two');
    await untilTold(2);
    assert.deepEqual(told, ['one', 'two']);
  });

  it('tells of a file that has gone and does not come back, once, and of its return', async () => {
    const file = await dir.write('a.yaml', 'one');
    await watch(file);
    await unlink(file);
    await untilTold(2);
    await writeFile(file, 'one');
    await untilTold(3);
    assert.deepEqual(told, ['one', 'ENOENT', 'one']);
  });

  it('stands a directory that goes and comes back', async () => {
    const file = await dir.write('etc/a.yaml', 'one');
    await watch(file, { scan: milliseconds(100) });
    await rm(at('etc'), { recursive: true });
    await untilTold(2);
    await dir.write('etc/a.yaml', 'two');
    await untilTold(3);
    await writeFile(file, 'three');
    await untilTold(4);
    assert.deepEqual(told, ['one', 'ENOENT', 'two', 'three']);
  });

  it('finds by looking now and then what no event told', async () => {
    const file = await dir.write('a.yaml', 'one');
    await dir.write('b/a.yaml', 'two');
    await mkdir(at('mount'));
    await rename(file, at('mount/a.yaml'));
    await watch(at('mount/a.yaml'), { scan: milliseconds(50) });
    await rename(at('mount'), at('old'));
    await rename(at('b'), at('mount'));
    await untilTold(2);
    assert.deepEqual(told, ['one', 'two']);
  });

  it('tells nothing any more once it is closed', async () => {
    const file = await dir.write('a.yaml', 'one');
    await watch(file, { scan: milliseconds(20) });
    watcher.close();
    await writeFile(file, 'two');
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(told, ['one']);
  });
});
