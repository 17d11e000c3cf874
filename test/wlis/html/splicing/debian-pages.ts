import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Debian packages with nothing but pages, written by many hands in many years, and where the pages are. */
export const pagePackages = [
  { name: 'apache2-doc', directory: '/usr/share/doc/apache2-doc/manual' },
  { name: 'exim4-doc-html', directory: '/usr/share/doc/exim4-doc-html' },
  { name: 'ntpsec-doc', directory: '/usr/share/doc/ntpsec-doc/html' },
] as const;

/** Of files, links aside; none if the package is not there. */
export function pagesBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const entries = readdirSync(directory, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && /\.html?$/.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
}
