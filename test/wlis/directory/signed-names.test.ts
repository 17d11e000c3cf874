import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { epochMs } from '../../../config/units.js';
import type { Directory } from '../../../wlis/directory/directory.js';
import type { DirectorySettings } from '../../../wlis/directory/directory-settings.js';
import { publishedNames } from '../../../wlis/directory/name-files.js';
import type { SigningKey } from '../../../wlis/trust/jws.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import { ownLabel, signName } from '../../../wlis/trust/name-statement.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TempDir } from '../../support/temp-dir.js';
import { disbelief } from '../trust/disbelief.js';
import { keyNamed } from '../trust/keys-example.js';
import { KnownNetwork, openDirectory } from './known-network.js';

const aDay = 86_400_000;
const [one, two] = [parseNamespace('http://one.example/'), parseNamespace('http://two.example/')];

describe('the signed names of a directory', () => {
  let room: TempDir;
  let clock: FakeClock;
  let keys: readonly [SigningKey, SigningKey];
  const opened: Directory[] = [];

  beforeEach(async () => {
    room = await TempDir.create();
    clock = new FakeClock();
    keys = [await keyNamed('naming 1'), await keyNamed('naming 2')];
  });
  afterEach(async () => {
    for (const directory of opened.splice(0)) await directory.stop();
    await room.remove();
  });

  const open = async (settings: Partial<DirectorySettings> = {}): Promise<Directory> => {
    const namingKeys = keys.map(({ id }) => id);
    const { directory } = await openDirectory(room, new KnownNetwork(), clock, { namingKeys, ...settings });
    opened.push(directory);
    return directory;
  };
  const signed = async (name: string, by: SigningKey, serial = 1, namespace: typeof one | null = one) => {
    const [issued, expires] = [clock.now(), epochMs(clock.now() + 10 * aDay)];
    return (await signName({ name, namespace, serial, issued, expires }, by)).jws;
  };
  const find = (directory: Directory, name: string) =>
    directory
      .nameSources()
      .map((source) => source.find(name))
      .find((found) => found !== null) ?? null;

  it('the first of the naming keys counts most, the others where it says nothing', async () => {
    const directory = await open();
    await directory.names.take(await signed('manual', keys[1], 1, two));
    assert.equal(find(directory, 'manual'), two);
    await directory.names.take(await signed('manual', keys[0]));
    assert.equal(find(directory, 'manual'), one);
    await directory.names.take(await signed('manual', keys[0], 2, null));
    assert.equal(find(directory, 'manual'), two, 'the first says that it stands for nothing by his word');
  });

  it('a lower serial does not come back, a name ends with its time, and keys that are no longer named count no more', async () => {
    const directory = await open();
    await directory.names.take(await signed('manual', keys[0], 2, two));
    assert.equal(await directory.names.take(await signed('manual', keys[0], 1)), false);
    assert.equal(find(directory, 'manual'), two);
    await directory.configure({ ...directory.settings, namingKeys: [keys[1].id] });
    assert.equal(find(directory, 'manual'), null);
    assert.equal(directory.names.size, 0);
    await directory.names.take(await signed('manual', keys[1]));
    clock.advance(11 * aDay);
    assert.equal(find(directory, 'manual'), null);
  });

  it('a name that certifies itself is its key’s alone, whoever else is named', async () => {
    const directory = await open();
    const stranger = await keyNamed('stranger');
    const own = `manual.${ownLabel(stranger.id)}`;
    await directory.names.take(await signed(own, stranger));
    await assert.rejects(directory.names.take(await signed(own, keys[0], 9, two)), disbelief('wrong-signature'));
    assert.equal(find(directory, own), one);
    await assert.rejects(directory.names.take(await signed('manual', stranger)), disbelief('wrong-signature'));
    const ahead = { issued: epochMs(clock.now() + 2 * aDay), expires: epochMs(clock.now() + 3 * aDay) };
    const late = await signName({ name: 'manual', namespace: one, serial: 1, ...ahead }, keys[0]);
    await assert.rejects(directory.names.take(late.jws), disbelief('out-of-date'));
  });

  it('there are so many and no more: what anybody can make goes before what the operator trusts', async () => {
    const directory = await open({ most: 3 });
    await directory.names.take(await signed('manual', keys[0]));
    for (let n = 0; n < 6; n++) {
      const stranger = await keyNamed(`stranger ${n}`);
      await directory.names.take(await signed(ownLabel(stranger.id), stranger));
    }
    assert.equal(directory.names.size, 3);
    assert.equal(find(directory, 'manual'), one);
  });

  it('statements that the operator puts into node.data/names are published; what was learned outlasts a restart', async () => {
    await mkdir(publishedNames(room.path), { recursive: true });
    await writeFile(join(publishedNames(room.path), 'manual.jws'), `${await signed('manual', keys[0])}\n`);
    await writeFile(join(publishedNames(room.path), 'broken.jws'), 'x.y.z');
    const directory = await open({ isDirectory: true });
    assert.equal(find(directory, 'manual'), one);
    assert.equal(directory.refusals.counts['malformed'], 1);
    await directory.names.take(await signed('other', keys[1], 1, two));
    const { lines } = await directory.feed.page(null);
    assert.equal(lines.length, 2);
    await directory.stop();
    const again = await open();
    assert.equal(find(again, 'other'), two);
    assert.equal((await readdir(join(room.path, 'directory', 'names'))).length, 2);
  });
});
