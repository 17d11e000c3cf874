import type { Milliseconds } from '../../config/units.js';
import type { TextOptions } from './explanation-text.js';
import type { Screen } from './stats.js';
import type { Watch } from './store.js';
import { plainStyle, terminalStyle } from './text-style.js';

/** As much of a stream as says whether people see what is written there. */
interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

interface Interrupts {
  once(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

/** Pseudo-terminals may have the size 0. */
const widthOf = ({ columns = 0 }: Output): number => (columns === 0 ? 100 : Math.max(50, Math.min(columns, 140)));
const heightOf = ({ rows = 0 }: Output): number => (rows === 0 ? 24 : rows);

/** How text is to be written to an output: marked on a terminal, unless its user has asked otherwise (no-color.org). */
export function textFor(output: Output, environment: Readonly<Record<string, string | undefined>>): TextOptions {
  const plain = output.isTTY !== true || (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb';
  return {
    style: plain ? plainStyle : terminalStyle,
    width: widthOf(output),
  };
}

/** Null where nobody could see it change. */
export function screenOf(output: Output, interrupts: Interrupts): Screen | null {
  if (output.isTTY !== true) return null;
  return {
    size: () => ({ width: widthOf(output), height: heightOf(output) }),
    pause: (time) => pause(time, interrupts),
  };
}

/** How work is watched: on a terminal that can be drawn upon by a bar; ended by Ctrl-C or SIGTERM, by a second one at once. */
export function watchOf(
  output: Output,
  environment: Readonly<Record<string, string | undefined>>,
  interrupts: Interrupts,
): Watch {
  const canDraw = output.isTTY === true && environment['TERM'] !== 'dumb';
  return {
    width: canDraw ? () => widthOf(output) : null,
    onEnd: (end) => {
      for (const signal of endings) interrupts.once(signal, end);
      return () => {
        for (const signal of endings) interrupts.off(signal, end);
      };
    },
  };
}

const endings = ['SIGINT', 'SIGTERM'] as const;

function pause(time: Milliseconds, interrupts: Interrupts): Promise<boolean> {
  return new Promise((resolve) => {
    const leave = (): void => end(false);
    const timer = setTimeout(() => end(true), time);
    const end = (goOn: boolean): void => {
      clearTimeout(timer);
      interrupts.off('SIGINT', leave);
      resolve(goOn);
    };
    interrupts.once('SIGINT', leave);
  });
}
