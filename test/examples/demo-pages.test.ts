import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSite } from '../../examples/demo/demo-site.js';
import { pageFromMarkdown } from '../../examples/demo/markdown-page.js';
import { TempDir } from '../support/temp-dir.js';
import { root } from '../support/willis-program.js';

describe('the pages of the demonstration', () => {
  it('are made of headings, paragraphs, lists, tables and code', () => {
    const text = [
      ...['# A *title*', '', 'Words, `a < b` and **strong** ones', 'to [there](protocol.md#head).', ''],
      ...['- one', '- two', '  goes on', '', '1. first', '', '| a | b |', '|---|---|', '| `x\\|y` | 2 |', ''],
      ...['```sh', 'echo "*no*"', '```', '', '    indented'],
    ].join('\n');
    const { title, html } = pageFromMarkdown(text);
    assert.equal(title, 'A *title*');
    assert.deepEqual(
      html.split('\n').filter((line) => line !== ''),
      [
        '<h1 id="a-title">A <em>title</em></h1>',
        '<p>Words, <code>a &lt; b</code> and <strong>strong</strong> ones',
        'to <a href="protocol.html#head">there</a>.</p>',
        '<ul><li>one</li><li>two goes on</li></ul>',
        '<ol><li>first</li></ol>',
        '<table><thead><tr><th>a</th><th>b</th></tr></thead>' +
          '<tbody><tr><td><code>x|y</code></td><td>2</td></tr></tbody></table>',
        '<pre><code>echo &quot;*no*&quot;</code></pre>',
        '<pre><code>indented</code></pre>',
      ],
    );
  });

  it('are those of the project, and every link of theirs leads to one', async () => {
    const directory = await TempDir.create();
    try {
      await writeSite(root, directory.path);
      const files = await readdir(directory.path);
      for (const file of ['index.html', 'protocol.html', 'changelog.html', '404.html', 'style.css']) {
        assert.ok(files.includes(file), `${file} is missing`);
      }
      for (const file of files.filter((name) => name.endsWith('.html'))) {
        const html = await readFile(join(directory.path, file), 'utf8');
        for (const [, page = ''] of html.matchAll(/href="(?!https?:|#|\.\/)\/?([^"#]+)/g)) {
          assert.ok(files.includes(page), `${file} has a link to ${page}`);
        }
      }
    } finally {
      await directory.remove();
    }
  });
});
