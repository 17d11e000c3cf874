import assert from 'node:assert/strict';
import { assertSame, Constellation } from '../support/constellation.js';
import { contentOf } from '../faults/content.js';
import type { FrontMode } from '../support/node-front.js';
import type { RawResponse } from '../support/raw-client.js';
import type { SiteNode } from '../support/site-node.js';
import { until } from '../support/waiting.js';

const files = {
  'index.html': '<!doctype html><title>Here</title>\n',
  'page.html': contentOf('page', 1, 0, 10_000),
  'medium.bin': contentOf('medium', 1, 0, 300_000),
  'large.bin': contentOf('large', 1, 0, 3_000_000),
};

interface Reading {
  readonly path: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly method?: string;
}

/** What readers ask for at once. */
const readings: readonly Reading[] = [
  ...Object.keys(files).flatMap((path) => [{ path }, { path, method: 'HEAD' }, { path }]),
  { path: '' },
  { path: 'large.bin', fields: { Range: 'bytes=1500000-2600001' } },
  { path: 'large.bin', fields: { Range: 'bytes=-70000' } },
  { path: 'medium.bin', fields: { Range: 'bytes=65536-' } },
  { path: 'not-there.html' },
];

const faults: Readonly<Record<string, FrontMode>> = {
  'does not listen': 'reset',
  'takes everything and says nothing': 'silent',
  'answers with errors': 'status',
  'breaks off in the head of its answers': { after: 40, then: 'cut' },
  'breaks off in the middle of its answers': { after: 1_000_000, then: 'cut' },
  'falls silent in the middle of its answers': { after: 1_000_000, then: 'stall' },
  'sends a byte a second': { after: 0, then: 'trickle' },
  'sends a byte a second after the first blocks': { after: 200_000, then: 'trickle' },
};

describe('A client-side proxy has every document while any copy can be reached', () => {
  let all: Constellation;
  let truths: readonly RawResponse[];

  before(async () => {
    all = await Constellation.start({
      files,
      keys: { headers: [{ match: '**/*.html', set: { 'Content-Security-Policy': "default-src 'self'" } }] },
      client: { clientSide: { patience: '1s', choice: 'random' } },
    });
    truths = await Promise.all(readings.map(({ path, fields, method }) => all.truth(path, fields, method)));
  });
  beforeEach(async () => {
    await all.forgetClient();
    await all.learned('index.html');
  });
  afterEach(() => all.mend());
  after(() => (all as Constellation | undefined)?.close());

  async function readAll(what: string): Promise<void> {
    const answers = await Promise.all(readings.map(({ path, fields, method }) => all.get(path, fields, method)));
    for (const [i, { path, fields, method }] of readings.entries()) {
      const said = `${what}: ${method ?? 'GET'} ${path} ${fields?.['Range'] ?? ''}`;
      assertSame(answers[i] as RawResponse, truths[i] as RawResponse, said);
    }
  }

  it('without a fault, too', () => readAll('all well'));

  for (const [fault, mode] of Object.entries(faults)) {
    it(`rule 11: whichever node ${fault}, the primary too`, async () => {
      for (const node of all.site.nodes) {
        const { name } = node.options;
        node.front.breakAll();
        node.front.mode = mode;
        const { connections } = node.front;
        await until(async () => {
          await readAll(`${name} ${fault}`);
          return node.front.connections > connections;
        });
        node.front.mode = 'pass';
      }
    });
  }

  it('rule 11: all but one fail, each in its own way', async () => {
    const modes = Object.values(faults);
    for (const [i, left] of all.site.nodes.entries()) {
      for (const [j, node] of all.site.nodes.entries()) {
        if (node !== left) node.front.mode = modes[(3 * i + 2 * j + 1) % modes.length] as FrontMode;
      }
      await readAll(`only ${left.options.name} is well`);
      all.mend();
    }
  });

  it('and if nobody is left, it says so or breaks off: no short content looks whole', async () => {
    for (const { front } of all.site.nodes) front.mode = { after: 60_000, then: 'cut' };
    const outcome = await all.get('large.bin').catch((error: unknown) => error);
    if (outcome instanceof Error) assert.match(outcome.message, /the connection ended where \d+ bytes of content/);
    else assert.ok((outcome as RawResponse).status >= 500, `status ${(outcome as RawResponse).status}`);
    all.mend();
    assertSame(await all.get('large.bin'), await all.truth('large.bin'), 'when they are well again');
  });

  it('a node that comes back is asked again', async () => {
    const [replica] = all.replicas as readonly [SiteNode];
    replica.front.mode = 'reset';
    await readAll('one is away');
    replica.front.mode = 'pass';
    const before = all.rawRequests([replica]);
    await until(async () => {
      await readAll('it is back');
      return all.rawRequests([replica]) > before;
    });
  });
});
