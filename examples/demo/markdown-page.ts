import { escaped, inlineHtml } from './markdown-inline.js';

/** What is made of a page in Markdown. */
export interface MadePage {
  /** Its first heading. */
  readonly title: string;
  readonly html: string;
}

/**
 * As much of Markdown as the pages of this project use: headings, paragraphs, lists of one level, tables, code, comments.
 * All text is escaped: nothing of a page becomes markup but what is listed here.
 */
export function pageFromMarkdown(text: string): MadePage {
  const lines = text.replace(/<!--.*?-->\n?/gs, '').split('\n');
  const html: string[] = [];
  let at = 0;
  while (at < lines.length) {
    const block = blocks.map((read) => read(lines, at)).find((found) => found !== null) ?? paragraph(lines, at);
    html.push(block.html);
    at = block.next;
  }
  const title = lines.find((line) => line.startsWith('# '))?.slice(2) ?? '';
  return { title, html: html.join('\n') };
}

interface Block {
  readonly html: string;
  /** The line behind it. */
  readonly next: number;
}

type ReadBlock = (lines: readonly string[], at: number) => Block | null;

const blank: ReadBlock = (lines, at) => ((lines[at] ?? '').trim() === '' ? { html: '', next: at + 1 } : null);

const heading: ReadBlock = (lines, at) => {
  const [, marks = '', text = ''] = /^(#{1,6}) (.*)$/.exec(lines[at] ?? '') ?? [];
  if (marks === '') return null;
  const level = marks.length;
  return { html: `<h${level} id="${anchorOf(text)}">${inlineHtml(text)}</h${level}>`, next: at + 1 };
};

const fencedCode: ReadBlock = (lines, at) => {
  const [, fence = ''] = /^(`{3,})/.exec(lines[at] ?? '') ?? [];
  if (fence === '') return null;
  const found = lines.findIndex((line, index) => index > at && line.trim() === fence);
  const end = found < 0 ? lines.length : found;
  return { html: codeHtml(lines.slice(at + 1, end)), next: end + 1 };
};

const indentedCode: ReadBlock = (lines, at) => {
  const end = endOf(lines, at, (line) => line.startsWith('    '));
  return end === at ? null : { html: codeHtml(lines.slice(at, end).map((line) => line.slice(4))), next: end };
};

const table: ReadBlock = (lines, at) => {
  if (!/^\|/.test(lines[at] ?? '') || !/^\|[\s:|-]+\|$/.test(lines[at + 1] ?? '')) return null;
  const end = endOf(lines, at, (line) => line.startsWith('|'));
  const [head = '', , ...rows] = lines.slice(at, end);
  const body = rows.map((row) => rowHtml(row, 'td')).join('');
  return { html: `<table><thead>${rowHtml(head, 'th')}</thead><tbody>${body}</tbody></table>`, next: end };
};

const list: ReadBlock = (lines, at) => {
  const item = /^(?:[-*]|\d+\.) +(.*)$/;
  const [first = ''] = /^\s*(?:[-*]|\d+\.) /.exec(lines[at] ?? '') ?? [];
  if (first === '') return null;
  const end = endOf(lines, at, (line) => item.test(line.trimStart()) || (line.startsWith(' ') && line.trim() !== ''));
  const items: string[] = [];
  for (const line of lines.slice(at, end)) {
    const [, text] = item.exec(line.trimStart()) ?? [];
    if (text === undefined) items.push(`${items.pop() ?? ''} ${line.trim()}`);
    else items.push(text);
  }
  const tag = /\d/.test(first) ? 'ol' : 'ul';
  return { html: `<${tag}>${items.map((text) => `<li>${inlineHtml(text)}</li>`).join('')}</${tag}>`, next: end };
};

const blocks: readonly ReadBlock[] = [blank, heading, fencedCode, indentedCode, table, list];

function paragraph(lines: readonly string[], at: number): Block {
  let end = at + 1;
  while (end < lines.length && blocks.every((read) => read(lines, end) === null)) end++;
  return { html: `<p>${inlineHtml(lines.slice(at, end).join('\n'))}</p>`, next: end };
}

function endOf(lines: readonly string[], at: number, belongs: (line: string) => boolean): number {
  let end = at;
  while (end < lines.length && belongs(lines[end] ?? '')) end++;
  return end;
}

const codeHtml = (lines: readonly string[]): string => `<pre><code>${escaped(lines.join('\n'))}</code></pre>`;

function rowHtml(row: string, tag: 'th' | 'td'): string {
  const cells = row
    .trim()
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/);
  const html = cells.map((cell) => `<${tag}>${inlineHtml(cell.trim().replaceAll('\\|', '|'))}</${tag}>`);
  return `<tr>${html.join('')}</tr>`;
}

/** As links of the pages name it. */
const anchorOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}\s-]/gu, '')
    .replace(/\s/g, '-');
