import { canonicalUri, type CanonicalUri } from '../../wlis/canonical-uri.js';
import { extractPage } from '../../wlis/html/extract/page-extract.js';
import type { PageLink } from '../../wlis/html/extract/page-links.js';
import { both, robotsWords, type RobotsWords } from '../../wlis/html/extract/robots-words.js';
import { styleReferences } from '../../wlis/html/extract/style-references.js';
import { isInside, pathInside, plainPath, uriInside, type Namespace } from '../../wlis/namespace.js';
import { NotCanonical } from '../../wlis/not-canonical.js';
import { linkValues } from '../../wlis/piggyback/link-field.js';
import type { Fields } from '../../proxy/http/fields.js';
import type { TargetKind } from './discovery-frontier.js';

/** Which URIs are documents of a namespace. */
export interface DocumentSpace {
  readonly namespace: Namespace;
  /** Those within it whose documents are not its own. */
  readonly inner: readonly Namespace[];
  /** What a query means (protocol decision 17): nothing, another document, or something that is no document. */
  readonly query: 'ignore' | 'exact' | 'forward';
}

export interface Target {
  readonly uri: CanonicalUri;
  readonly kind: TargetKind;
}

/** Where a page leads within its namespace. */
export interface PageTargets {
  /** Those that may be followed, each once. */
  readonly targets: readonly Target[];
  /** The document of which the page says that it is only another name; null if it is its own. */
  readonly canonical: CanonicalUri | null;
  readonly noindex: boolean;
}

/** What a reference leads to, if that may be a document of the namespace; null if it is not. */
export function targetOf(reference: string, base: string, space: DocumentSpace): CanonicalUri | null {
  const url = URL.canParse(reference, base) ? new URL(reference, base) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.username !== '') return null;
  try {
    const uri = documentOf(canonicalUri(url.href), space);
    return uri !== null && isOwn(uri, space) ? uri : null;
  } catch (error) {
    if (error instanceof NotCanonical) return null;
    throw error;
  }
}

/** @throws NotCanonical */
function documentOf(uri: CanonicalUri, { namespace, query }: DocumentSpace): CanonicalUri | null {
  if (query === 'exact' || !uri.includes('?')) return uri;
  const path = query === 'ignore' ? pathInside(namespace, uri) : null;
  return path === null ? null : uriInside(namespace, plainPath(path) ?? path);
}

const isOwn = (uri: CanonicalUri, { namespace, inner }: DocumentSpace): boolean =>
  isInside(namespace, uri) && !inner.some((one) => isInside(one, uri));

/** @param uri of the page, from which its links count */
export function targetsOfPage(content: Buffer, uri: CanonicalUri, fields: Fields, space: DocumentSpace): PageTargets {
  const page = extractPage(content, fields.first('content-type') ?? '');
  const base = page.base !== null && URL.canParse(page.base, uri) ? new URL(page.base, uri).href : uri;
  const robots = both(page.robots, robotsOf(fields));
  const named = page.canonical === null ? canonicalIn(fields, uri) : { reference: page.canonical, base };
  const canonical = named === null ? null : targetOf(named.reference, named.base, space);
  const links = page.links.filter((link) => isFollowed(link, robots));
  const targets = unique(
    links.map(({ reference, kind }) => [reference, kind === 'resource' ? 'part' : 'page']),
    base,
    space,
  );
  return { targets, canonical: canonical === uri ? null : canonical, noindex: robots.noindex };
}

/** What a style sheet needs. @param uri of the sheet */
export const targetsOfStyle = (content: Buffer, uri: CanonicalUri, space: DocumentSpace): readonly Target[] =>
  unique(
    styleReferences(content.toString())
      .slice(0, mostOfStyle)
      .map((reference) => [reference, 'part']),
    uri,
    space,
  );

/** Whoever is not to follow a link still needs what the page is made of. */
const isFollowed = ({ kind, rel }: PageLink, { nofollow }: RobotsWords): boolean =>
  kind === 'resource' || !(nofollow || rel.includes('nofollow'));

const robotsOf = (fields: Fields): RobotsWords =>
  fields.all('x-robots-tag').map(robotsWords).reduce(both, { noindex: false, nofollow: false });

/** RFC 6596 §3: the field says the same as the element. */
function canonicalIn(fields: Fields, base: string): { readonly reference: string; readonly base: string } | null {
  for (const value of fields.all('link').flatMap(linkValues)) {
    const [, reference, params = ''] = /^<([^>]*)>(.*)$/s.exec(value) ?? [];
    if (reference !== undefined && /;\s*rel\s*=\s*(?:canonical\s*(?:;|$)|"(?:[^"]*\s)?canonical[\s"])/i.test(params)) {
      return { reference, base };
    }
  }
  return null;
}

function unique(
  references: readonly (readonly [reference: string, kind: TargetKind])[],
  base: string,
  space: DocumentSpace,
): readonly Target[] {
  const targets = new Map<CanonicalUri, Target>();
  for (const [reference, kind] of references) {
    const uri = targetOf(reference, base, space);
    if (uri !== null && targets.get(uri)?.kind !== 'page') targets.set(uri, { uri, kind });
  }
  return [...targets.values()];
}

const mostOfStyle = 1000;
