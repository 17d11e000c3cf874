import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes, epochMs } from '../../../config/units.js';
import type { Directory } from '../../../wlis/directory/directory.js';
import type { DirectorySettings } from '../../../wlis/directory/directory-settings.js';
import { RecordsFeed } from '../../../wlis/directory/records-feed.js';
import {
  cursorText,
  feedTail,
  parseCursor,
  parseFeedPage,
  recordLine,
} from '../../../wlis/directory/records-format.js';
import { newEpoch } from '../../../wlis/trust/epoch.js';
import type { SigningKey } from '../../../wlis/trust/jws.js';
import { signName } from '../../../wlis/trust/name-statement.js';
import { rootChainText } from '../../../wlis/trust/root-chain.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TempDir } from '../../support/temp-dir.js';
import { disbelief } from '../trust/disbelief.js';
import { keyNamed } from '../trust/keys-example.js';
import {
  KnownNetwork,
  openDirectory,
  replicaAt,
  targetOf,
  TestAuthority,
  type OpenedDirectory,
} from './known-network.js';

const aPage = bytes(1_048_576);

/** A feed of somebody who publishes, such as a primary. */
class Feed {
  readonly feed: RecordsFeed;

  constructor(network: KnownNetwork, url: string, clock: FakeClock) {
    this.feed = new RecordsFeed(newEpoch(null, clock.now(), new Uint8Array(8)));
    network.nodes.set(url, ({ pathname, searchParams }) => {
      if (pathname !== '/records') return 404;
      const page = this.feed.since(parseCursor(searchParams.get('since') ?? ''), aPage);
      return [...page.lines, feedTail(page), ''].join('\n');
    });
  }
}

