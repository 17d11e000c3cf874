import { blockSizeFor } from '../../wlis/trust/block-list.js';
import { NOT_FOUND, type DocumentStatus } from '../../wlis/trust/record.js';
import type { Variant } from '../../wlis/trust/variant.js';
import { mediaTypeOf } from './media-types.js';
import type { PublishedDocument } from './published-document.js';
import type { SourceFile } from './source-file.js';
import type { CompiledRules } from './source-rules.js';
import { encodePath, referenceTo } from './uri-path.js';

/** A directory, by the names of what is published in it. */
export interface SourceDirectory {
  /** Names, with a slash at the end; empty at the top. */
  readonly path: string;
  readonly files: ReadonlyMap<string, SourceFile>;
  /** Subdirectories that have a page that stands for them. */
  readonly indexed: Iterable<string>;
}

/** Where the page for what is not there is taken from. */
const notFoundPage = '404.html';

/** Codings of precompressed siblings, the preferred one first. */
export const siblingCodings: readonly (readonly [suffix: string, coding: string])[] = [
  ['.br', 'br'],
  ['.gz', 'gzip'],
];

/** The name of the page that stands for a directory; undefined if there is none. */
export const indexPageOf = (files: ReadonlyMap<string, SourceFile>, rules: CompiledRules): string | undefined =>
  rules.rules.indexPages.find((name) => files.has(name));

/**
 * The documents of one directory, by their paths:
 *
 * 1. a redirect that the operator wrote, in place of whatever else there may be;
 * 2. a file under its own name, with its precompressed siblings as variants; with clean URLs `about.html` as `about`, and a
 *    redirect from its own name;
 * 3. the index page as the directory itself; `404.html` at the top as the answer for what is not there;
 * 4. a redirect from `dir` to `dir/` for a subdirectory that has an index page.
 */
export function layOut(directory: SourceDirectory, rules: CompiledRules): Map<string, PublishedDocument> {
  const laid = new Map<string, PublishedDocument>();
  const layout: Layout = { directory, rules, above: encodePath(directory.path) ?? '', laid };
  for (const { path, to, status } of rules.redirects.get(directory.path) ?? []) {
    add(layout, path, redirect(layout, path, to, status));
  }
  const index = indexPageOf(directory.files, rules);
  for (const [name, file] of directory.files) {
    if (rules.rules.cleanUrls && name.endsWith('.html') && name !== '.html') continue;
    if (isNotFoundPage(directory, name)) continue;
    addPage(layout, name, name, file);
  }
  if (rules.rules.cleanUrls) addCleanPages(layout, index);
  const page = index === undefined ? undefined : directory.files.get(index);
  if (index !== undefined && page !== undefined) addPage(layout, '', index, page);
  const missing = directory.path === '' ? directory.files.get(notFoundPage) : undefined;
  if (missing !== undefined) {
    const fields = rules.fieldsFor(notFoundPage, varyFor(directory, notFoundPage, missing));
    add(layout, NOT_FOUND, { status: 404, fields, variants: variantsOf(layout, notFoundPage, missing) });
  }
  for (const name of directory.indexed) {
    const path = layout.above + (encodePath(name) ?? '');
    add(layout, path, redirect(layout, path, referenceTo(`${encodePath(name) ?? ''}/`), 301));
  }
  return laid;
}

interface Layout {
  readonly directory: SourceDirectory;
  readonly rules: CompiledRules;
  /** The path of the directory as URIs have it. */
  readonly above: string;
  readonly laid: Map<string, PublishedDocument>;
}

/** What came first stays. */
function add({ laid }: Layout, path: string, document: Omit<PublishedDocument, 'path'>): void {
  if (!laid.has(path)) laid.set(path, { path, ...document });
}

function addCleanPages(layout: Layout, index: string | undefined): void {
  const { directory, above } = layout;
  for (const [name, file] of directory.files) {
    if (!name.endsWith('.html') || name === '.html' || isNotFoundPage(directory, name)) continue;
    const clean = name === index ? '' : name.slice(0, -'.html'.length);
    const path = above + (encodePath(name) ?? '');
    // the clean name may be that of another file
    if (clean !== '' && directory.files.has(clean)) {
      addPage(layout, name, name, file);
      continue;
    }
    if (clean !== '') addPage(layout, clean, name, file);
    add(layout, path, redirect(layout, path, referenceTo(encodePath(clean) ?? ''), 301));
  }
}

function addPage(layout: Layout, as: string, name: string, file: SourceFile): void {
  const { directory, rules, above } = layout;
  const fields = rules.fieldsFor(directory.path + as, varyFor(directory, name, file));
  add(layout, above + (encodePath(as) ?? ''), { status: 200, fields, variants: variantsOf(layout, name, file) });
}

function redirect(layout: Layout, path: string, to: string, status: DocumentStatus): Omit<PublishedDocument, 'path'> {
  return { status, fields: layout.rules.fieldsFor(decodeURIComponent(path), ['location', to]), variants: [] };
}

const isNotFoundPage = ({ path }: SourceDirectory, name: string): boolean => path === '' && name === notFoundPage;

/** Siblings that are the compressed form of just these bytes, and shorter. */
function siblingsOf(directory: SourceDirectory, name: string, file: SourceFile): [coding: string, file: SourceFile][] {
  return siblingCodings.flatMap(([suffix, coding]) => {
    const sibling = directory.files.get(name + suffix);
    const isForm = sibling?.formOf?.digest === file.digest && sibling.formOf.is && sibling.size < file.size;
    return isForm ? [[coding, sibling] as [string, SourceFile]] : [];
  });
}

const varyFor = (directory: SourceDirectory, name: string, file: SourceFile): string[] =>
  siblingsOf(directory, name, file).length === 0 ? [] : ['vary', 'Accept-Encoding'];

function variantsOf({ directory, rules }: Layout, name: string, file: SourceFile): Variant[] {
  const type = mediaTypeOf(name, file.isText, rules.rules.types);
  const siblings = siblingsOf(directory, name, file);
  return [...siblings, [null, file] as const].map(([coding, one]) => variantOf(one, coding, type));
}

function variantOf({ digest, blocks, size, lastModified }: SourceFile, coding: string | null, type: string): Variant {
  // half of the digest tells any two representations apart
  const etag = `"${digest.slice(0, 32)}"`;
  return {
    coding,
    language: null,
    type,
    etag,
    lastModified,
    length: size,
    digest,
    blockSize: blockSizeFor(size),
    blocks,
  };
}
