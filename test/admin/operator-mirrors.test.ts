import assert from 'node:assert/strict';
import type { ExplainedRequest } from '../../proxy/admin/operator-explain.js';
import { answer } from '../support/origin-scripts.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { cacheStatusOf, type Willis } from '../support/willis.js';
import { OperatedWillis } from './operator-fixture.js';

describe('what an operator is told of mirrors', () => {
  let node: OperatedWillis;
  let willis: Willis;
  let mirrors: readonly ScriptedOrigin[];

  beforeEach(async () => {
    node = await OperatedWillis.start();
    willis = node.willis;
    const fields = { 'Last-Modified': 'Wed, 01 Jan 2025 00:00:00 GMT' };
    willis.serve(answer(200, fields, 'content'));
    const handlers = [answer(200, fields, 'another one'), answer(200, fields, 'content')];
    mirrors = await Promise.all(handlers.map((handler) => startOrigin(handler, { clock: willis.clock })));
    await willis.reload({
      cache: { rules: [{ match: willis.origin.url('/'), store: false }] },
      clientSide: { mirrors: [{ of: willis.origin.url('/'), at: mirrors.map((mirror) => mirror.url('/pub/')) }] },
    });
  });
  afterEach(async () => {
    for (const mirror of mirrors) await mirror.close();
    await node.stop();
  });

  const explain = (path = '/a', fields: readonly (readonly [string, string])[] = []): Promise<ExplainedRequest> =>
    node.call('/api/explain', { url: willis.origin.url(path), side: 'proxy', fields });

  const get = async (path = '/a'): Promise<string> => {
    const client = await willis.connect(willis.proxyPort);
    client.request('GET', willis.origin.url(path), { Host: willis.origin.authority });
    const response = await client.receive();
    client.close();
    assert.equal(response.body.toString(), 'content');
    return String(cacheStatusOf(response)['detail']);
  };

  /** By a rule, so that it does not depend on what was measured. */
  const preferring = (mirror: ScriptedOrigin): Promise<unknown> =>
    willis.reload({ clientSide: { rules: [{ match: willis.origin.url('/'), from: `http://${mirror.authority}` }] } });

  it('is from whom a document would be got, the original among them, and what is known of each', async () => {
    const { choice } = await explain();
    assert.deepEqual([choice?.namespace, choice?.policy, choice?.rule], [willis.origin.url('/'), 'nearest', null]);
    const told = choice?.candidates.map(({ url, role }) => `${role} ${url}`).sort();
    const expected = [
      `primary http://${willis.origin.authority}`,
      ...mirrors.map((mirror) => `mirror http://${mirror.authority}`),
    ];
    assert.deepEqual(told, expected.sort());
    assert.deepEqual([willis.origin.count(), ...mirrors.map((mirror) => mirror.count())], [0, 0, 0]);
  });

  it('is why a mirror is passed over, as Cache-Status says it to clients', async () => {
    const [other] = mirrors as [ScriptedOrigin];
    await preferring(other);
    const because = 'another length: 11 instead of 7';
    assert.equal(
      await get(),
      `rule; primary http://${willis.origin.authority}; skipped http://${other.authority}: ${because}`,
    );
    const { choice } = await explain();
    assert.equal(choice?.rule, willis.origin.url('/'));
    assert.equal(choice.candidates[0]?.lateBecause, because);
    assert.equal(choice.skipped[0]?.url, `http://${mirrors[1]?.authority ?? ''}`);
  });

  it('is nothing for a request that is for the original alone', async () => {
    assert.equal((await explain('/a', [['Cookie', 'a=b']])).choice, null);
  });

  it('is counted', async () => {
    for (const mirror of mirrors) {
      await preferring(mirror);
      await get();
    }
    const text = (await node.ask('GET', '/metrics')).body.toString();
    for (const line of [
      'willis_mirror_answers_total{by="original"} 1',
      'willis_mirror_answers_total{by="mirror"} 1',
      'willis_mirror_passed_over_total{reason="unequal"} 1',
      'willis_mirror_learned_documents 1',
      'willis_mirror_unusable 1',
    ]) {
      assert.ok(text.includes(`${line}\n`), line);
    }
  });
});