describe('what directories tell each other', () => {
  const rooms: TempDir[] = [];
  const opened: Directory[] = [];
  let clock: FakeClock;
  let network: KnownNetwork;

  beforeEach(() => {
    clock = new FakeClock();
    network = new KnownNetwork();
  });
  const close = async (): Promise<void> => {
    for (const directory of opened.splice(0)) await directory.stop();
    for (const room of rooms.splice(0)) await room.remove();
  };
  afterEach(close);

  const open = async (settings: Partial<DirectorySettings>): Promise<OpenedDirectory> => {
    const room = await TempDir.create();
    rooms.push(room);
    const one = await openDirectory(room, network, clock, { isDirectory: true, ...settings });
    opened.push(one.directory);
    return one;
  };

  describe('between two of them', () => {
    const [origin, first, second] = ['http://docs.example', 'http://one.example', 'http://two.example'];
    let authority: TestAuthority;
    let one: OpenedDirectory;
    let two: OpenedDirectory;

    beforeEach(async () => {
      authority = await TestAuthority.make(origin, clock);
      const group = await authority.group(1);
      network.serve(authority, () => group.jws);
      one = await open({});
      network.serveDirectory(first, one.directory);
      one.directory.heard({ namespace: authority.namespace(), version: 1, at: origin });
      await one.directory.settled();
      two = await open({ peers: [first], roots: new Map([[origin, authority.root.id]]), firstUse: false });
      await two.directory.exchange();
      network.serveDirectory(second, two.directory);
    });
    const versionAt = ({ directory }: OpenedDirectory): number | undefined =>
      directory.get(authority.namespace())?.group.group.version;

    it('one learns what the other has learned, without the authority', () => {
      assert.equal(versionAt(two), versionAt(one));
      assert.ok(!network.calls.includes(`${origin} undefined`), 'nobody else is asked');
      assert.equal(two.directory.book.authority(origin)?.pin?.learnedBy, 'configured');
    });

    it('only what is different travels', async () => {
      const before = two.directory.peers[0]?.received ?? 0;
      await two.directory.exchange();
      const [nothingNew] = [(two.directory.peers[0]?.received ?? 0) - before];
      assert.ok(nothingNew < 120, `${nothingNew} bytes where nothing is new`);
      await one.directory.book.get(authority.namespace())?.take((await authority.group(2)).jws);
      await two.directory.exchange();
      assert.equal(versionAt(two), versionAt(one));
      const { records } = two.directory.peers[0] ?? { records: null };
      assert.equal(records?.news, 2, 'the group, twice; the root was judged with the first one');
    });

    it('whoever is removed is gone everywhere with the next statement, and does not come back with an old one', async () => {
      const old = await authority.group(2, { replicas: [await replicaAt('http://m1.example', clock)] });
      await one.directory.book.get(authority.namespace())?.take(old.jws);
      await two.directory.exchange();
      assert.equal(two.directory.get(authority.namespace())?.group.group.replicas.length, 1);
      await one.directory.book.get(authority.namespace())?.take((await authority.group(3)).jws);
      await two.directory.exchange();
      assert.equal(two.directory.get(authority.namespace())?.group.group.replicas.length, 0);
      const feed = new Feed(network, 'http://old.example', clock);
      feed.feed.put({ kind: 'group', about: authority.namespace(), text: old.jws });
      await two.directory.configure({ ...two.directory.settings, peers: [first, 'http://old.example'] });
      await two.directory.exchange();
      assert.equal(two.directory.get(authority.namespace())?.group.group.replicas.length, 0);
    });

    it('a newer root comes before what needs it', async () => {
      const successor = await keyNamed('successor');
      await authority.state(['/'], successor);
      await one.directory.book.authority(origin)?.offer(rootChainText(authority.chain));
      await one.directory.book.get(authority.namespace())?.take((await authority.group(4, {}, successor)).jws);
      await two.directory.exchange();
      assert.equal(versionAt(two), versionAt(one));
      const late = await open({ peers: [second], roots: new Map([[origin, authority.root.id]]) });
      await late.directory.exchange();
      assert.equal(versionAt(late), versionAt(one), 'for who begins now too');
    });

    it('a peer that restarts is read from its beginning', async () => {
      const [room] = rooms;
      await one.directory.stop();
      const again = await openDirectory(room as TempDir, network, clock, { isDirectory: true });
      opened.push(again.directory);
      network.serveDirectory(first, again.directory);
      await again.directory.book.get(authority.namespace())?.take((await authority.group(5)).jws);
      await two.directory.exchange();
      assert.equal(versionAt(two), versionAt(again));
    });

    it('heads travel when there is a change, and again only when they have expired', async () => {
      const known = one.directory.book.get(authority.namespace());
      const [head, next] = [await authority.head(1), await authority.head(2)];
      await known?.takeHead(head.jws);
      await two.directory.exchange();
      assert.equal(two.directory.get(authority.namespace())?.head?.jws, head.jws);
      clock.advance(60_000);
      const sameAgain = await authority.head(1);
      await known?.takeHead(sameAgain.jws);
      await two.directory.exchange();
      assert.equal(two.directory.get(authority.namespace())?.head?.jws, head.jws);
      await known?.takeHead(next.jws);
      await two.directory.exchange();
      assert.equal(two.directory.get(authority.namespace())?.head?.jws, next.jws);
    });

    it('what is no longer known is no longer told', async () => {
      await one.directory.forget(origin);
      const page = await one.directory.feed.page(null);
      assert.deepEqual(page.lines, []);
    });

    it('a node that is no directory tells nothing of what it has learned', async () => {
      await one.directory.configure({ ...one.directory.settings, isDirectory: false });
      assert.deepEqual((await one.directory.feed.page(null)).lines, []);
      await one.directory.configure({ ...one.directory.settings, isDirectory: true });
      assert.equal((await one.directory.feed.page(null)).lines.length, 2);
    });
  });

  describe('of a hostile one', () => {
    const evil = 'http://evil.example';

    it('nothing is believed that is not signed by whom the root names, and what is known stays', async () => {
      const origin = 'http://docs.example';
      const authority = await TestAuthority.make(origin, clock);
      const good = await authority.group(1);
      network.serve(authority, () => good.jws);
      const { directory } = await open({ peers: [evil] });
      directory.heard({ namespace: authority.namespace(), version: 1, at: origin });
      await directory.settled();
      const stranger = await keyNamed('stranger');
      const forged = await TestAuthority.make('http://forged.example', clock);
      const { feed } = new Feed(network, evil, clock);
      const namespace = authority.namespace();
      feed.put({ kind: 'root', about: origin, text: rootChainText(forged.chain) });
      feed.put({ kind: 'group', about: namespace, text: (await authority.group(9, {}, stranger)).jws });
      feed.put({ kind: 'group', about: 'http://DOCS.example/', text: good.jws });
      feed.put({ kind: 'head', about: namespace, text: `${(await authority.head(1)).jws}x` });
      feed.put({ kind: 'name', about: 'x', text: (await nameBy(stranger, 'bank', 1, 'http://evil.example/')).jws });
      feed.put({ kind: 'group', about: 'http://victim.example/', text: good.jws });
      await directory.exchange();
      await directory.settled();
      assert.equal(directory.get(namespace)?.group.jws, good.jws);
      assert.equal(directory.get(namespace)?.head, null);
      assert.equal(directory.names.size, 0);
      assert.equal(directory.book.size, 1);
      assert.equal(network.count('http://victim.example root'), 1);
      const { records } = directory.peers[0] ?? { records: null };
      assert.equal(records?.refused, 6);
      assert.ok(directory.refusals.last.length >= 5, 'each has its reason');
    });

    it('one that names thousands of authorities has few of them asked', async () => {
      const { feed } = new Feed(network, evil, clock);
      const { directory } = await open({ peers: [evil] });
      for (let i = 0; i < 3000; i++) feed.put({ kind: 'group', about: `http://h${i}.example/`, text: 'x' });
      await directory.exchange();
      assert.ok(
        network.calls.filter((call) => call.endsWith(' root')).length <= 3 * 64,
        `${network.calls.length} calls`,
      );
    });

    it('one that is far away cannot have this node call what is near to it; one that is near can', async () => {
      const near = await TestAuthority.make('http://10.0.0.9', clock);
      const group = await near.group(1);
      network.serve(near, () => group.jws);
      const lan = 'http://10.0.0.1';
      for (const [peer, calls] of [
        [evil, 0],
        [lan, 1],
      ] as const) {
        const { feed } = new Feed(network, peer, clock);
        feed.put({ kind: 'group', about: near.namespace(), text: group.jws });
        const { directory } = await open({ peers: [peer] });
        await directory.exchange();
        assert.equal(network.count(`${near.origin} root`), calls, peer);
        assert.equal(directory.book.size, calls);
      }
    });

    for (const [what, text] of [
      ['a page that was cut short', `${recordLine({ kind: 'group', about: 'http://a.example/', text: 'x' })}\n`],
      ['no NDJSON', '<html>'],
      ['nothing', ''],
      ['a tail of another count', `{"count":1,"cursor":"1700000000000-0011223344556677.1","kind":"records/1"}\n`],
    ] as const) {
      it(`${what} counts for nothing, and it is asked again`, async () => {
        network.nodes.set(evil, () => text);
        const { directory } = await open({ peers: [evil] });
        await directory.exchange();
        const [state] = directory.peers;
        assert.ok(state !== undefined && state.failures > 0, 'it failed');
        assert.equal(state.records.news, 0);
        assert.equal(directory.refusals.counts['malformed'], state.failures);
      });
    }

    it('one that gives pages without an end is left after a while', async () => {
      let asked = 0;
      network.nodes.set(evil, () => {
        asked++;
        return `{"count":0,"cursor":"1700000000000-0011223344556677.${asked}","kind":"records/1","more":true}\n`;
      });
      const { directory } = await open({ peers: [evil] });
      await directory.exchange();
      assert.ok(asked <= 2000, `${asked} pages`);
    });
  });

  it('whatever is published where, in whatever order, and however they are cut off from each other: in the end all know the same, and no version ever goes back', async () => {
    const size = 5;
    const keys = await Promise.all(['naming 1', 'naming 2'].map(keyNamed));
    const step = fc.record({
      at: fc.nat(size - 1),
      authority: fc.nat(2),
      version: fc.nat(4),
      seq: fc.nat(4),
      name: fc.nat(1),
      by: fc.nat(1),
      /** Whom it can reach while it asks the others. */
      reachable: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
      isPublished: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        clock = new FakeClock();
        network = new KnownNetwork();
        await converge(steps);
        await close();
      }),
      { numRuns: 12 },
    );

    async function converge(steps: readonly (typeof step extends fc.Arbitrary<infer S> ? S : never)[]): Promise<void> {
      const authorities = await Promise.all([0, 1, 2].map((n) => TestAuthority.make(`http://site${n}.example`, clock)));
      const urlOf = (n: number): string => `http://dir${n}.example`;
      const settings = {
        roots: new Map(authorities.map(({ origin, root }) => [origin, root.id] as const)),
        namingKeys: keys.map(({ id }) => id),
      };
      const feeds = Array.from({ length: size }, (_, n) => new Feed(network, `http://feed${n}.example`, clock));
      const nodes: OpenedDirectory[] = [];
      for (let n = 0; n < size; n++) {
        const others = Array.from({ length: size }, (_, i) => urlOf(i)).filter((_, i) => i !== n);
        nodes.push(await open({ ...settings, peers: [`http://feed${n}.example`, ...others] }));
      }
      const reach = (who: readonly boolean[]): void =>
        nodes.forEach(({ directory }, n) => {
          if (who[n] === true) network.serveDirectory(urlOf(n), directory);
          else network.nodes.delete(urlOf(n));
        });
      const highest = new Map<string, number>();
      for (const { at, reachable, isPublished, ...what } of steps) {
        const authority = authorities[what.authority] as TestAuthority;
        const { feed } = feeds[at] as Feed;
        if (isPublished) {
          const namespace = authority.namespace();
          feed.put({ kind: 'root', about: authority.origin, text: rootChainText(authority.chain) });
          feed.put({ kind: 'group', about: namespace, text: (await authority.group(what.version + 1)).jws });
          feed.put({ kind: 'head', about: namespace, text: (await authority.head(what.seq)).jws });
          const signer = keys[what.by] as SigningKey;
          const name = `name${what.name}`;
          const signed = await nameBy(signer, name, what.version + 1, `http://v${what.seq}.example/`);
          feed.put({ kind: 'name', about: `${signer.id} ${name}`, text: signed.jws });
        }
        reach(reachable);
        await (nodes[at] as OpenedDirectory).directory.exchange();
        for (const [n, { directory }] of nodes.entries()) {
          for (const { namespace, group } of directory.all()) {
            const key = `${n} ${namespace}`;
            assert.ok(group.group.version >= (highest.get(key) ?? 0), 'a version went back');
            highest.set(key, group.group.version);
          }
        }
      }
      reach(Array.from({ length: size }, () => true));
      for (let round = 0; round < 2; round++) for (const { directory } of nodes) await directory.exchange();
      const [first, ...others] = nodes.map(({ directory }) => stateOf(directory));
      for (const other of others) assert.deepEqual(other, first);
      const published = steps.filter(({ isPublished }) => isPublished);
      for (const [i, authority] of authorities.entries()) {
        const versions = published.filter((one) => one.authority === i).map(({ version }) => version + 1);
        const version = nodes[0]?.directory.of(targetOf(`${authority.origin}/x`))?.group.group.version;
        assert.equal(version, versions.length === 0 ? undefined : clock.now() + Math.max(...versions));
      }
    }
  }).timeout(60_000);

  const nameBy = (key: SigningKey, name: string, serial: number, namespace: string) =>
    signName(
      {
        ...{ name, serial, namespace: namespace as never, issued: clock.now() },
        expires: epochMs(clock.now() + 1_000_000),
      },
      key,
    );
});

