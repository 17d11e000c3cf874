/** As much of standard input as is needed. */
export interface InputStream extends AsyncIterable<Buffer | string> {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
  setEncoding(encoding: 'utf8'): unknown;
  on(event: 'data', listener: (text: string) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  off(event: 'data', listener: (text: string) => void): unknown;
  off(event: 'end', listener: () => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** Where a secret comes from: a person at a terminal, or whatever standard input is. */
export interface SecretInput {
  readonly isTerminal: boolean;
  /** One line that is not shown as it is typed; null if the person gives up (Ctrl-C, Ctrl-D). */
  ask(prompt: string): Promise<string | null>;
  /** Everything that comes. */
  all(): Promise<string>;
}

/** @param show prints to the terminal */
export function secretInput(input: InputStream, show: (text: string) => void): SecretInput {
  return {
    isTerminal: input.isTTY === true,
    ask: async (prompt) => {
      // first, for a person may type before the prompt has come
      const typed = hiddenLine(input);
      show(prompt);
      const line = await typed;
      show('\n');
      return line;
    },
    all: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of input) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks).toString('utf8');
    },
  };
}

const enter = ['\r', '\n'];
/** Ctrl-C and Ctrl-D. */
const giveUp = ['\u0003', '\u0004'];
/** Backspace, as either kind of terminal has it. */
const erase = ['\u0008', '\u007f'];
/** Ctrl-U. */
const eraseAll = '\u0015';

/** Reads keys one by one, for the terminal shows nothing and edits nothing while it is raw. */
function hiddenLine(input: InputStream): Promise<string | null> {
  return new Promise((resolve) => {
    let typed: string[] = [];
    const finish = (line: string | null): void => {
      input.off('data', onData);
      input.off('end', onEnd);
      input.setRawMode?.(false);
      input.pause();
      resolve(line);
    };
    const onEnd = (): void => finish(null);
    const onData = (text: string): void => {
      for (const key of text) {
        if (enter.includes(key) || giveUp.includes(key)) {
          finish(enter.includes(key) ? typed.join('') : null);
          return;
        }
        if (erase.includes(key)) typed.pop();
        else if (key === eraseAll) typed = [];
        else typed.push(key);
      }
    };
    input.setRawMode?.(true);
    input.setEncoding('utf8');
    input.on('data', onData);
    input.on('end', onEnd);
    input.resume();
  });
}
