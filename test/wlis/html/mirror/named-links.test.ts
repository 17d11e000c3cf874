import assert from 'node:assert/strict';
import { NamedLinks } from '../../../../wlis/html/mirror/named-links.js';

const bases: Readonly<Record<string, string>> = {
  'manual.wlis': 'http://docs.example/manual/',
  'secret.wlis': 'https://docs.example/secret/',
};

const names = { version: '1', baseOf: (host: string): string | null => bases[host] ?? null };

const page = (host: string) => ({ scheme: 'http', host, port: 80, authority: host, path: '/' }) as const;

const links = (host = 'docs.example', mayDropTls = true): NamedLinks => new NamedLinks(names, page(host), mayDropTls);

describe('links with logical names in pages of a client-side proxy', () => {
  it('lead to the place of http that a name stands for', () => {
    for (const [url, to] of [
      ['http://manual.wlis/', 'http://docs.example/manual/'],
      ['https://manual.wlis/a/b.html?x=1#y', 'http://docs.example/manual/a/b.html?x=1#y'],
      ['//Manual.WLIS:8080/a', 'http://docs.example/manual/a'],
      ['http://manual.wlis./a', 'http://docs.example/manual/a'],
      ['http://manual.wlis/../../a', 'http://docs.example/manual/a'],
    ] as const) {
      assert.equal(links().rewritten(url), to, url);
    }
  });

  it('stay with the name where that is what makes it work: without TLS, by this proxy', () => {
    assert.equal(links().rewritten('https://secret.wlis/a'), 'http://secret.wlis/a');
    assert.equal(links().rewritten('http://secret.wlis/a'), null);
    assert.equal(links('docs.example', false).rewritten('http://secret.wlis/a'), 'https://docs.example/secret/a');
  });

  it('stay under the name under which the page is read', () => {
    assert.equal(links('manual.wlis').rewritten('http://manual.wlis/a'), null);
    assert.equal(links('manual.wlis').rewritten('//manual.wlis/a'), null);
    assert.equal(links('manual.wlis').rewritten('https://manual.wlis/a'), 'http://manual.wlis/a');
  });

  it('are the only ones that are changed', () => {
    for (const url of [
      ...[
        'a.html',
        '/a',
        '?x=http://manual.wlis/',
        '#manual.wlis',
        'http://docs.example/',
        'http://manual.wlis.example/',
      ],
      ...[
        'mailto:a@manual.wlis',
        'http://user@manual.wlis/',
        'http://unknown.wlis/',
        'javascript:"//manual.wlis/"',
        '',
      ],
    ]) {
      assert.equal(links().rewritten(url), null, url);
    }
  });

  it('are told apart by what names stand for, the name of the page, and who may read without TLS', () => {
    const keys = [
      links(),
      links('manual.wlis'),
      links('docs.example', false),
      new NamedLinks({ ...names, version: '2' }, page('docs.example'), true),
    ];
    assert.equal(new Set(keys.map(({ key }) => key)).size, 4);
    assert.equal(links().key, links().key);
  });
});
