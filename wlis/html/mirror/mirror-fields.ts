import type { Fields } from '../../../proxy/http/fields.js';
import { hrefOf, type TargetUri } from '../../../proxy/http/target-uri.js';
import { beyondDocument } from '../../beyond-document.js';
import { isOwnLink } from '../../piggyback/link-field.js';
import type { MirrorSpace } from './mirror-space.js';
import { rewrittenValue } from '../splicing/url-attributes.js';
import type { UrlRewriting } from '../view-recipe.js';

export interface MirroredDocument {
  readonly space: MirrorSpace;
  /** Of the document. */
  readonly urls: UrlRewriting;
  /** Of the document, at its origin. */
  readonly target: TargetUri;
}

/**
 * The fields of a document where it is shown to browsers: nothing in them reaches beyond the document, into the browser origin
 * that others may share, and what names places of its namespace names them in that space. In a path space the document gets an
 * origin of its own, whatever it is, and may be read from there by all others, its own subresources among them.
 */
export function mirroredFields(fields: Fields, { space, urls, target }: MirroredDocument): Fields {
  const isPath = space.kind === 'path';
  const lines: string[] = [];
  const location = fields.first('location');
  const mirrored = location === undefined ? undefined : mirroredLocation(location, target, urls);
  // it may name the port that was asked for, by which caches do not tell requests from each other
  const isPrivate = !isPath && mirrored?.startsWith('//') === true;
  const kept = fields.filter((name, value) => {
    if (beyondDocument.has(name)) return false;
    if (isPrivate && (name.endsWith('-cache-control') || name === 'surrogate-control')) return false;
    if (name === 'refresh') {
      lines.push('Refresh', rewrittenValue(value, 'refresh', urls) ?? value);
      return false;
    }
    if (name === 'location') return false;
    if (!isPath) return true;
    if (name === 'link' && !isOwnLink(value)) {
      lines.push('Link', mirroredLink(value, urls));
      return false;
    }
    return !forOwnOrigin.has(name) && !(name === 'x-frame-options' && /sameorigin/i.test(value));
  });
  if (mirrored !== undefined) lines.push('Location', mirrored);
  if (isPrivate) lines.push('Cache-Control', 'private');
  return kept.plus(...lines, ...(isPath ? inSandbox : inOriginOfItsOwn));
}

/** What every answer of a path space says to pages that read it, and to browsers that guess. */
export const openToPages: readonly string[] = [
  ...['Access-Control-Allow-Origin', '*', 'Cross-Origin-Resource-Policy', 'cross-origin'],
  ...['X-Content-Type-Options', 'nosniff'],
];

/**
 * No storage, no cookies, no worker of the origin of the node. Without the last two no link could be saved, and what opens in
 * another tab, be it of quite another site, would be in the same sandbox.
 */
const inSandbox: readonly string[] = [
  'Content-Security-Policy',
  'sandbox allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads',
  ...openToPages,
];

/**
 * Not even for others of the same domain that agree to it, where a browser obeys that. A script that a cache has stored is not what
 * it gives to whoever would make a service worker of it, who is refused.
 */
const inOriginOfItsOwn: readonly string[] = [
  ...['X-Content-Type-Options', 'nosniff', 'Origin-Agent-Cluster', '?1', 'Vary', 'Service-Worker'],
];

/**
 * In a sandbox a page has another origin than its subresources, which are open to all there: what a document says of
 * origins would keep it from its own.
 */
const forOwnOrigin: ReadonlySet<string> = new Set([
  ...['access-control-allow-origin', 'access-control-allow-credentials', 'cross-origin-resource-policy'],
  ...['cross-origin-embedder-policy', 'cross-origin-embedder-policy-report-only'],
  // browsers refuse to show a page that has it in a sandbox
  ...['cross-origin-opener-policy', 'cross-origin-opener-policy-report-only'],
]);

/** Of a document that leads elsewhere: within the space, if what it leads to is shown there. */
function mirroredLocation(value: string, target: TargetUri, urls: UrlRewriting): string {
  if (!URL.canParse(value, hrefOf(target))) return value;
  const { href } = new URL(value, hrefOf(target));
  return urls.rewritten(href, 'link') ?? href;
}

/** RFC 8288 §3: targets stand between angle brackets, and nothing else does but inside of quotes. */
const mirroredLink = (value: string, urls: UrlRewriting): string =>
  value.replace(/(^|,\s*)<([^<>]*)>/g, (all: string, before: string, url: string) => {
    const rewritten = urls.rewritten(url.trim(), 'link');
    return rewritten === null ? all : `${before}<${rewritten}>`;
  });
