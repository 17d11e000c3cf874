import { mkdir, open, rename, rm, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { bytes } from '../../config/units.js';
import type { Variant } from '../../wlis/trust/variant.js';
import { hashed, writeFully } from '../blob-content.js';
import type { DocumentContent } from '../held-namespace.js';
import { syncDirectory } from '../large-blobs.js';

/** What was written. */
export interface WrittenSite {
  /** Where it is now. */
  readonly directory: string;
  /** Names of files that have text in UTF-8, as far as bytes can tell. */
  readonly texts: ReadonlySet<string>;
  /** Names that the system has refused, with its reason. */
  readonly refused: ReadonlyMap<string, string>;
}

/**
 * Writes files into a new directory, durably; it has its name only once it is whole. What else is there is left alone: then it
 * gets another name, with a number.
 * @throws Error what the system says; BlobStoreError, NotBelieved for a content that cannot be had
 */
export async function writeSite(
  wanted: string,
  files: ReadonlyMap<string, Variant>,
  content: DocumentContent,
): Promise<WrittenSite> {
  const above = dirname(wanted);
  await mkdir(above, { recursive: true });
  const draft = join(above, `.${basename(wanted)}.new`);
  await rm(draft, { recursive: true, force: true });
  const texts = new Set<string>();
  const refused = new Map<string, string>();
  const made = new Set<string>();
  for (const [name, variant] of files) {
    try {
      await makeDirectory(dirname(join(draft, name)), made);
      if (await writeFile(join(draft, name), variant, content)) texts.add(name);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined || !ofNames.has(code)) throw error;
      refused.set(name, code);
    }
  }
  await makeDirectory(draft, made);
  for (const directory of made) await syncDirectory(directory);
  const directory = await placed(draft, wanted);
  await syncDirectory(above);
  return { directory, texts, refused };
}

/** @returns whether it is text */
async function writeFile(path: string, variant: Variant, content: DocumentContent): Promise<boolean> {
  const { length, lastModified } = variant;
  const handle = await open(path, 'wx', 0o644);
  try {
    const { isText } = await hashed(content.read(variant, bytes(0), length), length, (chunk) =>
      writeFully(handle, chunk),
    );
    await handle.sync();
    return isText;
  } finally {
    await handle.close();
    if (lastModified !== null) await utimes(path, lastModified / 1000, lastModified / 1000);
  }
}

async function makeDirectory(path: string, made: Set<string>): Promise<void> {
  if (made.has(path)) return;
  await mkdir(path, { recursive: true });
  made.add(path);
}

/** The place is taken by whoever is first; an empty directory that is there is as good as none. */
async function placed(draft: string, wanted: string): Promise<string> {
  for (let number = 1; number <= mostPlaces; number++) {
    const place = number === 1 ? wanted : `${wanted}-${number}`;
    try {
      await rename(draft, place);
      return place;
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  throw new Error(`${wanted}: there are ${mostPlaces} of them already`);
}

const mostPlaces = 100;

/** Of a name that this file system does not have, or that another one stands for. */
const ofNames: ReadonlySet<string> = new Set(['ENAMETOOLONG', 'EEXIST', 'ENOTDIR', 'EISDIR', 'EINVAL', 'EILSEQ']);
