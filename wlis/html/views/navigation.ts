import { parseRequestDirectives } from '../../../proxy/cache/cache-control.js';
import type { Fields } from '../../../proxy/http/fields.js';
import type { Request } from '../../../proxy/http/message.js';

/** What a browser wants a page for: to show it, or to show it within another page. */
export type PageKind = 'page' | 'frame';

/** The URL spaces in which there are views: this proxy's for its clients, and those in which a replica has mirrors. */
export type ViewSpace = 'proxy' | 'mirror';

/**
 * Whether a request is a browser's that goes to a page, so that this node is the last one on the way that may change it; and
 * what for. Null for everything else: who wants the original gets it by any of the fields below.
 *
 * - GET without content; `Sec-Fetch-Mode: navigate`. To other hosts than `localhost` browsers send no `Sec-Fetch-*` over plain
 *   http (Fetch Metadata §2): without any of them, `Upgrade-Insecure-Requests: 1` with an `Accept` that names `text/html`.
 * - No `Range`, no condition that only an origin server judges, no `WLIS-*`, no `no-transform` (RFC 9111 §5.2.1.6), nothing that
 *   comes of a service worker; on the forward proxy no `Via`, by which somebody else is the last one.
 */
export function navigationOf({ method, fields, body }: Asking, space: ViewSpace): PageKind | null {
  if (method !== 'GET') return null;
  const mode = fields.get('sec-fetch-mode');
  if (mode === undefined ? !looksLikeNavigation(fields) : mode.toLowerCase() !== 'navigate') return null;
  if (body !== null && body.length !== 0) return null;
  if (space === 'proxy' && fields.has('via')) return null;
  for (const name of forOriginals) if (fields.has(name)) return null;
  if (hasOfNodes(fields) || parseRequestDirectives(fields).noTransform) return null;
  return kindOf(fields.get('sec-fetch-dest')?.toLowerCase());
}

function hasOfNodes({ lines }: Fields): boolean {
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as string;
    if (name.charCodeAt(4) === HYPHEN && /^wlis-/i.test(name)) return true;
  }
  return false;
}

type Asking = Pick<Request, 'method' | 'fields' | 'body'>;

const forOriginals: readonly string[] = [
  ...['range', 'if-range', 'if-match', 'if-unmodified-since'],
  ...['service-worker', 'service-worker-navigation-preload'],
];

/** Of browsers that say nothing of it. */
function looksLikeNavigation(fields: Asking['fields']): boolean {
  if (fields.get('upgrade-insecure-requests') !== '1') return false;
  if (fields.has('sec-fetch-dest') || fields.has('sec-fetch-site') || fields.has('sec-fetch-user')) return false;
  return namesHtml.test(fields.get('accept') ?? '');
}

const namesHtml = /(?:^|,)[ \t]*text\/html[ \t]*(?:[;,]|$)/i;
const HYPHEN = 0x2d;

/** Objects and embedded contents have no room for more than what their page expects of them. */
function kindOf(destination: string | undefined): PageKind | null {
  switch (destination) {
    case undefined:
    case 'document':
      return 'page';
    case 'frame':
    case 'iframe':
      return 'frame';
    default:
      return null;
  }
}
