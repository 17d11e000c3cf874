import type { AccessLogSettings } from '../../config/schema.js';
import type { Bytes, EpochMs, Milliseconds } from '../../config/units.js';
import { escapeQuoted } from './escape.js';
import type { Redaction } from './redaction.js';

/** One request and what became of it. */
export interface AccessEntry {
  /** When the request was received. */
  readonly time: EpochMs;
  /** The listener that it came to. */
  readonly side: string;
  /** The client's address, and that of its connection, which differs behind a trusted proxy. */
  readonly client: string;
  readonly peer: string;
  /** The name that the client has proved; null if it has not. */
  readonly user: string | null;
  readonly method: string;
  readonly uri: string;
  /** Of HTTP, as in `1.1`. */
  readonly version: string;
  readonly status: number;
  /** In the words of RFC 9211 (`hit`, `fwd=uri-miss`, …), or a code of the error table. */
  readonly outcome: string;
  /** The site and the cache rule that the request fell under; empty for none. */
  readonly site: string;
  readonly rule: string;
  /** All that was sent to the client; of that the content of the answer, without its framing; and all that it sent. */
  readonly bytesOut: Bytes;
  readonly contentOut: Bytes;
  readonly bytesIn: Bytes;
  /** From the end of the request's head until the head of the answer was sent, null if it was not; and until its end. */
  readonly firstByteTime: Milliseconds | null;
  readonly duration: Milliseconds;
  /** From sending the request on, connecting included, until the head of the answer; null if none came. */
  readonly upstreamTime: Milliseconds | null;
  readonly referer: string | null;
  readonly userAgent: string | null;
  readonly id: string;
  /** Who broke the answer off; null if it is complete. */
  readonly aborted: Aborted | null;
}

/** The client went away, the origin server broke off, or this node failed. */
export type Aborted = 'client' | 'upstream' | 'node';

/** How an entry looks in a format, without a line feed. */
export function accessLine(
  format: Exclude<AccessLogSettings['format'], 'off'>,
  redaction: Redaction,
): (entry: AccessEntry) => string {
  switch (format) {
    case 'json':
      return (entry) => jsonLine(entry, redaction);
    case 'common':
      return (entry) => `${commonPart(entry, redaction)} ${ownPart(entry)}`;
    case 'combined':
      return (entry) => `${commonPart(entry, redaction)} ${combinedPart(entry, redaction)} ${ownPart(entry)}`;
  }
}

/** `%h %l %u %t "%r" %>s %b` of Apache's, which the common and the combined format begin with. */
function commonPart(entry: AccessEntry, redaction: Redaction): string {
  const request = escapeQuoted(`${entry.method} ${redaction.uri(entry.uri)} HTTP/${entry.version}`);
  const sent = entry.contentOut === 0 ? '-' : String(entry.contentOut);
  const who = `${word(entry.client)} - ${word(entry.user ?? '-')}`;
  return `${who} [${apacheTime(entry.time)}] "${request}" ${entry.status} ${sent}`;
}

/** `"%{Referer}i" "%{User-agent}i"`. */
function combinedPart(entry: AccessEntry, redaction: Redaction): string {
  const referer = entry.referer === null ? '-' : escapeQuoted(redaction.uri(entry.referer));
  return `"${referer}" "${escapeQuoted(entry.userAgent ?? '-')}"`;
}

/** Outcome, duration and upstream time in milliseconds, bytes received, request id, and whether it was broken off. */
function ownPart(entry: AccessEntry): string {
  const upstream = entry.upstreamTime === null ? '-' : exact(entry.upstreamTime);
  const end = entry.aborted === null ? '' : ` aborted=${entry.aborted}`;
  return `${word(entry.outcome)} ${exact(entry.duration)} ${upstream} ${entry.bytesIn} ${word(entry.id)}${end}`;
}

/** One object, `time` in ISO 8601, times in milliseconds. */
function jsonLine(entry: AccessEntry, redaction: Redaction): string {
  const { firstByteTime, upstreamTime, referer } = entry;
  const json = JSON.stringify({
    time: new Date(entry.time).toISOString(),
    side: entry.side,
    client: entry.client,
    peer: entry.peer,
    user: entry.user,
    method: entry.method,
    uri: redaction.uri(entry.uri),
    version: entry.version,
    status: entry.status,
    outcome: entry.outcome,
    site: entry.site,
    rule: entry.rule,
    bytesOut: entry.bytesOut,
    contentOut: entry.contentOut,
    bytesIn: entry.bytesIn,
    firstByteTime: firstByteTime && exact(firstByteTime),
    duration: exact(entry.duration),
    upstreamTime: upstreamTime && exact(upstreamTime),
    referer: referer && redaction.uri(referer),
    userAgent: entry.userAgent,
    id: entry.id,
    aborted: entry.aborted,
  } satisfies Record<keyof AccessEntry, unknown>);
  // JSON leaves DEL and the C1 controls as they are.
  if (!/[\u007f-\u009f]/.test(json)) return json;
  return json.replace(/[\u007f-\u009f]/g, (control) => `\\u00${control.charCodeAt(0).toString(16)}`);
}

/** To the microsecond. */
const exact = (time: Milliseconds): number => Math.round(time * 1000) / 1000;

function word(text: string): string {
  const escaped = escapeQuoted(text);
  return escaped.includes(' ') ? escaped.replaceAll(' ', '\\x20') : escaped || '-';
}

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
