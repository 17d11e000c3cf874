import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { epochMs } from '../../../config/units.js';
import type { Directory } from '../../../wlis/directory/directory.js';
import type { DirectorySettings } from '../../../wlis/directory/directory-settings.js';
import type { SignedGroup } from '../../../wlis/trust/group.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TempDir } from '../../support/temp-dir.js';
import { keyNamed } from '../trust/keys-example.js';
import {
  KnownNetwork,
  openDirectory,
  replicaAt,
  targetOf,
  TestAuthority,
  type OpenedDirectory,
} from './known-network.js';

const origin = 'http://docs.example';
const hour = 3_600_000;
const { signal } = new AbortController();

describe('a directory of namespaces', () => {
  let room: TempDir;
  let clock: FakeClock;
  let network: KnownNetwork;
  let authority: TestAuthority;
  let group: SignedGroup;
  const opened: Directory[] = [];

  beforeEach(async () => {
    room = await TempDir.create();
    clock = new FakeClock();
    network = new KnownNetwork();
    authority = await TestAuthority.make(origin, clock);
    group = await authority.group(1, { replicas: [await replicaAt('http://m1.example', clock)] });
    network.serve(authority, () => group.jws);
  });
  afterEach(async () => {
    for (const directory of opened.splice(0)) await directory.stop();
    await room.remove();
  });

  const open = async (settings: Partial<DirectorySettings> = {}): Promise<OpenedDirectory> => {
    const one = await openDirectory(room, network, clock, settings);
    opened.push(one.directory);
    return one;
  };
  const heard = (directory: Directory, version = clock.now() + 1, at = origin): Promise<void> => {
    directory.heard({ namespace: authority.namespace(), version, at });
    return directory.settled();
  };
  const known = (directory: Directory, path = '/page.html'): string | null =>
    directory.of(targetOf(origin + path))?.namespace ?? null;

  describe('learning', () => {
    it('begins when the authority itself speaks of a namespace, and believes nothing of that', async () => {
      const { directory } = await open();
      assert.equal(known(directory), null);
      await heard(directory, 999_999_999_999_999);
      assert.equal(known(directory), authority.namespace());
      assert.equal(directory.get(authority.namespace())?.group.group.version, group.group.version);
      assert.deepEqual(network.calls, [`${origin} root`, `${origin} group`]);
    });

    it('does not begin because another host speaks of it', async () => {
      const { directory } = await open();
      await heard(directory, clock.now(), 'http://evil.example');
      assert.equal(known(directory), null);
      assert.deepEqual(network.calls, []);
    });

    it('refuses a root over plain HTTP unless wlis.trust.firstUse lets it, and says so once in the log', async () => {
      const { directory, events } = await open({ firstUse: false });
      await heard(directory);
      assert.equal(known(directory), null);
      assert.deepEqual(directory.refusals.counts, { 'wrong-signature': 1 });
      assert.match(directory.refusals.last[0]?.detail ?? '', /wlis\.trust\.firstUse/);
      assert.equal(events.filter(({ code }) => code === 'directory-refused').length, 1);
    });

    it('takes the root by TLS whatever is said of the first use', async () => {
      const secure = await TestAuthority.make('https://docs.example', clock);
      const signed = await secure.group(1, { primary: { ...group.group.primary, urls: [secure.origin] } });
      network.serve(secure, () => signed.jws);
      const { directory } = await open({ firstUse: false });
      directory.heard({ namespace: secure.namespace(), version: 1, at: secure.origin });
      await directory.settled();
      assert.equal(directory.of(targetOf('https://docs.example/x'))?.namespace, secure.namespace());
    });

    it('aims no more than one call in a while at what a hostile origin leads to, twice as long each time', async () => {
      const victim = 'http://victim.example';
      const namespace = (await TestAuthority.make(victim, clock)).namespace();
      const { directory } = await open();
      const said = { namespace, version: 1, at: victim };
      for (let i = 0; i < 50; i++) {
        directory.heard(said);
        await directory.settled();
      }
      assert.equal(network.calls.length, 1);
      clock.advance(5000);
      directory.heard(said);
      await directory.settled();
      assert.equal(network.calls.length, 2);
      clock.advance(5000);
      directory.heard(said);
      await directory.settled();
      assert.equal(network.calls.length, 2, 'the second pause is twice the first');
    });

    it('learns all that was said of it again once whoever failed answers', async () => {
      network.nodes.delete(origin);
      const { directory } = await open();
      await heard(directory);
      assert.equal(known(directory), null);
      network.serve(authority, () => group.jws);
      clock.advance(5000);
      await heard(directory);
      assert.equal(known(directory), authority.namespace());
    });

    it('the longest namespace has a document: what lies in another one of the same root is not of the shorter', async () => {
      await authority.state(['/', '/inner/']);
      const { directory } = await open();
      await heard(directory);
      assert.equal(known(directory), `${origin}/`);
      assert.equal(known(directory, '/inner/page.html'), null);
      assert.equal(known(directory, '/.well-known/x'), null);
      assert.equal(known(directory, '/innermost'), `${origin}/`);
      assert.equal(known(directory, '/%69nner/x'), null, 'however it is spelled');
    });

    it('one that the root does not name is nobody’s to state', async () => {
      const { directory } = await open();
      directory.heard({ namespace: authority.namespace('/stolen/'), version: 1, at: origin });
      await directory.settled();
      assert.equal(known(directory, '/stolen/x'), null);
      assert.deepEqual(directory.refusals.counts, { 'wrong-subject': 1 });
    });
  });

  describe('what is stated anew', () => {
    let directory: Directory;
    beforeEach(async () => {
      ({ directory } = await open());
      await heard(directory);
      clock.advance(20_000);
    });

    const version = (): number => directory.get(authority.namespace())?.group.group.version ?? 0;

    it('is asked for when a member speaks of a later version, of that member first, and not of strangers', async () => {
      group = await authority.group(2);
      network.nodes.set('http://m1.example', () => group.jws);
      network.nodes.delete(origin);
      const before = network.calls.length;
      await heard(directory, group.group.version, 'http://stranger.example');
      assert.equal(network.calls.length, before);
      await heard(directory, group.group.version, 'http://m1.example');
      assert.equal(network.calls[before], 'http://m1.example group');
      assert.equal(version(), group.group.version);
    });

    it('is asked for once, however many say that there is something later', async () => {
      const before = network.calls.length;
      for (let i = 0; i < 100; i++) await heard(directory, 999_999_999_999_999);
      assert.ok(network.calls.length - before <= 6, `${network.calls.length - before} calls`);
    });

    it('is asked for when it is due, as long as somebody uses it', async () => {
      group = await authority.group(2);
      directory.look();
      await directory.settled();
      assert.notEqual(version(), group.group.version, 'it is not due yet');
      clock.advance(400_000);
      directory.look();
      await directory.settled();
      assert.equal(version(), group.group.version);
      group = await authority.group(3);
      clock.advance(3 * hour);
      directory.look();
      await directory.settled();
      assert.notEqual(version(), group.group.version, 'nobody has used it for hours');
      known(directory);
      await directory.settled();
      assert.equal(version(), group.group.version, 'who uses it has it asked for');
    });

    it('a group that is older, of another signer, of another namespace, oversized, or ahead of the clock is refused; the one before stays', async () => {
      const before = version();
      const stranger = await keyNamed('a stranger');
      const other = await TestAuthority.make('http://other.example', clock);
      const bad: readonly (readonly [string, string | undefined])[] = [
        [(await authority.group(-60_000)).jws, undefined],
        [(await authority.group(9, {}, stranger)).jws, 'wrong-signature'],
        [(await other.group(9)).jws, 'wrong-signature'],
        [`${group.jws.slice(0, -4)}AAAA`, 'wrong-signature'],
        ['x'.repeat(1_100_000), 'too-large'],
        [(await authority.group(9 + 48 * hour)).jws, 'out-of-date'],
      ];
      for (const [jws, reason] of bad) {
        network.nodes.set('http://m1.example', () => jws);
        network.nodes.set(origin, () => jws);
        const counts = { ...directory.refusals.counts };
        clock.advance(hour);
        await heard(directory, 999_999_999_999_999, 'http://m1.example');
        assert.equal(version(), before, reason);
        if (reason !== undefined) {
          assert.ok((directory.refusals.counts[reason] ?? 0) > (counts[reason] ?? 0), `${reason} is counted`);
        }
      }
    });

    it('two groups under one version are a fault of the primary: the first one stays', async () => {
      const twin = await authority.group(1, { version: group.group.version, replicas: [] });
      group = twin;
      clock.advance(400_000);
      directory.look();
      await directory.settled();
      assert.equal(directory.get(authority.namespace())?.group.group.replicas.length, 1);
      assert.equal(directory.refusals.counts['equivocation'], 1);
    });

    it('an expired group goes on locating members', () => {
      network.nodes.clear();
      clock.advance(30 * 24 * hour);
      assert.equal(known(directory), authority.namespace());
      assert.equal(directory.get(authority.namespace())?.group.group.replicas.length, 1);
    });

    it('a group of a key that the root names only now is believed, once the newer root is there', async () => {
      const successor = await keyNamed('successor');
      await authority.state(['/'], successor);
      group = await authority.group(5, {}, successor);
      await heard(directory, group.group.version);
      assert.equal(version(), group.group.version);
      assert.equal(directory.get(authority.namespace())?.keyFor(successor.id), successor.publicKey);
      assert.equal(directory.get(authority.namespace())?.keyFor(authority.signer.id), null, 'the former one has ended');
    });

    it('a namespace that the root names no more is known no more', async () => {
      await authority.state(['/other/']);
      const successor = await keyNamed('successor');
      group = await authority.group(5, {}, successor);
      await heard(directory, group.group.version);
      assert.equal(known(directory), null);
    });
  });

  describe('where nodes may not be (rule 12)', () => {
    it('members there are left out, counted and told; the others stay', async () => {
      const replicas = await Promise.all(
        ['http://10.0.0.7:8080', 'http://m1.example'].map((url) => replicaAt(url, clock)),
      );
      replicas.sort((a, b) => (a.key < b.key ? -1 : 1));
      group = await authority.group(1, { replicas });
      const { directory } = await open();
      await heard(directory);
      const urls = directory.get(authority.namespace())?.group.group.replicas.flatMap((replica) => replica.urls);
      assert.deepEqual(urls, ['http://m1.example']);
      assert.deepEqual(directory.refusals.counts, { 'private-address': 1 });
      assert.match(directory.refusals.last[0]?.detail ?? '', /10\.0\.0\.7/);
      assert.equal(directory.get(authority.namespace())?.group.jws, group.jws, 'the statement is what it was');
    });

    it('a group whose primary would be there is refused', async () => {
      group = await authority.group(1, { primary: { ...group.group.primary, urls: ['http://10.0.0.7'] } });
      const { directory } = await open();
      await heard(directory);
      assert.equal(known(directory), null);
      assert.deepEqual(directory.refusals.counts, { 'wrong-subject': 1 });
    });
  });

  describe('remembering', () => {
    it('what was learned survives a restart with nobody there, its head too', async () => {
      const { directory } = await open();
      await heard(directory);
      const head = await authority.head(7);
      assert.equal(directory.get(authority.namespace())?.confirm(head), 'newer');
      await directory.stop();
      network.nodes.clear();
      const { directory: again } = await open();
      assert.equal(known(again), authority.namespace());
      assert.equal(again.get(authority.namespace())?.head?.jws, head.jws);
      assert.equal(again.get(authority.namespace())?.learned, directory.get(authority.namespace())?.learned);
    });

    it('a signer that has ended does not take away what it located', async () => {
      const { directory } = await open();
      await heard(directory);
      const successor = await keyNamed('successor');
      await authority.state(['/'], successor);
      await directory.book.authority(origin)?.seek(origin, signal);
      await directory.stop();
      network.nodes.clear();
      const { directory: again } = await open();
      assert.equal(known(again), authority.namespace());
    });

    it('what is damaged on disk is passed over with a line in the log, and learned anew', async () => {
      const { directory } = await open();
      await heard(directory);
      await directory.stop();
      const path = join(room.path, 'directory', 'namespaces');
      for (const name of await readdir(path)) await writeFile(join(path, name), '{"namespace":');
      const { directory: again, events } = await open();
      assert.equal(known(again), null);
      assert.ok(
        events.some(({ code }) => code === 'namespace-forgotten'),
        'it is told',
      );
      await heard(again);
      assert.equal(known(again), authority.namespace());
    });

    it('is bounded: the longest unused go first, those that are used stay', async () => {
      const { directory } = await open({ most: 3 });
      const all = await Promise.all([1, 2, 3, 4].map((n) => TestAuthority.make(`http://site${n}.example`, clock)));
      for (const one of all) {
        const signed = await one.group(1);
        network.serve(one, () => signed.jws);
        clock.advance(1000);
        directory.heard({ namespace: one.namespace(), version: 1, at: one.origin });
        await directory.settled();
        directory.of(targetOf('http://site1.example/x'));
      }
      const left = [...directory.all()].map(({ namespace }) => namespace).sort();
      assert.deepEqual(left, ['http://site1.example/', 'http://site3.example/', 'http://site4.example/']);
      await directory.stop();
      const { directory: again } = await open({ most: 3 });
      assert.deepEqual([...again.all()].map(({ namespace }) => namespace).sort(), left);
    });

    it('what nobody has used for 90 days is forgotten, on disk too', async () => {
      const { directory } = await open();
      await heard(directory);
      clock.advance(91 * 24 * hour);
      await directory.settled();
      assert.equal(directory.book.size, 0);
      assert.deepEqual(await readdir(join(room.path, 'directory', 'namespaces')), []);
      assert.deepEqual(await readdir(join(room.path, 'directory', 'roots')), []);
    });

    it('the operator has an authority forgotten, and it is learned anew', async () => {
      const { directory } = await open();
      await heard(directory);
      assert.equal(await directory.forget(origin), true);
      assert.equal(known(directory), null);
      assert.equal(await directory.forget(origin), false);
      await heard(directory);
      assert.equal(known(directory), authority.namespace());
    });

    it('a root key that the operator names takes the place of one of a first use', async () => {
      const { directory } = await open();
      await heard(directory);
      const roots = new Map([[origin, authority.root.id]]);
      await directory.configure({ ...directory.settings, roots });
      assert.equal(known(directory), authority.namespace());
      assert.equal(directory.book.authority(origin)?.pin?.learnedBy, 'configured');
      const other = await keyNamed('another root');
      await directory.configure({ ...directory.settings, roots: new Map([[origin, other.id]]) });
      assert.equal(known(directory), null, 'what another root has signed is not believed');
    });
  });

  describe('where the primary cannot be reached by its own name', () => {
    const peer = 'http://wlis.example';
    const resolvable = (): void => {
      network.nodes.delete(origin);
      network.nodes.set(peer, async ({ pathname, searchParams }) => {
        if (pathname === '/root') return chain;
        if (pathname !== '/resolve') return 404;
        const { resolutionText } = await import('../../../wlis/directory/resolution.js');
        return resolutionText({
          ...{ namespace: authority.namespace(), uri: searchParams.get('uri') ?? '', group: group.jws },
          at: [],
        });
      });
    };
    let chain = '';
    beforeEach(async () => {
      const { rootChainText } = await import('../../../wlis/trust/root-chain.js');
      chain = rootChainText(authority.chain);
      resolvable();
    });

    it('any directory that the operator named tells whose it is, if he has named the root key', async () => {
      const roots = new Map([[origin, authority.root.id]]);
      const { directory } = await open({ peers: ['http://dead.example', peer], roots, firstUse: false });
      const learned = await directory.learnFor(targetOf(`${origin}/page.html`), signal);
      assert.equal(learned?.namespace, authority.namespace());
      assert.equal(known(directory), authority.namespace());
    });

    it('no directory founds a namespace, whatever it says', async () => {
      const { directory } = await open({ peers: [peer], firstUse: true });
      assert.equal(await directory.learnFor(targetOf(`${origin}/page.html`), signal), null);
      assert.equal(known(directory), null);
    });

    it('a directory that speaks of another URI is refused, and those that know nothing are not asked again at once', async () => {
      const roots = new Map([[origin, authority.root.id]]);
      const { directory } = await open({ peers: [peer], roots });
      assert.equal(await directory.learnFor(targetOf('http://other.example/x'), signal), null);
      assert.deepEqual(directory.refusals.counts, { 'wrong-subject': 1 });
      const before = network.calls.length;
      assert.equal(await directory.learnFor(targetOf('http://other.example/y'), signal), null);
      assert.equal(network.calls.length, before);
    });

    it('a request that is given up does not wait for the answer', async () => {
      network.nodes.set(peer, () => new Promise<string>(() => undefined));
      const { directory } = await open({ peers: [peer] });
      const abort = new AbortController();
      const asked = directory.learnFor(targetOf(`${origin}/page.html`), abort.signal);
      abort.abort(new Error('given up'));
      await assert.rejects(asked, /given up/);
    });
  });

  it('what an hour of statements of others is worth: heads are taken by their order, and none twice', async () => {
    const { directory } = await open();
    await heard(directory);
    const of = directory.get(authority.namespace());
    const [first, second] = [await authority.head(1), await authority.head(2)];
    assert.ok(of !== null, 'it is known');
    assert.equal(of.confirm(second), 'newer');
    assert.equal(of.confirm(first), 'older');
    assert.equal(of.confirm(second), 'same');
    assert.equal(of.head?.head.seq, 2);
    const late = await authority.head(3);
    assert.equal(of.confirm({ ...late, head: { ...late.head, issued: epochMs(clock.now() + 48 * hour) } }), 'ahead');
  });
});
