import {
  DisplayString,
  isInnerList,
  isValidTokenStr,
  parseDictionary as libraryParseDictionary,
  parseItem as libraryParseItem,
  parseList as libraryParseList,
  serializeInnerList as librarySerializeInnerList,
  serializeItem as librarySerializeItem,
  Token,
  type InnerList as LibraryInnerList,
  type Item as LibraryItem,
} from 'structured-headers';

export { DisplayString, Token };

/**
 * A bare item of Structured Field Values (RFC 9651 §3.3): a number is an Integer or a Decimal (those of the same value
 * cannot be told apart), a string a String, an `ArrayBuffer` a Byte Sequence.
 */
export type BareItem = number | string | Token | ArrayBuffer | boolean | Date | DisplayString;

export interface Item {
  readonly value: BareItem;
  readonly params: Parameters;
}

export interface InnerList {
  readonly value: readonly Item[];
  readonly params: Parameters;
}

export type Parameters = ReadonlyMap<string, BareItem>;

/** The value of an inner list is an array, that of an item never. */
export type Member = Item | InnerList;

/** A Dictionary (§4.2.2), from the combined value of all lines; null if parsing fails, and then all of it has failed. */
export function parseDictionary(value: string): Map<string, Member> | null {
  const dictionary = attempt(() => libraryParseDictionary(value));
  if (dictionary === null) return null;
  const members = new Map<string, Member>();
  for (const [key, member] of dictionary) members.set(key, memberOf(member));
  return members;
}

/** A List (§4.2.1), from the combined value of all lines; null if parsing fails. */
export function parseList(value: string): Member[] | null {
  return attempt(() => libraryParseList(value))?.map(memberOf) ?? null;
}

/** An Item (§4.2.3); null if parsing fails. */
export function parseItem(value: string): Item | null {
  const item = attempt(() => libraryParseItem(value));
  return item === null ? null : itemOf(item);
}

/**
 * An Item with its parameters (§4.1.3), also as a member of a List.
 * @throws Error for what the format cannot hold: a string outside printable ASCII, a number too large, a bad key
 */
export function serializeItem(value: BareItem, params: Parameters = new Map()): string {
  return librarySerializeItem(value, new Map(params));
}

/** An Inner List with its parameters (§4.1.1.1). @throws Error as `serializeItem` */
export const serializeInnerList = ({ value, params }: InnerList): string =>
  librarySerializeInnerList([value.map((item) => [item.value, new Map(item.params)]), new Map(params)]);

/** The text as a Token if it can be one (§3.3.4), otherwise as what a String can hold of it. */
export const tokenOrString = (text: string): Token | string =>
  isValidTokenStr(text) ? new Token(text) : printable(text);

/** The text as a String can hold it (§3.3.3): characters outside printable ASCII become question marks. */
export const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');

function attempt<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch {
    // every failure of the parser means the same: not a Structured Field
    return null;
  }
}

function memberOf(member: LibraryItem | LibraryInnerList): Member {
  if (!isInnerList(member)) return itemOf(member);
  const [items, params] = member;
  return { value: items.map(itemOf), params: params as Parameters };
}

/** The library's own type of a bare item refers to the browser's declarations, which are not there. */
const itemOf = ([value, params]: LibraryItem): Item => ({ value: value as BareItem, params: params as Parameters });
