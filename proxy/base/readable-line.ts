import { escapeControls } from './escape.js';

const levelWords: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/**
 * One event for a person at a terminal, from its JSON line; an error's stack follows on lines of its own.
 *
 *     12:30:05.120 info  listening listener=proxy url=http://127.0.0.1:3128/
 */
export function readableLine(json: string): string {
  const { level, time, msg, error, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const clock = typeof time === 'number' ? new Date(time).toISOString().slice(11, 23) : '';
  const word = typeof level === 'number' ? (levelWords[level] ?? String(level)) : '';
  const parts = [clock, word.padEnd(5), typeof msg === 'string' ? escapeControls(msg) : ''];
  for (const [name, value] of Object.entries(fields)) parts.push(`${name}=${shown(value)}`);
  return `${parts.filter((part) => part !== '').join(' ')}\n${errorLines(error)}`;
}

function shown(value: unknown): string {
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
