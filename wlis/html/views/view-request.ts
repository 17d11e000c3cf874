import { Fields, sameName, trimOws } from '../../../proxy/http/fields.js';
import { isUndone } from './viewable.js';

/**
 * The fields by which the original of a view is asked for:
 *
 * - without conditions: those of a client that has the view are about the view, and those about the original are judged here once
 *   it is known that there is no view;
 * - of `Accept-Encoding` only what can be undone; of anything else the answer would have to stay as it is.
 *
 * The same ones if nothing is to be changed.
 */
export function fieldsForOriginal(fields: Fields): Fields {
  const accepted = fields.get('accept-encoding');
  const undone = accepted === undefined ? undefined : undoneOf(accepted);
  const isOther = undone !== undefined && undone !== accepted;
  if (!isOther && !isConditional(fields)) return fields;
  const { lines } = fields;
  const kept: string[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as string;
    const isChanged = isOther && sameName(name, 'accept-encoding');
    if (!isChanged && !sameName(name, 'if-none-match') && !sameName(name, 'if-modified-since'))
      kept.push(name, lines[i + 1] as string);
  }
  if (isOther) kept.push('Accept-Encoding', undone);
  return new Fields(kept);
}

/** Whether a request has a condition that its answer may make a 304. */
export const isConditional = (fields: Fields): boolean =>
  fields.has('if-none-match') || fields.has('if-modified-since');

/** Browsers have very few values of it. */
const remembered = new Map<string, string>();
const mostRemembered = 64;
const longestRemembered = 256;

function undoneOf(value: string): string {
  const known = remembered.get(value);
  if (known !== undefined) return known;
  const members = value.split(',').map(trimOws);
  const kept = members.filter((member) => isKept(member)).join(', ');
  // an empty one would say that no coding but `identity` is wanted, and so does this one, to everybody
  const undone = kept === '' ? 'identity' : kept === members.join(', ') ? value : kept;
  if (remembered.size >= mostRemembered) remembered.clear();
  if (value.length <= longestRemembered) remembered.set(value, undone);
  return undone;
}

/** What somebody does not want stays too; with `*` anything may come. */
function isKept(member: string): boolean {
  const [coding = '', ...parameters] = member.split(';').map(trimOws);
  return isUndone(coding.toLowerCase()) || parameters.some((one) => /^q=0(?:\.0*)?$/i.test(one));
}
