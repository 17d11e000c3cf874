import assert from 'node:assert/strict';
import { bar, charsetOf, link, mark, recipe, rooted, spliced, splicedBytes, splicerOf } from './splicing.js';

const barIn = (page: string, policies: readonly string[] = []): boolean =>
  spliced(page, { policies }).includes(bar.markup);

/** @param page with the places marked at which links and bar are to come */
function isSplicedAt(page: string): void {
  const original = page.replace('{links}', '').replace('{bar}', '');
  assert.equal(spliced(original), page.replace('{links}', link).replace('{bar}', bar.markup));
}

describe('what is put into a page', () => {
  it('links come first in the head, the bar first in the body', () => {
    isSplicedAt(
      '<!doctype html><html lang=en><head id=h>{links}<title>t</title></head>\n<body class=b>{bar}<p>x</body>',
    );
  });

  it('head and body are where they begin for browsers if they have no tags', () => {
    isSplicedAt('<!doctype html>\n<!-- c -->\n{links}<title>t</title>\n{bar}<p>x');
    isSplicedAt('<!doctype html> {links}{bar}text');
    isSplicedAt('<html>\n{links}<body>{bar}x');
    isSplicedAt('<html><head>{links}<title>t</title></head> {bar}x');
    isSplicedAt('{links}<title>t</title><head>{bar}<p>x');
    isSplicedAt('<html><head>{links}</head></p><title>t</title> </head>{bar}</body>');
    isSplicedAt('\ufeff<html>{links}{bar}<p>x');
  });

  it('a page that ends before its body has begun has the bar at its end', () => {
    isSplicedAt('<!doctype html><html><head>{links}<title>t</title>{bar}');
    isSplicedAt('<!doctype html>\n{links}{bar}');
    isSplicedAt('<html><head>{links}<title>t');
    isSplicedAt('<html><head>{links}<!-- ');
    isSplicedAt('<html><head>{links}<meta ');
  });

  it('what is in templates, scripts, comments and the like is no head and no body', () => {
    isSplicedAt(
      '<html><head>{links}<template><body><p>x</template><script>"<body>"</script><!-- <body> --><body>{bar}',
    );
    isSplicedAt('<html><head>{links}<title><body></title><style><body></style><noscript><link></noscript><body>{bar}');
    isSplicedAt('<html><!-- > <head> -->{links}<meta content="<body>"><body>{bar}');
  });

  it('a script with a script in a comment in it ends where it does for browsers', () => {
    isSplicedAt('<html><head>{links}<script><!-- "<script></script><body>" --></script><body>{bar}');
    isSplicedAt('<html><head>{links}<script><!--<SCRIPT/><body></script><body></script><body>{bar}');
    isSplicedAt('<html><head>{links}<script><!--><script></script><body>{bar}');
    isSplicedAt('<html><head>{links}<script><!-- x --!><script></script><body></script><body>{bar}');
  });

  it('an end tag ends behind its attributes', () => {
    isSplicedAt('<html><head>{links}<title></title a="><body>"><body>{bar}');
  });

  it('comments end where they do for browsers', () => {
    isSplicedAt('<html><head>{links}<!--><body>{bar}-->');
    isSplicedAt('<html><head>{links}<!---><body>{bar}-->');
    isSplicedAt('<html><head>{links}<!-- --!><body>{bar}-->');
    isSplicedAt('<html><head>{links}<!-- -- ><body> --><body>{bar}');
    isSplicedAt('<html><head>{links}<!-- --!-><body> --><body>{bar}');
    isSplicedAt('<html><head>{links}<!x <body><body>{bar}-->');
    isSplicedAt('<html><head>{links}</ <body><?x <body><body>{bar}');
  });

  it('frames have no bar, even where a body seemed to have begun', () => {
    isSplicedAt('<html><head>{links}</head><frameset><frame src=a></frameset>');
    isSplicedAt('<html>{links}<p><b><!-- c --> &#32; <frameset><frame src=a></frameset>');
    isSplicedAt('<html>{links}{bar}<p>x<frameset>');
    isSplicedAt('<html>{links}{bar}<p>&amp;<br><frameset>');
    isSplicedAt('<html>{links}<body>{bar}<frameset>');
  });

  it('nothing comes into noscript, nor behind one that is not the same with scripts and without', () => {
    isSplicedAt('<html><head>{links}<noscript><body>');
    isSplicedAt('<html><head>{links}<noscript><img src="/x"></noscript><body>{bar}');
    isSplicedAt('<html><head>{links}<noscript><p></noscript><body>');
    isSplicedAt('<html><head>{links}<noscript><!-- </noscript><body> -->');
    isSplicedAt('<html><head>{links}<noscript><!-- </noscript><script> --></noscript><body>"');
    isSplicedAt('<html><head>{links}<noscript><a title="</noscript><body>"></noscript><body>');
    isSplicedAt('<html><head>{links}<noscript><style></noscript></style><body>');
    isSplicedAt('<html><head>{links}<noscript><template></noscript></template><body>');
  });

  it('a reference that may be white space leaves open where the body begins: nothing comes', () => {
    isSplicedAt('<html><head>{links}</head>&#32;<p>');
    isSplicedAt('<html><head>{links}</head>&#32;<body>');
  });

  it('links do not push out of the first 1024 bytes what says the encoding', () => {
    const page = (charset: string): string =>
      `<html><head><title>${'t'.repeat(900)}</title>${charset}{links}<base>{bar}x`;
    isSplicedAt(page('<meta charset=utf-8>'));
    isSplicedAt(page('<META http-equiv="Content-Type" content="text/html; charset=iso-8859-1" />'));
    isSplicedAt(`<html><head><meta name=x><script>"<meta charset=x>"</script><meta charset="utf-8">{links}<body>{bar}`);
    isSplicedAt('<html><head></head><body><meta charset=utf-8>');
    isSplicedAt('<html><head>{links}<!-- <meta charset=utf-8> --><body>{bar}');
    isSplicedAt(`<html><head>{links}${' '.repeat(1024)}<meta charset=utf-8><body>{bar}`);
  });

  it('is ASCII, whatever is in it', () => {
    const made = recipe({
      duplicates: [{ url: 'http://m/\u00e9"><script>&', area: null }],
      bar: { ...bar, markup: '<b>\u20ac' },
    });
    assert.equal(
      spliced('<html><head><body>', { recipe: made }),
      '<html><head><link rel="duplicate" href="http://m/&#233;&quot;&gt;&lt;script&gt;&amp;"><body><b>&#8364;',
    );
  });

  it('is nothing where the encoding is not said and a byte could change it', () => {
    const said = splicedBytes(Buffer.from('<html><head>\x1b$B<body>'), { contentType: 'text/html; charset=utf-8' });
    assert.equal(said.toString(), `<html><head>${link}${bar.markup}\x1b$B<body>`);
    const splicer = splicerOf({}, { charset: null, metaEnd: 0 });
    const view = [...splicer.push(Buffer.from('<html><head>\x1b$B<body>')), ...splicer.end()];
    assert.equal(Buffer.concat(view).toString(), `<html><head>${link}\x1b$B<body>`);
  });
});

