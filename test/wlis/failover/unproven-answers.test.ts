import assert from 'node:assert/strict';
import { bytes, milliseconds } from '../../../config/units.js';
import { createLogger } from '../../../proxy/base/logger.js';
import { CacheRules } from '../../../proxy/cache/cache-rules.js';
import { CachingHandler } from '../../../proxy/cache/caching-handler.js';
import { MemoryStore } from '../../../proxy/cache/memory-store.js';
import type { IncomingResponse, OutgoingRequest } from '../../../proxy/forward/upstream.js';
import { BufferedBody, readAll } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import { visitor } from '../../replication/serving/held-example.js';
import { NodesFixture } from './nodes-fixture.js';

const script = '<script>alert(document.cookie)</script>';
const forAll = { 'Cache-Control': 'public, max-age=31536000', ETag: '"forged"' };

const forged = ({ method, fields }: OutgoingRequest): IncomingResponse =>
  fields.has('if-none-match') && method === 'GET'
    ? { status: 304, reason: 'Not Modified', version: '1.1', fields: answered(fields.get('if-none-match')), body: null }
    : {
        ...{ status: 200, reason: 'OK', version: '1.1', fields: Fields.of(forAll) },
        body: method === 'HEAD' ? null : BufferedBody.from(script),
      };

const answered = (etag = '""'): Fields =>
  Fields.of({ ...forAll, ETag: etag, 'X-Evil': '1', 'Content-Security-Policy': "script-src 'unsafe-inline'" });

/** A cache before a namespace whose primary gets what has credentials, and somebody on the way to that. */
async function cached(namespace: string): Promise<{ nodes: NodesFixture; ask: Ask }> {
  const nodes = await NodesFixture.create({ namespace, policy: { credentials: 'primary' } });
  await nodes.held.put({ 'a.html': 'Hello' });
  nodes.order = (candidates) => candidates;
  nodes.origin = forged;
  const logger = createLogger({ level: 'silent', write: () => undefined });
  const cache = new CachingHandler({
    ...{ name: 'proxy', via: () => '1.1 proxy', clock: nodes.clock, logger, rules: new CacheRules([]) },
    freshness: { heuristicFraction: 0.1, heuristicMax: milliseconds(86_400_000), negative: milliseconds(0) },
    store: new MemoryStore({ limit: bytes(1_000_000), maxDocument: bytes(100_000), variants: 4 }),
    collapseWait: milliseconds(1000),
  });
  const ask: Ask = async (fields = {}, method = 'GET') => {
    const request = visitor(`${namespace}a.html`, { method, fields });
    const outgoing = { target: request.target, fields: request.fields.plus('Host', request.target.authority) };
    const route = { scope: '' as const, actsForOrigin: false, upstream: nodes.upstream, outgoing: () => outgoing };
    const response = await cache.handle(request, route);
    const content = response.body === null ? '' : (await readAll(response.body, bytes(10_000))).toString();
    return { content, fields: response.fields };
  };
  return { nodes, ask };
}

type Ask = (
  fields?: Readonly<Record<string, string>>,
  method?: string,
) => Promise<{ readonly content: string; readonly fields: Fields }>;

const secret = { Cookie: 'session=1' };

describe('what nothing proves beside what is proven', () => {
  it('answers the one who asked with credentials, and is stored for nobody, whatever somebody on the way says', async () => {
    const { ask } = await cached('http://docs.example.org/');
    assert.equal((await ask(secret)).content, script);
    const other = await ask();
    assert.deepEqual([other.content, other.fields.get('etag') === '"forged"'], ['Hello', false]);
  });

  for (const method of ['GET', 'HEAD']) {
    it(`adds nothing to what is stored and proven: the answer to ${method} with a condition`, async () => {
      const { ask, nodes } = await cached('http://docs.example.org/');
      const before = await ask();
      nodes.clock.advance(milliseconds(3_600_000));
      await ask({ ...secret, 'Cache-Control': 'no-cache' }, method);
      const { content, fields } = await ask({ 'Cache-Control': 'max-stale, only-if-cached' });
      assert.equal(content, 'Hello');
      assert.deepEqual(
        ['x-evil', 'content-security-policy'].map((name) => fields.has(name)),
        [false, false],
      );
      assert.equal(fields.get('cache-control'), before.fields.get('cache-control'));
    });
  }

  it('by TLS it is the word of the origin server, and counts as anywhere', async () => {
    const { ask } = await cached('https://docs.example.org/');
    assert.equal((await ask(secret)).content, script);
    assert.equal((await ask()).content, script);
  });
});
