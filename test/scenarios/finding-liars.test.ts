import assert from 'node:assert/strict';
import { contentOf } from '../faults/content.js';
import { assertSame, Constellation } from '../support/constellation.js';
import { frozen, liesToClients, type LieToClients } from '../support/lies-to-clients.js';
import { liesAboutGroup } from '../support/lies.js';
import type { LyingParent } from '../support/lying-parent.js';
import type { RawResponse } from '../support/raw-client.js';
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
  ...Object.keys(files).flatMap((path) => [{ path }, { path, method: 'HEAD' }]),
  { path: 'large.bin', fields: { Range: 'bytes=1500000-2600001' } },
  { path: 'medium.bin', fields: { Range: 'bytes=100-200' } },
  { path: 'not-there.html' },
];

describe('A client-side proxy believes nobody without proof', () => {
  let all: Constellation;
  let liar: LyingParent;
  let replica: SiteNode;

  beforeEach(async () => {
    all = await Constellation.start({
      files,
      replicas: 2,
      keys: { headers: [{ match: '**/*.html', set: { 'Content-Security-Policy': "default-src 'self'" } }] },
      client: { clientSide: { patience: '1s', choice: 'random' } },
    });
    [replica] = all.replicas as readonly [SiteNode];
    liar = await all.corrupt(replica);
    await all.learned('index.html');
  });
  afterEach(() => (all as Constellation | undefined)?.close());

  /** Reads everything at once, and compares all of it with what the primary says. */
  async function readAll(what: string): Promise<void> {
    const ask = ({ path, fields, method }: Reading): Promise<RawResponse> => all.get(path, fields, method);
    const answers = await Promise.all(readings.map(ask));
    for (const [i, { path, fields, method }] of readings.entries()) {
      const truth = await all.truth(path, fields, method);
      assertSame(answers[i] as RawResponse, truth, `${what}: ${method ?? 'GET'} ${path} ${fields?.['Range'] ?? ''}`);
    }
  }

  const isToldOf = (): boolean =>
    all.client.events.some((event) => JSON.stringify(event).includes(replica.front.url) && event['level'] !== 'debug');

  for (const lie of liesToClients()) {
    it(`rule 4: a replica that tells ${lie.name}`, async () => {
      liar.lie = lie;
      await until(async () => {
        await readAll(lie.name);
        return liar.told > 0;
      });
      if (lie.outcome === 'blamed') assert.ok(isToldOf(), `the log names ${replica.front.url}`);
      liar.lie = null;
      await readAll('when it is honest again');
    });
  }

  it('decision 2: one that is frozen at an old state is believed for what was true, and nobody goes back', async () => {
    const lie: LieToClients = frozen();
    liar.lie = lie;
    await readAll('before');
    await all.site.put('index.html', '<!doctype html><title>Now</title>\n');
    await all.site.put('large.bin', contentOf('large', 2, 0, 3_000_000));
    await all.site.published();
    await until(async () => (await all.get('index.html')).body.includes('Now'));
    for (let time = 0; time < 20; time++) {
      const { body } = await all.get('index.html');
      assert.ok(body.includes('Now'), 'what was read once is never older afterwards');
    }
  });

  for (const lie of liesAboutGroup.filter(({ about }) => !about.includes('replicas'))) {
    it(`decision 5: a replica that tells of the group ${lie.name}`, async () => {
      liar.lie = lie;
      for (let time = 0; time < 3; time++) await readAll(lie.name);
    });
  }
});
