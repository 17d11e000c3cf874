import assert from 'node:assert/strict';
import { epochMs, milliseconds } from '../../../config/units.js';
import { CallFailed } from '../../../wlis/calls/call-failed.js';
import { signHead } from '../../../wlis/trust/head.js';
import { settled, until } from '../../support/waiting.js';
import { keyNamed } from '../../wlis/trust/keys-example.js';
import { HeldFixture } from '../held-fixture.js';
import { NamespaceFixture, type NamespaceFixtureOptions } from './namespace-fixture.js';

const parent = 'http://parent.example';
const primary = 'http://primary.example';
const unreachable = (url: string): CallFailed => new CallFailed('unreachable', url, '', 'nobody answers');
/** Sizes above that of one block. */
const long = (text: string): string => text.repeat(100_000);

describe('a namespace that is replicated', () => {
  let held: HeldFixture;
  let fixture: NamespaceFixture;

  beforeEach(async () => {
    held = await HeldFixture.create();
    await held.put({ a: 'one', b: 'two' });
  });
  afterEach(() => fixture.remove());

  const begin = async (options: NamespaceFixtureOptions = {}): Promise<NamespaceFixture> => {
    fixture = await NamespaceFixture.create(held, options);
    return fixture;
  };
  const stateOf = () => fixture.replica.standing.state;
  const heldSeq = () => fixture.replica.edition?.head.head.seq ?? null;

  it('is joined, taken over, and held in step', async () => {
    const { replica } = await begin();
    assert.deepEqual([stateOf(), heldSeq()], ['joining', null]);
    await fixture.inStep();
    const { documents, bytes, totalBytes, lag, source, reason, progress } = replica.standing;
    assert.deepEqual([documents, bytes, totalBytes, lag, reason], [2, 6, 6, { changes: 0, time: 0 }, null]);
    assert.deepEqual([source?.url, progress.done, progress.total, heldSeq()], [parent, 2, 2, 2]);
    assert.deepEqual(
      fixture.announced.map(({ head }) => head.head.seq),
      [2],
      'what is held is said once it is held',
    );
    assert.equal(replica.edition?.trie.root, held.edition?.trie.root);
  });

  it('is behind while contents are missing, by numbers and by time, and says how much has come', async () => {
    await begin();
    await fixture.inStep();
    fixture.parent.blobFailure = unreachable(parent);
    await held.put({ a: 'three', c: 'four' });
    await fixture.round();
    assert.equal(stateOf(), 'behind');
    fixture.clock.advance(1500);
    const { lag, left, known, documents, bytes, totalBytes } = fixture.replica.standing;
    assert.deepEqual([lag, left, known?.seq, heldSeq()], [{ changes: 2, time: 1500 }, 2, 4, 2]);
    assert.deepEqual([documents, bytes, totalBytes], [3, 3, 12]);
    fixture.parent.blobFailure = null;
    await fixture.inStep();
    assert.deepEqual(fixture.replica.standing.lag, { changes: 0, time: 0 });
    assert.equal(fixture.replica.standing.bytes, 12);
  });

  it('counts of a change only what changed: documents, bytes and removals', async () => {
    await begin();
    await fixture.inStep();
    await held.put({ a: null, b: 'longer than two', c: long('c') });
    await fixture.inStep();
    const { documents, bytes, totalBytes, changes } = fixture.replica.standing;
    assert.deepEqual([documents, bytes, totalBytes, changes], [2, 100_015, 100_015, 2 + 3]);
    await held.begin('1700000009000-0123456789abcdef');
    await fixture.inStep();
    const again = fixture.replica.standing;
    assert.deepEqual([again.documents, again.bytes, again.totalBytes], [2, 100_015, 100_015]);
    await fixture.restart();
    await until(() => fixture.replica.standing.documents === 2);
    assert.deepEqual([fixture.replica.standing.bytes, heldSeq()], [100_015, 2]);
  });

  describe('asks the nodes above one after the other', () => {
    it('the next one when one fails, and says which', async () => {
      await begin();
      fixture.add(primary, held);
      fixture.parent.failure = unreachable(parent);
      await fixture.inStep();
      assert.deepEqual(fixture.fared.slice(0, 2), [`failed ${parent}`, `well ${primary}`]);
      assert.equal(fixture.replica.standing.source?.url, primary);
      assert.equal(fixture.replica.standing.reason, null, 'all is well');
      fixture.parent.failure = null;
      await fixture.round();
      await until(() => fixture.replica.standing.source?.url === parent);
    });

    it('and is cut off when none answers, serving what it holds, with the reason', async () => {
      await begin();
      await fixture.inStep();
      fixture.parent.failure = unreachable(parent);
      await fixture.round();
      await until(() => stateOf() === 'cut-off');
      assert.match(fixture.replica.standing.reason ?? '', /nobody answers/);
      assert.equal(fixture.replica.visible('a')?.seq, 1);
      fixture.parent.failure = null;
      await fixture.inStep();
      assert.equal(fixture.replica.standing.reason, null);
    });

    it('beyond one that is behind what is known', async () => {
      const stale = await HeldFixture.create();
      await stale.put({ a: 'one' });
      await begin();
      await fixture.inStep();
      fixture.parent.held = stale;
      fixture.add(primary, held);
      await held.put({ b: 'three' });
      await fixture.round();
      await until(() => heldSeq() === 3);
      assert.equal(fixture.replica.visible('b')?.seq, 3);
    });

    it('beyond one that has had no word of the primary for long', async () => {
      await begin();
      fixture.add(primary, held);
      await fixture.inStep();
      const { asked } = fixture.at(primary);
      assert.equal(asked.length, 0, 'as long as the first one is well');
      const { issued } = held.edition?.head.head ?? { issued: 0 };
      fixture.parent.age = milliseconds(91_000);
      fixture.clock.advance(issued + 91_000 - fixture.clock.now());
      await fixture.round();
      await until(() => asked.includes('changes'));
    });

    it('and others of the group behind them', async () => {
      await begin();
      fixture.add('http://sibling.example', held);
      fixture.others = [{ url: 'http://sibling.example' }];
      fixture.parent.failure = unreachable(parent);
      await fixture.inStep();
      assert.equal(fixture.replica.standing.source?.url, 'http://sibling.example');
    });

    it('and goes on to the next one for a content that one does not give', async () => {
      await begin();
      fixture.add(primary, held);
      fixture.parent.blobFailure = unreachable(parent);
      await fixture.inStep();
      assert.ok(
        fixture.at(primary).asked.some((what) => what.startsWith('blob')),
        'contents come from there',
      );
    });
  });

  describe('takes what others say for a hint', () => {
    const jws = (): string => held.edition?.head.jws ?? '';

    it('asks when a newer head is told of, and not for one that it has', async () => {
      await begin();
      await fixture.inStep();
      const { asked } = fixture.parent;
      const before = asked.length;
      await fixture.replica.hint(jws());
      assert.equal(asked.length, before);
      await held.put({ c: 'three' });
      await fixture.replica.hint(jws());
      await until(() => heldSeq() === 3);
      assert.deepEqual(
        asked.filter((what) => what === 'head'),
        [],
      );
    });

    it('is behind from the moment it was told, and asks all until somebody has that', async () => {
      await begin();
      await fixture.inStep();
      const later = await HeldFixture.create();
      await later.put({ a: 'one', b: 'two' });
      await later.put({ c: 'three' });
      await fixture.replica.hint(later.edition?.head.jws ?? '');
      await until(() => stateOf() === 'behind');
      assert.deepEqual([fixture.replica.known?.seq, heldSeq(), fixture.replica.standing.lag.changes], [3, 2, 1]);
      fixture.add(primary, later);
      await fixture.inStep();
      assert.equal(heldSeq(), 3);
    });

    it('asks when somebody does not say what is new', async () => {
      await begin();
      await fixture.inStep();
      await held.put({ c: 'three' });
      await fixture.replica.hint(null);
      await until(() => heldSeq() === 3);
    });

    it('looks for the key when the head is signed by another one, and pulls nothing by its word', async () => {
      await begin();
      await fixture.inStep();
      const stranger = await keyNamed('stranger');
      const { head } = held.edition ?? assert.fail('there is no edition');
      const forged = await signHead({ ...head.head, seq: 99 }, stranger);
      await fixture.replica.hint(forged.jws);
      assert.deepEqual(fixture.rootCalls, ['seek ']);
      assert.equal(fixture.replica.known?.seq, 2);
    });
  });

  it('learns who signs before it asks for anything that is signed', async () => {
    await begin();
    fixture.keyFor = null;
    await fixture.round();
    assert.deepEqual([fixture.rootCalls, fixture.parent.asked], [['learn'], []]);
    assert.match(fixture.replica.standing.reason ?? '', /root is unknown/);
    fixture.learned = held.keyFor;
    await fixture.inStep();
  });

  it('looks for the key that a node above believes in, and asks it again when it is found', async () => {
    await begin();
    await fixture.inStep();
    const other = await HeldFixture.create({
      key: await keyNamed('signer 2'),
      epoch: '1700000009000-0123456789abcdef',
    });
    await other.put({ a: 'anew' });
    fixture.parent.held = other;
    await fixture.round();
    await until(() => fixture.rootCalls.includes(`seek ${parent}`));
    assert.equal(heldSeq(), 2, 'what is held goes on');
    assert.equal(fixture.replica.refused.counts['wrong-signature'], 1);
    fixture.learned = other.keyFor;
    await fixture.inStep();
    assert.equal(fixture.replica.edition?.head.head.epoch, other.epoch);
  });

  it('sets its time by the primary when its clock is wrong, says so once, and counts the age from there', async () => {
    const issued = held.edition?.head.head.issued ?? 0;
    await begin({ at: epochMs(issued - 3_600_000) });
    fixture.parent.age = milliseconds(2000);
    await fixture.inStep();
    await fixture.round();
    assert.equal(fixture.time.offset, 3_602_000);
    assert.equal(fixture.events.filter(({ code }) => code === 'clock-differs').length, 1);
    fixture.clock.advance(500);
    assert.equal(fixture.replica.confirmedAge, 2500);
  });

  it('sets its time by the head when a call is refused for its date', async () => {
    await begin({ at: epochMs((held.edition?.head.head.issued ?? 0) + 7_200_000) });
    fixture.parent.failure = new CallFailed('refused', parent, 'out-of-window', 'dated wrongly');
    await fixture.round();
    await until(() => fixture.time.offset === -7_200_000);
    await settled(() => fixture.parent.asked.length);
    assert.deepEqual(fixture.parent.asked, ['changes', 'head', 'changes', 'head'], 'once more, and not for ever');
    fixture.parent.failure = null;
    await fixture.inStep();
  });

  it('sets its time by the head also when its key is not known yet: for its date it could not join', async () => {
    await begin({ at: epochMs((held.edition?.head.head.issued ?? 0) - 7_200_000) });
    fixture.parent.failure = new CallFailed('refused', parent, 'unknown-key', 'of nobody');
    await fixture.round();
    await until(() => fixture.time.offset === 7_200_000);
    await settled(() => fixture.parent.asked.length);
    assert.deepEqual(fixture.parent.asked, ['changes', 'head', 'changes', 'head'], 'once more, and not for ever');
  });

  it('pulls contents in its window alone, while heads and records come at once', async () => {
    const window = { cron: '0 3 * * *', timezone: 'UTC', for: milliseconds(3_600_000) };
    await begin({ window, at: epochMs(Date.parse('2023-11-14T22:13:20Z')) });
    fixture.replica.start();
    await until(() => stateOf() === 'behind');
    assert.deepEqual([fixture.replica.known?.seq, fixture.replica.standing.left, heldSeq()], [2, 2, null]);
    fixture.clock.advance(5 * 3_600_000);
    await fixture.restart();
    fixture.replica.start();
    await until(() => stateOf() === 'in-step');
    assert.equal(heldSeq(), 2);
  });

  it('says that there is no room, holds what it has, and goes on when there is', async () => {
    await begin({ limit: 150_000 });
    await fixture.inStep();
    await held.put({ c: long('c'), d: long('d') });
    await fixture.round();
    await until(() => fixture.events.some(({ code }) => code === 'documents-full'));
    await fixture.round();
    await until(() => /do not fit/.test(fixture.replica.standing.reason ?? ''));
    assert.deepEqual([stateOf(), heldSeq(), fixture.replica.visible('c')?.seq ?? 3], ['behind', 2, 3]);
    await held.put({ d: 'short' });
    await fixture.inStep();
    assert.deepEqual([heldSeq(), fixture.replica.standing.reason], [5, null]);
  });

  it('lets go of what it keeps of removed documents before it says that there is no room', async () => {
    await begin({ limit: 150_000, keepsRemoved: true });
    await held.put({ c: long('c') });
    await fixture.inStep();
    await held.put({ c: null });
    await fixture.inStep();
    assert.ok(fixture.blobs.usage.bytes > 100_000, 'it is kept');
    await held.put({ d: long('d') });
    await fixture.inStep();
    assert.deepEqual([heldSeq(), fixture.replica.standing.reason], [5, null]);
  });

  it('says why the primary does not admit it', async () => {
    await begin();
    fixture.refusal = 'it is not listed';
    await fixture.inStep();
    assert.equal(fixture.replica.standing.reason, 'it is not listed');
  });

  it('tells of each edition, and of none once nobody listens', async () => {
    await begin();
    let told = 0;
    const end = fixture.replica.onEdition(() => told++);
    await fixture.inStep();
    assert.equal(told, 1);
    await held.renew();
    await fixture.round();
    await until(() => told === 2);
    end();
    await held.put({ c: 'three' });
    await fixture.inStep();
    assert.equal(told, 2);
  });

  it('goes on where it was after a restart, and stops twice as once', async () => {
    await begin();
    await fixture.inStep();
    await fixture.restart();
    assert.deepEqual([stateOf(), heldSeq()], ['cut-off', 2]);
    await held.put({ c: 'three' });
    await fixture.inStep();
    assert.deepEqual(
      fixture.parent.asked.filter((what) => what.startsWith('blob')).length,
      3,
      'nothing is pulled twice',
    );
    await fixture.replica.stop();
    await fixture.replica.stop();
    fixture.replica.wake();
    await fixture.restart();
  });
});
