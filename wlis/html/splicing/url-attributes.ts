import type { UrlRewriting } from '../view-recipe.js';

/** What the value of an attribute is made of. */
export type UrlValue = 'url' | 'base' | 'candidates' | 'refresh';

/**
 * @param language of the element; null if that cannot be told
 * @returns null if the value has no URL that is followed or loaded
 */
export function urlValueOf(element: string, attribute: string, language: 'html' | 'foreign' | null): UrlValue | null {
  if (language !== 'html' && (attribute === 'href' || attribute === 'xlink:href')) return 'url';
  if (language === 'foreign') return null;
  if (element === 'base') return attribute === 'href' ? 'base' : null;
  if (element === 'meta') return attribute === 'content' ? 'refresh' : null;
  if (attribute === 'srcset' || attribute === 'imagesrcset') return ofSets.has(element) ? 'candidates' : null;
  return elementsOf.get(attribute)?.has(element) === true ? 'url' : null;
}

/** Whether it may have any, as an element of HTML, or of nobody knows what. */
export const hasUrls = (element: string, isUnsure: boolean): boolean => isUnsure || elements.has(element);

/** The value with its URLs rewritten; null if none is. */
export function rewrittenValue(value: string, kind: UrlValue, rewriting: UrlRewriting): string | null {
  switch (kind) {
    case 'url':
      return rewrittenUrl(value, 'link', rewriting);
    case 'base':
      return rewrittenUrl(value, 'base', rewriting);
    case 'candidates':
      return rewrittenCandidates(value, rewriting);
    case 'refresh':
      return rewrittenRefresh(value, rewriting);
  }
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

const ofSets = words('img source link');

const elementsOf = new Map([
  ['href', words('a area link')],
  ['src', words('img image script iframe frame embed input source track audio video')],
  ['action', words('form')],
  ['formaction', words('button input')],
  ['poster', words('video')],
  ['data', words('object')],
  ['cite', words('blockquote q ins del')],
  ['longdesc', words('img iframe frame')],
  ['background', words('body table thead tbody tfoot tr td th')],
]);

const elements = new Set([...ofSets, 'base', 'meta', ...[...elementsOf.values()].flatMap((some) => [...some])]);

/**
 * Never to another scheme than http: a link cannot become a script, or stop to be one. What browsers strip from a URL is stripped
 * (URL Standard, "basic URL parser").
 */
function rewrittenUrl(written: string, kind: 'link' | 'base', rewriting: UrlRewriting): string | null {
  const url = isPlain(written) ? written : stripped(written).replace(/[\t\n\r]/g, '');
  if (url === '' || url.startsWith('#') || !isOfHttp(url)) return null;
  const rewritten = rewriting.rewritten(url, kind);
  if (rewritten === null || rewritten === url || !isOfHttp(rewritten)) return null;
  if (isPlain(rewritten)) return rewritten;
  return /^\P{Cc}+$/u.test(rewritten) ? rewritten.replaceAll(' ', '%20') : null;
}

/** Without white space and controls at its ends. */
function stripped(url: string): string {
  let [from, to] = [0, url.length];
  while (from < to && url.charCodeAt(from) <= 0x20) from++;
  while (to > from && url.charCodeAt(to - 1) <= 0x20) to--;
  return url.slice(from, to);
}

const isPlain = (url: string): boolean => /^[!-~]+$/.test(url);

const isOfHttp = (url: string): boolean => /^(?![a-z][a-z0-9+.-]*:)|^https?:/i.test(url);

/** HTML §4.8.4.3.10, "parse a srcset attribute". All but the URLs stays as it is. */
function rewrittenCandidates(value: string, rewriting: UrlRewriting): string | null {
  let made = '';
  let isChanged = false;
  for (let at = 0; at < value.length;) {
    const from = pastAny(value, at, ' \t\n\f\r,');
    const runEnd = pastOthers(value, from, ' \t\n\f\r');
    const to = beforeCommas(value, from, runEnd);
    // commas behind a URL end the candidate; else what describes it follows
    const end = to < runEnd ? runEnd : descriptorsEnd(value, to);
    const rewritten = rewrittenUrl(value.slice(from, to), 'link', rewriting);
    const isUsable = rewritten !== null && !rewritten.startsWith(',') && !rewritten.endsWith(',');
    isChanged ||= isUsable;
    made += value.slice(at, from) + (isUsable ? rewritten : value.slice(from, to)) + value.slice(to, end);
    at = end;
  }
  return isChanged ? made : null;
}

/** Up to a comma that is in no parentheses. */
function descriptorsEnd(value: string, from: number): number {
  let isWithin = false;
  for (let at = from; at < value.length; at++) {
    const c = value[at];
    if (c === '(') isWithin = true;
    else if (c === ')') isWithin = false;
    else if (c === ',' && !isWithin) return at;
  }
  return value.length;
}

function beforeCommas(value: string, from: number, to: number): number {
  let end = to;
  while (end > from && value[end - 1] === ',') end--;
  return end;
}

function pastAny(value: string, from: number, characters: string): number {
  let at = from;
  while (at < value.length && characters.includes(value.charAt(at))) at++;
  return at;
}

function pastOthers(value: string, from: number, characters: string): number {
  let at = from;
  while (at < value.length && !characters.includes(value.charAt(at))) at++;
  return at;
}

/** HTML §4.2.5.3, "shared declarative refresh steps". */
function rewrittenRefresh(value: string, rewriting: UrlRewriting): string | null {
  const [, before, quote, rest] = /^(\s*[\d.][\d.]*(?:\s*[;,]\s*|\s+)(?:url\s*=\s*)?)(["']?)(.*)$/is.exec(value) ?? [];
  if (before === undefined || quote === undefined || rest === undefined) return null;
  const end = quote === '' ? -1 : rest.indexOf(quote);
  const url = end < 0 ? rest : rest.slice(0, end);
  const rewritten = rewrittenUrl(url, 'link', rewriting);
  if (rewritten === null || (quote !== '' && rewritten.includes(quote))) return null;
  return before + quote + rewritten + rest.slice(url.length);
}
