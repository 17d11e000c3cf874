import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { explain } from '../../proxy/cli/explain.js';
import { purge } from '../../proxy/cli/purge.js';
import { stats, type Screen } from '../../proxy/cli/stats.js';
import { plainStyle } from '../../proxy/cli/text-style.js';
import { OperatedWillis } from '../admin/operator-fixture.js';
import { makeCertificates } from '../support/certificates.js';
import { answer, type ScriptedFields } from '../support/origin-scripts.js';
import { TempDir } from '../support/temp-dir.js';
import { runWillis, type EndedWillis } from '../support/willis-program.js';
import { outcomeOf } from '../support/willis.js';
import { Terminal } from './terminal.js';

const text = { style: plainStyle, width: 200 };

describe('the commands for a running node', () => {
  let node: OperatedWillis;
  let directory: TempDir;
  let terminal: Terminal;
  /** What tells a command where the node is. */
  let there: { admin: string };

  beforeEach(async () => {
    directory = await TempDir.create();
    terminal = new Terminal(directory.path);
    node = await OperatedWillis.start();
    there = { admin: `http://127.0.0.1:${node.port}` };
  });
  afterEach(async () => {
    await node.stop();
    await directory.remove();
  });

  const store = async (path: string, fields: ScriptedFields = {}): Promise<void> => {
    node.willis.serve(answer(200, { 'Cache-Control': 'max-age=600', ETag: '"1"', ...fields }, 'stored'));
    await node.willis.get(path);
  };

  describe('purge', () => {
    const purged = async (url: string | undefined, options: Parameters<typeof purge>[1] = {}): Promise<string> => {
      terminal.stdout = '';
      assert.equal(await purge(url, { ...there, ...options }, terminal), 0, terminal.stderr);
      return terminal.stdout;
    };

    it('marks stale, and says how much', async () => {
      await store('/a');
      assert.equal(
        await purged('http://site.test/a'),
        '1 stored response for http://site.test/a marked stale: the next request asks the origin server whether it is still good.\n',
      );
      assert.equal(outcomeOf(await node.willis.get('/a')), 'stale');
      assert.equal(await purged('http://site.test/b'), 'Nothing is stored for http://site.test/b.\n');
    });

    it('takes a URL as it is pasted: without its scheme, with a fragment, not yet percent-encoded', async () => {
      await store('/%C3%BC%20b');
      assert.match(await purged(' site.test/ü b#part\n'), /^1 stored response/);
      assert.match(await purged('HTTP://Site.Test/ü b'), /^1 stored response/);
    });

    it('takes a prefix, a host or a cache group, and forgets with --hard', async () => {
      for (const path of ['/s/a', '/s/b', '/c']) await store(path, { 'Cache-Groups': '"g"' });
      assert.match(
        await purged('site.test/s/', { prefix: true }),
        /^2 stored responses for whatever begins with site\.test\/s\/ marked stale: the next request for each/,
      );
      assert.match(
        await purged(undefined, { group: 'g', origin: 'http://site.test' }),
        /^3 stored responses for the group g of http:\/\/site\.test/,
      );
      assert.equal(
        await purged(undefined, { host: 'site.test', hard: true }),
        '3 stored responses for the host site.test forgotten.\n',
      );
      assert.equal(await purged(undefined, { host: 'site.test' }), 'Nothing is stored for the host site.test.\n');
    });

    it('prints the answer of the node with --json', async () => {
      await store('/a');
      const { purged: count, mode } = JSON.parse(await purged('site.test/a', { json: true })) as {
        purged: number;
        mode: string;
      };
      assert.deepEqual([count, mode], [1, 'soft']);
    });

    for (const [url, options, why] of [
      [undefined, {}, /say what to purge/],
      ['http://a.test/', { host: 'a.test' }, /cannot go together/],
      [undefined, { host: 'a.test', prefix: true }, /--prefix goes with a URL/],
      [undefined, { group: 'g' }, /--group and --origin go together/],
      ['ftp://a.test/', {}, /only http and https URIs are stored: 'ftp:\/\/a\.test\/' \(request \S+\)/],
    ] as const) {
      it(`of ${JSON.stringify([url, options])} fails and says why`, async () => {
        assert.equal(await purge(url, { ...there, ...options }, terminal), 1);
        assert.match(terminal.stderr, /^willis: .*\n$/);
        assert.match(terminal.stderr, why);
        assert.equal(terminal.stdout, '');
      });
    }
  });

  describe('explain', () => {
    const explained = async (
      url: string,
      options: Parameters<typeof explain>[1] = {},
      width = 200,
    ): Promise<string> => {
      terminal.stdout = '';
      assert.equal(await explain(url, { ...there, ...options }, terminal, { ...text, width }), 0, terminal.stderr);
      return terminal.stdout;
    };

    it('tells which rule governs a URL, and how it keeps what is stored', async () => {
      const match = 'http://site.test/a/';
      await node.willis.reload({ cache: { rules: [{ match, pin: true, maxBytes: '3MiB', lifetime: '1h' }] } });
      const said = 'stored, pinned, at most 3 MiB together, lifetime 1h where none is named';
      assert.match(await explained('site.test/a/b'), new RegExp(`rule +cache\\.rules, ${match}: ${said}\n`));
      await node.willis.reload({ cache: { rules: [{ match }] } });
      assert.match(await explained('site.test/a/b'), new RegExp(`rule +cache\\.rules, ${match}: stored\n`));
    });

    it('tells a person what is stored, and what the next request would do', async () => {
      await store('/a', { 'Content-Type': 'text/plain', 'Cache-Groups': '"g"' });
      node.willis.clock.advance(30_000);
      assert.equal(
        await explained('site.test/a'),
        `GET http://site.test/a
  side           reverse side
  site           */ from ${node.willis.origin.url('/')}
  key            site|http://site.test/a

The next such request
  hit            Answered from the store: the stored response is fresh for another 9 min 30 s.
  Cache-Status   willis; hit; ttl=570

1 stored response

  200 · text/plain · 6 B
    fresh          for another 9 min 30 s (age 30 s of 10 min, by max-age)
    received       2026-01-01 00:00:00 UTC
    governed by    max-age=600
    when stale     stands in if the origin server cannot be reached
    validators     ETag "1"
    groups         g
`,
      );
    });

    it('tells of variants which is selected, and where the others differ', async () => {
      for (const language of ['de', 'fr']) {
        node.willis.serve(answer(200, { 'Cache-Control': 'max-age=600', Vary: 'Accept-Language' }, language));
        await node.willis.get('/a', { 'Accept-Language': language });
      }
      const told = await explained('site.test/a', { header: ['Accept-Language: de'] });
      assert.match(told, /2 stored responses\n\n {2}1\. 200 · 2 B\n {4}varies by +accept-language: 'fr', here 'de'\n/);
      assert.match(
        told,
        /\n {2}2\. 200 · 2 B ◀ selected\n {4}selected +the only one whose selecting fields the request matches\n {4}varies by +accept-language: 'de'\n/,
      );
    });

    it('tells with which fields it would ask, and what if that fails', async () => {
      await store('/a');
      await purge('site.test/a', there, terminal);
      const told = await explained('site.test/a', { as: '192.0.2.1', request: 'HEAD' });
      assert.match(told, /^HEAD http/);
      assert.match(told, /client +192\.0\.2\.1 allowed\n/);
      assert.match(told, /validates +Validated: it was purged softly and has been stale for 0 s\./);
      assert.match(told, /asks with +If-None-Match: "1"\n/);
      assert.match(
        told,
        /if that fails +the stale response if the origin server cannot be reached, an error if it answers 5xx\n/,
      );
    });

    it('of what is not stored tells no more than that', async () => {
      const told = await explained('https://elsewhere.test/', { side: 'proxy' });
      assert.match(told, /side +forward proxy\n/);
      assert.match(told, /note +browsers reach https through a tunnel/);
      assert.match(
        told,
        /forwarded +Forwarded: nothing is stored under this key\.\n {2}Cache-Status +willis; fwd=uri-miss\n$/,
      );
    });

    it('tells what a logical name stands for, and who gave it', async () => {
      await node.willis.reload({ wlis: { names: { manual: 'https://docs.example/m/' } } });
      const told = await explained('http://manual.wlis/a');
      assert.match(told, /^GET https:\/\/docs\.example\/m\/a\n/);
      assert.match(told, /name +http:\/\/manual\.wlis\/a, listed as manual\.wlis by wlis\.names\n/);
      assert.doesNotMatch(told, /tunnel/);
    });

    it('keeps lines within the width of the terminal, and what others sent from steering it', async () => {
      await store('/a', { ETag: '"\x9b31m"', 'Content-Type': `text/plain; x=${'y '.repeat(100)}` });
      const told = await explained('site.test/a', {}, 60);
      // eslint-disable-next-line no-control-regex -- that there are none
      assert.doesNotMatch(told, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
      const facts = told.split('\n').filter((line) => line.startsWith('    '));
      assert.ok(facts.length > 5, String(facts.length));
      for (const line of facts) assert.ok(line.length <= 60, line);
    });

    it('prints the answer of the node with --json', async () => {
      await store('/a');
      const { next, stored } = JSON.parse(await explained('site.test/a', { json: true })) as {
        next: { plan: string };
        stored: unknown[];
      };
      assert.deepEqual([next.plan, stored.length], ['hit', 1]);
    });

    it('fails and says why for a malformed field', async () => {
      assert.equal(await explain('site.test/a', { ...there, header: ['Accept'] }, terminal, text), 1);
      assert.equal(terminal.stderr, "willis: -H 'Accept': expected 'Name: value'\n");
    });
  });

  describe('stats', () => {
    const told = async (options: Parameters<typeof stats>[0] = {}, screen: Screen | null = null): Promise<string> => {
      terminal.stdout = '';
      assert.equal(await stats({ ...there, ...options }, terminal, text, screen), 0, terminal.stderr);
      return terminal.stdout;
    };

    it('tells requests, hits, bytes and outcomes as they were, without what operators ask', async () => {
      await store('/a');
      for (let i = 0; i < 3; i++) await node.willis.get('/a');
      await node.ask('GET', '/');
      const shown = await told();
      assert.match(shown, /^willis, running/);
      assert.match(shown, /requests +4\b/);
      assert.match(shown, /hits +75\.0 % of requests, /);
      assert.match(shown, /memory +1 response, /);
      assert.match(shown, /\n {2}hit +3 +\d+ B\n {2}fwd=uri-miss +1 +\d+ B\n$/);
    });

    it('tells what is pinned', async () => {
      await node.willis.reload({ cache: { rules: [{ match: 'http://site.test/a', pin: true }] } });
      for (const path of ['/a', '/b']) await store(path);
      assert.match(await told(), /memory +2 responses, 5\.2 KiB of 256 MiB, 0 evicted, 2\.6 KiB pinned\n/);
    });

    it('prints all numbers with --json', async () => {
      const shown = JSON.parse(await told({ json: true })) as { node: { name: string }; families: { name: string }[] };
      assert.equal(shown.node.name, 'willis');
      assert.equal(
        shown.families.some(({ name }) => name === 'willis_requests_total'),
        true,
      );
    });

    it('is drawn anew with rates on a screen until somebody leaves, and once elsewhere', async () => {
      let pauses = 0;
      const screen: Screen = {
        size: () => ({ width: 80, height: 40 }),
        pause: async () => {
          node.willis.clock.advance(1000);
          await store('/a');
          return ++pauses < 3;
        },
      };
      const shown = await told({ watch: true }, screen);
      const [, ...drawings] = shown.split('\x1b[H');
      assert.equal(drawings.length, 3);
      assert.match(drawings[1]!, /requests +1 \(1 a second\)/);
      assert.match(drawings[2]!, /\n {2}hit +1 +\d+ B +1\/s/);
      assert.ok(shown.startsWith('\x1b[?25l') && shown.endsWith('\x1b[?25h'), 'the cursor comes back');
      assert.doesNotMatch(await told({ watch: true }), /\x1b/); // eslint-disable-line no-control-regex -- that there is none
    });
  });

  describe('find their node', () => {
    let other: Server | undefined;
    afterEach(() => other?.close());

    const failing = async (options: Parameters<typeof stats>[0]): Promise<string> => {
      terminal.stderr = '';
      assert.equal(await stats(options, terminal, text, null), 1);
      return terminal.stderr;
    };

    it('by the configuration that it was started with, its token included', async () => {
      await directory.write('token', 'c2VjcmV0\n');
      await directory.write(
        'c.yaml',
        `listen: {admin: "0.0.0.0:${node.port}"}\naccess: {operator: {tokenFile: token}}\n`,
      );
      assert.equal(await stats({ config: 'c.yaml' }, terminal, text, null), 0, terminal.stderr);
      await directory.write('proxy.config.yaml', `listen: {admin: "127.0.0.1:${node.port}"}\n`);
      assert.equal(await stats({}, terminal, text, null), 0, terminal.stderr);
    });

    it('and say which address was tried, and where it comes from', async () => {
      await directory.write('c.yaml', 'listen: {admin: "127.0.0.1:1"}\n');
      assert.equal(
        await failing({ config: 'c.yaml' }),
        'willis: no answer from http://127.0.0.1:1/ (listen.admin of c.yaml): nobody listens there. Is the node running?\n',
      );
      assert.match(
        await failing({ admin: 'http://127.0.0.1:1' }),
        /http:\/\/127\.0\.0\.1:1\/ \(--admin\): nobody listens/,
      );
    });

    it('or end with 2 for a configuration that cannot stand', async () => {
      await directory.write('c.yaml', 'lisen: {}\n');
      assert.equal(await stats({ config: 'c.yaml' }, terminal, text, null), 2);
      assert.match(terminal.stderr, /^c\.yaml:1:1 lisen: expected/);
    });

    it('and say so where the configuration has none, or the address is no URL', async () => {
      await directory.write('c.yaml', 'listen: {admin: null}\n');
      assert.match(await failing({ config: 'c.yaml' }), /listen\.admin is null/);
      await directory.write('c.yaml', 'listen: {admin: "127.0.0.1:0"}\n');
      assert.match(await failing({ config: 'c.yaml' }), /say --admin URL/);
      for (const admin of ['127.0.0.1:3180', 'ftp://a/', 'http://a/path', 'http://u:p@a/']) {
        assert.match(await failing({ admin }), /--admin: expected an http or https URL/);
      }
    });

    it('and say so where something else answers', async () => {
      other = createServer((_, response) => response.end('hello'));
      await new Promise<void>((resolve) => other?.listen(0, '127.0.0.1', resolve));
      const admin = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
      assert.match(await failing({ admin }), /is no Willis, or an older one: status 200/);
    });

    it('by the certificate that is configured, and believe no other', async () => {
      const [mine, others] = [await makeCertificates(), await makeCertificates()];
      for (const [name, { leaf }] of Object.entries({ mine, others })) {
        await directory.write(`${name}.pem`, leaf.cert);
        await directory.write(`${name}.key`, leaf.key);
      }
      const tls = (name: string) => ({ cert: `${directory.path}/${name}.pem`, key: `${directory.path}/${name}.key` });
      const listen = { proxy: null, site: null, admin: { address: '127.0.0.1:0', tls: tls('mine') } };
      const secure = await OperatedWillis.start({ listen, roles: [], sites: [] });
      try {
        const configFor = (name: string): string =>
          JSON.stringify({ listen: { admin: { address: `127.0.0.1:${secure.port}`, tls: tls(name) } } });
        await directory.write('mine.yaml', configFor('mine'));
        await directory.write('others.yaml', configFor('others'));
        assert.equal(await stats({ config: 'mine.yaml' }, terminal, text, null), 0, terminal.stderr);
        assert.match(await failing({ config: 'others.yaml' }), /another certificate than the one that is configured/);
      } finally {
        await secure.stop();
      }
    });

    it('and say where the token is to come from, where one is wanted', async () => {
      await directory.write('token', 'c2VjcmV0');
      await directory.write('wrong', 'd3Jvbmc=');
      const guarded = await OperatedWillis.start({ access: { operator: { tokenFile: `${directory.path}/token` } } });
      try {
        const admin = `http://127.0.0.1:${guarded.port}`;
        assert.match(
          await failing({ admin, tokenFile: 'wrong' }),
          /^willis: This needs the token of the operator\. the one that was sent is not it \(request \S+\)\n$/,
        );
        assert.equal(await stats({ admin, tokenFile: 'token' }, terminal, text, null), 0);
        assert.match(await failing({ admin, tokenFile: 'none' }), /the token cannot be read: ENOENT/);
      } finally {
        await guarded.stop();
      }
    });
  });

  it('run as programs, with their exit codes', async () => {
    await store('/a');
    const willis = (...words: string[]): Promise<EndedWillis> => runWillis(directory.path, words);
    await directory.write('c.yaml', `listen: {admin: "127.0.0.1:${node.port}"}\n`);
    const [explained, shown, refused] = await Promise.all([
      willis(
        'explain',
        '-c',
        'c.yaml',
        'site.test/a',
        '-H',
        'Accept: text/html',
        '-H',
        'Accept-Language: de',
        '--json',
      ),
      willis('stats', '--admin', there.admin, '--watch'),
      willis('purge', '-c', join(directory.path, 'c.yaml'), 'ftp://site.test/'),
    ]);
    assert.equal((JSON.parse(explained.stdout) as { next: { plan: string } }).next.plan, 'hit');
    assert.match(shown.stdout, /^willis, running/);
    assert.deepEqual([explained.code, shown.code, refused.code], [0, 0, 1]);
    assert.match(refused.stderr, /only http and https URIs/);
    const purged = await willis('purge', '-c', 'c.yaml', '--hard', 'site.test/a');
    assert.deepEqual([purged.code, purged.stdout], [0, '1 stored response for site.test/a forgotten.\n']);
  });
});
