import { escapedText } from './attribute-text.js';
import type { DuplicateLink } from '../view-recipe.js';

/** `<link rel="duplicate" href="https://m1.example/a">` (RFC 6249) for each, in ASCII. HTML has no attribute for the area. */
export const duplicateLinks = (duplicates: readonly DuplicateLink[]): string =>
  duplicates.map(({ url }) => `<link rel="duplicate" href="${escapedText(url)}">`).join('');
