import assert from 'node:assert/strict';
import fc from 'fast-check';
import { extractPage, type PageExtract } from '../../../../wlis/html/extract/page-extract.js';

const read = (html: string | Buffer, type = 'text/html; charset=utf-8'): PageExtract =>
  extractPage(Buffer.from(html as string), type);

const references = (html: string): string[] => read(html).links.map(({ kind, reference }) => `${kind} ${reference}`);

describe('what a page says', () => {
  it('title, description, language, headings, text', () => {
    const page = read(`<!doctype html><html lang=de-CH><head><title> Ein\n  Titel &amp; mehr </title>
      <meta name=Description content=" Worum  es geht "><style>p{}</style><script>var a="<p>no</p>"</script></head>
      <body><h1>Erstes <em>Kapitel</em></h1><p>Ein <b>Ab</b>satz.<p>Noch einer<br>in Zeilen</p><h2></h2><h3>3</h3></body>`);
    assert.deepEqual(
      [page.title, page.description, page.language, page.headings, page.text],
      [
        'Ein Titel & mehr',
        'Worum es geht',
        'de-CH',
        ['Erstes Kapitel', '3'],
        'Erstes Kapitel Ein Absatz. Noch einer in Zeilen 3',
      ],
    );
    assert.equal(page.isCut, false);
  });

  it('not what no reader sees as text', () => {
    const unseen = ['script', 'style', 'noscript', 'template', 'iframe', 'textarea', 'svg', 'canvas', 'datalist'];
    const hidden = ['<p hidden>no</p>', '<p style="color:red; Display : none">no</p>', '<div hidden><p>no</p>no</div>'];
    const markup = [...unseen.map((name) => `<${name}>no</${name}>`), '<!-- no -->', ...hidden].join(' ');
    assert.equal(read(`<body>a ${markup} b`).text, 'a b');
  });

  it('the first title, and not that of a drawing', () => {
    assert.equal(read('<svg><title>icon</title></svg><title>page</title><title>other</title>').title, 'page');
    assert.equal(read('<head><svg><title>icon</title></svg></head><title>page</title>').title, 'page');
    assert.equal(read('<title>never closed <b>x').title, 'never closed <b>x');
    assert.equal(read('<p>none').title, '');
  });

  it('robots, canonical, base', () => {
    const page = read(`<meta name=ROBOTS content="NoIndex, follow"><meta name=robots content="max-snippet: 5, nofollow">
      <link rel="alternate Canonical" href=" /real "><link rel=canonical href=/other><base target=x><base href=/b/><base href=/c/>`);
    assert.deepEqual([page.robots, page.canonical, page.base], [{ noindex: true, nofollow: true }, '/real', '/b/']);
    assert.deepEqual(read('<meta name=robots content=none>').robots, { noindex: true, nofollow: true });
    assert.deepEqual(read('<meta name=robots content="all, nofollows"><p>').robots, {
      noindex: false,
      nofollow: false,
    });
  });

  it('links, frames, redirects and resources, each once, with their types', () => {
    assert.deepEqual(
      references(`<a href=" a b\n.html ">x</a><a href=a%20b.html><area href=map><a href=#top><a href=""><a name=n>
        <a href="mailto:x@y"><a href=javascript:x><a href=data:,x><a href="http://o/?a&amp;b"><a href=HTTPS:rel>
        <iframe src=f></iframe><frameset><frame src=g></frameset>
        <meta http-equiv=Refresh content="5; URL='next.html'"><meta http-equiv=refresh content=5>
        <img src=i srcset="j 1x, k,l 2x , m(1),n 100w"><picture><source srcset=o></picture><video src=p poster=q></video>
        <script src=r></script><link rel=stylesheet href=s><link rel=next href=t><link rel=preconnect href=//u>
        <body background=v style="background:url( w )"><object data=x></object><svg><use href=y.svg#a /></svg>
        <style>@import "z1"; a{b:url("z2")} /* url(no) */ c{d:url('z\\33 ')}</style>`),
      [
        ...[
          'link a b.html',
          'link a%20b.html',
          'link map',
          'link http://o/?a&b',
          'link HTTPS:rel',
          'frame f',
          'frame g',
        ],
        ...['redirect next.html', 'resource i', 'resource j', 'resource k,l', 'resource m(1),n', 'resource o'],
        ...['resource p', 'resource q', 'resource r', 'resource s', 'link t', 'resource w', 'resource v', 'resource x'],
        ...['resource y.svg#a', 'resource z1', 'resource z2', 'resource z3'],
      ],
    );
    assert.deepEqual(read('<a rel="NoFollow  ugc" href=x>').links, [
      { reference: 'x', kind: 'link', rel: ['nofollow', 'ugc'] },
    ]);
    assert.deepEqual(references('<template><a href=x></template><!-- <a href=y> --><script>"<a href=z>"</script>'), []);
    assert.deepEqual(references('<noscript><a href=x><img src=y></noscript>'), ['link x', 'resource y']);
  });

  for (const [charset, bytes, type] of [
    ['utf-8', Buffer.from('\ufeff<p>höher'), 'text/html; charset=iso-8859-1'],
    ['windows-1252', Buffer.from('<p>höher', 'latin1'), 'text/html;Charset="ISO-8859-1"'],
    ['windows-1252', Buffer.from('<meta charset=latin1><p>höher', 'latin1'), 'text/html'],
    ['windows-1252', Buffer.from('<meta charset=nonsense><p>höher', 'latin1'), 'text/html; charset=nonsense'],
    ['utf-8', Buffer.from('<!-- <meta charset=latin1> --><p>höher'), ''],
    ['utf-8', Buffer.from('<meta charset=utf-16><p>höher'), 'text/html'],
    ['utf-8', Buffer.from('<meta http-equiv=content-type content="text/html; charset=UTF-8"><p>höher'), 'text/html'],
    ['utf-16le', Buffer.from('\ufeff<p>höher', 'utf16le'), 'text/html'],
    ['utf-16le', Buffer.from('<p>höher', 'utf16le'), 'text/html; charset=utf-16'],
    ['shift_jis', Buffer.from([...Buffer.from('<p>h'), 0x93, 0xfa]), 'text/html; charset=sjis'],
    ['iso-2022-jp', Buffer.from('<meta charset=iso-2022-jp><p>h\x1b$BF|\x1b(B', 'latin1'), 'text/html'],
  ] as const) {
    it(`in ${charset}, ${type === '' ? 'without a type' : type}`, () => {
      const page = extractPage(bytes, type);
      assert.equal(page.charset, charset);
      assert.equal(page.text, charset.endsWith('jis') || charset.endsWith('jp') ? 'h日' : 'höher');
    });
  }

  it('the beginning of a page that is larger than is read', () => {
    const long = read(`<title>t</title>${'<p>wörter '.repeat(400_000)}`);
    assert.ok(long.isCut && long.text.length <= 262_144, String(long.text.length));
    assert.match(long.text, /^wörter wörter.* wör?t?e?r?$/);
    // the one character that does not fit is left out whole
    assert.equal(read(`<p>${'a'.repeat(262_143)}\u{1f600}`).text.length, 262_143);
    const links = read(Array.from({ length: 20_000 }, (_, i) => `<a href=${i}>`).join(''));
    assert.deepEqual([links.links.length, links.isCut], [10_000, true]);
    assert.equal(references(`<a href=${'x'.repeat(5000)}>`).length, 0);
  });

  it('of markup that is meant to do harm, in a moment', function () {
    // each of these takes minutes, or all the stack, where something is quadratic or recursive
    this.timeout(10_000);
    for (const hostile of [
      ...['<b>'.repeat(500_000), '<b>'.repeat(300_000) + '</c>'.repeat(200_000), '</p>'.repeat(500_000)],
      ...[
        '<a href='.repeat(200_000),
        `<img srcset="${'a,'.repeat(900_000)}">`,
        `<img srcset="${'a (,'.repeat(400_000)}">`,
      ],
      ...[
        `<style>${'url("'.repeat(300_000)}`,
        `<style>${'/*'.repeat(900_000)}`,
        `<i style="${'display'.repeat(250_000)}">`,
      ],
      ...[
        `<meta http-equiv=refresh content="1${' '.repeat(1_900_000)}x">`,
        '<!--'.repeat(400_000),
        '&'.repeat(2_000_000),
      ],
      ...[
        `<meta name=robots content="${': ,'.repeat(600_000)}">`,
        `<a rel="${'a '.repeat(900_000)}" href=x>`,
        '\0'.repeat(9999),
      ],
    ]) {
      const page = read(hostile);
      assert.ok(page.text.length <= 262_144, hostile.slice(0, 40));
    }
  });

  it('whatever it is made of, cut anywhere', () => {
    const part = fc.constantFrom(
      ...[
        '<',
        '>',
        '</',
        '<!',
        '<!--',
        '-->',
        '<title>',
        '</title>',
        '<h1>',
        '</h1>',
        '<b hidden>',
        '</b>',
        '<svg>',
        '</svg>',
      ],
      ...[
        '<script>',
        '</script>',
        '<style>',
        'url(',
        '<a href="',
        '"',
        "'",
        '&amp;',
        '&#0;',
        ' ',
        '\u0000',
        'word',
        'ü',
        '<base href=',
      ],
      ...[
        '<template>',
        '</template>',
        '<meta http-equiv=refresh content="1;url=',
        '<![CDATA[',
        ']]>',
        '<?',
        '<frameset>',
        '\u{1f600}',
      ],
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), fc.nat(200), (parts, end) => {
        const page = extractPage(Buffer.from(parts.join('')).subarray(0, end), '');
        for (const text of [page.text, page.title, ...page.headings]) {
          assert.equal(text, text.replace(/\s+/g, ' ').trim());
        }
        for (const { reference } of page.links) assert.doesNotMatch(reference, /^\s|\s$|[\t\n\r]/);
      }),
    );
  });
});