/** All that is believed, in one order. */
function stateOf(directory: Directory): readonly string[] {
  const namespaces = [...directory.all()].map(({ namespace, group, head }) =>
    JSON.stringify([namespace, group.jws, head?.jws ?? null]),
  );
  const names = [...directory.names.all()].map(([key, { jws }]) => JSON.stringify([key, jws]));
  return [...namespaces, ...names].sort();
}

describe('a feed of records', () => {
  const epoch = newEpoch(null, epochMs(1_700_000_000_000), new Uint8Array(8));
  const record = (n: number, text = 'x') => ({ kind: 'group', about: `http://h${n}.example/`, text }) as const;

  it('gives each thing once, in the order in which it came in, from a cursor on', () => {
    const feed = new RecordsFeed(epoch);
    for (const n of [1, 2, 3]) feed.put(record(n));
    const { cursor } = feed.since(null, aPage);
    assert.equal(feed.put(record(1)), false, 'the same again');
    assert.equal(feed.put(record(1, 'y')), true);
    assert.deepEqual(feed.since(cursor, aPage).lines, [recordLine(record(1, 'y'))]);
    assert.deepEqual(
      feed.since(null, aPage).lines,
      [2, 3].map((n) => recordLine(record(n))).concat(recordLine(record(1, 'y'))),
    );
    feed.remove('group', record(2).about);
    assert.equal(feed.since(null, aPage).lines.length, 2);
  });

  it('read page by page it is the same as read at once, whatever the size of a page', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 60 }), fc.integer({ min: 1, max: 400 }), (numbers, size) => {
        const feed = new RecordsFeed(epoch);
        numbers.forEach((n, i) => feed.put(record(n, String(i))));
        const lines: string[] = [];
        let [cursor, more] = [parseCursor(''), true];
        while (more) {
          const page = feed.since(cursor, bytes(size));
          const read = parseFeedPage([...page.lines, feedTail(page), ''].join('\n'));
          lines.push(...read.records.map(recordLine));
          [cursor, more] = [parseCursor(read.cursor), read.more];
        }
        assert.deepEqual(lines, feed.since(null, aPage).lines);
      }),
    );
  });

  it('a cursor of another life, or of none, begins anew', () => {
    const feed = new RecordsFeed(epoch);
    feed.put(record(1));
    const other = parseCursor('1700000000001-0011223344556677.1');
    assert.equal(feed.since(other, aPage).lines.length, 1);
    assert.equal(feed.since({ epoch, seq: 99 }, aPage).lines.length, 1);
    for (const text of [
      '',
      'x',
      '1700000000000-0011223344556677',
      '1-2.3',
      `${cursorText({ epoch, seq: 1 })}0000000000000000`,
    ]) {
      assert.equal(parseCursor(text), null, text);
    }
  });

  it('a page is read only as it is written', () => {
    const page = (text: string) => () => parseFeedPage(text);
    const tail = feedTail({ lines: ['a'], cursor: { epoch, seq: 1 }, more: false });
    assert.throws(page(`${recordLine(record(1))}\n${tail}`), disbelief('malformed', /cut short/));
    assert.throws(page(`{"kind":"group"}\n${tail}\n`), disbelief('malformed'));
    assert.throws(page(`{"about":"x","kind":"else","text":"x"}\n${tail}\n`), disbelief('malformed', /'kind'/));
    assert.throws(page(`${'{}\n'.repeat(5000)}${tail}\n`), disbelief('too-large'));
  });
});
