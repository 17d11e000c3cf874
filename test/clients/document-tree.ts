import { readdir, readFile, utimes } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { TempDir } from '../support/temp-dir.js';

/** Long enough ago that the heuristic keeps what has this date fresh for the time of a test (RFC 9111 §4.2.2). */
const longAgo = new Date('2020-01-01T00:00:00Z');

/** Writes pages that link to one another, with a style sheet, an image and a file of 4 MiB. @returns its directory */
export async function writeTree(directory: TempDir): Promise<string> {
  const chapters = Array.from({ length: 12 }, (_, i) => `chapter-${i}/index.html`);
  const page = (title: string, up: string, links: readonly string[]): string =>
    `<!doctype html>\n<html lang="en"><head><title>${title}</title><link rel="stylesheet" href="${up}style/site.css"></head>\n` +
    `<body><h1>${title}</h1><img src="${up}style/dot.png" alt="">\n` +
    `${links.map((link) => `<p><a href="${link}">${link}</a></p>`).join('\n')}\n</body></html>\n`;
  const files: [string, string | Buffer][] = [
    ['index.html', page('Contents', '', [...chapters, 'large.bin'])],
    ...chapters.map((path, i): [string, string] => [
      path,
      page(`Chapter ${i}`, '../', ['../index.html', 'a%20b.html']),
    ]),
    ...chapters.map((_, i): [string, string] => [`chapter-${i}/a b.html`, page('Spaces', '../', ['index.html'])]),
    ['style/site.css', `h1 { color: rgb(0, 100, 0); }\n${'p { margin: 0; }\n'.repeat(200)}`],
    ['style/dot.png', dot],
    ['large.bin', pattern(4 * 1024 * 1024)],
  ];
  for (const [path, content] of files) {
    await utimes(await directory.write(join('tree', path), content), longAgo, longAgo);
  }
  return join(directory.path, 'tree');
}

/** The files below a directory, by path. */
export async function filesOf(directory: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = new Map<string, Buffer>();
  for (const path of paths.sort()) files.set(relative(directory, path), await readFile(path));
  return files;
}

/** Bytes of which no two parts of the same length are alike. */
export function pattern(length: number): Buffer {
  const content = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) content.writeUInt32BE(Math.imul(at + 1, 0x9e3779b1) >>> 0, at);
  return content;
}

/** An image of one pixel. */
const dot = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg==',
  'base64',
);
