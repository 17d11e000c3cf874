import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MirrorPlaces, type ShownSet } from '../../../../wlis/html/mirror/mirror-places.js';
import { nameSpace, pathSpace, type MirrorSpace } from '../../../../wlis/html/mirror/mirror-space.js';
import { MirrorUrls } from '../../../../wlis/html/mirror/mirror-urls.js';
import type { NameBases } from '../../../../wlis/html/mirror/named-links.js';
import { namespaceLabel, parseNamespace } from '../../../../wlis/namespace.js';

const manual = parseNamespace('http://docs.example/manual/');
const inner = parseNamespace('http://docs.example/manual/inner/');
const wiki = parseNamespace('http://wiki.example:8080/');
const label = namespaceLabel(manual);
const innerLabel = namespaceLabel(inner);
const wikiLabel = namespaceLabel(wiki);

const names: NameBases = {
  version: '1',
  baseOf: (host) => (host === 'book.wlis' ? 'http://wiki.example:8080/book/' : null),
};

const shown: ShownSet = { namespaces: [inner, manual, wiki], key: '3' };

const urlsIn = (space: MirrorSpace, path = 'a/page.html', known: NameBases | null = names): MirrorUrls =>
  new MirrorUrls(new MirrorPlaces(space, shown), { namespace: manual, path }, known);

describe('URLs of a page below /mirror/', () => {
  const urls = urlsIn(pathSpace);
  const becomes = (url: string, kind: 'link' | 'base' = 'link'): string | null => urls.rewritten(url, kind);

  it('those that work as they stand stay', () => {
    const relative = [
      '',
      '#top',
      '?q=/x',
      'next.html',
      'b/c.png',
      './d',
      '../up.html',
      'x:y',
      'mailto:a@b',
      'data:,/x',
    ];
    for (const url of [...relative, 'javascript:void(0)', 'http://else.example/', '//else.example/x']) {
      assert.equal(becomes(url), null, url);
    }
  });

  it('those from the root that lie in the namespace lead into the mirror', () => {
    assert.equal(becomes('/manual/x?y#z'), `/mirror/${label}/x?y#z`);
    assert.equal(becomes('/manual/'), `/mirror/${label}/`);
    assert.equal(becomes('\\manual\\x'), `/mirror/${label}/x`);
    assert.equal(becomes('/other/../manual/x'), `/mirror/${label}/x`);
    assert.equal(becomes('/manual/%2E./%2e/manual/x'), `/mirror/${label}/x`);
  });

  it('other ones from the root, and those that climb out of it, lead to the origin', () => {
    assert.equal(becomes('/x?y#z'), 'http://docs.example/x?y#z');
    assert.equal(becomes('/manual'), 'http://docs.example/manual');
    assert.equal(becomes('/manual/../x'), 'http://docs.example/x');
    assert.equal(becomes('/.well-known/x'), 'http://docs.example/.well-known/x');
    assert.equal(becomes('../../x?y'), 'http://docs.example/x?y');
    assert.equal(becomes('../../../../x'), 'http://docs.example/x');
    assert.equal(becomes('../../manual/x'), `/mirror/${label}/x`);
    assert.equal(becomes('../b/../x'), null);
    assert.equal(becomes('../%2e%2e/x'), 'http://docs.example/x');
  });

  it('absolute ones lead to where their namespace is shown, the longest one', () => {
    assert.equal(becomes('http://docs.example/manual/x#y'), `/mirror/${label}/x#y`);
    assert.equal(becomes('HTTP://DOCS.example:80/manual/x'), `/mirror/${label}/x`);
    assert.equal(becomes('//docs.example/manual/x'), `/mirror/${label}/x`);
    assert.equal(becomes('/manual/inner/x'), `/mirror/${innerLabel}/x`);
    assert.equal(becomes('http://wiki.example:8080/'), `/mirror/${wikiLabel}/`);
    assert.equal(becomes('http://wiki.example:8080'), `/mirror/${wikiLabel}/`);
    assert.equal(becomes('http://wiki.example/'), null);
    assert.equal(becomes('https://docs.example/manual/x'), null);
    assert.equal(becomes('http://me@docs.example/manual/x'), null);
  });

  it('names that this node knows lead to what they stand for; others stay', () => {
    assert.equal(becomes('http://book.wlis/a?b#c'), `/mirror/${wikiLabel}/book/a?b#c`);
    assert.equal(becomes('http://other.wlis/'), null);
    assert.equal(urlsIn(pathSpace, 'a', null).rewritten('http://book.wlis/', 'link'), null);
  });

  it('a base leads where it led; a relative one stays', () => {
    assert.equal(becomes('/manual/b/', 'base'), `/mirror/${label}/b/`);
    assert.equal(becomes('/', 'base'), 'http://docs.example/');
    assert.equal(becomes('http://docs.example/manual/', 'base'), `/mirror/${label}/`);
    assert.equal(becomes('../', 'base'), null);
  });

  it('another set of shown namespaces, and other names, have another key', () => {
    const keys = [
      urls.key,
      urlsIn(pathSpace, 'a', null).key,
      urlsIn(pathSpace, 'a', { ...names, version: '2' }).key,
      urlsIn(nameSpace('.m.example')).key,
      new MirrorUrls(
        new MirrorPlaces(pathSpace, { namespaces: [manual], key: '1' }),
        { namespace: manual, path: 'a' },
        names,
      ).key,
    ];
    assert.equal(new Set(keys).size, keys.length);
  });
});

