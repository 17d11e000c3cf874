import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytes } from '../../../config/units.js';
import { OpenFiles } from '../../../proxy/cache/disk/open-files.js';
import { gate } from '../../support/gate.js';
import { TempDir } from '../../support/temp-dir.js';
import { FaultyFileSystem } from './faulty-file-system.js';

describe('files that are open for reading', () => {
  let temporary: TempDir;
  let system: FaultyFileSystem;
  let used: string[];
  let open: OpenFiles;

  beforeEach(async () => {
    temporary = await TempDir.create();
    system = new FaultyFileSystem();
    used = [];
    system.onUse = (operation) => used.push(operation);
    open = new OpenFiles(system, 2);
    for (const name of ['a', 'b', 'c']) writeFileSync(join(temporary.path, name), `content of ${name}`);
  });
  afterEach(() => temporary.remove());

  const path = (name: string): string => join(temporary.path, name);
  const readNow = (name: string): string | null => {
    const into = Buffer.alloc(12);
    return open.readNow(path(name), into, bytes(0)) === null ? null : into.toString();
  };
  const read = async (name: string): Promise<string> => {
    const into = Buffer.alloc(12);
    await open.read(path(name), into, bytes(0));
    return into.toString();
  };

  it('stay open for the next reader, whichever way it reads', async () => {
    assert.equal(readNow('a'), 'content of a');
    assert.equal(await read('a'), 'content of a');
    assert.equal(readNow('a'), 'content of a');
    assert.deepEqual(used, ['open', 'read', 'read', 'read']);
    assert.equal(open.count, 1);
  });

  it('are so many at most: the one that was used longest ago is closed', () => {
    for (const name of ['a', 'b', 'a', 'c', 'a']) readNow(name);
    assert.equal(open.count, 2);
    assert.deepEqual(used, ['open', 'read', 'open', 'read', 'read', 'open', 'read', 'close', 'read']);
  });

  it('are closed if no more can be opened, and one is tried again', () => {
    readNow('a');
    readNow('b');
    system.fail('open', 'EMFILE', 1);
    assert.equal(readNow('c'), 'content of c');
    assert.equal(open.count, 1);
    assert.deepEqual(used.slice(4), ['open', 'close', 'close', 'open', 'read']);
  });

  it('are not read at once while they are being opened', async () => {
    const opening = read('a');
    assert.equal(readNow('a'), null);
    assert.equal(await opening, 'content of a');
    assert.equal(readNow('a'), 'content of a');
  });

  it('are closed after a read that fails, and opened anew for the next', () => {
    readNow('a');
    system.fail('read', 'EIO', 1);
    assert.throws(() => readNow('a'), /EIO/);
    assert.equal(open.count, 0);
    assert.equal(readNow('a'), 'content of a');
    assert.deepEqual(used, ['open', 'read', 'read', 'close', 'open', 'read']);
  });

  it('that are forgotten while they are read are closed when that is over', async () => {
    const closed = gate();
    system.onUse = (operation) => {
      used.push(operation);
      if (operation === 'close') closed.open();
    };
    const reading = read('a');
    open.forget(path('a'));
    assert.equal(open.count, 0);
    assert.equal(await reading, 'content of a');
    await closed.promise;
    assert.deepEqual(used, ['open', 'read', 'close']);
  });
});
