import type { Json } from './canonical-json.js';
import { NotBelieved, quoted } from './not-believed.js';

/**
 * The end-to-end fields that all variants of a document have in common, as its record seals them: names in lower case and
 * in order, lines of one name in the order in which they were sent. An answer's head is rebuilt from them; nobody compares
 * received fields, which foreign intermediaries reorder, merge and add to.
 */
export type FieldsBlock = readonly (readonly [name: string, value: string])[];

/**
 * What of the fields of an answer may be sealed.
 * @param lines names and values in turns, as `Fields.lines`
 * @throws NotBelieved malformed, too-large for what cannot be sent as a field
 */
export function fieldsBlock(lines: readonly string[]): FieldsBlock {
  const block: (readonly [string, string])[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    const name = (lines[i] as string).toLowerCase();
    const value = lines[i + 1] as string;
    if (maySeal(name, value)) block.push([name, value]);
  }
  block.sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  checkFieldsBlock(block);
  return block;
}

/** @throws NotBelieved malformed, too-large */
export function parseFieldsBlock(value: Json): FieldsBlock {
  if (!Array.isArray(value)) throw new NotBelieved('malformed', 'fields: no list');
  const block = (value as readonly Json[]).map((pair) => {
    const [name, text, ...more] = Array.isArray(pair) ? (pair as readonly Json[]) : [];
    if (typeof name !== 'string' || typeof text !== 'string' || more.length > 0) {
      throw new NotBelieved('malformed', 'fields: a member that is no pair of name and value');
    }
    return [name, text] as const;
  });
  checkFieldsBlock(block);
  return block;
}

/** The values of a field, one for each line. */
export const valuesIn = (block: FieldsBlock, name: string): string[] =>
  block.filter(([one]) => one === name).map(([, value]) => value);

function checkFieldsBlock(block: FieldsBlock): void {
  if (block.length > mostLines) throw new NotBelieved('too-large', `fields: more than ${mostLines} lines`);
  let size = 0;
  let before = '';
  for (const [name, value] of block) {
    size += name.length + value.length;
    if (!isName.test(name)) throw new NotBelieved('malformed', `fields: ${quoted(name)} is no name in lower case`);
    if (!isValue.test(value)) throw new NotBelieved('malformed', `fields: ${name}: a value that no field can have`);
    if (!maySeal(name, value)) throw new NotBelieved('malformed', `fields: ${name} cannot be sealed`);
    if (name < before) throw new NotBelieved('malformed', `fields: ${name} stands behind ${before}`);
    before = name;
  }
  if (size > mostCharacters) throw new NotBelieved('too-large', `fields: more than ${mostCharacters} characters`);
}

const mostLines = 128;
const mostCharacters = 32_768;

/** RFC 9110 §5.1, in lower case. */
const isName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** RFC 9110 §5.5, bytes above 0x7F as Latin-1; no white space at either end. */
const isValue = /^(?:[\x21-\x7e\x80-\xff](?:[\t \x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

function maySeal(name: string, value: string): boolean {
  if (unsealed.has(name) || name.startsWith('wlis-') || name.startsWith('proxy-')) return false;
  return name !== 'link' || !/;\s*wlis\s*(?:[;,=]|$)/i.test(value);
}

/** Not of the document but of the message, the node, the connection, or one variant; or of more than the document. */
const unsealed: ReadonlySet<string> = new Set([
  // written anew by every node
  ...['age', 'cache-status', 'date', 'via', 'warning', 'accept-ranges', 'server-timing', 'cdn-loop'],
  // framing and the connection (RFC 9110 §7.6.1)
  ...['connection', 'content-length', 'content-range', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  // what the record says of each variant
  ...['content-digest', 'content-encoding', 'content-language', 'content-md5', 'content-type', 'digest', 'etag'],
  ...['last-modified', 'repr-digest'],
  // what would reach beyond the document, into the origin that a browser sees, or other users
  ...['alt-svc', 'clear-site-data', 'expect-ct', 'nel', 'public-key-pins', 'report-to', 'reporting-endpoints'],
  ...['service-worker-allowed', 'set-cookie', 'set-cookie2', 'strict-transport-security'],
]);
