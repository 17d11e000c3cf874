import assert from 'node:assert/strict';
import { parseFragment, type DefaultTreeAdapterMap } from 'parse5';
import { epochMs } from '../../../../config/units.js';
import { bar, type BarFacts, type OfferedServer } from '../../../../wlis/html/bar/bar.js';
import {
  clipped,
  markupOf,
  serverName,
  serverState,
  timeWords,
  timeWordsAfter,
} from '../../../../wlis/html/bar/server-words.js';

const at = epochMs(Date.UTC(2026, 10, 21, 19, 30, 45));

const server = (name: string, over: Partial<OfferedServer> = {}): OfferedServer => ({
  ...{ url: `http://${name}`, role: 'replica', down: null, behind: null },
  go: { kind: 'choice', value: `http://${name}` },
  ...over,
});

const facts = (over: Partial<BarFacts> = {}): BarFacts => ({
  ...{ node: 'willis', standing: 'proxy', receivedAt: at, freshUntil: null, isUnconfirmed: false },
  from: { ...server('m1.example'), isOwn: false },
  choice: { action: 'http://proxy.wlis/choice', hidden: { token: 't', of: 'u' }, chosen: null },
  servers: [server('m1.example'), server('m2.example')],
  truth: 'http://proxy.wlis/choice?of=u',
  ...over,
});

type Element = DefaultTreeAdapterMap['element'];

/** All elements of a markup, those in templates too. */
function elements(markup: string): readonly Element[] {
  const within = (node: DefaultTreeAdapterMap['parentNode']): Element[] =>
    node.childNodes.flatMap((child) => {
      if (!('tagName' in child)) return [];
      const inside = 'content' in child ? within(child.content) : [];
      return [child, ...inside, ...within(child)];
    });
  return within(parseFragment(markup));
}

/** What the line says, without its markup. */
const line = (over: Partial<BarFacts>): string =>
  /<span>(.*?)<\/span>/.exec(bar(facts(over)).markup)?.[1]?.replace(/<[^>]*>/g, '') ?? '';

