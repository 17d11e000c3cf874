import { Fields, sameName } from '../../proxy/http/fields.js';

/** A link to a copy of what an answer has (RFC 6249), or to what describes it. */
export interface OwnLink {
  readonly url: string;
  readonly rel: 'duplicate' | 'describedby' | 'linkset';
  /** Names, and values in quotes where they need them, in the order in which they are sent: `['pri=1', 'geo=de']`. */
  readonly params: readonly string[];
}

/**
 * The value of a `Link` of a node: `<url>; rel=duplicate; pri=1; wlis`. By the last one it is known, and removed again. Without
 * quotes where they are not needed: some programs do not take them off.
 */
export const ownLink = ({ url, rel, params }: OwnLink): string =>
  `<${url}>; ${[`rel=${rel}`, ...params, OWN].join('; ')}`;

/** Without the links that nodes have added, wherever somebody on the way has joined them to others. This, if there are none. */
export function withoutOwnLinks(fields: Fields): Fields {
  const kept: string[] = [];
  let hasOwn = false;
  const { lines } = fields;
  for (let i = 0; i < lines.length; i += 2) {
    const [name, value] = [lines[i] as string, lines[i + 1] as string];
    const others = sameName(name, 'link') && mayBeOwn(value) ? othersIn(value) : value;
    hasOwn ||= others !== value;
    if (others !== '' || value === '') kept.push(name, others);
  }
  return hasOwn ? new Fields(kept) : fields;
}

/** The same text if none is to be taken out of it. */
function othersIn(line: string): string {
  const values = linkValues(line);
  const others = values.filter((value) => !isOwnLink(value));
  return others.length === values.length ? line : others.join(', ');
}

/** Whether a link-value (RFC 8288 §3) has the parameter `wlis`. */
export const isOwnLink = (value: string): boolean => linksIn(value).some(({ bare }) => isOwn.test(bare));

/** The link-values of a line: commas inside `<…>` and inside quotes do not part them. */
export const linkValues = (line: string): string[] => linksIn(line).map(({ value }) => value);

/** A link-value, and what is left of it without its target and without what stands in quotes. */
interface LinkValue {
  readonly value: string;
  readonly bare: string;
}

/** In one pass: whoever sends the line may have made it so that anything else takes for ever. */
function linksIn(line: string): LinkValue[] {
  const links: LinkValue[] = [];
  let [value, bare, at] = ['', '', 0];
  const end = (): void => {
    if (value.trim() !== '') links.push({ value: value.trim(), bare });
    [value, bare] = ['', ''];
  };
  for (const [piece] of line.matchAll(pieces)) {
    at += piece.length;
    if (piece === ',') end();
    else {
      value += piece;
      if (piece.startsWith('<') || piece.startsWith('"')) bare += '""';
      else bare += piece;
    }
  }
  // behind a target or a string that has no end commas are commas again
  for (const rest of line.slice(at).split(',')) {
    value += rest;
    bare += rest;
    end();
  }
  return links;
}

/** What stands in `<…>`, what stands in quotes, a comma, anything else; it ends where one of the first two has no end. */
const pieces = /<[^>]*>|"(?:[^"\\]|\\.)*"|,|[^,<"]+/gsy;

const isOwn = /;[ \t]*wlis[ \t]*(?:[;=]|$)/i;

const OWN = 'wlis';

const mayBeOwn = (line: string): boolean => /wlis/i.test(line);
