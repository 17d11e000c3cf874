import type { TextStyle } from './text-style.js';

/** A column: its head, and whether it is one of numbers, which stand at its right. */
export type Column = readonly [head: string, side?: 'right'];

/** Rows under heads, two spaces between columns as wide as what stands in them; cells without line feeds. */
export function textTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: Pick<TextStyle, 'soft'>,
  indent = '',
): string {
  const widths = columns.map(([head], i) => Math.max(head.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    columns
      .map(([, side], i) => {
        const [cell, width] = [cells[i] ?? '', widths[i] as number];
        return side === 'right' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const heads = style.soft(line(columns.map(([head]) => head)));
  return [heads, ...rows.map(line)].map((text) => `${indent}${text}\n`).join('');
}
