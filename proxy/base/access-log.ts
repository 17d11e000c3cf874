import type { AccessLogSettings } from '../../config/schema.js';
import type { Bytes, EpochMs, Milliseconds } from '../../config/units.js';
import { escapeQuoted } from './escape.js';
import { LineWriter } from './line-writer.js';

/** One request and what became of it. */
export interface AccessEntry {
  /** When the request was received. */
  readonly time: EpochMs;
  readonly client: string;
  readonly method: string;
  readonly uri: string;
  /** Of HTTP, as in `1.1`. */
  readonly version: string;
  readonly status: number;
  /** Bytes sent to the client, the head of the answer included, and received from it. */
  readonly bytesOut: Bytes;
  readonly bytesIn: Bytes;
  readonly duration: Milliseconds;
  /** In the words of RFC 9211 (`hit`, `fwd=uri-miss`, …); `-` where no cache was asked. */
  readonly outcome: string;
  readonly referer: string | null;
  readonly userAgent: string | null;
  readonly id: string;
  /** The client went away, or the answer broke off. */
  readonly aborted: boolean;
}

/** One line a request. A destination that fails never makes a request fail: lines are dropped instead. */
export interface AccessLog {
  write(entry: AccessEntry): void;
  /** Writes what is still buffered. Idempotent. */
  close(): Promise<void>;
}

const standardOutput = 1;

/** @param onFailure told when the destination begins to fail */
export function createAccessLog(
  settings: AccessLogSettings,
  onFailure: (error: Error) => void = () => undefined,
): AccessLog {
  if (settings.format === 'off') return { write: () => undefined, close: () => Promise.resolve() };
  const format = settings.format === 'json' ? jsonLine : combinedLine;
  const writer = new LineWriter({ to: settings.path ?? standardOutput, onFailure });
  return { write: (entry) => writer.write(format(entry)), close: () => writer.close() };
}

/**
 * Apache's combined format with the cache outcome, the duration in milliseconds and the request id after it, and the
 * word `aborted` at the end where that is so:
 *
 *     192.0.2.7 - - [21/Nov/2025:04:08:00 +0000] "GET http://a.example/ HTTP/1.1" 200 1024 "-" "curl/8.5" hit 0.4 k3f-1
 *
 * The user is always `-`: credentials are not logged.
 */
export function combinedLine(entry: AccessEntry): string {
  const request = escapeQuoted(`${entry.method} ${entry.uri} HTTP/${entry.version}`);
  const sent = entry.bytesOut === 0 ? '-' : String(entry.bytesOut);
  const referer = escapeQuoted(entry.referer ?? '-');
  const agent = escapeQuoted(entry.userAgent ?? '-');
  const end = `${word(entry.outcome)} ${tenths(entry.duration)} ${word(entry.id)}${entry.aborted ? ' aborted' : ''}`;
  return `${word(entry.client)} - - [${apacheTime(entry.time)}] "${request}" ${entry.status} ${sent} "${referer}" "${agent}" ${end}`;
}

/** One JSON object, `time` in ISO 8601, `duration` in milliseconds. */
export function jsonLine(entry: AccessEntry): string {
  const duration = Number(tenths(entry.duration));
  const json = JSON.stringify({ ...entry, time: new Date(entry.time).toISOString(), duration });
  // JSON leaves DEL and the C1 controls as they are.
  return json.replace(/[\u007f-\u009f]/g, (control) => `\\u00${control.charCodeAt(0).toString(16)}`);
}

const tenths = (duration: Milliseconds): string => String(Math.round(duration * 10) / 10);

const word = (text: string): string => escapeQuoted(text).replaceAll(' ', '\\x20') || '-';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

let lastSecond = -1;
let lastText = '';

function apacheTime(time: EpochMs): string {
  const second = Math.floor(time / 1000);
  if (second === lastSecond) return lastText;
  // "2025-11-21T04:08:00.000Z"
  const iso = new Date(second * 1000).toISOString();
  const month = months[Number(iso.slice(5, 7)) - 1] ?? '';
  lastSecond = second;
  lastText = `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
  return lastText;
}
