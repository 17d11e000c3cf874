import { createHash } from 'node:crypto';
import { parseEntityTag, parseEntityTagList } from '../../../proxy/http/entity-tag.js';
import type { Fields } from '../../../proxy/http/fields.js';
import type { Viewable } from './viewable.js';
import type { ViewRecipe } from '../view-recipe.js';

/** What a view is made of. The same is made of the same. */
export interface ViewIdentity {
  /**
   * By which a stored view is found again: the name of the original's content, what of its fields has a part in what becomes of
   * it, and the recipe. Null where the content has no name: such a view is not stored.
   */
  readonly key: string | null;
  /** Its entity-tag; null if nothing tells the original from another one. */
  readonly tag: () => string | null;
}

/**
 * A content has a name while it is stored, which no other content is ever given, whatever its server says of it: a stored view
 * of another content is never found. The entity-tag goes by the strong one of the original (RFC 9110 §8.8.1), so that it
 * stays the same when the original is got anew, and at whichever node; by the name where the original has none.
 *
 * @param contentName null where nothing of the original may be kept
 * @param head what `viewable` has made of the original
 */
export function identityOf(
  contentName: string | null,
  original: Fields,
  head: ViewablePage,
  recipe: ViewRecipe,
): ViewIdentity {
  const last = lastOf.get(head);
  if (last !== undefined && last.recipe === recipe && last.contentName === contentName) return last.identity;
  const identity = made(contentName, original, head, recipe);
  lastOf.set(head, { contentName, recipe, identity });
  return identity;
}

type ViewablePage = Viewable & { readonly kind: 'viewable' };

/** Of a stored page, whose head is the same each time, most views have one recipe. */
const lastOf = new WeakMap<
  ViewablePage,
  { readonly contentName: string | null; readonly recipe: ViewRecipe; readonly identity: ViewIdentity }
>();

function made(
  contentName: string | null,
  original: Fields,
  { coding, contentType }: ViewablePage,
  recipe: ViewRecipe,
): ViewIdentity {
  const policies = policiesOf(original);
  const policy = policies.length === 0 ? '' : digestOf(policies.join('\n'));
  const rest = `${contentType}\n${coding}\n${policy}\n${recipeDigest(recipe)}`;
  return {
    key: contentName === null ? null : `${contentName}\n${rest}`,
    tag: () => {
      const version = strongVersion(original) ?? (contentName === null ? null : `name ${contentName}`);
      return version === null ? null : `"${prefix}${short(`${version}\n${rest}`)}"`;
    },
  };
}

/** The policies of a page, those included of which its site only wants to be told. */
export function policiesOf(original: Fields): readonly string[] {
  if (!original.has('content-security-policy') && !original.has('content-security-policy-report-only')) return none;
  return [...original.all('content-security-policy'), ...original.all('content-security-policy-report-only')];
}

const none: readonly string[] = [];

/** Whether a condition names that entity-tag, which is of a view. */
export function namesTag(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const listed = parseEntityTagList(ifNoneMatch);
  const opaque = tag.slice(1, -1);
  return listed === '*' || listed.some((one) => one.opaque === opaque);
}

const prefix = 'view-';

/** A server that says the same of two contents says so to browsers and caches too, which go by it. */
function strongVersion(fields: Fields): string | null {
  const value = fields.get('etag');
  const tag = value === undefined ? null : parseEntityTag(value);
  if (tag === null || tag.weak) return null;
  return `tag ${tag.opaque}\n${fields.get('last-modified') ?? ''}\n${fields.get('content-language') ?? ''}`;
}

const recipeDigests = new WeakMap<ViewRecipe, string>();

function recipeDigest(recipe: ViewRecipe): string {
  const known = recipeDigests.get(recipe);
  if (known !== undefined) return known;
  const { duplicates, bar, urls } = recipe;
  const text = JSON.stringify([
    duplicates.map(({ url, area }) => [url, area]),
    bar === null ? null : [bar.markup, bar.formAction],
    urls === null ? null : urls.key,
  ]);
  const digest = short(text);
  recipeDigests.set(recipe, digest);
  return digest;
}

/** Sites send the same policies with all of their pages. */
const digests = new Map<string, string>();
const mostDigests = 256;

function digestOf(text: string): string {
  const known = digests.get(text);
  if (known !== undefined) return known;
  const digest = short(text);
  if (digests.size >= mostDigests) digests.clear();
  digests.set(text, digest);
  return digest;
}

/** 128 bits and a little more of SHA-256. */
const short = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 22);
