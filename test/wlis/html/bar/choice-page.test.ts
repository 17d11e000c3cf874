import assert from 'node:assert/strict';
import { parse, type DefaultTreeAdapterMap } from 'parse5';
import { epochMs, milliseconds } from '../../../../config/units.js';
import {
  choicePage,
  type ChoicePageFacts,
  type OfferedFacts,
  type PartFacts,
} from '../../../../wlis/html/bar/choice-page.js';

const at = epochMs(Date.UTC(2026, 10, 21, 19, 30));

const server = (name: string, over: Partial<OfferedFacts> = {}): OfferedFacts => ({
  ...{
    url: `http://${name}`,
    role: 'replica',
    down: null,
    behind: null,
    value: `http://${name}`,
    latency: null,
    has: true,
  },
  ...over,
});

const partOf = (over: Partial<PartFacts> = {}): PartFacts => ({
  ...{ part: 'http://docs.example/', kind: 'group', newest: { seq: 12, issued: at }, will: { kind: 'none' } },
  ...{ servers: [server('m1.example', { latency: milliseconds(12.4) }), server('m2.example')], hidden: { token: 't' } },
  ...over,
});

const page = (over: Partial<ChoicePageFacts> = {}): string =>
  choicePage({
    ...{ node: 'willis', shown: 'http://docs.example/a', uri: 'http://docs.example/a', stored: [], part: partOf() },
    ...over,
  });

/** What a reader sees of it. */
function seen(html: string): string {
  const texts = (node: DefaultTreeAdapterMap['node']): string =>
    'value' in node
      ? node.value
      : 'childNodes' in node && node.nodeName !== 'style'
        ? node.childNodes.map(texts).join(' ')
        : '';
  return texts(parse(html)).replace(/\s+/g, ' ');
}

describe('the page of the proxy about a page', () => {
  it('tells who has it, how they are, and what of it is stored here', () => {
    const stored = [
      { receivedAt: at, freshUntil: epochMs(at + 60_000), from: 'http://m1.example' },
      { receivedAt: at, freshUntil: null, from: null },
    ];
    const text = seen(page({ stored }));
    assert.match(
      text,
      /All pages below http:\/\/docs.example\/ are to be had from 2 servers\. The newest version that was proven is number 12, of 21 November 2026, 19:30 UTC/,
    );
    assert.match(text, /http:\/\/m1.example replica 12 ms Choose/);
    assert.match(text, /Received 21 November 2026, 19:30 UTC from http:\/\/m1.example; fresh until 19:31 UTC\./);
    assert.match(text, /Received 21 November 2026, 19:30 UTC; has to be confirmed each time\./);
  });

  it('tells what a name really is', () => {
    assert.match(seen(page({ shown: 'http://manual.wlis/a' })), /This is really http:\/\/docs.example\/a/);
    assert.doesNotMatch(seen(page()), /really/);
  });

  it('tells of what has but one server that it has', () => {
    const html = page({ part: null });
    assert.match(seen(html), /No other server is known here/);
    assert.doesNotMatch(html, /<form/);
  });

  for (const [will, said, hasButton] of [
    [{ kind: 'none' }, /You leave it to this proxy/, false],
    [{ kind: 'chosen', url: 'http://m1.example' }, /You have chosen http:\/\/m1.example/, true],
    [{ kind: 'gone', from: 'http://m9.example' }, /You had chosen http:\/\/m9.example .* It is no longer among/, true],
    [{ kind: 'rule', match: 'http://docs.example/**' }, /by the rule for http:\/\/docs.example\/\*\*/, false],
  ] as const) {
    it(`tells the reader what he has chosen: ${will.kind}`, () => {
      const html = page({ part: partOf({ will }) });
      assert.match(seen(html), said);
      assert.equal(html.includes('Let the proxy choose'), hasButton);
      assert.equal(html.includes('>Choose</button>'), will.kind !== 'rule');
    });
  }

  it('says of mirrors whose word it is that they are', () => {
    assert.match(
      seen(page({ part: partOf({ kind: 'mirrors', newest: null }) })),
      /as this proxy was told by whoever runs it/,
    );
  });

  it('names a hundred servers, and how many more there are', () => {
    const servers = Array.from({ length: 120 }, (_, i) => server(`m${i}.example`));
    const html = page({ part: partOf({ servers }) });
    assert.equal([...html.matchAll(/>Choose<\/button>/g)].length, 100);
    assert.match(seen(html), /from 120 servers\..* And 20 more/);
  });

  it('has no markup in it that came from outside', () => {
    const evil = `"><script>alert(1)</script>'</style></main><img src=x>`;
    const html = page({
      ...{ node: evil, shown: `http://docs.example/${evil}`, uri: `http://x/${evil}` },
      part: partOf({
        part: evil,
        will: { kind: 'chosen', url: evil },
        servers: [server(evil), server('m2.example', { value: evil })],
        hidden: { [evil]: evil },
      }),
      stored: [{ receivedAt: at, freshUntil: null, from: evil }],
    });
    assert.doesNotMatch(html, /<script|<img/);
    assert.equal([...html.matchAll(/<\/main>/g)].length, 1);
  });
});
