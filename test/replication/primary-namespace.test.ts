import assert from 'node:assert/strict';
import { rm, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { bytes, epochMs, milliseconds } from '../../config/units.js';
import { systemClock } from '../../proxy/base/clock.js';
import { parseDocument } from '../../replication/source/published-document.js';
import { epochBegin } from '../../wlis/trust/epoch.js';
import type { Head, SignedHead } from '../../wlis/trust/head.js';
import { digestOfText } from '../../wlis/trust/digest.js';
import { aWhile } from '../support/waiting.js';
import { gate } from '../support/gate.js';
import { isOfOnePiece, PrimaryFixture } from './primary-fixture.js';

describe('a primary of a directory', () => {
  let fixture: PrimaryFixture;

  beforeEach(async () => {
    fixture = await PrimaryFixture.create();
  });

  afterEach(() => fixture.remove());

  const heard = (head: Head): SignedHead => ({ head, jws: 'verified elsewhere' });

  it('signs what is published; edition, list and trie are of one piece', async () => {
    await fixture.write('index.html');
    await fixture.write('d/page.html');
    const edition = await fixture.start();
    assert.equal(edition.head.head.seq, 3);
    assert.ok(isOfOnePiece(edition), 'head, list or trie is another one');
    assert.deepEqual((await fixture.opened()).head, edition.head.head);
    await fixture.publish('index.html', 'new');
    await fixture.delete('d');
    await fixture.scan();
    assert.ok(isOfOnePiece(fixture.edition), 'head, list or trie is another one');
    assert.equal(fixture.edition.trie.size, 2);
    assert.equal(fixture.primary.visible('d/page.html')?.document, null);
    assert.equal(await fixture.primary.provable(), fixture.edition);
  });

  it('tells of each change of the edition, once, until it is not asked to any more', async () => {
    await fixture.write('a');
    await fixture.start();
    const told: number[] = [];
    const end = fixture.primary.onEdition(() => told.push(fixture.head.seq));
    await fixture.publish('b');
    fixture.clock.advance(60_000);
    await fixture.primary.upkeep();
    end();
    await fixture.publish('c');
    assert.deepEqual(told, [2, 2]);
  });

  it('gives the bytes of a document, and knows that an empty one needs none', async () => {
    await fixture.write('a', 'some text');
    await fixture.write('empty', '');
    await fixture.start();
    for (const [path, text] of [
      ['a', 'some text'],
      ['empty', ''],
    ] as const) {
      const document = parseDocument(path, fixture.primary.visible(path)?.document ?? '');
      const [variant] = document.variants;
      assert.ok(variant !== undefined && fixture.primary.content.has(variant), `${path} is not here`);
      const chunks: Buffer[] = [];
      for await (const chunk of fixture.primary.content.read(variant, bytes(0), variant.length)) chunks.push(chunk);
      assert.equal(Buffer.concat(chunks).toString(), text);
    }
  });

  it('waits, with patience, until what was just written or taken away is published', async () => {
    await fixture.write('a');
    for (const name of ['b', 'c', 'd']) await fixture.write(name);
    await fixture.close();
    const soon = milliseconds(200);
    fixture.options = { clock: systemClock, times: { written: soon, moved: soon, missing: soon } };
    await fixture.open();
    await fixture.primary.start(fixture.members);
    const patience = milliseconds(15_000);
    assert.equal((await fixture.primary.scan(patience)).published, 4);
    await fixture.write('a', 'new');
    await fixture.delete('b');
    const hasty = await fixture.primary.scan();
    assert.deepEqual([hasty.published, hasty.removed, hasty.unsettled], [0, 0, 1]);
    const patient = await fixture.primary.scan(patience);
    assert.deepEqual([patient.published, patient.removed, patient.unsettled], [1, 1, 0]);
    assert.equal(patient.version?.seq, 6);
  });

  it('has one head for what is published while the one before is being signed', async () => {
    const held = gate();
    let signatures = 0;
    await fixture.close();
    fixture.options = {
      signer: async () => {
        if (++signatures === 2) await held.promise;
        return fixture.key;
      },
    };
    await fixture.open();
    await fixture.write('a');
    await fixture.start();
    assert.equal(signatures, 1);
    fixture.clock.advance(60_000);
    const renewed = fixture.primary.upkeep();
    await fixture.write('b');
    await fixture.write('c');
    const scanned = fixture.primary.scan();
    await aWhile();
    assert.equal(fixture.primary.visible('c')?.seq, 3);
    assert.equal(fixture.head.seq, 1);
    assert.ok(isOfOnePiece(fixture.edition), 'the edition has something that its head does not say');
    held.open();
    await Promise.all([renewed, scanned]);
    assert.deepEqual([signatures, fixture.head.seq], [3, 3]);
    assert.ok(isOfOnePiece(fixture.edition), 'head, list or trie is another one');
  });

  it('marks a head as atomic when what came with it is a set, also when it is signed again', async () => {
    await fixture.write('a');
    await fixture.start();
    await rename(fixture.directory, `${fixture.directory}.1`);
    await fixture.write('a', 'new');
    await fixture.write('b');
    await rename(fixture.directory, `${fixture.directory}.2`);
    await symlink(`${fixture.directory}.1`, fixture.directory);
    await fixture.scan();
    assert.equal(fixture.head.atomic, false);
    await rm(fixture.directory);
    await symlink(`${fixture.directory}.2`, fixture.directory);
    fixture.clock.advance(120_000);
    await fixture.scan();
    assert.deepEqual([fixture.head.seq, fixture.head.atomic], [3, true]);
    fixture.clock.advance(60_000);
    await fixture.primary.upkeep();
    assert.equal(fixture.head.atomic, true);
    await fixture.restart();
    assert.deepEqual([fixture.head.seq, fixture.head.atomic], [3, true]);
    await fixture.write('c');
    await fixture.scan();
    assert.deepEqual([fixture.head.seq, fixture.head.atomic], [4, false]);
  });

  it('states anew at each heartbeat that it is still there, and says how old the last word is', async () => {
    await fixture.write('a');
    const first = (await fixture.start()).head.head;
    assert.equal(first.refreshAfter - first.issued, 120_000);
    assert.equal(first.expires - first.issued, 300_000);
    fixture.clock.advance(50_000);
    await fixture.primary.upkeep();
    assert.equal(fixture.head.issued, first.issued);
    assert.equal(fixture.primary.confirmedAge, 51_001);
    fixture.clock.advance(10_000);
    await fixture.primary.upkeep();
    assert.ok(fixture.head.issued >= first.issued + 60_000, 'the head was not renewed');
    assert.deepEqual([fixture.head.seq, fixture.head.root], [first.seq, first.root]);
    assert.equal(fixture.primary.confirmedAge, 0);
  });

  it('issues no head before the one before it, whatever the clock says, also after a restart', async () => {
    await fixture.write('a');
    const first = (await fixture.start()).head.head;
    fixture.clock.step(-3_600_000);
    const second = (await fixture.publish('b')).head.head;
    assert.equal(second.issued, first.issued + 1);
    assert.ok(fixture.events.includes('clock-went-back'), 'nobody was told of it');
    await fixture.restart();
    assert.equal(fixture.head.issued, second.issued + 1);
    fixture.clock.step(7_200_000);
    fixture.clock.advance(60_000);
    await fixture.primary.upkeep();
    assert.equal(fixture.head.issued, fixture.clock.now());
  });

  it('goes on with the same list and root after a restart, with a head of its own', async () => {
    await fixture.write('a');
    await fixture.write('b');
    const before = (await fixture.start()).head.head;
    await fixture.close();
    await fixture.open();
    await fixture.primary.start(fixture.members);
    assert.deepEqual(
      [fixture.head.epoch, fixture.head.seq, fixture.head.root],
      [before.epoch, before.seq, before.root],
    );
    assert.ok(fixture.head.issued > before.issued, 'the head is not a new one');
  });

  it('signs nothing before something is published: nobody takes an empty directory for the removal of everything', async () => {
    await fixture.primary.start(fixture.members);
    await fixture.scan();
    assert.equal(fixture.primary.edition, null);
    assert.equal(fixture.primary.report().state, 'joining');
    await fixture.publish('a');
    assert.equal(fixture.head.seq, 1);
    assert.equal(fixture.primary.report().state, 'in-step');
  });

  it('signs the first head only when all of the directory has been published', async () => {
    for (let page = 0; page < 1300; page++) await fixture.write(`${page % 7}/${page}.txt`, 'x');
    const heads: number[] = [];
    fixture.primary.onEdition(() => heads.push(fixture.head.seq));
    await fixture.start();
    assert.deepEqual(heads, [1300]);
    assert.ok(isOfOnePiece(fixture.edition), 'head, list or trie is another one');
  });

  it('begins a new epoch when its journal is lost, and signs nothing in it before it has looked', async () => {
    await fixture.write('a');
    await fixture.write('b');
    const before = (await fixture.start()).head.head;
    await fixture.close();
    await rm(join(fixture.data, 'journal'));
    await fixture.open();
    fixture.clock.advance(1);
    const heads: number[] = [];
    fixture.primary.onEdition(() => heads.push(fixture.head.seq));
    await fixture.start();
    assert.ok(epochBegin(fixture.head.epoch) > epochBegin(before.epoch), 'the epoch is not a later one');
    assert.deepEqual(heads, [2]);
    assert.equal(fixture.events.includes('journal-lost'), true);
  });

  for (const [what, change] of [
    ['a later number', { seq: 9 }],
    ['another root for the same number', { root: digestOfText('other') }],
    ['a later epoch', { epoch: '9000000000000-00000000000000aa' as Head['epoch'] }],
  ] as const) {
    it(`begins a new epoch with the same documents when members have a head of its own with ${what}`, async () => {
      await fixture.write('a');
      await fixture.write('b');
      const before = (await fixture.start()).head.head;
      await fixture.close();
      await fixture.open();
      const strange = { ...before, ...change };
      fixture.members = () => Promise.resolve([heard(before), heard(strange)]);
      await fixture.start();
      assert.ok(epochBegin(fixture.head.epoch) > epochBegin(strange.epoch), 'the epoch is not a later one');
      assert.deepEqual([fixture.head.seq, fixture.edition.trie.size], [2, 2]);
      assert.ok(isOfOnePiece(fixture.edition), 'head, list or trie is another one');
      assert.ok(fixture.events.includes('epoch-begun'), 'nobody was told of it');
      const { epoch } = fixture.head;
      fixture.members = () => Promise.resolve([]);
      await fixture.restart();
      assert.equal(fixture.head.epoch, epoch);
      await fixture.publish('c');
      assert.equal(fixture.head.seq, 3);
    });
  }

  it('goes on in its epoch when members have what it has said, or less, or of an epoch that has ended', async () => {
    await fixture.write('a');
    const first = (await fixture.start()).head.head;
    const second = (await fixture.publish('b')).head.head;
    const ended = { ...first, epoch: '1000000000000-00000000000000aa' as Head['epoch'], seq: 99 };
    fixture.members = () => Promise.resolve([first, second, ended].map(heard));
    await fixture.restart();
    assert.deepEqual([fixture.head.epoch, fixture.head.seq], [first.epoch, 2]);
    assert.equal(await fixture.primary.meet([heard(first), heard(fixture.head)]), false);
  });

  it('finds out later, too, that its state is an older one than it told of', async () => {
    await fixture.write('a');
    await fixture.start();
    await fixture.backUp();
    await fixture.publish('b');
    const told = (await fixture.publish('c')).head.head;
    await fixture.restore();
    await fixture.delete('b');
    await fixture.delete('c');
    await fixture.write('d');
    const before = (await fixture.start()).head.head;
    assert.deepEqual([before.epoch, before.seq], [told.epoch, 2]);
    await fixture.publish('e');
    await fixture.publish('f');
    assert.equal(await fixture.primary.meet([heard(told)]), true);
    const edition = await fixture.primary.settled();
    assert.ok(edition !== null && isOfOnePiece(edition), 'head, list or trie is another one');
    assert.ok(epochBegin(edition.head.head.epoch) > epochBegin(told.epoch), 'the epoch is not a later one');
    assert.deepEqual([...edition.list.changes()].map(({ path }) => path).sort(), ['a', 'd', 'e', 'f']);
    assert.ok(edition.head.head.issued > told.issued, 'readers would take the head for an older one');
    await fixture.publish('g');
    assert.equal(fixture.head.seq, 5);
  });

  it('does not chase another one that signs with the same key', async () => {
    await fixture.write('a');
    await fixture.start();
    const later = (by: number): SignedHead =>
      heard({ ...fixture.head, epoch: `${epochBegin(fixture.head.epoch) + by}-00000000000000aa` as Head['epoch'] });
    assert.equal(await fixture.primary.meet([later(5)]), true);
    await fixture.primary.settled();
    assert.equal(await fixture.primary.meet([later(5)]), false);
    assert.ok(fixture.events.includes('another-primary'), 'nobody was told of it');
    fixture.clock.advance(600_000);
    assert.equal(await fixture.primary.meet([later(5)]), true);
  });

  it('waits for members no longer than it is to, and starts without them', async () => {
    await fixture.write('a');
    let wasTold = false;
    fixture.members = (signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => {
          wasTold = true;
          reject(new Error('told to end'));
        }),
      );
    await fixture.start();
    assert.ok(wasTold, 'the members were not told that nobody waits');
    assert.ok(fixture.events.includes('members-not-asked'), 'nobody was told of it');
    assert.equal(fixture.head.seq, 1);
  });

  it('publishes for its visitors while it cannot sign, says so, and signs all of it when it can', async () => {
    let fault: string | null = null;
    await fixture.close();
    fixture.options = { signer: () => Promise.resolve(fault ?? fixture.key) };
    await fixture.open();
    await fixture.write('a');
    await fixture.start();
    fault = 'the root trusted the key until yesterday';
    for (const page of ['b', 'c', 'd']) await fixture.publish(page);
    assert.deepEqual([fixture.head.seq, fixture.primary.visible('d')?.seq], [1, 4]);
    assert.ok(isOfOnePiece(fixture.edition), 'the edition has something that its head does not say');
    const { state, reason, lag, version, known } = fixture.primary.report();
    assert.deepEqual([state, lag.changes, version?.seq, known?.seq], ['behind', 3, 1, 4]);
    assert.match(reason ?? '', /until yesterday/);
    assert.equal(fixture.events.filter((code) => code === 'head-not-signed').length, 1);
    fault = null;
    fixture.clock.advance(10_000);
    await fixture.primary.upkeep();
    assert.equal(fixture.head.seq, 4);
    assert.ok(isOfOnePiece(fixture.edition), 'head, list or trie is another one');
    assert.equal(fixture.primary.report().state, 'in-step');
    assert.ok(fixture.events.includes('head-signed-again'), 'nobody was told that it is over');
  });

  it('forgets removals from before thirty days, and goes on without them after a restart', async () => {
    await fixture.write('a');
    await fixture.write('b');
    await fixture.start();
    await fixture.delete('b');
    await fixture.scan();
    assert.equal(fixture.edition.list.since(2, 10).kind, 'changes');
    fixture.clock.advance(29 * 86_400_000);
    await fixture.primary.upkeep();
    assert.equal(fixture.edition.list.since(2, 10).kind, 'changes');
    fixture.clock.advance(2 * 86_400_000);
    await fixture.primary.upkeep();
    assert.equal(fixture.edition.list.since(2, 10).kind, 'forgotten');
    assert.ok(isOfOnePiece(fixture.edition), 'head, list or trie is another one');
    await fixture.restart();
    assert.equal(fixture.edition.list.since(2, 10).kind, 'forgotten');
    assert.deepEqual([fixture.head.seq, fixture.edition.list.counts.removals], [3, 0]);
  });

  it('refuses the documents of which no record can be made, says so once, and publishes the others', async () => {
    await fixture.close();
    const long = { match: 'long/**', set: { 'X-One': 'a'.repeat(20_000), 'X-Two': 'b'.repeat(20_000) } };
    fixture.rules = { headers: [long] };
    await fixture.open();
    await fixture.write('long/page.html');
    await fixture.write('page.html');
    await fixture.start();
    await fixture.scan();
    assert.deepEqual(
      [...fixture.edition.list.changes()].map(({ path }) => path),
      ['page.html'],
    );
    assert.deepEqual(fixture.primary.source?.refused, [['long/page.html', 'no-record']]);
    assert.equal(fixture.events.filter((code) => code === 'source-no-record').length, 1);
  });

  it('reports what a scan has published, and removals that it holds back until they are allowed', async () => {
    for (let page = 0; page < 150; page++) await fixture.write(`p/${page}.txt`, 'x');
    await fixture.write('a');
    await fixture.start();
    await fixture.write('b');
    await fixture.delete('a');
    await fixture.primary.scan();
    fixture.clock.advance(1001);
    const { published, removed, named, version } = await fixture.primary.scan();
    assert.deepEqual([published, removed, named], [0, 1, [{ path: 'a', is: 'removed' }]]);
    assert.deepEqual(version, { epoch: fixture.head.epoch, seq: fixture.head.seq });
    await fixture.delete('p');
    await fixture.scan();
    const report = fixture.primary.report();
    assert.deepEqual([report.state, report.documents, report.lag.changes], ['held', 151, 0]);
    assert.equal((await fixture.primary.scan()).held, 150);
    const allowed = await fixture.primary.allowRemovals();
    assert.deepEqual([allowed.removed, allowed.held, fixture.edition.trie.size], [150, 0, 1]);
  });

  it('counts the bytes of what is published now, be it before or after a restart', async () => {
    await fixture.write('a', 'x'.repeat(100));
    await fixture.write('b', 'x'.repeat(10));
    await fixture.start();
    await fixture.publish('a', 'y'.repeat(50));
    await fixture.delete('b');
    await fixture.scan();
    const { bytes: held, totalBytes, documents, counters } = fixture.primary.report();
    assert.deepEqual([held, totalBytes, documents, counters.changes], [50, 50, 1, 4]);
    await fixture.restart();
    assert.equal(fixture.primary.report().bytes, 50);
  });

  it('can be stopped at any time, and stopped again', async () => {
    await fixture.write('a');
    fixture.members = () => new Promise(() => undefined);
    const started = fixture.primary.start(fixture.members);
    await fixture.primary.stop();
    await started;
    await fixture.primary.stop();
    assert.equal(fixture.primary.edition, null);
    fixture.members = () => Promise.resolve([]);
    await fixture.restart();
    const scanned = fixture.primary.scan();
    await fixture.primary.stop();
    await scanned;
  });

  it('keeps its editions of one piece whatever is published, removed and signed in between', async () => {
    await fixture.write('keep');
    await fixture.start();
    let wrong = 0;
    fixture.primary.onEdition(() => (wrong += isOfOnePiece(fixture.edition) ? 0 : 1));
    for (let round = 0; round < 12; round++) {
      for (const page of [round % 3, (round + 1) % 5]) await fixture.write(`d${page}/p.txt`, `round ${round}`);
      if (round % 4 === 3) await fixture.delete(`d${round % 3}`);
      fixture.clock.advance(60_001);
      await Promise.all([fixture.primary.upkeep(), fixture.primary.scan()]);
    }
    assert.equal(wrong, 0);
    assert.ok(fixture.head.issued > epochMs(0) && fixture.primary.confirmedAge < milliseconds(60_001), 'not renewed');
  });
});
