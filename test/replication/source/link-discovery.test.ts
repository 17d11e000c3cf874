import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { bytes, milliseconds } from '../../../config/units.js';
import type { DiscoveryEvent } from '../../../replication/source/discovery-event.js';
import { readState, writeState } from '../../../replication/source/discovery-state.js';
import { LinkDiscovery } from '../../../replication/source/link-discovery.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import { gate } from '../../support/gate.js';
import { until } from '../../support/waiting.js';
import { DiscoveredSite, endOf, namespace, page, told, type SiteDocument } from './discovered-site.js';

const never = new AbortController().signal;

/** Walks to the end. */
async function ended(discovery: LinkDiscovery): Promise<DiscoveryEvent[]> {
  const events: DiscoveryEvent[] = [];
  for await (const event of discovery.walk(never)) events.push(event);
  return events;
}

describe('discovery by links', () => {
  describe('finds', () => {
    it('breadth first what is linked within the namespace, each once', async () => {
      const site = DiscoveredSite.of({
        '/docs/': [
          'b',
          'a',
          './',
          '#x',
          '../',
          '/',
          'http://other.test/',
          '//site.test/docs/a',
          'http://site.test:81/docs/c',
        ],
        '/docs/a': ['c', '/docs/b', 'A', 'mailto:x@y', '/docsx', '/docs/../out'],
        '/docs/b': ['d', 'd#1', 'D/../d', '%64'],
        '/docs/A': [],
        '/docs/c': [],
        '/docs/d': [''],
      });
      const events = await site.walk();
      assert.deepEqual(
        told(events),
        ['/docs/', '/docs/b', '/docs/a', '/docs/d', '/docs/c', '/docs/A'].map((uri) => `found ${uri}`),
      );
      assert.equal(endOf(events).because, 'complete');
      assert.deepEqual(endOf(events).progress, {
        found: 6,
        unchanged: 0,
        failed: 0,
        waiting: 0,
        leftOut: {},
        received: endOf(events).progress.received,
      });
      assert.deepEqual(site.asked[0], 'GET http://site.test/robots.txt');
    });

    it('what pages are made of, by HEAD, and what style sheets are made of', async () => {
      const site = new DiscoveredSite({
        '/docs/': {
          content:
            '<img src=i.png><link rel=stylesheet href=css/s.css><script src=s.js></script><iframe src=f.html></iframe>',
        },
        '/docs/i.png': { fields: { 'Content-Type': 'image/png' } },
        '/docs/s.js': { fields: { 'Content-Type': 'text/javascript' } },
        '/docs/css/s.css': { fields: { 'Content-Type': 'text/css' }, content: 'a{b:url(../bg.png)} @import "t.css"' },
        '/docs/css/t.css': { fields: { 'Content-Type': 'text/css' }, content: '' },
        '/docs/bg.png': { fields: { 'Content-Type': 'image/png' } },
        '/docs/f.html': { content: page() },
      });
      await site.walk();
      assert.deepEqual(site.paths.sort(), [
        ...['GET /docs/', 'GET /docs/css/s.css', 'GET /docs/css/t.css', 'GET /docs/f.html', 'HEAD /docs/bg.png'],
        ...['HEAD /docs/css/s.css', 'HEAD /docs/css/t.css', 'HEAD /docs/i.png', 'HEAD /docs/s.js'],
      ]);
    });

    it('by GET what does not understand HEAD', async () => {
      const site = new DiscoveredSite({
        '/docs/': { content: '<img src=i.png>' },
        '/docs/i.png': ({ method }) =>
          method === 'HEAD' ? { status: 405 } : { fields: { 'Content-Type': 'image/png' } },
      });
      assert.deepEqual(told(await site.walk()), ['found /docs/', 'found /docs/i.png']);
    });

    it('where links lead from: base, and coded contents', async () => {
      const site = new DiscoveredSite({
        '/docs/': { content: `<base href="/docs/sub/">${page('a')}` },
        '/docs/sub/a': { fields: { 'Content-Encoding': 'gzip' }, content: gzipSync(page('b')) },
        '/docs/sub/b': { fields: { 'Content-Encoding': 'x-unknown' }, content: page('c') },
      });
      assert.deepEqual(told(await site.walk()), ['found /docs/', 'found /docs/sub/a', 'found /docs/sub/b']);
    });

    it('what type they have, and whether they want to be found by their words', async () => {
      const site = new DiscoveredSite({
        '/docs/': {
          content: `<meta name=robots content=noindex>${page('a.pdf', 'b')}`,
          fields: { 'Content-Type': 'Text/HTML ; charset=utf-8' },
        },
        '/docs/a.pdf': { fields: { 'Content-Type': 'application/pdf' } },
        '/docs/b': { fields: { 'X-Robots-Tag': 'noindex' } },
      });
      const found = (await site.walk()).flatMap((event) => (event.kind === 'found' ? [event.document] : []));
      assert.deepEqual(
        found.map(({ type, noindex, depth }) => [type, noindex, depth]),
        [
          ['text/html', true, 0],
          ['application/pdf', false, 1],
          ['text/html', true, 1],
        ],
      );
    });
  });

  describe('obeys', () => {
    it('robots.txt, for its own name', async () => {
      const site = DiscoveredSite.of({
        '/docs/': ['a', 'private/b', 'c?x'],
        '/docs/a': [],
        '/docs/private/b': [],
        '/docs/c?x': [],
      });
      site.documents['/robots.txt'] = {
        content: 'User-agent: *\nDisallow: /\n\nUser-agent: Willis\nDisallow: /docs/private/\nDisallow: /*?',
      };
      assert.deepEqual(told(await site.walk()), [
        ...['found /docs/', 'found /docs/a', 'forbidden /docs/private/b', 'forbidden /docs/c?x'],
      ]);
      assert.deepEqual(site.paths, ['GET /docs/', 'GET /docs/a']);
    });

    for (const [what, robots] of [
      ['cannot give', { status: 503 }],
      ['gives too many answers to give', { status: 429 }],
      ['breaks off', () => Promise.reject(new Error('reset'))],
    ] as const) {
      it(`the robots.txt that a server ${what} (RFC 9309 §2.3.1.4): nothing is asked for, and all is left for later`, async () => {
        const site = DiscoveredSite.of({ '/docs/': [] });
        site.documents['/robots.txt'] = robots;
        const discovery = new LinkDiscovery(site.options());
        const events = await ended(discovery);
        assert.equal(endOf(events).because, 'away');
        assert.deepEqual(site.paths, []);
        assert.deepEqual([discovery.state.isComplete, discovery.state.waiting.length], [false, 1]);
      });
    }

    it('redirects of robots.txt within the origin, five of them (RFC 9309 §2.3.1.2)', async () => {
      const site = DiscoveredSite.of({ '/docs/': [] });
      const to = (location: string): SiteDocument => ({ status: 302, fields: { Location: location } });
      site.documents['/robots.txt'] = to('/r1');
      for (let i = 1; i < 5; i++) site.documents[`/r${i}`] = to(`r${i + 1}`);
      site.documents['/r5'] = { content: 'User-agent: *\nDisallow: /' };
      assert.deepEqual(told(await site.walk()), ['forbidden /docs/']);
      site.documents['/r5'] = to('r6');
      assert.deepEqual(told(await site.walk()), ['found /docs/']);
      site.documents['/robots.txt'] = to('http://other.test/robots.txt');
      assert.deepEqual(told(await site.walk()), ['found /docs/']);
      assert.ok(!site.asked.some((one) => one.includes('other.test')), 'it has left the origin');
    });

    it('nofollow, of a link, of a page, and of an answer: its parts are found all the same', async () => {
      const site = new DiscoveredSite({
        '/docs/': { content: `<a rel="x NOFOLLOW" href=a></a>${page('b', 'c')}` },
        '/docs/b': { content: `<meta name=robots content=nofollow><img src=i>${page('d')}` },
        '/docs/c': { fields: { 'X-Robots-Tag': 'nofollow' }, content: page('e') },
        '/docs/i': { fields: { 'Content-Type': 'image/png' } },
      });
      assert.deepEqual(told(await site.walk()), ['found /docs/', 'found /docs/b', 'found /docs/c', 'found /docs/i']);
    });

    it('canonical, by element and field: an alias leads nowhere but there', async () => {
      const site = new DiscoveredSite({
        '/docs/': { content: page('a?s=1', 'a?s=2', 'b', 'c', 'd') },
        '/docs/a?s=1': { content: `<link rel=canonical href=a>${page('x')}` },
        '/docs/a?s=2': { fields: { Link: '</x>; rel=next, </docs/a>; rel="start canonical"' }, content: page('y') },
        '/docs/a': { content: `<link rel=canonical href=a>` },
        '/docs/b': { content: '<link rel=canonical href="http://other.test/b">' },
        '/docs/c': { content: '<link rel=canonical href="/elsewhere">' },
        '/docs/d': { fields: { Link: '</docs/z>; rel=canonically' } },
      });
      assert.deepEqual(told(await site.walk()), [
        ...['found /docs/', 'alias /docs/a?s=1 → /docs/a', 'alias /docs/a?s=2 → /docs/a'],
        ...['found /docs/b', 'found /docs/c', 'found /docs/d', 'found /docs/a'],
      ]);
    });

    it('redirects, within the namespace', async () => {
      const to = (status: number, location?: string): SiteDocument => ({
        status,
        fields: location === undefined ? {} : { Location: location },
      });
      const site = new DiscoveredSite({
        '/docs/': { content: page('a', 'e', 'f', 'g', 'loop1') },
        '/docs/a': to(301, 'b'),
        '/docs/b': to(308, '/docs/c#x'),
        '/docs/c': { content: page() },
        '/docs/e': to(302, 'http://other.test/docs/'),
        '/docs/f': to(307, '/up'),
        '/docs/g': to(303),
        '/docs/loop1': to(302, 'loop2'),
        '/docs/loop2': to(302, 'loop1'),
      });
      assert.deepEqual(told(await site.walk()), [
        ...[
          'found /docs/',
          'redirect /docs/a → b',
          'redirect /docs/e → http://other.test/docs/',
          'redirect /docs/f → /up',
        ],
        ...[
          'redirect /docs/g → null',
          'redirect /docs/loop1 → loop2',
          'redirect /docs/b → /docs/c#x',
          'redirect /docs/loop2 → loop1',
        ],
        'found /docs/c',
      ]);
    });

    it('what a query means in the namespace', async () => {
      const links = {
        '/docs/': ['a?x', 'a?y', 'a', '%62?z'],
        '/docs/a': [],
        '/docs/b': [],
        '/docs/a?x': [],
        '/docs/a?y': [],
        '/docs/b?z': [],
      };
      const found = async (query: 'ignore' | 'exact' | 'forward'): Promise<string[]> => {
        const space = { namespace, inner: [], query };
        return told(await DiscoveredSite.of(links).walk({ space })).map((one) => one.slice(6));
      };
      assert.deepEqual(await found('ignore'), ['/docs/', '/docs/a', '/docs/b']);
      assert.deepEqual(await found('exact'), ['/docs/', '/docs/a?x', '/docs/a?y', '/docs/a', '/docs/b?z']);
      assert.deepEqual(await found('forward'), ['/docs/', '/docs/a']);
    });

    it('other namespaces within its own, and what is never a document', async () => {
      const site = DiscoveredSite.of({ '/docs/': ['inner/a', 'innen/b'], '/docs/innen/b': [] });
      const space = { namespace, inner: [parseNamespace('http://site.test/docs/inner/')], query: 'exact' } as const;
      assert.deepEqual(told(await site.walk({ space })), ['found /docs/', 'found /docs/innen/b']);
      const root = parseNamespace('http://site.test/');
      const whole = DiscoveredSite.of({ '/': ['/.well-known/x', '/a'], '/a': [] });
      assert.deepEqual(told(await whole.walk({ space: { namespace: root, inner: [], query: 'exact' } })), [
        'found /',
        'found /a',
      ]);
    });
  });

  describe('is bounded', () => {
    const chain = (length: number): DiscoveredSite =>
      DiscoveredSite.of(
        Object.fromEntries([
          ['/docs/', ['p0']] as const,
          ...Array.from({ length }, (_, i) => [`/docs/p${i}`, [`p${i + 1}`]] as const),
        ]),
      );

    it('in documents and depth', async () => {
      const wide = DiscoveredSite.of({
        '/docs/': Array.from({ length: 50 }, (_, i) => `w${String.fromCharCode(97 + (i % 26))}${i}`),
      });
      const events = await wide.walk({ settings: { documents: 11 } });
      assert.equal(wide.paths.length, 11);
      assert.equal(endOf(events).progress.leftOut.documents, 40);
      const deep = await chain(50).walk({ settings: { depth: 5 } });
      assert.deepEqual([endOf(deep).progress.found, endOf(deep).progress.leftOut['too-deep']], [6, 1]);
    });

    it('by a calendar without end, a list in all its orders, and links that grow', async () => {
      const site = new DiscoveredSite({ '/docs/': { content: page('cal?month=1', 'list?sort=a&page=1', 'x/y/') } });
      const anything = new Proxy(site.documents, {
        get: (documents, path: string): SiteDocument => {
          const known = documents[path];
          if (typeof known === 'object') return known;
          if (path === '/robots.txt') return { status: 404 };
          const number = Number(/\d+/.exec(path)?.[0] ?? 0);
          if (path.includes('cal?'))
            return { content: page(`cal?month=${number + 1}`, `cal?month=${number - 1}`, `cal?month=${number + 12}`) };
          if (path.includes('list?'))
            return { content: page(...Array.from({ length: 30 }, (_, i) => `list?sort=${i}&page=${number + i}`)) };
          return { content: page('x/y/', 'y/x/') };
        },
      });
      const walked = new DiscoveredSite(anything);
      const events = await walked.walk({ settings: { alike: 40, depth: 500 } });
      assert.equal(endOf(events).because, 'complete');
      const count = (part: string): number => walked.paths.filter((one) => one.includes(part)).length;
      assert.equal(count('cal?'), 40);
      assert.equal(count('list?'), 40);
      assert.ok(count('/docs/x/') <= 40, String(count('/docs/x/')));
      const { leftOut } = endOf(events).progress;
      assert.ok((leftOut.alike ?? 0) > 0 && (leftOut.repeated ?? 0) > 0, JSON.stringify(leftOut));
    });

    it('in bytes: then the rest is left for later', async () => {
      const site = DiscoveredSite.of({ '/docs/': ['a', 'b', 'c'] });
      for (const name of ['a', 'b', 'c']) site.documents[`/docs/${name}`] = { content: 'x'.repeat(1000) };
      const events = await site.walk({ settings: { received: bytes(1500) } });
      assert.deepEqual([endOf(events).because, endOf(events).progress.waiting], ['bytes', 1]);
    });

    it('in requests at once, and in pace', async () => {
      const site = DiscoveredSite.of({ '/docs/': ['a', 'b', 'c', 'd', 'e', 'f'] });
      const opened = gate();
      let arrived = 0;
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
        site.documents[`/docs/${name}`] = async () => {
          if (++arrived === 3) opened.open();
          await opened.promise;
          return {};
        };
      }
      await site.walk({ settings: { atOnce: 3, pace: milliseconds(100) } });
      assert.equal(site.mostAtOnce, 3);
      assert.deepEqual(site.waited.filter((time) => time > 0).length >= 4, true, site.waited.join());
    });

    it('in what it reads of a page, coded or not', async () => {
      const long = `${page('a')}${' '.repeat(3_000_000)}${page('b')}`;
      const bomb = gzipSync(`${page('c')}${' '.repeat(30_000_000)}`);
      const site = new DiscoveredSite({
        '/docs/': { content: page('long', 'bomb') },
        '/docs/long': { content: long },
        '/docs/bomb': { fields: { 'Content-Encoding': 'gzip' }, content: bomb },
        '/docs/a': { content: page() },
      });
      const events = await site.walk();
      assert.deepEqual(told(events), ['found /docs/', 'found /docs/long', 'found /docs/bomb', 'found /docs/a']);
      assert.ok(endOf(events).progress.received < 2_300_000, String(endOf(events).progress.received));
    });

    it('by what robots.txt says of the pace', async () => {
      const site = DiscoveredSite.of({ '/docs/': ['a'], '/docs/a': [] });
      site.documents['/robots.txt'] = { content: 'User-agent: *\nCrawl-delay: 7' };
      await site.walk();
      assert.deepEqual(site.waited, [7000]);
      site.documents['/robots.txt'] = { content: 'User-agent: *\nCrawl-delay: 99999' };
      site.waited.length = 0;
      await site.walk();
      assert.deepEqual(site.waited, [30_000]);
    });

    it('in time for each request', async () => {
      const site = DiscoveredSite.of({ '/docs/': ['a', 'b'], '/docs/b': [] });
      site.documents['/docs/a'] = (_request, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('given up'))));
      const events = await site.walk({ settings: { patience: milliseconds(20), attempts: 1 } });
      assert.deepEqual(told(events), ['found /docs/', 'failed /docs/a: it took too long', 'found /docs/b']);
    });
  });

  describe('when something fails', () => {
    it('asks again for what may be there another time, when it was told to', async () => {
      const site = DiscoveredSite.of({ '/docs/': ['busy', 'gone', 'broken', 'late'], '/docs/late': [] });
      let asked = 0;
      site.documents['/docs/busy'] = () => (++asked === 1 ? { status: 503, fields: { 'Retry-After': '120' } } : {});
      site.documents['/docs/gone'] = { status: 410 };
      site.documents['/docs/broken'] = () => Promise.reject(new Error('reset'));
      const events = await site.walk();
      assert.deepEqual(told(events), [
        ...['found /docs/', 'failed /docs/gone: status 410', 'found /docs/late', 'found /docs/busy'],
        'failed /docs/broken: reset',
      ]);
      assert.deepEqual(site.waited, [120_000]);
      assert.deepEqual(events.find((event) => event.kind === 'failed')?.status, 410);
    });

    it('ends when the origin is away, and goes on from there another time', async () => {
      const site = DiscoveredSite.of({
        '/docs/': ['a', 'b', 'c', 'd'],
        '/docs/a': ['e'],
        '/docs/e': [],
        '/docs/b': [],
        '/docs/c': [],
        '/docs/d': [],
      });
      let isAway = false;
      const { documents } = site;
      for (const name of ['b', 'c', 'd']) {
        const usual = documents[`/docs/${name}`] as SiteDocument;
        documents[`/docs/${name}`] = () => (isAway ? Promise.reject(new Error('away')) : usual);
      }
      isAway = true;
      const first = new LinkDiscovery(site.options({ settings: { failuresInRow: 3, attempts: 5 } }));
      const events = await ended(first);
      assert.equal(endOf(events).because, 'away');
      assert.deepEqual(told(events), ['found /docs/', 'found /docs/a']);
      isAway = false;
      const state = readState(writeState(first.state), namespace);
      assert.deepEqual(state, first.state);
      const rest = await site.walk({ state });
      assert.deepEqual(told(rest).sort(), ['found /docs/b', 'found /docs/c', 'found /docs/d', 'found /docs/e']);
    });
  });

  describe('is broken off', () => {
    it('by its signal, with what is under way; the same walk can go on', async () => {
      const site = DiscoveredSite.of({ '/docs/': ['a', 'b'], '/docs/b': [] });
      let wasGivenUp = false;
      site.documents['/docs/a'] = (_request, signal) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => {
            wasGivenUp = true;
            reject(new Error('given up'));
          }),
        );
      const discovery = new LinkDiscovery(site.options());
      const abort = new AbortController();
      const events: unknown[] = [];
      const walking = (async () => {
        for await (const event of discovery.walk(abort.signal)) events.push(event);
      })();
      await until(() => site.paths.includes('GET /docs/a'));
      abort.abort(new Error('enough'));
      await assert.rejects(walking, /enough/);
      assert.deepEqual([events.length, wasGivenUp, site.underWay], [1, true, 0]);
      site.documents['/docs/a'] = { content: page() };
      const rest = await ended(discovery);
      assert.deepEqual(told(rest).sort(), ['found /docs/a', 'found /docs/b']);
      await assert.rejects(discovery.walk(never).next(), /made once/);
    });

    it('by leaving the loop, at any event: what is left is the rest', async () => {
      const links = {
        '/docs/': ['a', 'b', 'c'],
        '/docs/a': ['d', 'b'],
        '/docs/b': ['e'],
        '/docs/c': [],
        '/docs/d': [],
        '/docs/e': [],
      };
      const all = told(await DiscoveredSite.of(links).walk()).sort();
      for (let after = 1; after <= all.length; after++) {
        const site = DiscoveredSite.of(links);
        const discovery = new LinkDiscovery(site.options({ settings: { atOnce: 3 } }));
        const events = [];
        for await (const event of discovery.walk(never)) {
          events.push(event);
          if (events.length === after) break;
        }
        const state = readState(writeState(discovery.state), namespace);
        const rest = told(await DiscoveredSite.of(links).walk({ state }));
        assert.deepEqual([...told(events), ...rest].sort(), all, `after ${after}`);
      }
    });

    it('before it has begun', async () => {
      const site = DiscoveredSite.of({ '/docs/': [] });
      await assert.rejects(new LinkDiscovery(site.options()).walk(AbortSignal.abort(new Error('no'))).next(), /no/);
      assert.deepEqual(site.asked, []);
    });
  });

  describe('made again', () => {
    const validated =
      (tag: string, content: string) =>
      ({ fields }: { fields: { first(name: string): string | undefined } }): SiteDocument =>
        fields.first('if-none-match') === tag
          ? { status: 304, fields: { ETag: tag } }
          : { fields: { ETag: tag }, content };

    it('costs a 304 for each page that is as it was, which leads where it led', async () => {
      const site = new DiscoveredSite({
        '/docs/': validated('"1"', page('a', 'b')),
        '/docs/a': validated('"a"', `<img src=i>${page('c')}`),
        '/docs/i': { fields: { 'Content-Type': 'image/png', 'Last-Modified': 'Mon, 05 Jan 2026 00:00:00 GMT' } },
        '/docs/b': validated('"b"', `<link rel=canonical href=c>`),
        '/docs/c': validated('W/"c"', page()),
      });
      const first = new LinkDiscovery(site.options());
      const events = await ended(first);
      assert.deepEqual(told(events), [
        'found /docs/',
        'found /docs/a',
        'alias /docs/b → /docs/c',
        'found /docs/i',
        'found /docs/c',
      ]);
      const state = readState(writeState(first.state), namespace);
      site.documents['/docs/c'] = validated('"c2"', page('new'));
      site.documents['/docs/new'] = { content: page() };
      site.requests.length = 0;
      const again = await site.walk({ state });
      assert.deepEqual(told(again), [
        ...[
          'unchanged /docs/',
          'unchanged /docs/a',
          'alias /docs/b → /docs/c',
          'found /docs/i',
          'found /docs/c',
          'found /docs/new',
        ],
      ]);
      assert.equal(endOf(again).progress.unchanged, 2);
      const since = site.requests.map(({ fields }) => fields.first('if-modified-since')).filter(Boolean);
      assert.deepEqual(since, ['Mon, 05 Jan 2026 00:00:00 GMT']);
    });

    it('keeps what it knew of the rest when it is broken off', async () => {
      const site = new DiscoveredSite({ '/docs/': validated('"1"', page('a')), '/docs/a': validated('"a"', page()) });
      const first = new LinkDiscovery(site.options());
      await ended(first);
      const second = new LinkDiscovery(site.options({ state: first.state }));
      for await (const event of second.walk(never)) if (event.kind === 'found') break;
      const third = await site.walk({ state: readState(writeState(second.state), namespace) });
      assert.deepEqual(told(third), ['unchanged /docs/a']);
    });

    it('believes no 304 that it has not asked for', async () => {
      const site = new DiscoveredSite({ '/docs/': { status: 304 } });
      assert.deepEqual(told(await site.walk()), ['failed /docs/: status 304']);
    });
  });

  describe('its state', () => {
    it('is nothing if it is not one, or of another namespace', async () => {
      const site = DiscoveredSite.of({ '/docs/': ['a'], '/docs/a': [] });
      const discovery = new LinkDiscovery(site.options());
      await ended(discovery);
      const text = writeState(discovery.state);
      assert.notEqual(readState(text, namespace), null);
      assert.equal(readState(text, parseNamespace('http://site.test/doc/')), null);
      assert.equal(readState(text.replaceAll('http://site.test/docs/a', 'http://evil.test/docs/a'), namespace), null);
      for (let at = 0; at < text.length; at++) {
        // whatever is read of a damaged text has the right form
        const damaged = readState(text.slice(0, at) + text.slice(at + 1), namespace);
        if (damaged !== null) assert.deepEqual(readState(writeState(damaged), namespace), damaged);
      }
    });

    it('begins within the namespace', () => {
      const site = DiscoveredSite.of({});
      for (const start of ['http://other.test/', '/docs', 'javascript:x', 'http://site.test/docs/../']) {
        assert.throws(() => new LinkDiscovery(site.options({ start })), RangeError, start);
      }
    });
  });

  it('ends, never leaves the namespace, and asks for each URI once, whatever a site links to', async () => {
    const name = fc.constantFrom('a', 'b', 'c', '1', '2', '');
    const link = fc.oneof(
      fc.tuple(name, name).map(([one, two]) => `${one}/${two}`),
      fc.tuple(name, name).map(([one, two]) => `${one}?q=${two}`),
      fc.constantFrom(
        '..',
        '../..',
        '/',
        '//evil.test/',
        'http://evil.test/docs/',
        '/docs/%2e%2e/x',
        '/docs/..%2f',
        '\\\\evil.test',
        '/docs/\\..\\..',
      ),
      fc.constantFrom(
        'http://site.test@evil.test/docs/',
        'http://site.test:80/docs/x',
        'HTTP://SITE.TEST/docs/y',
        '/docs//a',
        '?',
        'http:a',
        '//site.test./docs/',
      ),
      fc.string({ maxLength: 8 }),
    );
    const answer = fc.oneof(
      {
        weight: 5,
        arbitrary: fc
          .array(link, { maxLength: 6 })
          .map((links) => ({ content: page(...links.map((one) => one.replace(/["&]/g, ''))) })),
      },
      {
        weight: 1,
        arbitrary: link.map((to) => ({ status: 302, fields: { Location: to.replace(/[^\x21-\x7e]/g, '') } })),
      },
      {
        weight: 1,
        arbitrary: link.map((to) => ({
          content: `<link rel=canonical href="${to.replace(/["&]/g, '')}"><base href=${to.replace(/[^\w/:.]/g, '')}>`,
        })),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom({ status: 404 }, { status: 503 }, { status: 200, content: Buffer.alloc(10) }),
      },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(answer, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        async (answers, atOnce) => {
          const { documents } = DiscoveredSite.of({});
          const site = new DiscoveredSite(
            new Proxy(documents, {
              get: (_documents, path: string) => {
                if (path === '/robots.txt') return { status: 404 };
                // every path has an answer, the same each time
                const hash = Buffer.from(path).reduce((sum, byte) => (sum * 31 + byte) % 9973, 7);
                return path === '/docs/' ? answers[0] : answers[hash % answers.length];
              },
            }),
          );
          const events = await site.walk({
            settings: { atOnce, documents: 60, depth: 8, attempts: 1, failuresInRow: 1000 },
          });
          assert.equal(endOf(events).because, 'complete');
          assert.ok(site.mostAtOnce <= atOnce, String(site.mostAtOnce));
          const [robots, ...asked] = site.asked;
          assert.equal(robots, 'GET http://site.test/robots.txt');
          assert.equal(new Set(asked).size, asked.length);
          assert.ok(asked.length <= 60, String(asked.length));
          for (const one of asked) assert.match(one, /^GET http:\/\/site\.test\/docs\//);
          const uris = events.flatMap((event) =>
            'uri' in event ? [event.uri] : event.kind === 'found' ? [event.document.uri] : [],
          );
          assert.equal(new Set(uris).size, uris.length);
        },
      ),
      { numRuns: 150 },
    );
  });
});
