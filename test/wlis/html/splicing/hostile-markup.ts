import fc from 'fast-check';

const words = (text: string): string[] => text.split(' ');

const names = words(
  'html head body title style script noscript template svg math foreignObject desc mi annotation-xml p div b a table tr td caption ' +
    'col colgroup select option textarea iframe noframes noembed xmp plaintext frameset frame pre li form button input br img link ' +
    'meta base font center h1 span mtext mglyph image path g style title script SCRIPT Noscript svg:a x-y',
);

const attributes = [
  ...[
    '',
    '',
    ' href="/x"',
    " src='/y'",
    ' href=/z',
    ' a="</noscript>"',
    ' a=">"',
    " a='<!--'",
    ' color=red',
    '/',
    ' a=</script>',
  ],
  ...[' href="/a&amp;b&copy=1"', ' srcset="/a 1x, /b 2x"', ' encoding=text/html', ' charset=utf-8', ' xlink:href="/q"'],
  ...[' http-equiv=refresh content="0; url=/r"', ' type=hidden', ' href="&#47;c"', ' =x', ' href', ' a="<p>"'],
];

const odd = [
  ...[
    '<!--',
    '-->',
    '--!>',
    '<!-->',
    '<!--->',
    '<!-',
    '<!',
    '<![CDATA[',
    ']]>',
    '<?x?>',
    '</',
    '< ',
    '<',
    '>',
    '"',
    "'",
    '\n',
    ' ',
  ],
  ...[
    '&nbsp;',
    '&#32;',
    '&',
    'text',
    '\0',
    '<!-- <script>',
    '<!doctype html>',
    '</>',
    '</ x>',
    '<!-- x -->',
    '/',
    '=',
    '-',
    '\u00e9',
  ],
  ...[
    '<script>/*<!--<script>*/</script>',
    '<script',
    '</script',
    '</noscript',
    '</title',
    '</style',
    '<a b="',
    '\f',
    '\r\n',
  ],
];

const beginnings = [
  ...[
    '',
    '<!doctype html>',
    '<html>',
    '<!doctype html><html><head>',
    '<!doctype html><head></head>',
    '<title>x</title>',
  ],
  ...['<!doctype html><body>', '<!doctype html><html><head><noscript>', '<head><template>'],
];

const startTag = fc
  .tuple(
    fc.constantFrom(...names),
    fc.constantFrom(...attributes),
    fc.constantFrom('>', '>', '>', '>', '>', '>', '>', ''),
  )
  .map((parts) => `<${parts.join('')}`);

const endTag = fc
  .tuple(fc.constantFrom(...names), fc.constantFrom('', '', '', '', ' a=">"', ' '))
  .map((parts) => `</${parts.join('')}>`);

/** Documents of parts that are odd, or stand in odd places. */
export const hostileMarkup = fc
  .tuple(
    fc.constantFrom(...beginnings),
    fc.array(
      fc.oneof(
        { weight: 5, arbitrary: startTag },
        { weight: 3, arbitrary: endTag },
        { weight: 2, arbitrary: fc.constantFrom(...odd) },
      ),
      { maxLength: 16 },
    ),
  )
  .map(([beginning, parts]) => beginning + parts.join(''));

const plainNames = words('div p a b span ul li h2 em td nav');

/** Documents in which tags are closed as they are opened, with much that has URLs. */
export const orderlyMarkup = fc
  .array(
    fc.oneof(
      fc
        .tuple(fc.constantFrom(...plainNames), fc.constantFrom(...attributes))
        .map(([name, attribute]) => `<${name}${attribute}>text</${name}>`),
      fc.constantFrom(
        '<svg viewBox="0 0 1 1"><title>a</title><style>.a{}</style><path d="M0"/><a xlink:href="/q"><g></g></a></svg>',
        '<svg><foreignObject><div><a href="/in">b</a></div></foreignObject></svg>',
        '<math><mi>x</mi><mtext><b>y</b></mtext><annotation encoding="x">&lt;</annotation></math>',
        '<svg><![CDATA[ <a href="/no"> ]]></svg>',
        '<script>document.write("<a href=\'/no\'>");</script>',
        '<script><!-- document.write("<script src=/no></script>"); --></script>',
        '<noscript><img src="/pixel"></noscript>',
        '<textarea><a href="/no"></textarea>',
        '<template><a href="/t"></a></template>',
        '<!-- <a href="/no"> -->',
        '<select><option value="/no">a</option></select>',
        '<style>a{background:url(/no)}</style>',
        '<form action="/f"><button formaction="/g">a</button></form>',
        '<img src="/i" srcset="/j 2x,/k 3x">',
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => `<!DOCTYPE html><html><head><title>t</title></head><body>${parts.join('\n')}</body></html>`);