describe('URLs of a page under a name of its own', () => {
  const urls = urlsIn(nameSpace('.m.example:8443'));
  const becomes = (url: string): string | null => urls.rewritten(url, 'link');

  it('paths are those of the origin, so that none is changed', () => {
    for (const url of ['/manual/x', '/x', '../../x', '../x', 'x']) assert.equal(becomes(url), null, url);
  });

  it('absolute ones of the namespace lose their origin, those of another shown one get another name', () => {
    assert.equal(becomes('http://docs.example/manual/x#y'), '/manual/x#y');
    assert.equal(becomes('http://docs.example/x'), null);
    assert.equal(becomes('/manual/inner/x'), `//${innerLabel}.m.example:8443/manual/inner/x`);
    assert.equal(becomes('http://wiki.example:8080/x'), `//${wikiLabel}.m.example:8443/x`);
  });

  it('a path that begins with two slashes is never taken for a host', () => {
    const root = parseNamespace('http://docs.example/');
    const places = new MirrorPlaces(nameSpace('.m.example'), { namespaces: [root], key: '1' });
    const ofRoot = new MirrorUrls(places, { namespace: root, path: '' }, null);
    for (const url of [
      'http://docs.example//evil.example/x',
      '//docs.example//evil.example/x',
      '/a/..//evil.example/x',
    ])
      assert.equal(ofRoot.rewritten(url, 'link'), '/.//evil.example/x', url);
    assert.equal(ofRoot.rewritten('/.//evil.example/x', 'link'), null);
    assert.equal(new URL('/.//evil.example/x', 'http://label.m.example/').host, 'label.m.example');
  });
});

describe('every URL that a page may have below /mirror/', () => {
  const node = 'http://node.example';
  const roots = [
    '',
    '/',
    '//',
    '\\',
    '/\\',
    'http://',
    'HTTP:\\\\',
    'http:',
    'https://',
    './',
    '../',
    'a/',
    'http://docs.example/',
  ];
  const hosts = ['docs.example', 'DOCS.example:80', 'wiki.example:8080', 'else.example', ''];
  const segments = ['manual', 'inner', '..', '.', '%2e%2E', '%2e', '', 'x', 'x.y', '..x', ':', ' ', '\u00e9', '\t'];
  const url = fc
    .tuple(
      fc.constantFrom(...roots),
      fc.constantFrom(...hosts),
      fc.array(fc.constantFrom(...segments), { maxLength: 6 }),
      fc.constantFrom('/', '\\'),
      fc.constantFrom('', '?', '?q=/../x', '?a\\b'),
      fc.constantFrom('', '#', '#/manual/'),
    )
    .map(
      ([root, host, path, slash, query, fragment]) =>
        root + host + slash.repeat(host === '' ? 0 : 1) + path.join(slash) + query + fragment,
    );

  /** Where it leads to, as browsers see it; null where that is nowhere. */
  const seen = (text: string, page: string): string | null =>
    URL.canParse(text, page) ? new URL(text, page).href : null;

  it('leads to the mirror of what it led to, or to just that', () => {
    const page = 'http://docs.example/manual/a/page.html';
    const mirror = `${node}/mirror/${label}/a/page.html`;
    const urls = urlsIn(pathSpace);
    fc.assert(
      fc.property(url, (text) => {
        // what browsers strip before anything else, and what resolves only by the scheme of the page
        const trimmed = text.trim();
        fc.pre(!/^https?:(?![/\\]{2}[^/\\])/i.test(trimmed) && !/^[/\\]{3}/.test(trimmed));
        const led = seen(trimmed, page);
        fc.pre(led !== null && !led.includes('@'));
        const rewritten = urls.rewritten(trimmed, 'link') ?? trimmed;
        assert.equal(ledOn(seen(rewritten, mirror)), mirrorOf(led), `${JSON.stringify(text)} became ${rewritten}`);
      }),
      { numRuns: 2000 },
    );
  });

  /** What a longer namespace has taken out of one is there for a redirect only. */
  const ledOn = (href: string | null): string | undefined =>
    href?.replace(`${node}/mirror/${label}/inner/`, `${node}/mirror/${innerLabel}/`);

  /** By definition. */
  function mirrorOf(href: string): string {
    for (const namespace of [inner, manual, wiki]) {
      if (href.startsWith(namespace) && !new URL(href).pathname.startsWith('/.well-known/')) {
        return `${node}/mirror/${namespaceLabel(namespace)}/${href.slice(namespace.length)}`;
      }
    }
    return href;
  }
});
