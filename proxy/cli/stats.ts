import { milliseconds } from '../../config/units.js';
import type { TextOptions } from './explanation-text.js';
import { exitCodes, type Console, type ExitCode } from './console.js';
import type { OperatorOptions } from './operator-address.js';
import { withNode, type OperatorClient } from './operator-client.js';
import { statsText } from './stats-text.js';
import { StatsView, type Stats } from './stats-view.js';

export interface StatsOptions extends OperatorOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
}

/** A terminal that can be drawn upon again and again. */
export interface Screen {
  /** The size at the moment. */
  readonly size: () => { readonly width: number; readonly height: number };
  /** Resolves after that time: true; or when somebody wants to leave: false. */
  readonly pause: (time: ReturnType<typeof milliseconds>) => Promise<boolean>;
}

/**
 * `willis stats`: what a node has done and does. With `watch` it is drawn anew every second, where there is a screen.
 */
export async function stats(
  options: StatsOptions,
  console: Console,
  text: TextOptions,
  screen: Screen | null,
): Promise<ExitCode> {
  return withNode(options, console, async (client) => {
    const first = await read(client);
    if (options.json === true) console.out(`${JSON.stringify(first, null, 2)}\n`);
    else if (options.watch === true && screen !== null) await watch(client, first, { console, text, screen });
    else console.out(statsText(new StatsView(first), null, text));
    return exitCodes.ok;
  });
}

const read = async (client: OperatorClient): Promise<Stats> => (await client.get('/api/stats')) as Stats;

async function watch(
  client: OperatorClient,
  first: Stats,
  { console, text, screen }: { console: Console; text: TextOptions; screen: Screen },
): Promise<void> {
  let before: Stats | null = null;
  let now = first;
  console.out(hideCursor);
  try {
    for (;;) {
      const { width, height } = screen.size();
      const lately = before === null ? null : new StatsView(now, before);
      const drawn = statsText(new StatsView(now), lately, { ...text, width })
        .split('\n')
        .slice(0, height - 1);
      console.out(`${topLeft}${drawn.map((line) => `${line}${restOfLine}\n`).join('')}${restOfScreen}`);
      if (!(await screen.pause(milliseconds(1000)))) return;
      before = now;
      now = await read(client);
    }
  } finally {
    console.out(showCursor);
  }
}

const topLeft = '\x1b[H';
const restOfLine = '\x1b[K';
const restOfScreen = '\x1b[J';
const hideCursor = '\x1b[?25l\x1b[2J';
const showCursor = '\x1b[?25h';
