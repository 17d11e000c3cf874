import { isSharedName, lowerCaseName } from '../http/field-names.js';
import { Fields } from '../http/fields.js';
import type { CacheKey } from './cache-key.js';
import type { ResponseMetadata } from './stored-response.js';

/**
 * Metadata that keep no memory alive but their own. A text that was cut out of a message is a view of all of it, and a key is
 * put together of several such views: kept as they are, a stored response would take far more than it counts.
 *
 * @param before what it replaces: texts that stay the same are taken from there
 */
export function ownMetadata(metadata: ResponseMetadata, before: ResponseMetadata | null): ResponseMetadata {
  const { key, status, reason, fields, selecting, requestTime, responseTime, freshness, groups } = metadata;
  const { source, contentName } = metadata;
  const { names, values } = selecting;
  return {
    key: before?.key ?? (ownText(key) as CacheKey),
    status,
    reason: ownText(reason),
    fields: ownFields(fields, before?.fields.lines ?? none),
    selecting:
      names.length === 0 || selecting === before?.selecting
        ? selecting
        : { names: names.map(ownText), values: values.map((value) => value && ownText(value)) },
    requestTime,
    responseTime,
    freshness,
    groups: groups.length === 0 ? groups : groups.map(ownText),
    source,
    contentName,
  };
}

function ownFields({ lines }: Fields, before: readonly string[]): Fields {
  const own = lines.slice();
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as string;
    const value = lines[i + 1] as string;
    if (!isSharedName(name)) own[i] = ownText(name);
    const at = before.indexOf(value);
    if (at !== -1) own[i + 1] = before[at] as string;
    else own[i + 1] = recurring.has(lowerCaseName(name)) ? sharedText(value) : ownText(value);
  }
  return new Fields(own);
}

/** The same Latin-1 characters in a string that shares no memory with another one. */
function ownText(text: string): string {
  if (text.length < shortestView) return text;
  if (text.length > scratch.length) return Buffer.from(text, 'latin1').toString('latin1');
  return scratch.toString('latin1', 0, scratch.write(text, 'latin1'));
}

/** One string for all stored responses that came of late with the same text. */
function sharedText(text: string): string {
  const known = shared.get(text);
  if (known !== undefined) return known;
  const own = ownText(text);
  if (shared.size >= mostShared) shared.clear();
  if (text.length <= longestShared) shared.set(own, own);
  return own;
}

/** Shorter pieces of a string are copies. */
const shortestView = 13;
const scratch = Buffer.allocUnsafeSlow(1024);
const none: readonly string[] = [];

/** Fields that say the same in many responses. */
const recurring: ReadonlySet<string> = new Set([
  'accept-ranges',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-expose-headers',
  'alt-svc',
  'cache-control',
  'cdn-cache-control',
  'content-language',
  'content-security-policy',
  'content-type',
  'permissions-policy',
  'referrer-policy',
  'report-to',
  'server',
  'strict-transport-security',
  'vary',
  'via',
  'x-powered-by',
]);
const shared = new Map<string, string>();
const mostShared = 256;
const longestShared = 512;
