/** A label with what it stands for; an empty label goes on with the one before. */
export type LabelledLine = readonly [label: string, text: string];

/**
 * Lines with their labels in one column and their texts in another, wrapped at spaces so that none is longer than `width`;
 * a word that is longer stays whole. What is between escape sequences counts, they do not.
 *
 *     received  2026-11-21 04:00:00 UTC
 *     governed  Cache-Control: max-age=60,
 *               stale-while-revalidate=30
 */
export function labelledLines(
  lines: readonly LabelledLine[],
  { indent, column, width, label: styled = (text) => text }: LabelledLinesOptions,
): string {
  return lines
    .map(([label, text]) => {
      const [first = '', ...rest] = wrapped(text, width - indent - column);
      const head = `${' '.repeat(indent)}${styled(label.padEnd(column))}${first}`.trimEnd();
      return [head, ...rest.map((line) => ' '.repeat(indent + column) + line)].join('\n') + '\n';
    })
    .join('');
}

export interface LabelledLinesOptions {
  readonly indent: number;
  /** How many characters the labels have. */
  readonly column: number;
  /** Of the whole. */
  readonly width: number;
  readonly label?: (text: string) => string;
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && visible(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

// eslint-disable-next-line no-control-regex -- these are what is not seen
const visible = (text: string): number => text.replace(/\x1b\[\d+m/g, '').length;