describe('the bar', () => {
  it('says from which server a page is, since when it is here and until when it is fresh, in absolute times', () => {
    const freshUntil = epochMs(at + 600_000);
    assert.equal(
      line({ freshUntil }),
      'From m1.example (replica); received 21 November 2026, 19:30 UTC; fresh until 19:40 UTC',
    );
    assert.equal(line({ receivedAt: null }), 'From m1.example (replica)');
  });

  it('says how far behind that server was, what could not be confirmed, and what the reader has chosen', () => {
    const from = (behind: OfferedServer['behind']) => ({ ...server('m1.example', { behind }), isOwn: false });
    assert.match(line({ from: from(3) }), /^From m1.example \(replica\); 3 changes behind; received/);
    assert.match(line({ from: from(1) }), /; 1 change behind;/);
    assert.match(line({ from: from('epoch') }), /; of an edition that has been replaced;/);
    assert.match(line({ from: from(0) }), /UTC; up to date then$/);
    assert.match(line({ isUnconfirmed: true }), /; nobody could confirm it;/);
    const choice = { action: 'a', hidden: {}, chosen: 'http://m1.example' };
    assert.match(line({ choice }), /^From m1.example \(replica, your choice\);/);
    assert.match(line({ choice: { ...choice, chosen: null, hasEnded: true } }), /whom you had chosen no longer has/);
  });

  it('says of a copy that the node holds itself that it does', () => {
    const from = { ...server('m1.example'), isOwn: true };
    assert.equal(line({ standing: 'mirror', from }), 'Copy held here; confirmed after 21 November 2026, 19:30 UTC');
  });

  it('is one element, without scripts, images, handlers of events or anything from elsewhere', () => {
    const { markup } = bar(facts());
    const all = elements(markup);
    assert.equal(all[0]?.tagName, 'willis-bar');
    assert.equal(parseFragment(markup).childNodes.length, 1);
    const tags = new Set(all.map(({ tagName }) => tagName));
    for (const tag of ['script', 'img', 'iframe', 'link', 'object', 'base', 'meta']) assert.ok(!tags.has(tag), tag);
    const names = all.flatMap(({ attrs }) => attrs.map(({ name }) => name));
    assert.deepEqual(
      names.filter((name) => name.startsWith('on') || name === 'src' || name === 'style'),
      [],
    );
    assert.doesNotMatch(markup, /@import|url\(/);
  });

  it('has its forms, links and fields in the shadow tree, where no script of the page comes across them', () => {
    const { markup } = bar(facts());
    const outside = markup.replace(/<template.*<\/template>/s, '');
    assert.ok(markup.includes('<form') && markup.includes('<a '), 'it has a form and a link');
    assert.doesNotMatch(outside, /<(?:form|a|input|button)\b/);
  });

  it('offers a form where readers can choose, links where they cannot, and names where neither is possible', () => {
    const chosen = bar(facts());
    assert.equal(chosen.formAction, 'http://proxy.wlis/choice');
    assert.match(chosen.markup, /<button name="server" value="http:\/\/m2.example">m2.example<\/button>/);
    assert.doesNotMatch(chosen.markup, /Let the proxy choose/);
    const linked = bar(
      facts({ choice: null, servers: [server('m2.example', { go: { kind: 'link', href: 'http://m2.example/a' } })] }),
    );
    assert.equal(linked.formAction, null);
    assert.match(linked.markup, /<a href="http:\/\/m2.example\/a">m2.example<\/a>/);
    const named = bar(facts({ choice: null, servers: [server('m2.example', { go: null })], truth: null }));
    assert.doesNotMatch(named.markup, /<a |<form/);
    assert.match(named.markup, /m2\.example/);
  });

  it('leaves the choice to the proxy again by a button, once there is one', () => {
    const { markup } = bar(facts({ choice: { action: 'a', hidden: {}, chosen: 'http://m2.example' } }));
    assert.match(markup, /<button name="server" value="">Let the proxy choose<\/button>/);
    assert.match(markup, /m2\.example<\/button><i>replica; your choice<\/i>/);
  });

  it('offers ten servers, and says how many more there are', () => {
    const servers = Array.from({ length: 14 }, (_, i) => server(`m${i}.example`));
    const { markup } = bar(facts({ servers, more: 3 }));
    assert.equal([...markup.matchAll(/<li>/g)].length, 10);
    assert.match(markup, /7 more servers, and all that is known/);
  });

  it('takes less than 6 KB with ten servers', () => {
    const servers = Array.from({ length: 10 }, (_, i) => server(`mirror${i}.docs.example.org:8443`, { behind: i }));
    assert.ok(bar(facts({ servers })).markup.length < 6144, `${bar(facts({ servers })).markup.length} characters`);
  });

  it('has no markup in it that came from outside, and nothing but ASCII', () => {
    const evil = '"><script>alert(1)</script>\u202e\u0000é</template></willis-bar><img src=x onerror=alert(1)>\'`&amp;';
    const { markup } = bar(
      facts({
        node: evil,
        from: { ...server(evil), isOwn: false },
        choice: { action: `http://proxy.wlis/${evil}`, hidden: { [evil]: evil }, chosen: evil },
        servers: [server(evil), server('m2.example', { go: { kind: 'link', href: `http://m2.example/${evil}` } })],
        truth: evil,
      }),
    );
    assert.match(markup, /^[\x20-\x7e]*$/);
    const usual = elements(bar(facts()).markup).map(({ tagName }) => tagName);
    const others = elements(markup).filter(({ tagName }) => !usual.includes(tagName));
    assert.deepEqual(others, []);
    assert.equal(parseFragment(markup).childNodes.length, 1);
  });
});

describe('words about servers', () => {
  it('name a server by its host and port, shortened where that is long', () => {
    assert.equal(serverName('https://m1.example:8443/x'), 'm1.example:8443');
    assert.equal(serverName(`http://${'a'.repeat(200)}`).length, 80);
    assert.equal(clipped('\u{1f600}\u{1f600}\u{1f600}', 2), '\u{1f600}…');
  });

  it('tell its state', () => {
    assert.equal(serverState(server('m', { behind: 0 })), 'replica');
    assert.equal(
      serverState(server('m', { behind: 2, down: { since: at } })),
      'replica; 2 changes behind; down since 21 November 2026, 19:30 UTC',
    );
    assert.equal(serverState(server('m', { role: 'primary', down: { since: null } })), 'primary; down');
  });

  it('tell times to the minute, and no times that are none', () => {
    assert.equal(timeWords(epochMs(0)), '1 January 1970, 00:00 UTC');
    assert.equal(timeWords(epochMs(NaN)), 'a time that is not known');
  });

  it('tell the date of a second time only where it is another one', () => {
    const day = 86_400_000;
    assert.equal(timeWordsAfter(epochMs(0), epochMs(day - 1)), '23:59 UTC');
    assert.equal(timeWordsAfter(epochMs(0), epochMs(day)), '2 January 1970, 00:00 UTC');
    assert.equal(timeWordsAfter(null, epochMs(0)), '1 January 1970, 00:00 UTC');
    assert.equal(timeWordsAfter(epochMs(0), epochMs(NaN)), 'a time that is not known');
  });

  it('are the same in every encoding of ASCII', () => {
    assert.equal(markupOf('é\u{1f600}<'), '&#233;&#128512;&#60;');
  });
});
