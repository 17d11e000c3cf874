import { epochMs } from '../../config/units.js';
import type { Digest } from '../../wlis/trust/digest.js';
import type { Variant } from '../../wlis/trust/variant.js';
import { documentText, saysTheSame, type PublishedDocument } from '../source/published-document.js';
import { indexPageOf, layOut } from '../source/site-layout.js';
import type { SourceFile } from '../source/source-file.js';
import type { CompiledRules } from '../source/source-rules.js';
import { plainNameOf } from '../source/compressed-sibling.js';

/** What a primary would publish otherwise than it was. */
export interface SiteDifference {
  /** Documents that it would not have, or not so. */
  readonly lost: readonly string[];
  /** Documents that it would have beside. */
  readonly added: readonly string[];
}

/** Lays files out by rules, as the primary will, and compares that with the documents which they were made from. */
export function differenceOf(
  documents: readonly PublishedDocument[],
  files: ReadonlyMap<string, Variant>,
  rules: CompiledRules,
  isText: (name: string) => boolean,
): SiteDifference {
  const directories = directoriesOf(files, rules, { isText, forms: formsIn(documents) });
  const indexed = indexedIn(directories, rules);
  const laid = new Map<string, PublishedDocument>();
  for (const path of new Set([...directories.keys(), ...rules.redirects.keys()])) {
    const own = directories.get(path) ?? new Map<string, SourceFile>();
    const directory = { path, files: own, indexed: indexed.get(path) ?? [] };
    for (const [at, document] of layOut(directory, rules)) laid.set(at, document);
  }
  const paths = new Set(documents.map(({ path }) => path));
  return {
    lost: documents.flatMap((document) => {
      const again = laid.get(document.path);
      return again !== undefined && saysTheSame(documentText(document), documentText(again)) ? [] : [document.path];
    }),
    added: [...laid.keys()].filter((path) => !paths.has(path)),
  };
}

/** What is to be known of files beside their variants. */
interface Known {
  readonly isText: (name: string) => boolean;
  /** Compressed forms, by the digests of both. */
  readonly forms: ReadonlySet<string>;
}

const formOf = (plain: Digest, sibling: Digest): string => `${plain} ${sibling}`;

/** As it was said by the primary, which has looked. */
const formsIn = (documents: readonly PublishedDocument[]): ReadonlySet<string> =>
  new Set(
    documents.flatMap(({ variants }) => {
      const plain = variants.find(({ coding }) => coding === null);
      return plain === undefined ? [] : variants.map(({ digest }) => formOf(plain.digest, digest));
    }),
  );

/** Names of directories that have a page which stands for them, by the directory above. */
function indexedIn(
  directories: ReadonlyMap<string, ReadonlyMap<string, SourceFile>>,
  rules: CompiledRules,
): ReadonlyMap<string, readonly string[]> {
  const indexed = new Map<string, string[]>();
  for (const [path, files] of directories) {
    if (path === '' || indexPageOf(files, rules) === undefined) continue;
    const at = path.lastIndexOf('/', path.length - 2) + 1;
    const above = indexed.get(path.slice(0, at)) ?? [];
    above.push(path.slice(at, -1));
    indexed.set(path.slice(0, at), above);
  }
  return indexed;
}

/** Files that are published, by the directory that they are in. */
function directoriesOf(
  files: ReadonlyMap<string, Variant>,
  rules: CompiledRules,
  known: Known,
): Map<string, Map<string, SourceFile>> {
  const directories = new Map<string, Map<string, SourceFile>>([['', new Map()]]);
  for (const [name, variant] of files) {
    const at = name.lastIndexOf('/') + 1;
    if (rules.judgeFile(name) !== null || !isDirectoryPublished(name.slice(0, at), rules)) continue;
    const directory = directories.get(name.slice(0, at)) ?? new Map<string, SourceFile>();
    directory.set(name.slice(at), fileOf(name, variant, files, known));
    directories.set(name.slice(0, at), directory);
  }
  return directories;
}

function isDirectoryPublished(path: string, rules: CompiledRules): boolean {
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    if (rules.judgeDirectory(path.slice(0, at + 1)) !== null) return false;
  }
  return true;
}

function fileOf(name: string, variant: Variant, files: ReadonlyMap<string, Variant>, known: Known): SourceFile {
  const plain = files.get(plainNameOf(name) ?? '');
  const never = epochMs(0);
  return {
    ...{ size: variant.length, mtime: never, ctime: never, inode: 0, place: '', isText: known.isText(name) },
    ...{ digest: variant.digest, blocks: variant.blocks, lastModified: variant.lastModified ?? never },
    ...(plain !== undefined && {
      formOf: { digest: plain.digest, is: known.forms.has(formOf(plain.digest, variant.digest)) },
    }),
  };
}