describe('a page with a policy', () => {
  const meta = (content: string): string =>
    `<html><head><meta http-equiv=Content-Security-Policy content="${content}"><body>x`;

  it('has no bar if its fields forbid that', () => {
    assert.equal(barIn('<html><body>x'), true);
    assert.equal(barIn('<html><body>x', ["script-src 'none'"]), true);
    assert.equal(barIn('<html><body>x', ["default-src 'self'"]), false);
  });

  it('has no bar if a meta in it does, however it is written', () => {
    assert.equal(barIn(meta('script-src x')), true);
    assert.equal(barIn(meta("style-src 'self'")), false);
    assert.equal(barIn(meta('style&#45;src &apos;self&apos;')), false);
    assert.equal(barIn(meta(' '.repeat(70_000))), false);
    assert.equal(
      barIn(meta('script-src x').replace('<body>', '<meta http-equiv=content-security-policy content=x>'.repeat(20))),
      false,
    );
  });

  it('has its links all the same', () => {
    assert.ok(spliced(meta("style-src 'self'")).includes(link), 'links are missing');
  });
});

describe('URLs in a page', () => {
  const rewritten = (page: string, contentType = 'text/html; charset=utf-8'): string => {
    const made = recipe({ duplicates: [], bar: null, urls: rooted });
    return spliced(page, { recipe: made, contentType });
  };
  const becomes = (before: string, after: string): void => assert.equal(rewritten(`<html>${before}`), `<html>${after}`);

  it('are rewritten in all attributes that lead somewhere, in quotes', () => {
    becomes('<a href="/x">', `<a href="${mark}/x">`);
    becomes("<a href='/x\"y'>", `<a href="${mark}/x&quot;y">`);
    becomes('<a href=/x>', `<a href="${mark}/x">`);
    becomes('<A HREF = /x id=y>', `<A HREF = "${mark}/x" id=y>`);
    becomes('<img src="/a b" alt="/c">', `<img src="${mark}/a%20b" alt="/c">`);
    becomes('<form action=/f><button formaction=/g>', `<form action="${mark}/f"><button formaction="${mark}/g">`);
    becomes('<body background=/b><blockquote cite=/c>', `<body background="${mark}/b"><blockquote cite="${mark}/c">`);
    becomes(
      '<video poster=/p src=/v><object data=/d>',
      `<video poster="${mark}/p" src="${mark}/v"><object data="${mark}/d">`,
    );
    becomes('<frameset><frame src=/f>', `<frameset><frame src="${mark}/f">`);
  });

  it('stay in attributes of other elements, and where the value is something else', () => {
    for (const tag of ['<div href=/x>', '<option value=/x>', '<x-y src=/x>', '<a data-href=/x>', '<meta content=/x>'])
      becomes(tag, tag);
    for (const tag of ['<a href=#/x>', '<a href="">', '<a href>', '<a href=>']) becomes(tag, tag);
  });

  it('are read with their references, and without what browsers strip', () => {
    becomes('<a href=" &#47;x\n?a&amp;b&copy=1\t ">', `<a href="${mark}/x?a&amp;b&amp;copy=1">`);
    becomes('<a href="&sol;&eacute;">', `<a href="${mark}/&#233;">`);
  });

  it('are read in the encoding of the page, and written so that they mean the same in any', () => {
    const page = Buffer.concat([
      Buffer.from('<a href="/'),
      Buffer.from([0x82, 0xa0, 0x3f, 0x82, 0xa0]),
      Buffer.from('">'),
    ]);
    const made = recipe({ duplicates: [], bar: null, urls: rooted });
    const as = (charset: string | null): string => {
      const splicer = splicerOf({ recipe: made }, { charset, metaEnd: 0 });
      return Buffer.concat([...splicer.push(page), ...splicer.end()]).toString('latin1');
    };
    // the query as bytes of the page's own encoding, as browsers send it
    assert.equal(as('shift_jis'), `<a href="${mark}/&#12354;?%82%A0">`);
    assert.equal(as(null), page.toString('latin1'));
    assert.equal(as('utf-8'), page.toString('latin1'));
  });

  it('are rewritten in lists of images, refreshes, SVG and noscript', () => {
    becomes('<img srcset="/a 1x, /b,c 2x,d, /e">', `<img srcset="${mark}/a 1x, ${mark}/b,c 2x,d, ${mark}/e">`);
    becomes('<img srcset="/a(,) x(/b, ), /c,, /d">', `<img srcset="${mark}/a(,) x(/b, ), ${mark}/c,, ${mark}/d">`);
    becomes(
      '<meta content="5; URL=\'/x\' y" http-equiv=Refresh>',
      `<meta content="5; URL='${mark}/x' y" http-equiv=Refresh>`,
    );
    becomes('<meta http-equiv=refresh content="0;/x">', `<meta http-equiv=refresh content="0;${mark}/x">`);
    becomes(
      '<svg><use xlink:href="/s#a"/><image href=/i />',
      `<svg><use xlink:href="${mark}/s#a"/><image href="${mark}/i" />`,
    );
    becomes('<noscript><img src=/x></noscript>', `<noscript><img src="${mark}/x"></noscript>`);
  });

  it('never become another scheme, and nothing else does', () => {
    const urls = { key: 'bad', rewritten: (url: string) => (url === 'none' ? null : 'java\tscript:alert(1)') };
    const evil = { key: 'evil', rewritten: () => 'javascript:alert(1)' };
    const page = '<html><a href="/x"><a href=" java\nscript:x"><a href="data:,/x"><a href="none">';
    for (const one of [urls, evil]) {
      assert.equal(spliced(page, { recipe: recipe({ duplicates: [], bar: null, urls: one }) }), page);
    }
  });

  it('are asked for as the base of the page has them', () => {
    const asked: string[] = [];
    const urls = { key: 'k', rewritten: (url: string, kind: string) => (asked.push(`${kind} ${url}`), null) };
    const ask = (page: string): string[] => {
      asked.length = 0;
      spliced(page, { recipe: recipe({ urls }) });
      return [...asked];
    };
    assert.deepEqual(ask('<a href=/x><a href=y>'), ['link /x', 'link y']);
    assert.deepEqual(ask('<base href="//else.example/a/"><base href=/z><a href=/x><a href=y>'), [
      ...['base //else.example/a/', 'base /z', 'link http://else.example/x', 'link http://else.example/a/y'],
    ]);
    assert.deepEqual(ask('<base href=/z/><a href=/x><a href=y>'), ['base /z/', 'link /x']);
  });

  it('stay from where on browsers may read the page in another way', () => {
    const stays = (before: string): void => becomes(`${before}<a href=/x>`, `${before}<a href=/x>`);
    const goesOn = (before: string): void => becomes(`${before}<a href=/x>`, `${before}<a href="${mark}/x">`);
    goesOn('<svg><title>t</title><style><a></style><script>"<a>"</script></svg><script></script>');
    goesOn('<svg><foreignObject><div><p>x</p></div></foreignObject></svg><script></script>');
    goesOn('<math><mi><b>x</b></mi></math><style></style>');
    goesOn('<select><option>x</select><textarea></textarea>');
    stays('<svg><foreignObject><p></foreignObject></svg><script></script>');
    stays('<table><td><svg><foreignObject><td></td></foreignObject></svg><title></title>');
    stays('<svg></div><title></title>');
    stays('<svg><foreignObject><div><svg></div></foreignObject></svg><style></style>');
    stays('<select><textarea></textarea>');
    stays('<select><svg></svg></select><style></style>');
    stays('<math><annotation-xml></annotation-xml></math><script></script>');
    stays('<template><col></template><style></style>');
    stays('<frameset><script></script>');
    stays('<plaintext>');
  });
});

