import { epochMs, type EpochMs } from '../../config/units.js';

/**
 * The time that an HTTP-date names, in any of the three formats of RFC 9110 §5.6.7, or null for anything else.
 *
 * Letters are compared without regard to case and the only zone is GMT, as RFC 9111 §4.2 asks of caches. The name of the
 * day must be one, but need not be the right one. A leap second (`:60`) is the first second of the next minute.
 * `now` places the two-digit years of the RFC 850 format.
 */
export function parseHttpDate(value: string, now: EpochMs): EpochMs | null {
  if (value.length < shortest || value.length > longest) return null;
  const comma = value.indexOf(',');
  if (comma === -1) return parseAsctime(value);
  return comma === 3 ? parseImfFixdate(value) : parseRfc850(value, now);
}

let formattedSecond = Number.NaN;
let formatted = '';

/** The time as an IMF-fixdate (RFC 9110 §5.6.7), fractions of a second cut off. */
export function formatHttpDate(time: EpochMs): string {
  const second = Math.floor(time / 1000);
  if (second === formattedSecond) return formatted;
  const representable = Math.min(Math.max(second, firstSecond), lastSecond);
  formatted = new Date(representable * 1000).toUTCString();
  formattedSecond = second;
  return formatted;
}

/** What four digits for the year can say. */
const firstSecond = -62_167_219_200;
const lastSecond = 253_402_300_799;

const shortest = 'Sun Nov  6 08:49:37 1994'.length;
const longest = 'Wednesday, 06-Nov-94 08:49:37 GMT'.length;

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const clockTime = '(\\d\\d):(\\d\\d):(\\d\\d)';
const shortDay = '(?:mon|tue|wed|thu|fri|sat|sun)';
const longDay = '(?:mon|tues|wednes|thurs|fri|satur|sun)day';

/** `0` for any digit, `a` for letters. */
const fixdate = 'aaa, 00 aaa 0000 00:00:00 aaa';
const [ZERO, NINE, LETTER] = [0x30, 0x39, 0x61];
const rfc850 = new RegExp(`^${longDay}, (\\d\\d)-([a-z]{3})-(\\d\\d) ${clockTime} gmt$`, 'i');
const asctime = new RegExp(`^${shortDay} ([a-z]{3}) (\\d\\d| \\d) ${clockTime} (\\d{4})$`, 'i');

const days = new Set(['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'].map((day) => threeLetters(day, 0)));
const monthNumbers = new Map(months.map((month, number) => [threeLetters(month, 0), number]));
const gmt = threeLetters('gmt', 0);

interface Calendar {
  readonly year: number;
  /** From 0. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** By position instead of by an expression: nearly all dates are of this form, and a message has several. */
function parseImfFixdate(value: string): EpochMs | null {
  if (value.length !== fixdate.length) return null;
  for (let i = 0; i < fixdate.length; i++) {
    const wanted = fixdate.charCodeAt(i);
    const c = value.charCodeAt(i);
    if (wanted === ZERO ? c < ZERO || c > NINE : wanted !== LETTER && wanted !== c) return null;
  }
  if (!days.has(threeLetters(value, 0)) || threeLetters(value, 26) !== gmt) return null;
  return timeOf({
    year: twoDigits(value, 12) * 100 + twoDigits(value, 14),
    month: monthNumbers.get(threeLetters(value, 8)) ?? -1,
    day: twoDigits(value, 5),
    hour: twoDigits(value, 17),
    minute: twoDigits(value, 20),
    second: twoDigits(value, 23),
  });
}

const twoDigits = (text: string, at: number): number =>
  (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;

/** Three letters in either case as one number; -1 for characters beyond ASCII. */
function threeLetters(text: string, at: number): number {
  const a = text.charCodeAt(at);
  const b = text.charCodeAt(at + 1);
  const c = text.charCodeAt(at + 2);
  return (a | b | c) > 0x7f ? -1 : ((a | 0x20) << 16) | ((b | 0x20) << 8) | c | 0x20;
}

function parseAsctime(value: string): EpochMs | null {
  const match = asctime.exec(value);
  if (match === null) return null;
  const [, month, day, hour, minute, second, year] = match;
  return timeOf(calendar(year, month, day, hour, minute, second));
}

/**
 * Of the years that end in the two digits, the last one that is not more than 50 years in the future (RFC 9110 §5.6.7).
 * 29 February exists or not by that year.
 */
function parseRfc850(value: string, now: EpochMs): EpochMs | null {
  const match = rfc850.exec(value);
  if (match === null) return null;
  const [, day, month, twoDigits, hour, minute, second] = match;
  const received = calendar(twoDigits, month, day, hour, minute, second);
  const horizon = new Date(now);
  horizon.setUTCFullYear(horizon.getUTCFullYear() + 50);
  const lastYear = horizon.getUTCFullYear();
  const year = lastYear - ((((lastYear - received.year) % 100) + 100) % 100);
  // in the horizon's own year the rest of the date decides
  const beyond = year === lastYear && utc({ ...received, year }) > horizon.getTime();
  return timeOf({ ...received, year: beyond ? year - 100 : year });
}

function calendar(year = '', month = '', day = '', hour = '', minute = '', second = ''): Calendar {
  return {
    year: Number(year),
    month: months.indexOf(month.toLowerCase()),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
  };
}

function timeOf(date: Calendar): EpochMs | null {
  const { year, month, day, hour, minute, second } = date;
  if (month === -1 || day < 1 || day > daysIn(month, year)) return null;
  if (hour > 23 || minute > 59 || second > 60) return null;
  return epochMs(utc(date));
}

function utc({ year, month, day, hour, minute, second }: Calendar): number {
  // Date.UTC takes years below 100 for those of the 20th century; 400 years repeat the calendar
  const shift = year < 100 ? 400 : 0;
  return Date.UTC(year + shift, month, day, hour, minute, second) - (shift === 0 ? 0 : msIn400Years);
}

const msIn400Years = 146_097 * 86_400_000;

function daysIn(month: number, year: number): number {
  if (month === 1) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 3 || month === 5 || month === 8 || month === 10 ? 30 : 31;
}
