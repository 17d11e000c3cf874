import assert from 'node:assert/strict';
import type { ExplainedRequest } from '../../proxy/admin/operator-explain.js';
import { contentOf } from '../faults/content.js';
import { assertSame, Constellation } from '../support/constellation.js';
import { frozen, liesToClients, otherBlockList } from '../support/lies-to-clients.js';
import { liesAboutGroup, type KnownLie } from '../support/lies.js';
import type { LyingParent } from '../support/lying-parent.js';
import type { RawResponse } from '../support/raw-client.js';
import { RunningClock } from '../support/running-clock.js';
import type { SiteNode } from '../support/site-node.js';
import { until } from '../support/waiting.js';

const files = {
  'index.html': '<!doctype html><title>Here</title>\n',
  'other.html': '<!doctype html><title>There</title>\n',
  'medium.bin': contentOf('medium', 1, 0, 300_000),
  'large.bin': contentOf('large', 1, 0, 3_000_000),
};

interface Reading {
  readonly path: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly method?: string;
}

const readings: readonly Reading[] = [
  ...['index.html', 'other.html', 'medium.bin', 'large.bin'].flatMap((path) => [{ path }, { path, method: 'HEAD' }]),
  { path: 'large.bin', fields: { Range: 'bytes=1500000-2600001' } },
  { path: 'medium.bin', fields: { Range: 'bytes=100-200' } },
  { path: 'not-there.html' },
];

const hour = 3_600_000;

const operator = { method: 'GET', host: 'localhost', side: 'admin' } as const;

