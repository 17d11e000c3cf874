import { milliseconds, type Milliseconds } from './units.js';

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const form = /^(\d{1,15}(?:\.\d{1,9})?)(ms|s|m|h|d)$/;

/** `250ms`, `90s`, `1.5h`, `5m`, `1d`; null for anything else, a number without its unit included. */
export function parseDuration(text: string): Milliseconds | null {
  const match = form.exec(text);
  if (match === null) return null;
  const duration = Number(match[1]) * units[match[2] as keyof typeof units];
  return Number.isSafeInteger(duration) ? milliseconds(duration) : null;
}

/** The shortest text that `parseDuration` reads as this duration: the largest unit that leaves a whole number. */
export function formatDuration(duration: Milliseconds): string {
  if (duration === 0) return '0s';
  const names = ['d', 'h', 'm', 's'] as const;
  const name = names.find((unit) => duration % units[unit] === 0) ?? 'ms';
  return `${duration / units[name]}${name}`;
}
