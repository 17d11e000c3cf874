import { seconds, type Bytes, type Seconds } from '../../config/units.js';

/** A duration for people, in its two largest units: `0.4 s`, `48 s`, `2 min 5 s`, `3 h 12 min`, `12 d`. */
export function readableDuration(duration: Seconds): string {
  if (duration < 0) return `−${readableDuration(seconds(0 - duration))}`;
  if (!Number.isFinite(duration)) return 'for ever';
  if (duration < 10 && !Number.isInteger(duration)) return `${duration.toFixed(1)} s`;
  const whole = Math.round(duration);
  const at = units.findIndex(([, size]) => whole >= size);
  const [name, size] = units[at] ?? secondUnit;
  const first = `${Math.floor(whole / size)} ${name}`;
  const next = units[at + 1];
  if (next === undefined) return first;
  const rest = Math.floor((whole % size) / next[1]);
  return rest === 0 ? first : `${first} ${rest} ${next[0]}`;
}

/** A size for people: `512 B`, `1.5 KiB`, `64 MiB`. */
export function readableSize(size: Bytes): string {
  let value: number = size;
  let unit = 0;
  while (value >= 999.5 && unit < sizeUnits.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 || Number.isInteger(value) ? 0 : 1;
  return `${value.toFixed(digits)} ${sizeUnits[unit] as string}`;
}

const secondUnit = ['s', 1] as const;
const units = [['d', 86_400], ['h', 3600], ['min', 60], secondUnit] as const;
const sizeUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
