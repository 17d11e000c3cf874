import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { filesUnder } from '../cache/disk/disk-example.js';
import type { Seeded } from './seeded.js';

/** What was done to a store while nobody used it. */
export interface Damage {
  readonly what: string;
  /** Names of body files. */
  readonly bodies: readonly string[];
  readonly isIndex: boolean;
}

/** A file of somebody else where the store writes. */
export const foreignTemporary = 'left-behind';

/** Damages some of the body files, or of the index, or puts there what does not belong. */
export function damage(directory: string, random: Seeded): Damage {
  return random.weighted<() => Damage>([
    [4, () => bodies('bits flipped', directory, random, (path) => flipBits(path, random))],
    [3, () => bodies('truncated', directory, random, (path) => truncate(path, random))],
    [3, () => bodies('deleted', directory, random, (path) => rmSync(path))],
    [1, () => bodies('exchanged', directory, random, (path) => writeFileSync(path, 'something else'))],
    [2, () => foreign(directory, random)],
    [3, () => index(directory, random)],
  ])();
}

function bodies(what: string, directory: string, random: Seeded, spoil: (path: string) => void): Damage {
  const files = filesUnder(join(directory, 'bodies')).filter((path) => statSync(path).size > 0);
  const chosen = new Set(
    files.length === 0 ? [] : Array.from({ length: random.between(1, 6) }, () => random.pick(files)),
  );
  for (const path of chosen) spoil(path);
  return { what: `${chosen.size} bodies ${what}`, bodies: [...chosen].map((path) => basename(path)), isIndex: false };
}

function foreign(directory: string, random: Seeded): Damage {
  const folder = random.below(256).toString(16).padStart(2, '0');
  mkdirSync(join(directory, 'bodies', folder), { recursive: true });
  const names = [
    'README',
    `bodies/${folder}/.DS_Store`,
    `bodies/${folder}/0123456789abcdefghij`,
    `tmp/${foreignTemporary}`,
    'bodies/lost+found',
  ];
  for (const name of names) {
    try {
      if (!existsSync(join(directory, name))) writeFileSync(join(directory, name), 'foreign');
    } catch (error) {
      // a store on a small disk leaves no room for others
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  return { what: 'foreign files', bodies: [], isIndex: false };
}

function index(directory: string, random: Seeded): Damage {
  const path = join(directory, 'index');
  const files = readdirSync(path).filter((name) => name !== 'LOCK' && !name.startsWith('LOG'));
  const name = random.pick(files.filter((one) => isFilled(join(path, one))));
  const how = random.below(3);
  const file = join(path, name);
  if (how === 0) flipBits(file, random);
  else if (how === 1) truncate(file, random);
  else rmSync(file);
  return { what: `index: ${name} ${['bits flipped', 'truncated', 'deleted'][how] ?? ''}`, bodies: [], isIndex: true };
}

function isFilled(path: string): boolean {
  const found = statSync(path);
  return found.isFile() && found.size > 0;
}

function flipBits(path: string, random: Seeded): void {
  const file = openSync(path, 'r+');
  const { size } = statSync(path);
  for (let flips = random.between(1, 4); flips > 0; flips--) {
    const at = random.below(size);
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, at);
    byte.writeUInt8(byte.readUInt8() ^ (1 << random.below(8)));
    writeSync(file, byte, 0, 1, at);
  }
  closeSync(file);
}

function truncate(path: string, random: Seeded): void {
  const file = openSync(path, 'r+');
  ftruncateSync(file, random.below(statSync(path).size));
  closeSync(file);
}
