/** Marks parts of a text for a terminal; does nothing elsewhere. */
export interface TextStyle {
  readonly strong: (text: string) => string;
  readonly soft: (text: string) => string;
  readonly good: (text: string) => string;
  readonly fair: (text: string) => string;
  readonly bad: (text: string) => string;
}

const mark =
  (on: number, off: number) =>
  (text: string): string =>
    `\x1b[${on}m${text}\x1b[${off}m`;

const none = (text: string): string => text;

export const plainStyle: TextStyle = { strong: none, soft: none, good: none, fair: none, bad: none };

export const terminalStyle: TextStyle = {
  strong: mark(1, 22),
  soft: mark(2, 22),
  good: mark(32, 39),
  fair: mark(33, 39),
  bad: mark(31, 39),
};
