import { seconds, type Seconds } from '../../config/units.js';

/** What a site allows one robot (RFC 9309). */
export interface RobotsRules {
  /** @param path with its query, as in a request line */
  allows(path: string): boolean;
  /** How long it wants robots to wait between requests: no part of the RFC, but widely meant; null if it says nothing. */
  readonly crawlDelay: Seconds | null;
}

/** Where there is no robots.txt (§2.3.1.3). */
export const everythingAllowed: RobotsRules = { allows: () => true, crawlDelay: null };

/**
 * The rules of a robots.txt for a robot: those of all groups that name it, or else those of the groups for all (§2.2.1). Of the
 * rules that match a path the longest counts, and of equally long ones the one that allows (§2.2.2).
 *
 * @param text of which the first 500 KiB count (§2.5)
 * @param robot its product token, in lower case
 */
export function parseRobots(text: string, robot: string): RobotsRules {
  const own = new Group();
  const usual = new Group();
  let isNamed = false;
  // to which groups the lines belong, and whether user agents are still being listed
  let groups: Group[] = [];
  let isHead = false;
  for (const [name, value] of linesOf(text.slice(0, longestText))) {
    if (name !== 'user-agent') {
      const isRule = groups.reduce((was, group) => group.add(name, value) || was, isRuleName.has(name));
      if (isRule) isHead = false;
      continue;
    }
    if (!isHead) groups = [];
    isHead = true;
    const token = /^[a-z_-]+|^\*/i.exec(value)?.[0].toLowerCase();
    if (token === robot) isNamed = true;
    if (token === robot) groups.push(own);
    else if (token === '*') groups.push(usual);
  }
  return isNamed ? own : usual;
}

const longestText = 500 * 1024;
const isRuleName = new Set(['allow', 'disallow']);

/** Names in lower case and values, without comments. */
function* linesOf(text: string): Generator<[name: string, value: string]> {
  for (const line of text.replace(/^\ufeff/, '').split(/\r\n?|\n/)) {
    const end = line.indexOf('#');
    const said = end < 0 ? line : line.slice(0, end);
    const colon = said.indexOf(':');
    if (colon > 0) yield [said.slice(0, colon).trim().toLowerCase(), said.slice(colon + 1).trim()];
  }
}

interface Rule {
  readonly isAllowed: boolean;
  /** Between its stars. */
  readonly parts: readonly string[];
  readonly isAnchored: boolean;
  readonly length: number;
}

class Group implements RobotsRules {
  readonly #rules: Rule[] = [];
  #crawlDelay: Seconds | null = null;

  get crawlDelay(): Seconds | null {
    return this.#crawlDelay;
  }

  /** @returns whether it was a rule */
  add(name: string, value: string): boolean {
    if (name === 'crawl-delay') {
      const delay = /^\d{1,6}(?:\.\d{1,3})?$/.test(value) ? Number(value) : null;
      if (delay !== null) this.#crawlDelay ??= seconds(delay);
    }
    if (!isRuleName.has(name)) return false;
    // a rule without a path says nothing
    if (value !== '' && value.length <= longestRule && this.#rules.length < mostRules) {
      this.#rules.push(ruleOf(name === 'allow', value));
    }
    return true;
  }

  allows(path: string): boolean {
    if (path === '/robots.txt') return true;
    const comparable = normalised(path, /[*$]/);
    let best: Rule | null = null;
    for (const rule of this.#rules) {
      const isBetter = best === null || rule.length > best.length || (rule.length === best.length && rule.isAllowed);
      if (isBetter && matches(rule, comparable)) best = rule;
    }
    return best?.isAllowed ?? true;
  }
}

const longestRule = 2048;
const mostRules = 5000;

function ruleOf(isAllowed: boolean, value: string): Rule {
  const isAnchored = value.endsWith('$');
  const pattern = normalised(isAnchored ? value.slice(0, -1) : value, /\$/);
  return { isAllowed, parts: pattern.split(/\*+/), isAnchored, length: pattern.length + Number(isAnchored) };
}

/** Each part at its first place behind the one before: if the rule matches at all, it matches so. */
function matches({ parts, isAnchored }: Rule, path: string): boolean {
  const [first = '', ...rest] = parts;
  if (!path.startsWith(first)) return false;
  const last = isAnchored ? rest.pop() : undefined;
  if (isAnchored && last === undefined) return path === first;
  let at = first.length;
  for (const part of rest) {
    const found = path.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return last === undefined || (path.length - last.length >= at && path.endsWith(last));
}

/**
 * One spelling of what means the same (§2.2.2): what need not be percent-encoded is not, anything else is. What separates the
 * parts of a path or a query stays.
 *
 * @param special what has a meaning in patterns, and is encoded where it has none
 */
function normalised(path: string, special: RegExp): string {
  const encoded = path.replace(/%([0-9a-f]{2})/gi, (escape, code: string) => {
    const character = String.fromCharCode(Number.parseInt(code, 16));
    return /[\w.~-]/.test(character) ? character : escape.toUpperCase();
  });
  let isQuery = false;
  let normal = '';
  for (const character of encoded) {
    isQuery ||= character === '?';
    const isReserved = (isQuery ? /[:[\]@!'()+,;#/]/ : /[:[\]@!'()+,;#]/).test(character) || special.test(character);
    normal += isReserved || !/[!-~]/.test(character) ? percentEncoded(character) : character;
  }
  return normal;
}

const percentEncoded = (text: string): string =>
  [...new TextEncoder().encode(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
