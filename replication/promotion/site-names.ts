import { NOT_FOUND } from '../../wlis/trust/record.js';
import type { Variant } from '../../wlis/trust/variant.js';
import type { PublishedDocument } from '../source/published-document.js';
import { siblingCodings } from '../source/site-layout.js';
import { encodePath, referenceTo } from '../source/uri-path.js';

/** What documents have to be called as files, so that a primary publishes the same from them. */
export interface SiteNames {
  /** What each file has, by its name below the top. */
  readonly files: ReadonlyMap<string, Variant>;
  /** The file of each document that has one, by its path. */
  readonly names: ReadonlyMap<string, string>;
  /** Pages that stand for their directory, the preferred one first. */
  readonly indexPages: readonly string[];
  readonly cleanUrls: boolean;
}

/**
 * The reverse of `layOut`, as far as there is one: what is not a file is left to rules, and whoever lays the files out again
 * sees what is wanting. Redirects and documents that no file can have have none.
 */
export function nameSite(documents: readonly PublishedDocument[]): SiteNames {
  const byPath = new Map(documents.map((document) => [document.path, document]));
  const cleanUrls = documents.some((document) => isOfCleanPage(document, byPath));
  const naming = new Naming(byPath, cleanUrls);
  for (const document of documents) naming.add(document);
  return { files: naming.files, names: naming.names, indexPages: naming.indexPages(), cleanUrls };
}

class Naming {
  readonly files = new Map<string, Variant>();
  readonly names = new Map<string, string>();
  readonly #indexNames = new Map<string, number>();
  /** What is in each of them, by its path without the slash at its end. */
  readonly #directories = new Map<string, string[]>();

  constructor(
    private readonly byPath: ReadonlyMap<string, PublishedDocument>,
    private readonly cleanUrls: boolean,
  ) {
    for (const { path } of byPath.values()) {
      for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) this.#inside(path.slice(0, at));
      const last = path.lastIndexOf('/');
      this.#inside(path.slice(0, Math.max(last, 0))).push(path.slice(last + 1));
    }
  }

  #inside(directory: string): string[] {
    const inside = this.#directories.get(directory) ?? [];
    this.#directories.set(directory, inside);
    return inside;
  }

  add(document: PublishedDocument): void {
    const name = this.#nameOf(document);
    if (name === null) return;
    this.names.set(document.path, name);
    for (const variant of document.variants) {
      const suffix = suffixOf(variant);
      if (suffix !== null && !this.files.has(name + suffix)) this.files.set(name + suffix, variant);
    }
  }

  indexPages(): readonly string[] {
    const names = [...this.#indexNames].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([name]) => name);
    return names.length === 0 ? ['index.html'] : names;
  }

  /** Null for what is no file. */
  #nameOf({ path, status, variants }: PublishedDocument): string | null {
    if (path === NOT_FOUND) return '404.html';
    if (status !== 200) return null;
    const name = decoded(path);
    if (name === null || name.startsWith('/') || name.includes('//')) return null;
    if (name === '' || name.endsWith('/')) return name + this.#indexNameIn(path, variants);
    if (this.cleanUrls && this.#redirects(`${path}.html`, path)) return `${name}.html`;
    return this.#directories.has(path) && path !== '' ? null : name;
  }

  /** The page that stands for a directory has a name of its own, under which it is, or was, published. */
  #indexNameIn(directory: string, variants: readonly Variant[]): string {
    const digests = digestsOf(variants);
    const isIt = (name: string): boolean => {
      const document = this.byPath.get(directory + name);
      if (document === undefined) return false;
      return document.status === 200
        ? digestsOf(document.variants) === digests
        : this.#redirects(document.path, directory);
    };
    const usual = ['index.html', 'index.htm', 'default.html', 'default.htm', 'index.xhtml', 'README.html'];
    const name = usual.find(isIt) ?? this.#anyIndexName(directory, isIt) ?? 'index.html';
    this.#indexNames.set(name, (this.#indexNames.get(name) ?? 0) + 1);
    return name;
  }

  #anyIndexName(directory: string, isIt: (name: string) => boolean): string | undefined {
    const inside = this.#directories.get(directory.slice(0, -1)) ?? [];
    return inside.find((name) => /^[\w.-]+$/.test(name) && isIt(name));
  }

  #redirects(from: string, to: string): boolean {
    const document = this.byPath.get(from);
    const location = document?.fields.find(([name]) => name === 'location')?.[1];
    return document?.status === 301 && location === referenceTo(to.slice(to.lastIndexOf('/') + 1));
  }
}

function isOfCleanPage(
  { path, status, fields }: PublishedDocument,
  all: ReadonlyMap<string, PublishedDocument>,
): boolean {
  if (status !== 301 || !path.endsWith('.html')) return false;
  const clean = path.slice(0, -'.html'.length);
  const location = fields.find(([name]) => name === 'location')?.[1];
  return all.get(clean)?.status === 200 && location === referenceTo(clean.slice(clean.lastIndexOf('/') + 1));
}

/** Null for what a file cannot be told to be. */
function suffixOf({ coding, language }: Variant): string | null {
  if (language !== null) return null;
  if (coding === null) return '';
  return siblingCodings.find(([, one]) => one === coding)?.[0] ?? null;
}

/** Null for a path that no names make. */
export function decoded(path: string): string | null {
  try {
    const name = decodeURIComponent(path);
    return encodePath(name) === path ? name : null;
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

const digestsOf = (variants: readonly Variant[]): string => variants.map(({ digest }) => digest).join();
