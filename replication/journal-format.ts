import { epochMs } from '../config/units.js';
import type { Change } from './change-list.js';

/** What stands at the beginning of a journal. */
export interface JournalHeader {
  readonly namespace: string;
  readonly epoch: string;
  /** Of the list that the journal begins with; see ChangeListState. */
  readonly last: number;
  readonly floor: number;
}

/** What a journal says that is whole by its checksums, and still cannot be meant. */
export class UnreadableJournal extends Error {
  override readonly name = 'UnreadableJournal';
}

export const encodeHeader = ({ namespace, epoch, last, floor }: JournalHeader): Buffer =>
  Buffer.from(JSON.stringify({ namespace, epoch, last, floor }));

/** @throws UnreadableJournal */
export function decodeHeader(payload: Buffer): JournalHeader {
  try {
    const header = JSON.parse(payload.toString()) as Partial<JournalHeader> | null;
    const { namespace, epoch, last, floor } = header ?? {};
    if (typeof namespace === 'string' && typeof epoch === 'string' && isNumber(last) && isNumber(floor)) {
      return { namespace, epoch, last, floor };
    }
  } catch {
    // as below
  }
  throw new UnreadableJournal('its beginning is not that of a journal');
}

/** Payloads are not longer than that, except for a single change that is. */
const usualPayload = 512 * 1024;

/** Lines `<seq> <together> <ms> /<path> <document>`, with `-` for a removal, as few payloads as there can be. */
export function* encodeChanges(changes: Iterable<Change<string>>): Generator<Buffer> {
  let lines: string[] = [];
  let size = 0;
  for (const { seq, together, at, path, document } of changes) {
    const line = `${seq} ${together} ${at} /${checkedPath(path)} ${document === null ? '-' : checked(document)}\n`;
    if (size + line.length > usualPayload && lines.length > 0) {
      yield Buffer.from(lines.join(''));
      [lines, size] = [[], 0];
    }
    lines.push(line);
    size += line.length;
  }
  if (lines.length > 0) yield Buffer.from(lines.join(''));
}

const lineFormat = /^(\d{1,16}) (\d{1,16}) (\d{1,16}) \/(\S*) ([^\n]+)$/;

/** @throws UnreadableJournal */
export function decodeChanges(payload: Buffer): Change<string>[] {
  const text = payload.toString();
  if (!text.endsWith('\n')) throw new UnreadableJournal('a change has no end');
  return text.slice(0, -1).split('\n').map(decodeLine);
}

function decodeLine(line: string): Change<string> {
  const [, seq, together, at, path = '', document = ''] = lineFormat.exec(line) ?? [];
  if (seq === undefined) throw new UnreadableJournal(`${JSON.stringify(line.slice(0, 80))} is no change`);
  return {
    seq: Number(seq),
    together: Number(together),
    at: epochMs(Number(at)),
    path,
    document: document === '-' ? null : document,
  };
}

function checkedPath(path: string): string {
  if (!/\s/.test(path)) return path;
  throw new RangeError(`${JSON.stringify(path)} is no path as URIs have it`);
}

function checked(document: string): string {
  if (document.startsWith('{') && !document.includes('\n')) return document;
  throw new RangeError('a document is written as one line of JSON');
}

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