describe('what is held back of a page', () => {
  const made = recipe({ urls: rooted });

  it('is at most 64 KiB and what came last, whatever it is in', () => {
    const chunk = Buffer.alloc(65_536, 'x');
    const beginnings = [
      '<html><p',
      '<html><p><a href="',
      '<html><!--',
      '<html><x',
      '<html><head><meta content="',
      '<html><script><!--',
    ];
    for (const beginning of [
      ...beginnings,
      '<html><svg><a xlink:href=',
      '<html><p a="',
      '<html></x',
      '<html><p><b>',
      '<html><img srcset=',
    ]) {
      const splicer = splicerOf({ recipe: made }, { charset: 'utf-8', metaEnd: 0 });
      let [given, taken] = [0, 0];
      for (const piece of [Buffer.from(beginning), ...new Array<Buffer>(160).fill(chunk)]) {
        given += piece.length;
        for (const { length } of splicer.push(piece)) taken += length;
        assert.ok(given - taken <= 2 * 65_536 + 100, `${given - taken} bytes are held back in ${beginning}`);
      }
    }
  });

  it('does not depend on the chunks in which the page comes', () => {
    const long = 'x'.repeat(65_500);
    for (const more of [0, 30, 36, 60]) {
      const filler = long + 'x'.repeat(more);
      for (const page of [
        ...[
          `<html><p><b title="${filler}">x`,
          `<html><a href="/${filler}">x`,
          `<html><a href="/x" title="${filler}">x`,
        ],
        ...[`<html><${filler}>x<body>x`, `<html><p><!--${filler}-->x`, `<html><head></${filler}><body>x`],
      ]) {
        const whole = spliced(page, { recipe: made });
        for (const size of [2, 4096]) assert.equal(spliced(page, { recipe: made, size }) === whole, true);
      }
    }
  });

  it('once nothing is to be put in any more, chunks are handed on as they are', () => {
    const page = Buffer.from('<html><head><body>text');
    const splicer = splicerOf({}, charsetOf(page, 'text/html'));
    splicer.push(page);
    const chunk = Buffer.from('<head><body><a href=/x>');
    assert.equal(splicer.push(chunk)[0], chunk);
    assert.deepEqual(splicer.end(), []);
  });

  it('long stretches are parts of the chunks in which they came', () => {
    const page = Buffer.from(`<html><head><title>${'t'.repeat(5000)}</title><body>${'x'.repeat(5000)}`);
    const splicer = splicerOf({}, { charset: 'utf-8', metaEnd: 0 });
    const pieces = [...splicer.push(page), ...splicer.end()];
    assert.equal(pieces.filter(({ buffer, length }) => buffer === page.buffer && length >= 5000).length, 2);
  });
});
