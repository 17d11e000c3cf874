/** A table in Markdown; the first column holds names, the others figures. */
export const table = (heads: readonly string[], lines: readonly (readonly string[])[]): string =>
  [heads, heads.map((_, column) => (column === 0 ? '---' : '---:')), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');

/** How a figure is written, and a missing one. */
const written =
  (write: (value: number) => string) =>
  (value: number | null): string =>
    value === null ? '–' : write(value);

export const whole = written((value) => Math.round(value).toLocaleString('en-GB'));
export const percent = written((share) => `${Math.round(share * 100)} %`);
export const ratio = written((value) => value.toFixed(2));
export const tenths = written((value) => value.toFixed(1));
export const millisecondsOf = written((microseconds) => (microseconds / 1000).toFixed(2));
