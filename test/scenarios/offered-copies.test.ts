import assert from 'node:assert/strict';
import { answer } from '../support/origin-scripts.js';
import type { RawResponse } from '../support/raw-client.js';
import { startWillis, type Willis } from '../support/willis.js';

const hour = 3_600_000;

describe('a forced reload that fails', () => {
  let willis: Willis;
  let target: string;

  beforeEach(async () => {
    willis = await startWillis();
    target = willis.origin.url('/a');
  });
  afterEach(() => willis.stop());

  async function ask(fields: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<RawResponse> {
    const client = await willis.connect(willis.proxyPort);
    client.request(method, target, { Host: willis.origin.authority, Accept: 'text/html', ...fields });
    return client.receive(method);
  }

  /** Stores an answer, and takes the origin server away three hours later. */
  async function storeAndBreak(control: string, fields: Readonly<Record<string, string>> = {}): Promise<void> {
    willis.serve(answer(200, { 'Cache-Control': control, ETag: '"1"', ...fields }, 'stored'));
    assert.equal((await ask()).body.toString(), 'stored');
    willis.clock.advance(3 * hour);
    willis.serve((_request, response) => void response.destroy());
  }

  const offers = ({ status, body }: RawResponse): boolean => {
    assert.equal(status, 502);
    return body.includes('3 hours old');
  };

  for (const demand of ['no-cache', 'max-age=0', 'max-age=10', 'min-fresh=86400', 'max-age=0, stale-if-error=60']) {
    it(`with ${demand} offers the copy that a plain request gets`, async () => {
      await storeAndBreak('max-age=86400');
      const failed = await ask({ 'Cache-Control': demand });
      assert.ok(offers(failed), failed.body.toString());
      assert.ok(failed.body.includes(`<a href="${target}">Show the copy</a>`), failed.body.toString());
      const plain = await ask();
      assert.deepEqual([plain.status, plain.body.toString()], [200, 'stored']);
    });
  }

  it('offers a stale copy where one may stand in for a server that cannot be reached (RFC 9111 §4.2.4)', async () => {
    await storeAndBreak('max-age=60');
    assert.ok(offers(await ask({ 'Cache-Control': 'no-cache' })), 'nothing is offered');
    assert.equal((await ask()).body.toString(), 'stored');
  });

  it('offers it to programs, too', async () => {
    await storeAndBreak('max-age=86400');
    const failed = await ask({ 'Cache-Control': 'no-cache', Accept: 'application/json' });
    const { copy } = JSON.parse(failed.body.toString()) as { copy: { asOf: string; age: number } };
    assert.equal(copy.age, 3 * 3600);
    assert.equal(Date.parse(copy.asOf), willis.clock.now() - 3 * hour);
  });

  for (const control of [
    ...['max-age=60, must-revalidate', 'max-age=60, proxy-revalidate', 's-maxage=60', 'max-age=86400, no-cache'],
    ...['max-age=60, stale-if-error=60'],
  ]) {
    it(`offers nothing that ${control} forbids to use, as a plain request gets nothing`, async () => {
      await storeAndBreak(control);
      assert.ok(!offers(await ask({ 'Cache-Control': 'no-cache' })), 'it is offered');
      assert.equal((await ask()).status, 502);
    });
  }

  it('offers nothing that was not stored, nor what stands there for other fields', async () => {
    await storeAndBreak('no-store');
    assert.ok(!offers(await ask({ 'Cache-Control': 'no-cache' })), 'it is offered');
    await storeAndBreak('max-age=86400', { Vary: 'Accept-Language' });
    assert.ok(!offers(await ask({ 'Cache-Control': 'no-cache', 'Accept-Language': 'de' })), 'it is offered');
  });

  it('offers nothing but what was a success', async () => {
    willis.serve(answer(404, { 'Cache-Control': 'max-age=86400' }, 'none'));
    assert.equal((await ask()).status, 404);
    willis.clock.advance(3 * hour);
    willis.serve((_request, response) => void response.destroy());
    assert.ok(!offers(await ask({ 'Cache-Control': 'no-cache' })), 'it is offered');
  });

  it('offers nothing on the public side', async () => {
    willis.serve(answer(200, { 'Cache-Control': 'max-age=86400' }, 'stored'));
    await willis.get('/a');
    willis.clock.advance(3 * hour);
    willis.serve((_request, response) => void response.destroy());
    assert.ok(!offers(await willis.get('/a', { 'Cache-Control': 'no-cache', Accept: 'text/html' })), 'it is offered');
    assert.equal((await willis.get('/a')).body.toString(), 'stored');
  });
});
