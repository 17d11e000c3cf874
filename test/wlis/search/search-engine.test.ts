import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import { bytes, milliseconds } from '../../../config/units.js';
import { createLogger } from '../../../proxy/base/logger.js';
import { parseNamespace } from '../../../wlis/namespace.js';
import { openIndexThread } from '../../../wlis/search/index-thread.js';
import { IndexLost, SearchBusy, SearchEngine, type SearchEngineOptions } from '../../../wlis/search/search-engine.js';
import { queryTerms } from '../../../wlis/search/search-query.js';
import type { HeldPage, IndexOutcome } from '../../../wlis/search/thread-calls.js';
import { digestOfText } from '../../../wlis/trust/digest.js';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const namespace = parseNamespace('http://docs.example/');
const limit = bytes(16 * 1024 * 1024);

describe('the index of a node', () => {
  let engine: SearchEngine;
  let events: string[];

  const start = (options: Partial<SearchEngineOptions> = {}): void => {
    events = [];
    const logger = createLogger({ level: 'info', write: (line) => void events.push(line) });
    engine = new SearchEngine({ limit, logger, rest: milliseconds(1), ...options });
  };
  afterEach(() => engine.stop());

  const put = (path: string, content: string | Buffer, over: Partial<HeldPage> = {}): Promise<IndexOutcome> => {
    const held = new Uint8Array(Buffer.from(content));
    const page = { namespace, path, digest: digestOfText(path + String(content)), type: 'text/html', coding: null };
    return engine.put({ ...page, ...over }, held);
  };
  const found = async (words: string, signal = new AbortController().signal): Promise<string[]> => {
    const query = { terms: queryTerms(words), offset: 0, limit: 10 };
    const { pages } = await engine.search(query, [namespace], signal);
    return pages.map(({ path, title }) => `${path}: ${title}`);
  };

  it('says that it is busy where an answer would take too long, and keeps what it knows', async () => {
    const late = `
      import { parentPort } from 'node:worker_threads';
      parentPort.on('message', ({ id, name }) => {
        const answer = name === 'put' ? { kind: 'indexed', displaced: [] } : null;
        parentPort.postMessage({ id, usage: { documents: 1, bytes: 0, limit: 0 }, answer });
      });`;
    start({ open: () => new Worker(new URL(`data:text/javascript,${encodeURIComponent(late)}`)) });
    await put('a', 'penguin');
    await assert.rejects(found('penguin'), SearchBusy);
    assert.deepEqual([engine.losses, engine.usage.documents], [0, 1]);
  });

  it('is there from the first page on, and finds nothing before', async () => {
    let opened = 0;
    start({ open: (most) => (opened++, openIndexThread(most)) });
    assert.deepEqual(await found('penguin'), []);
    await engine.remove({ namespace, path: 'a' });
    await engine.drop(namespace);
    assert.equal(opened, 0);
    await put('a', 'penguin');
    assert.deepEqual(await found('penguin'), ['a: a']);
    assert.equal(engine.usage.documents, 1);
    await engine.drop(namespace);
    assert.deepEqual(await found('penguin'), []);
    assert.equal(opened, 1);
  });

  it('reads pages as browsers do, in their character set, and undoes codings', async () => {
    start();
    await put('latin', Buffer.from('<title>Grüße</title>Käse', 'latin1'), { type: 'text/html; charset=iso-8859-1' });
    await put('named%20so/', '<h1>Heading</h1>fondue');
    await put('gz', gzipSync('<title>Packed</title>fondue'), { coding: 'gzip' });
    await put('br', brotliCompressSync('<title>Pressed</title>fondue'), { coding: 'br' });
    await put('dir/plain%20text.txt', 'fondue  \n <b>here</b>', { type: 'text/plain' });
    await put('mixed', '<title>Case</title>raclette', { type: 'Text/HTML;charset=UTF-8' });
    await put('signs', '<title>Donau&shy;dampf\u200dschiff</title>\u202ekoblenz');
    assert.deepEqual(await found('donaudampfschiff'), ['signs: Donaudampfschiff']);
    assert.deepEqual(await found('donau\u00addampf\u200dschiff'), ['signs: Donaudampfschiff']);
    assert.deepEqual(await found('kase'), ['latin: Grüße']);
    assert.deepEqual(await found('raclette'), ['mixed: Case']);
    assert.deepEqual(
      new Set(await found('fondue')),
      new Set(['named%20so/: Heading', 'gz: Packed', 'br: Pressed', 'dir/plain%20text.txt: plain text.txt']),
    );
  });

  it('does not take what says that it is not to be found, nor what nothing can be made out of', async () => {
    start();
    await put('a', 'penguin');
    assert.deepEqual(await put('a', '<meta name=robots content=noindex>penguin'), { kind: 'unwanted' });
    assert.deepEqual(await put('b', 'no gzip', { coding: 'gzip' }), { kind: 'unreadable' });
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    assert.deepEqual(await put('c', bomb, { coding: 'gzip' }), { kind: 'unreadable' });
    assert.deepEqual(await put('d', 'x', { coding: 'zstd' }), { kind: 'unreadable' });
    assert.equal(engine.usage.documents, 0);
  });

  it('takes whatever somebody publishes as a page, and goes on finding the others', async () => {
    start();
    const hostile: readonly (string | Buffer)[] = [
      ...['', '\0', '<', '<!--', '<title>', '<script>', '<title></title><title>second</title>', '<'.repeat(200_000)],
      ...['<div>'.repeat(100_000), '<table><tr><td>'.repeat(50_000), '<svg><template>'.repeat(20_000)],
      ...['<b><p>'.repeat(30_000), `<p ${'a=b '.repeat(200_000)}>`, '&'.repeat(500_000), '&#x0;'.repeat(100_000)],
      ...['\ud800'.repeat(1000), 'é'.repeat(1_000_000), '東'.repeat(500_000), '\u0301'.repeat(300_000)],
      ...['x'.repeat(2_000_000), Array.from({ length: 200_000 }, (_, at) => at.toString(36)).join(' ')],
      ...[
        Buffer.alloc(1_000_000, 0xff),
        Buffer.alloc(1_000_000, 0xfe),
        '__proto__ constructor toString hasOwnProperty',
      ],
    ];
    await put('good', 'penguin');
    for (const [at, content] of hostile.entries()) {
      assert.ok(['indexed', 'unwanted'].includes((await put(`hostile${at}`, content)).kind), `number ${at}`);
    }
    assert.deepEqual(await found('penguin'), ['good: good']);
    assert.equal((await found('constructor')).length, 1);
    assert.equal(engine.losses, 0);
    assert.ok(engine.usage.bytes <= limit, `${engine.usage.bytes} bytes`);
  }).timeout(60_000);

  it('answers whatever somebody asks', async () => {
    start();
    for (let at = 0; at < 40; at++) {
      await put(`p${at}`, Array.from({ length: 3000 }, (_, word) => `con${word.toString(36)}x${at}`).join(' '));
    }
    const asked = [
      'con',
      'conn conm conz cona conb',
      '__proto__',
      'hasOwnProperty',
      '*',
      '.*',
      'a'.repeat(256),
      'con '.repeat(64),
    ];
    for (const words of [...asked, '\ud800', 'é́́́́', '東'.repeat(256), '%_', '"', "' OR 1=1", '\0']) await found(words);
    assert.equal(engine.losses, 0);
  }).timeout(60_000);

  it('has only so many questions wait', async () => {
    start();
    await put('a', 'penguin');
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => found('penguin')));
    const refused = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    assert.equal(refused.length, 4);
    assert.ok(
      refused.every(({ reason }) => reason instanceof SearchBusy),
      'because there are too many',
    );
    assert.deepEqual(await found('penguin'), ['a: a']);
  });

  it('leaves out questions for whose answers nobody waits any more', async () => {
    let asked = 0;
    start({
      open: (most) => {
        const thread = openIndexThread(most);
        const post = thread.postMessage.bind(thread);
        thread.postMessage = (call: { name: string }, transfer) => {
          if (call.name === 'search') asked++;
          post(call, transfer);
        };
        return thread;
      },
    });
    await put('a', 'penguin');
    const ending = new AbortController();
    const first = found('penguin');
    const others = [1, 2, 3].map(() => assert.rejects(found('penguin', ending.signal), SearchBusy));
    const last = found('penguin');
    ending.abort();
    await Promise.all(others);
    assert.deepEqual([await first, await last, asked], [['a: a'], ['a: a'], 2]);
  });

  /** A thread that does that with the pages named so, and is one of ours otherwise. */
  const badAt = (doing: string): SearchEngineOptions['open'] => {
    let isFirst = true;
    return (most) => {
      if (!isFirst) return openIndexThread(most);
      isFirst = false;
      const thread = new Worker(`require('node:worker_threads').parentPort.on('message', () => { ${doing} })`, {
        eval: true,
        resourceLimits: { maxOldGenerationSizeMb: 24 },
      });
      thread.unref();
      return thread;
    };
  };

  for (const [what, doing] of [
    ['ends', 'process.exit(1)'],
    ['fails', "throw new Error('on purpose')"],
    ['never answers', 'for (;;);'],
    ['takes all memory', 'const all = []; for (;;) all.push(new Array(10000).fill(all.length))'],
  ] as const) {
    it(`is made anew when its thread ${what}, without the page that it was at`, async () => {
      start({
        open: badAt(doing) as NonNullable<SearchEngineOptions['open']>,
        ...(what === 'never answers' && { patience: milliseconds(5000) }),
      });
      let lost = 0;
      engine.onLost(() => lost++);
      await assert.rejects(put('bad', 'penguin'), IndexLost);
      assert.deepEqual([lost, engine.losses], [1, 1]);
      assert.ok(events.join('').includes('http://docs.example/bad'), events.join(''));
      assert.deepEqual(await put('bad', 'penguin'), { kind: 'unreadable' });
      assert.equal((await put('good', 'penguin')).kind, 'indexed');
      assert.deepEqual(await found('penguin'), ['good: good']);
      if (what === 'takes all memory') assert.equal(engine.usage.limit, limit * 0.75);
    });
  }

  it('tells whoever waits that it was closed', async () => {
    start();
    await put('a', 'penguin');
    const asked = found('penguin');
    await Promise.all([assert.rejects(asked, IndexLost), engine.stop()]);
    await assert.rejects(put('b', 'penguin'), IndexLost);
    await assert.rejects(found('penguin'), IndexLost);
    await engine.stop();
  });
});
