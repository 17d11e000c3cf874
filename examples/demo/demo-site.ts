import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { escaped, pageName } from './markdown-inline.js';
import { pageFromMarkdown } from './markdown-page.js';

/** Writes a small site to a new directory: the pages of this project. @param root where README.md and docs/ are */
export async function writeSite(root: string, directory: string): Promise<void> {
  const docs = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md')).sort();
  const sources = ['README.md', ...docs.map((name) => join('docs', name)), 'CHANGELOG.md'];
  const pages = await Promise.all(
    sources.map(async (source) => {
      const name = source.replace(/^.*\//, '').replace(/\.md$/, '');
      return { name, ...pageFromMarkdown(await readFile(join(root, source), 'utf8')) };
    }),
  );
  const links = pages.map(({ name, title }) => `<a href="${pageName(name)}">${escaped(title)}</a>`).join('\n');
  await mkdir(directory, { recursive: true });
  await cp(join(root, 'docs', 'images'), join(directory, 'images'), { recursive: true });
  const files: [name: string, content: string][] = pages.map(({ name, title, html }) => [
    name === 'README' ? 'index.html' : pageName(name),
    wholePage(title, links, html),
  ]);
  const lost = '<h1>Nothing here</h1><p>The whole site knows it: this page is one of its documents.</p>';
  files.push(['404.html', wholePage('Nothing here', links, lost)], ['style.css', style]);
  await Promise.all(files.map(([name, content]) => writeFile(join(directory, name), content)));
}

const wholePage = (title: string, links: string, html: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<nav>
${links}
</nav>
<main>
${html}
</main>
</body>
</html>
`;

const style = `:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent); }
body { margin: 0 auto; max-width: 72rem; display: flex; gap: 3rem; padding: 2rem; font: 1rem/1.55 system-ui, sans-serif; }
nav { flex: 0 0 11rem; display: flex; flex-direction: column; gap: .4rem; position: sticky; top: 2rem; align-self: start; }
nav a { text-decoration: none; }
main { flex: 1; min-width: 0; }
h1, h2, h3 { line-height: 1.2; margin: 2rem 0 .8rem; }
h1 { margin-top: 0; }
a { color: light-dark(#0b5cad, #7db8f0); }
code { font-size: .88em; }
img { max-width: 100%; border: 1px solid var(--line); }
pre { overflow-x: auto; padding: .8rem 1rem; border: 1px solid var(--line); border-radius: .4rem; line-height: 1.35; }
table { border-collapse: collapse; display: block; overflow-x: auto; font-size: .93em; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; }
@media (max-width: 48rem) { body { flex-direction: column; } nav { position: static; } }
`;
