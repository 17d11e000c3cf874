import { canonicalJson, parseCanonicalJson } from '../trust/canonical-json.js';
import { parseEpoch, type Epoch } from '../trust/epoch.js';
import { Members } from '../trust/members.js';
import { NotBelieved } from '../trust/not-believed.js';

/** A statement as directories hand it on to each other. Nothing of it is believed before it has been verified. */
export type FedRecord =
  /** The root chain of an authority, as `…/root` gives it. */
  | { readonly kind: 'root'; readonly about: string; readonly text: string }
  /** Statements of a namespace: JWS. */
  | { readonly kind: 'group' | 'head'; readonly about: string; readonly text: string }
  /** Of a name: JWS. */
  | { readonly kind: 'name'; readonly about: string; readonly text: string };

/** How far a reader is in a feed: an epoch of the feed, and a number in it. */
export interface FeedCursor {
  readonly epoch: Epoch;
  readonly seq: number;
}

/** A part of a feed. */
export interface FeedPage {
  /** Lines as `recordLine` makes them. */
  readonly lines: readonly string[];
  readonly cursor: FeedCursor;
  /** Whether there is more behind the cursor already. */
  readonly more: boolean;
}

export const recordLine = ({ kind, about, text }: FedRecord): string => canonicalJson({ kind, about, text });

export const cursorText = ({ epoch, seq }: FeedCursor): string => `${epoch}.${seq}`;

/** Null for what is none. */
export function parseCursor(text: string): FeedCursor | null {
  const [, epoch = '', seq = ''] = /^(\d+-[0-9a-f]{16})\.(\d{1,15})$/.exec(text) ?? [];
  try {
    return seq === '' ? null : { epoch: parseEpoch(epoch), seq: Number(seq) };
  } catch (error) {
    if (error instanceof NotBelieved) return null;
    throw error;
  }
}

export const feedTail = ({ lines, cursor, more }: FeedPage): string =>
  canonicalJson({ kind: TAIL, count: lines.length, cursor: cursorText(cursor), more: more ? true : undefined });

/** Reads a page; of one that was cut short nothing counts. @throws NotBelieved malformed, too-large */
export function parseFeedPage(text: string): { records: readonly FedRecord[]; cursor: string; more: boolean } {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw wrong('cut short');
  const tail = lines.pop() ?? '';
  if (lines.length > mostLines) throw new NotBelieved('too-large', `records: more than ${mostLines} lines`);
  const members = new Members(parseCanonicalJson(tail, 'records: tail', 512), 'records: tail');
  members.word('kind', TAIL);
  const count = members.integer('count', 0);
  const cursor = members.text('cursor', 64);
  const more = members.optional('more', (name) => members.flag(name)) ?? false;
  members.end();
  if (count !== lines.length) throw wrong(`${lines.length} lines where the tail says ${count}`);
  if (parseCursor(cursor) === null) throw wrong('a cursor that is none');
  return { records: lines.map(parseRecord), cursor, more };
}

function parseRecord(line: string): FedRecord {
  const members = new Members(parseCanonicalJson(line, 'records', longestLine), 'records');
  const kind = kinds.find((one) => one === members.text('kind', 16));
  if (kind === undefined) throw wrong("'kind' is not known");
  const record = { kind, about: members.text('about', 16_384), text: members.text('text', longestLine) };
  members.end();
  return record;
}

const wrong = (fault: string): NotBelieved => new NotBelieved('malformed', `records: ${fault}`);

const kinds = ['root', 'group', 'head', 'name'] as const;
const TAIL = 'records/1';
export const mostLines = 4096;
const longestLine = 11_534_336;
