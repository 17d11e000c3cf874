import { parseResponseDirectives } from '../../../proxy/cache/cache-control.js';
import { lowerCaseName } from '../../../proxy/http/field-names.js';
import { Fields, sameName } from '../../../proxy/http/fields.js';
import { isOwnLink, linkValues } from '../../piggyback/link-field.js';

/**
 * The fields of a view: those of its original as it is answered now, but for what is about the original's bytes, its freshness
 * and its proof (protocol decision 16). It is for the one who asked and nobody else, who asks again each time.
 *
 * @param tag null for a view that nobody will know again
 */
export function viewFields(original: Fields, tag: string | null): Fields {
  const { begun, lines } = original;
  if (begun === null || limitsUse(lines, begun.lines.length)) return made(original, tag);
  return storedFields(begun, tag).continuedBy(...keptOf(lines, begun.lines.length));
}

function limitsUse(lines: readonly string[], from: number): boolean {
  for (let i = from; i < lines.length; i += 2) if (sameName(lines[i] as string, 'cache-control')) return true;
  return false;
}

/** Many answers begin with what is stored, of which most views have one recipe; of those that were looked at of late. */
const madeOfStored = new Map<Fields, { readonly tag: string | null; readonly fields: Fields }>();
const mostMade = 1024;

function storedFields(stored: Fields, tag: string | null): Fields {
  const known = madeOfStored.get(stored);
  if (known !== undefined && known.tag === tag) return known.fields;
  const fields = made(stored, tag);
  if (madeOfStored.size >= mostMade) madeOfStored.clear();
  madeOfStored.set(stored, { tag, fields });
  return fields;
}

function made(original: Fields, tag: string | null): Fields {
  const { noStore } = parseResponseDirectives(original, false);
  const kept = keptOf(original.lines, 0);
  kept.push('Cache-Control', noStore ? 'private, no-cache, no-store' : 'private, no-cache');
  if (tag !== null) kept.push('ETag', tag);
  return new Fields(kept);
}

/** From a position on. */
function keptOf(lines: readonly string[], from: number): string[] {
  const kept: string[] = [];
  for (let i = from; i < lines.length; i += 2) {
    const name = lines[i] as string;
    const value = lines[i + 1] as string;
    const lower = lowerCaseName(name);
    if (lower === 'link') {
      const others = withoutCopies(value);
      if (others !== '') kept.push(name, others);
    } else if (!isOfOriginal(lower)) kept.push(name, value);
  }
  return kept;
}

const isOfOriginal = (name: string): boolean =>
  ofOriginal.has(name) || name.startsWith('wlis-') || name.endsWith('-cache-control');

const ofOriginal: ReadonlySet<string> = new Set([
  // its validators, length and parts; `Last-Modified` is what scripts see of it, and no condition of a view goes by it
  ...['etag', 'content-length', 'content-range', 'accept-ranges', 'trailer'],
  // its digests and signatures
  ...['digest', 'content-digest', 'repr-digest', 'unencoded-digest', 'content-md5', 'signature', 'signature-input'],
  'use-as-dictionary',
  // its freshness
  ...['cache-control', 'expires', 'pragma', 'surrogate-control', 'surrogate-key', 'cache-groups', 'x-accel-expires'],
]);

/** Without the links that say where the same bytes can be had, or what describes them: a view is other bytes. */
function withoutCopies(line: string): string {
  const values = linkValues(line);
  const others = values.filter((value) => !isOwnLink(value) && !isOfBytes.test(value));
  return others.length === values.length ? line : others.join(', ');
}

/** RFC 6249 §3, RFC 5854. */
const isOfBytes =
  /;[ \t]*(?:rel[ \t]*=[ \t]*(?:duplicate\b|"[^"]*\bduplicate\b[^"]*")|type[ \t]*=[ \t]*"?application\/metalink)/i;
