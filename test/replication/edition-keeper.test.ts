import assert from 'node:assert/strict';
import { monotonicMs, type EpochMs } from '../../config/units.js';
import { createLogger } from '../../proxy/base/logger.js';
import { ChangeList, type Change } from '../../replication/change-list.js';
import { EditionKeeper } from '../../replication/edition-keeper.js';
import type { HeadContent } from '../../replication/head-signer.js';
import { newEpoch } from '../../wlis/trust/epoch.js';
import { signHead } from '../../wlis/trust/head.js';
import { FakeClock } from '../support/fake-clock.js';
import { aWhile } from '../support/waiting.js';
import { keyNamed } from '../wlis/trust/keys-example.js';
import { site } from './primary-fixture.js';

/** So many that what is made of them takes several turns. */
const many = 500;

describe('the editions of a primary', () => {
  const clock = new FakeClock();
  const now: EpochMs = clock.now();
  const epoch = newEpoch(null, now, Buffer.alloc(16));
  let list: ChangeList<string>;
  let signed: number[];
  let keeper: EditionKeeper;

  beforeEach(async () => {
    const key = await keyNamed('signer');
    list = new ChangeList();
    signed = [];
    keeper = new EditionKeeper({
      namespace: site,
      published: () => ({ epoch, list }),
      heads: {
        sign: async (content: HeadContent) => {
          signed.push(content.seq);
          const head = { namespace: site, ...content, issued: now, refreshAfter: now, expires: now };
          return { signed: await signHead(head, key), at: monotonicMs(0) };
        },
      },
      clock,
      logger: createLogger({ level: 'silent' }),
    });
    await keeper.prepare();
  });
  afterEach(() => keeper.stop());

  function publish(count: number): void {
    const changes = Array.from({ length: count }, (_, i): Change<string> => {
      const seq = list.last + 1 + i;
      return { seq, path: `${seq}.txt`, at: now, document: null, together: seq };
    });
    list.apply(changes);
    keeper.take(changes);
  }

  it('are signed once for what is published, also if signing begins while it is looked at', async () => {
    publish(many);
    await Promise.resolve();
    await new Promise(setImmediate);
    keeper.begin();
    await keeper.settled();
    await aWhile();
    assert.deepEqual(signed, [many]);
  });

  it('are signed again when that is wanted, and for what else is published meanwhile', async () => {
    publish(1);
    keeper.begin();
    await keeper.settled();
    await keeper.renew();
    publish(many);
    publish(2);
    await keeper.settled();
    await aWhile();
    assert.deepEqual(signed, [1, 1, many + 3]);
  });
});
