import assert from 'node:assert/strict';
import { WillisError, type Alternatives } from '../../../proxy/base/errors.js';
import { answer } from '../../support/origin-scripts.js';
import type { OriginHandler } from '../../support/scripted-origin.js';
import { MirroredSite, serving } from './mirrored-site.js';

const broken: OriginHandler = (_request, response) => void response.destroy();

describe('where neither the original nor a mirror answers', () => {
  let site: MirroredSite;
  afterEach(() => site.stop());

  async function told(): Promise<Alternatives | null> {
    const error: unknown = await site.ask().catch((failure: unknown) => failure);
    assert.ok(error instanceof WillisError, String(error));
    assert.equal(error.code, 'upstream-reset');
    return error.alternatives;
  }

  it('all that were asked are named, with why in vain, and those that were not', async () => {
    site = await MirroredSite.start(broken, [answer(500), broken, broken], { trust: 'full', attempts: 2 });
    const url = (n: number): string => site.urlOf(site.mirror(n));
    assert.deepEqual(await told(), {
      tried: [
        { url: url(1), because: 'status 500' },
        { url: url(2), because: 'broken' },
        { url: site.urlOf(site.original), because: 'broken' },
      ],
      left: [{ url: url(3), because: null }],
    });
  });

  it('of mirrors that are to be compared with the original none can be', async () => {
    site = await MirroredSite.start(broken, [serving({ 'a.txt': { content: 'a' } })], { trust: 'compared' });
    assert.deepEqual(await told(), {
      tried: [{ url: site.urlOf(site.original), because: 'broken' }],
      left: [{ url: site.urlOf(site.mirror(1)), because: null }],
    });
  });
});