describe('A client-side proxy believes nobody without proof', () => {
  let all: Constellation;
  let liar: LyingParent;
  let replica: SiteNode;
  let clock: RunningClock;

  async function start(): Promise<void> {
    clock = new RunningClock();
    all = await Constellation.start({
      files,
      replicas: 2,
      keys: { headers: [{ match: '**/*.html', set: { 'Content-Security-Policy': "default-src 'self'" } }] },
      client: { clientSide: { choice: 'random' } },
      clientClock: clock,
    });
    [replica] = all.replicas as readonly [SiteNode];
    liar = await all.corrupt(replica);
  }
  const close = (): Promise<void> | undefined => (all as Constellation | undefined)?.close();

  /** Reads everything at once, and compares all of it with what the primary says. */
  async function readAll(what: string, some: readonly Reading[] = readings): Promise<void> {
    const ask = ({ path, fields, method }: Reading): Promise<RawResponse> => all.get(path, fields, method);
    const answers = await Promise.all(some.map(ask));
    for (const [i, { path, fields, method }] of some.entries()) {
      const truth = await all.truth(path, fields, method);
      assertSame(answers[i] as RawResponse, truth, `${what}: ${method ?? 'GET'} ${path} ${fields?.['Range'] ?? ''}`);
    }
  }

  /** Who has sent what cannot be true, by the log. */
  function blamed(): ReadonlySet<unknown> {
    const refused = all.client.events.filter(({ code }) => code === 'wlis-refused');
    return new Set(refused.filter(({ isBlamed }) => isBlamed === true).map(({ url }) => url));
  }

  /** Whether log, metrics and `willis explain` say who has lied, and that it was nobody else. */
  async function assertNamed(): Promise<void> {
    assert.deepEqual([...blamed()], [replica.front.url], 'by the log');
    const metrics = (await all.client.ask({ ...operator, target: '/metrics' })).body.toString();
    const isCounted = new RegExp(`^willis_\\w*refused\\w*\\{[^}]*url="${replica.front.url}"[^}]*\\} [1-9]`, 'm').test(
      metrics,
    );
    assert.ok(isCounted, 'by the metrics');
    assert.deepEqual(await liarsExplained(), [replica.front.url]);
  }

  /** Who has sent what cannot be true, by `willis explain`. */
  async function liarsExplained(): Promise<readonly string[]> {
    const { body } = await all.client.ask({
      ...{ ...operator, method: 'POST', target: '/api/explain' },
      fields: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ url: `${all.site.namespace}large.bin` }),
    });
    const { choice } = JSON.parse(body.toString()) as ExplainedRequest;
    const liars = choice?.candidates.filter(({ failure }) => failure?.reason === 'false') ?? [];
    return liars.map(({ url }) => url);
  }

  describe('whatever is told to a client that knows nothing yet', () => {
    before(start);
    after(close);
    afterEach(() => all.mend());

    for (const lie of liesToClients()) {
      it(`rule 4: a replica that tells ${lie.name}`, async () => {
        liar.lie = lie;
        await until(async () => {
          // what one has been told by others it does not ask for again
          await all.forgetClient();
          await all.learned('index.html');
          await readAll(lie.name);
          // an answer that was overtaken by another one was not looked at
          return liar.told > 0 && (lie.outcome !== 'blamed' || blamed().size > 0);
        });
        if (lie.outcome === 'blamed') await assertNamed();
        liar.lie = null;
        await readAll('when it is honest again');
      });
    }
  });

  describe('whoever tells what the group is', () => {
    const told = liesAboutGroup.filter(({ about }) => !about.includes('replicas'));

    /** Whether the log says of whoever lies what is false about that. */
    const isRefused = ({ outcome }: KnownLie, url: string): boolean =>
      !(outcome instanceof RegExp) ||
      all.client.events.some(
        (event) => event.code === 'directory-refused' && event['url'] === url && outcome.test(String(event['reason'])),
      );

    before(start);
    after(close);
    afterEach(() => all.mend());

    for (const lie of told) {
      it(`decision 5: at the address of the primary, ${lie.name}`, async () => {
        const { primary } = all;
        const atPrimary = await all.corrupt(primary);
        atPrimary.lie = lie;
        await all.forgetClient();
        await until(async () => {
          await readAll(lie.name);
          return atPrimary.told > 0 && isRefused(lie, primary.front.url);
        });
        atPrimary.lie = null;
        clock.advance(hour);
        await all.learned('index.html');
        await readAll('when it is honest again');
      });
    }

    for (const lie of told.filter(({ about }) => about.includes('group'))) {
      it(`decision 5: a replica, when the group is to be renewed and the primary is away, ${lie.name}`, async () => {
        await all.forgetClient();
        await all.learned('index.html');
        liar.lie = lie;
        all.primary.front.mode = 'reset';
        clock.advance(hour);
        await until(async () => {
          await readAll(lie.name);
          return liar.told > 0 && isRefused(lie, replica.front.url);
        });
      });
    }
  });

  describe('after what has changed', () => {
    beforeEach(start);
    afterEach(close);

    it('rule 4: a replica that tells another block list', async () => {
      // its block list does not fit into a proof
      await all.site.put('long.bin', contentOf('long', 1, 0, 9_000_000));
      await all.site.inStep();
      // whoever has proven a document is asked for its list first, and where that takes long somebody else is, too
      for (const { front } of all.site.nodes)
        front.loses = (request) => request.endsWith('/long.bin') && front !== replica.front;
      liar.lie = otherBlockList;
      await until(async () => {
        await all.forgetClient();
        await all.learned('index.html');
        await readAll(otherBlockList.name, [{ path: 'long.bin' }]);
        return liar.told > 0 && blamed().size > 0;
      });
      await assertNamed();
    });

    it('decision 2: one that is frozen at an old state is believed for what was true, and nobody goes back', async () => {
      await all.learned('index.html');
      liar.lie = frozen();
      const short = readings.filter(({ path }) => !path.startsWith('l'));
      await until(async () => {
        await readAll('before', short);
        return liar.count('GET raw') >= 10;
      });
      const content = contentOf('medium', 2, 0, 300_000);
      await all.site.put('index.html', '<!doctype html><title>Now</title>\n');
      await all.site.put('medium.bin', content);
      await all.site.published();
      await until(async () => (await all.get('index.html')).body.includes('Now'));
      await until(async () => (await all.get('medium.bin')).body.equals(content));
      const before = liar.count('GET raw');
      await until(async () => {
        await readAll('what was read once is never older afterwards', short);
        return liar.count('GET raw') >= before + 10;
      });
    });
  });
});
