import { accessSync, constants, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { formatOriginUri, formatProxyUri, parseOriginUri, parseProxyUri } from '../../config/origin-uri.js';
import { withItem } from '../../config/yaml-text.js';
import { originOf, parseNamespace, type Namespace } from '../../wlis/namespace.js';
import { NotCanonical } from '../../wlis/not-canonical.js';
import { escapeControls } from '../base/escape.js';
import type { OpenedConfig } from './config-file.js';
import { replaceFile } from './replace-file.js';

/** A namespace that is to be replicated. */
export interface WantedNamespace {
  readonly url: Namespace;
  /** `https://www.example.org` */
  readonly from: string;
  /** Absolute path; null for none. */
  readonly tokenFile: string | null;
  /** Name of the root key; null if it is to be learned. */
  readonly rootKey: string | null;
}

/** Why a namespace is not added to a configuration, for people. */
export class NotAdded extends Error {
  override readonly name = 'NotAdded';
}

interface TypedOptions {
  readonly from?: string;
  readonly tokenFile?: string;
  readonly rootKey?: string;
}

/** Reads what somebody has typed; files as seen from `directory`. @throws NotAdded, or an error of the system */
export function wantedNamespace(
  url: string,
  { from, tokenFile, rootKey }: TypedOptions,
  directory: string,
): WantedNamespace {
  if (from === undefined) throw new NotAdded('say from where: --from URL');
  const node = parseProxyUri(from);
  if (typeof node === 'string') throw new NotAdded(`--from: expected ${node}, got '${escapeControls(from)}'`);
  const token = tokenFile === undefined ? null : resolve(directory, tokenFile);
  if (token !== null) accessSync(token, constants.R_OK);
  if (rootKey !== undefined && !/^[A-Za-z0-9_-]{43}$/.test(rootKey)) {
    throw new NotAdded(`--root-key: expected a key as 'willis keys list' shows it, got '${escapeControls(rootKey)}'`);
  }
  return { url: namespaceOf(url), from: formatProxyUri(node), tokenFile: token, rootKey: rootKey ?? null };
}

/**
 * Adds a namespace to `replicated.namespaces` of a configuration file; what else stands there stays.
 * @returns what takes it away again; null if it was there already
 * @throws NotAdded if it contradicts what is there; an error of the system, and the file is as it was
 */
export function addNamespace(opened: OpenedConfig, wanted: WantedNamespace): (() => void) | null {
  const { config, name, path } = opened;
  const isIt = ({ url }: { readonly url: string }): boolean => spelt(url) === spelt(wanted.url);
  if (config.primary.namespaces.some(isIt)) throw new NotAdded(`by ${name} this node is the primary of ${wanted.url}`);
  const at = config.replicated.namespaces.findIndex(isIt);
  const there = config.replicated.namespaces[at];
  if (there !== undefined) {
    const from = formatProxyUri(there.from);
    if (from === wanted.from && there.tokenFile === wanted.tokenFile) return null;
    const { line } = opened.positionOf(`replicated.namespaces[${at}]`);
    const how = `from ${from}${there.tokenFile === null ? '' : ` with ${there.tokenFile}`}`;
    throw new NotAdded(`${name}:${line} has ${wanted.url} ${how}: change it there`);
  }
  const before = readFileSync(path, 'utf8');
  replaceFile(path, trusted(added(before, wanted, opened), wanted, opened), 'no secrets');
  return () => replaceFile(path, before, 'no secrets');
}

function namespaceOf(url: string): Namespace {
  try {
    return parseNamespace(url);
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw new NotAdded(`'${escapeControls(url)}' is no namespace: ${error.message}`);
  }
}

const spelt = (url: string): string => {
  const uri = parseOriginUri(url);
  return typeof uri === 'string' ? url : formatOriginUri(uri);
};

/** With the root key of the namespace, unless it is known by that. */
function trusted(text: string, { url, rootKey }: WantedNamespace, { config, name }: OpenedConfig): string {
  if (rootKey === null) return text;
  const origin = originOf(url);
  const known = config.wlis.trust.roots.find((root) => formatProxyUri(root.origin) === origin);
  if (known?.key === rootKey) return text;
  if (known !== undefined) throw new NotAdded(`${name} has another root key for ${origin}: ${known.key}`);
  try {
    return withItem(text, ['wlis', 'trust', 'roots'], { origin, key: rootKey });
  } catch (error) {
    throw new NotAdded(`${name}: ${(error as Error).message}. Add the key to wlis.trust.roots by hand`);
  }
}

function added(text: string, { url, from, tokenFile }: WantedNamespace, { name, path }: OpenedConfig): string {
  const item = { url, from, ...(tokenFile !== null && { tokenFile: beside(path, tokenFile) }) };
  try {
    return withItem(text, ['replicated', 'namespaces'], item);
  } catch (error) {
    throw new NotAdded(`${name}: ${(error as Error).message}. Add this by hand: ${JSON.stringify(item)}`);
  }
}

/** As the file names it: relative where it lies in its directory. */
function beside(path: string, file: string): string {
  const inside = relative(dirname(path), file);
  return inside.startsWith('..') ? file : inside;
}
