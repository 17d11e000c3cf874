import { brotliCompressSync, gzipSync } from 'node:zlib';
import { cp, readdir, realpath, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { ReplicatedSite } from './replicated-site.js';
import { root } from './willis-program.js';

const page = (title: string, length = 4000): string =>
  `<!doctype html><title>${title}</title>${'<p>All the words of this page.</p>\n'.repeat(Math.ceil(length / 36))}`;

/** Names and contents of every sort that a directory can have. */
function examples(): Readonly<Record<string, string | Buffer>> {
  const manual = page('manual');
  const script = 'export const answer = 42;\n'.repeat(200);
  return {
    'index.html': page('top'),
    '404.html': page('nothing here'),
    'manual/index.html': manual,
    'manual/index.html.gz': gzipSync(manual),
    'manual/index.html.br': brotliCompressSync(manual),
    'manual/deep/er/index.html': page('deep'),
    'manual/deep/er/figure.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'script.js': script,
    'script.js.gz': gzipSync(script),
    // not the compressed form of anything here
    'script.js.br': brotliCompressSync('something else'),
    'archive.tar.gz': gzipSync(Buffer.alloc(10_000, 'tar')),
    'only.css.gz': gzipSync('body{}'),
    'empty.txt': '',
    'one.txt': '1',
    'just-a-block.bin': Buffer.alloc(65_536, 7),
    'blocks.bin': Buffer.alloc(700_001, 'many blocks, and one that is not whole; '),
    'no-index/page.html': page('no index page beside'),
    'UPPER.HTML': page('upper case'),
    'no-extension': 'text without an extension\n',
    'bytes-without-extension': Buffer.from([0, 1, 2, 255]),
    'a name with blanks.txt': 'blanks\n',
    'größe.html': page('umlaut'),
    '100%.txt': 'a percent sign\n',
    "plus+tilde~quote'(brackets)!$&,;=:@.txt": 'sub-delimiters\n',
    'hash#tag.txt': 'a number sign\n',
    'what?.txt': 'a question mark\n',
    '日本/本.txt': 'three bytes a letter\n',
    'data.json': '{"a":1}',
    'feed.atom': '<feed/>',
    'picture.png': Buffer.from('89504e470d0a1a0a', 'hex'),
    'font.woff2': Buffer.alloc(300, 1),
    'module.wasm': Buffer.from('0061736d01000000', 'hex'),
    '.secret': 'never\n',
    'styled/page.html': page('with fields of its own'),
  };
}

/** How the operator has that published. */
export const exampleKeys = {
  headers: [
    { match: 'styled/**', set: { 'Content-Security-Policy': "default-src 'self'", 'Cache-Control': 'max-age=60' } },
    { match: '**/*.json', set: { 'Access-Control-Allow-Origin': '*' } },
  ],
  redirects: [
    { from: 'old-manual', to: 'manual/' },
    { from: 'elsewhere', to: 'https://other.example/', status: 302 },
  ],
};

/** Where the documentation of packages of this machine may be; the first that is there is taken. */
const systemDocs = ['bzip2-doc', 'git', 'valgrind', 'bash'].map((name) => `/usr/share/doc/${name}`);
/** Of one tree. */
const mostFiles = 60;

/** Fills the directory of a site with those, with the documentation of this project, and with some of the machine. */
export async function fillWithExamples(site: ReplicatedSite): Promise<readonly string[]> {
  for (const [name, content] of Object.entries(examples())) await site.put(name, content);
  const trees = [join(root, 'docs'), ...(await firstThatIs(systemDocs))];
  for (const tree of trees) await copyInto(tree, join(site.directory, 'docs', tree.split('/').at(-1) ?? ''));
  const paths = (await filesBelow(site.directory)).map((file) => relative(site.directory, file));
  return [
    ...new Set(paths.flatMap(urisOf)),
    'old-manual',
    'elsewhere',
    'no-such-document',
    'manual/none/',
    '.git/config',
  ];
}

/** The paths of a file, of the directories above it, and of what is near them and not there. */
function urisOf(path: string): string[] {
  const names = path.split('/').map((name) => encodeURIComponent(name));
  const above = names.slice(0, -1).map((_, i) => names.slice(0, i + 1).join('/'));
  const own = names.join('/');
  return [own, `${own}/`, `${own}.none`, ...above, ...above.map((directory) => `${directory}/`)];
}

async function firstThatIs(candidates: readonly string[]): Promise<readonly string[]> {
  for (const candidate of candidates) {
    const found = await stat(candidate).catch(() => null);
    if (found?.isDirectory() === true) return [candidate];
  }
  return [];
}

async function copyInto(from: string, to: string): Promise<void> {
  for (const file of (await filesBelow(from)).slice(0, mostFiles)) {
    const options = { dereference: true, preserveTimestamps: true };
    await cp(await realpath(file), join(to, relative(from, file)), options);
  }
}

async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  const files = await Promise.all(
    paths.map(async (path) => ((await stat(path).catch(() => null))?.isFile() === true ? [path] : [])),
  );
  return files.flat();
}
