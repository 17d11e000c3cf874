import { mirrorUrl } from '../../../wlis/html/mirror/mirror-space.js';
import { namespaceLabel } from '../../../wlis/namespace.js';
import type { SearchControl } from '../../../wlis/search/search-control.js';
import type { MirrorSpaces } from '../views/mirror-spaces.js';

/** Where browsers see what a node holds, below `/mirror/` of its URL. @param url `https://m1.example`; null if it has none */
export function mirrorOf(url: string | null, mirrors: Pick<MirrorSpaces, 'closed'>): SearchControl['mirrorOf'] {
  return ({ namespace, path }) => {
    if (url === null || mirrors.closed.includes(namespace)) return null;
    if (namespace.startsWith('https:') && !url.startsWith('https:')) return null;
    return mirrorUrl(url, namespaceLabel(namespace), path);
  };
}
