import { Fields } from '../../proxy/http/fields.js';
import { GROUP_FIELD, parseGroupField, type ToldGroup } from '../piggyback/group-field.js';
import { LOAD_FIELD, parseLoadField, type ToldLoad } from '../piggyback/load-field.js';
import { NAMESPACE_FIELD, parseNamespaceField, type ToldHolding } from '../piggyback/namespace-field.js';
import { withoutToldLinks } from './told-links.js';

/** What an ordinary answer tells of namespaces, of which nothing is believed, and its fields without that. */
export interface ConsumedFields {
  readonly fields: Fields;
  readonly group: ToldGroup | null;
  readonly holding: ToldHolding | null;
  readonly load: ToldLoad | null;
}

/**
 * Takes what is said between nodes out of the fields of an answer, before anybody stores it or passes it on (protocol decision
 * 15). The origin's own fields stay as they are.
 */
export function consumed(fields: Fields): ConsumedFields {
  if (!tellsSomething(fields)) return { fields, group: null, holding: null, load: null };
  const lines: string[] = [];
  for (let i = 0; i < fields.lines.length; i += 2) {
    const name = fields.lines[i] as string;
    const value = fields.lines[i + 1] as string;
    const lower = name.toLowerCase();
    if (lower.startsWith('wlis-')) continue;
    const kept = lower === 'link' ? withoutToldLinks(value) : value;
    if (kept !== null) lines.push(name, kept);
  }
  return {
    fields: new Fields(lines),
    group: parseGroupField(fields.first(GROUP_FIELD.toLowerCase())),
    holding: parseNamespaceField(fields.first(NAMESPACE_FIELD.toLowerCase())),
    load: parseLoadField(fields.first(LOAD_FIELD.toLowerCase())),
  };
}

function tellsSomething({ lines }: Fields): boolean {
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as string;
    if (name.length >= 5 && /^wlis-/i.test(name)) return true;
    if (name.length === 4 && /^link$/i.test(name) && withoutToldLinks(lines[i + 1] as string) !== lines[i + 1])
      return true;
  }
  return false;
}
