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
export function isOwnLink(value: string): boolean {
  const behind = value.indexOf('>') + 1;
  return value
    .slice(behind)
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .split(';')
    .some((param) => /^[ \t]*wlis[ \t]*(?:=|$)/i.test(param));
}

/** The link-values of a line: commas inside `<…>` and inside quotes do not part them. */
export function linkValues(line: string): string[] {
  const values = line.match(/(?:<[^>]*>|"(?:[^"\\]|\\.)*"|[^,<"]|[<"])+/g) ?? [];
  return values.map((value) => value.trim()).filter((value) => value !== '');
}

const OWN = 'wlis';

const mayBeOwn = (line: string): boolean => /wlis/i.test(line);
