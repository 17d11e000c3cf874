import { escapeControls } from './escape.js';

const info = 30;

const levelWords: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/**
 * One event for a person at a terminal, from its JSON line; an error's stack and a list of problems follow on lines of
 * their own.
 *
 *     12:30:05.120 info  listening listener=proxy url=http://127.0.0.1:3128/
 */
export function readableLine(json: string): string {
  const { level, time, msg, code, error, problems, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const clock = typeof time === 'number' ? new Date(time).toISOString().slice(11, 23) : '';
  const word = typeof level === 'number' ? (levelWords[level] ?? String(level)) : '';
  const parts = [clock, word.padEnd(5), typeof msg === 'string' ? escapeControls(msg) : ''];
  // of what goes well the message says enough
  if (code !== undefined && level !== info) parts.push(`code=${shown(code)}`);
  for (const [name, value] of Object.entries(fields)) parts.push(`${name}=${shown(value)}`);
  return `${parts.filter((part) => part !== '').join(' ')}\n${errorLines(error)}${problemLines(problems)}`;
}

function problemLines(problems: unknown): string {
  return Array.isArray(problems) ? problems.map((one) => `    ${escapeControls(String(one))}\n`).join('') : '';
}

function shown(value: unknown): string {
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.map(shown).join(',');
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return escapeControls(value);
  return escapeControls(JSON.stringify(value));
}

function errorLines(error: unknown): string {
  if (error === undefined) return '';
  const stack = isRecord(error) && typeof error['stack'] === 'string' ? error['stack'] : shown(error);
  return stack
    .split('\n')
    .map((line) => `    ${escapeControls(line.trim())}\n`)
    .join('');
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
